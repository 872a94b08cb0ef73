#!/usr/bin/env python3
"""PKCS#12 files and passphrases: what OpenSSL, GnuTLS, NSS, Java and Python's cryptography write,
`cleat cert` reads, and what it writes, they read; where passphrases come from."""
import os
import shutil
import subprocess
import sys
import unittest

from get_support import PROGRAM, GetTest, openssl
from support import main, on_terminal, run

WORD = "pässword 1"  # UTF-8 beyond ASCII: a BMPString in the old algorithms


class Pkcs12(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.word = cls.folder / "word"
        cls.word.write_text(WORD + "\n")
        cls.word.chmod(0o600)
        cls.key, cls.cert = cls.folder / "p12-key.pem", cls.folder / "p12-cert.pem"
        run([PROGRAM, "cert", "key", "-o", cls.key])
        openssl("req", "-x509", "-new", "-key", cls.key, "-subj", "/CN=p12.test", "-days", "30",
                "-out", cls.cert)
        cls.chain = cls.folder / "p12-chain.pem"
        cls.chain.write_bytes(cls.cert.read_bytes() + cls.ca.cert.read_bytes())

    def convert(self, *args, **more):
        return run([PROGRAM, "cert", "convert", *args], **more)

    def ours(self, name="ours.p12", *more):
        path = self.folder / name
        self.convert("--to", "p12", "--add", self.chain, "--name", "a näme", "--passout",
                     f"file:{self.word}", "--force", "-o", path, *more, self.key)
        return path

    def check_read(self, path, word=WORD, num_certs=2, key=True, more=()):
        """Key and certificates come out as they went in."""
        env = {**os.environ, "CLEAT_WORD": word}
        done = self.convert("--decrypt", "--passin", "env:CLEAT_WORD", *more, path, env=env)
        self.assertEqual(done.stdout.count(b"BEGIN CERTIFICATE"), num_certs)
        self.assertEqual(done.stdout.count(b"BEGIN PRIVATE KEY"), int(key))
        if key and num_certs:
            self.assertIn(self.cert.read_bytes(), done.stdout)
            run([PROGRAM, "cert", "match", "--passin", "env:CLEAT_WORD", path, self.cert,
                 self.key], env=env)

    def refused(self, path, *words, args=(), word=WORD):
        env = {**os.environ, "CLEAT_WORD": word}
        done = self.convert("--passin", "env:CLEAT_WORD", *args, path, env=env, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, b"")
        for text in words:
            self.assertIn(text, done.stderr.decode())


class Openssl(Pkcs12):
    def export(self, name, *more, word=WORD):
        path = self.folder / name
        openssl("pkcs12", "-export", "-out", path, "-passout", f"pass:{word}", *more)
        return path

    def test_it_reads_ours(self):
        for more in ((), ("--old-readers",)):
            with self.subTest(more):
                path = self.ours("o.p12", *more)
                out = openssl("pkcs12", "-in", path, "-passin", f"pass:{WORD}", "-nodes").stdout
                self.assertEqual(out.count(b"BEGIN CERTIFICATE"), 2)
                self.assertEqual(out.count(b"BEGIN PRIVATE KEY"), 1)
                self.assertIn(b"friendlyName: a n", out)
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_we_read_its(self):
        key, cert = ("-inkey", self.key), ("-in", self.chain)
        for name, more, num, has_key in (
                ("plain", (*key, *cert), 2, True),
                ("3des", (*key, *cert, "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES",
                          "-macalg", "sha1"), 2, True),
                ("aes128", (*key, *cert, "-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC",
                            "-macalg", "sha512", "-iter", "600000"), 2, True),
                ("bare", (*key, *cert, "-keypbe", "NONE", "-certpbe", "NONE"), 2, True),
                ("certificates", ("-nokeys", *cert), 2, False),
                ("key", ("-nocerts", *key), 0, True)):
            with self.subTest(name):
                self.check_read(self.export(name, *more), num_certs=num, key=has_key)

    def test_an_empty_passphrase_and_none_at_all(self):
        path = self.export("empty", "-inkey", self.key, "-in", self.chain, word="")
        self.check_read(path, word="")
        self.refused(path, "passphrase is wrong")

    def test_rc2_is_told_and_converted_as_told(self):
        path = self.export("old", "-legacy", "-inkey", self.key, "-in", self.chain)
        self.refused(path, "PBE-SHA1-RC2-40", "legacy provider", "openssl pkcs12 -legacy")
        plain = openssl("pkcs12", "-legacy", "-in", path, "-nodes", "-passin", f"pass:{WORD}")
        again = self.folder / "again.pem"
        again.write_bytes(plain.stdout)
        new = self.folder / "again.p12"
        self.convert("--to", "p12", "--passout", f"file:{self.word}", "-o", new, again)
        self.check_read(new)

    def test_no_mac_and_a_wrong_one(self):
        path = self.export("nomac", "-nomac", "-inkey", self.key, "-in", self.chain)
        self.refused(path, "no MAC", "--no-mac")
        self.check_read_without_mac(path)
        bad = self.folder / "bad.p12"
        data = bytearray(self.ours().read_bytes())
        data[len(data) // 2] ^= 1
        bad.write_bytes(data)
        self.refused(bad, "MAC")
        bad.write_bytes(data[:-20])
        self.refused(bad, "malformed")

    def check_read_without_mac(self, path):
        env = {**os.environ, "CLEAT_WORD": WORD}
        done = self.convert("--no-mac", "--decrypt", "--passin", "env:CLEAT_WORD", path, env=env)
        self.assertEqual(done.stdout.count(b"BEGIN CERTIFICATE"), 2)

    def test_a_key_stays_encrypted_unless_told(self):
        env = {**os.environ, "NEW": "another"}
        done = self.convert("--passin", f"file:{self.word}", "--passout", "env:NEW", self.ours(),
                            env=env)
        self.assertIn(b"BEGIN ENCRYPTED PRIVATE KEY", done.stdout)
        self.assertNotIn(b"BEGIN PRIVATE KEY", done.stdout)
        sealed = self.folder / "sealed.pem"
        sealed.write_bytes(done.stdout)
        openssl("pkey", "-in", sealed, "-passin", "pass:another", "-noout")

    def test_a_key_that_is_not_the_certificates_is_told(self):
        other = self.folder / "other-key.pem"
        run([PROGRAM, "cert", "key", "--force", "-o", other])
        done = self.convert("--to", "p12", "--add", self.cert, "--passout", f"file:{self.word}",
                            "-o", self.folder / "none.p12", other, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"belongs to the private key", done.stderr)
        self.assertFalse((self.folder / "none.p12").exists())


class Others(Pkcs12):
    @unittest.skipUnless(shutil.which("certtool"), "no certtool")
    def test_gnutls(self):
        theirs = self.folder / "gnutls.p12"
        info = run(["certtool", "--p12-info", "--inder", "--infile", self.ours(), "--password",
                    WORD]).stdout
        self.assertIn(b"-----BEGIN CERTIFICATE-----", info)
        for cipher in ("aes-256", "3des-pkcs12"):
            run(["certtool", "--to-p12", "--load-privkey", self.key, "--load-certificate",
                 self.chain, "--p12-name", "gnu", "--password", WORD, "--pkcs-cipher", cipher,
                 "--outder", "--outfile", theirs])
            self.check_read(theirs)

    @unittest.skipUnless(shutil.which("pk12util"), "no pk12util")
    def test_nss(self):
        store = self.folder / "nss"
        store.mkdir(exist_ok=True)
        run(["certutil", "-N", "-d", f"sql:{store}", "--empty-password"])
        run(["pk12util", "-i", self.ours(), "-d", f"sql:{store}", "-W", WORD, "-K", ""])
        self.assertIn(b"p12.test", run(["certutil", "-L", "-d", f"sql:{store}", "-n",
                                        "a näme"]).stdout)
        theirs = self.folder / "nss.p12"
        run(["pk12util", "-o", theirs, "-n", "a näme", "-d", f"sql:{store}", "-W", WORD, "-K", "",
             "-c", "AES-256-CBC", "-C", "AES-128-CBC"])
        self.check_read(theirs, num_certs=1)

    @unittest.skipUnless(shutil.which("keytool"), "no keytool")
    def test_java(self):
        # its command line takes ASCII alone
        env = {**os.environ, "CLEAT_WORD": "secret1"}
        ours = self.folder / "java.p12"
        self.convert("--to", "p12", "--add", self.cert, "--passout", "env:CLEAT_WORD", "-o", ours,
                     self.key, env=env)
        out = run(["keytool", "-list", "-keystore", ours, "-storetype", "PKCS12", "-storepass",
                   "secret1"]).stdout
        self.assertIn(b"PrivateKeyEntry", out)
        theirs = self.folder / "keytool.p12"
        run(["keytool", "-genkeypair", "-alias", "j", "-keyalg", "EC", "-groupname", "secp256r1",
             "-dname", "CN=java.test", "-keystore", theirs, "-storetype", "PKCS12", "-storepass",
             "secret1"])
        done = self.convert("--decrypt", "--passin", "env:CLEAT_WORD", theirs, env=env)
        self.assertEqual(done.stdout.count(b"BEGIN PRIVATE KEY"), 1)

    def test_python(self):
        try:
            from cryptography.hazmat.primitives import serialization
            from cryptography.hazmat.primitives.serialization import pkcs12
        except ImportError:
            self.skipTest("no cryptography")
        read = pkcs12.load_pkcs12(self.ours().read_bytes(), WORD.encode())
        self.assertEqual(read.cert.friendly_name.decode(), "a näme")
        self.assertEqual(len(read.additional_certs), 1)
        theirs = self.folder / "python.p12"
        theirs.write_bytes(pkcs12.serialize_key_and_certificates(
            b"py", read.key, read.cert.certificate,
            [c.certificate for c in read.additional_certs],
            serialization.BestAvailableEncryption(WORD.encode())))
        self.check_read(theirs)
        theirs.write_bytes(pkcs12.serialize_key_and_certificates(
            None, read.key, read.cert.certificate, None, serialization.NoEncryption()))
        self.check_read(theirs, num_certs=1, word="")


class Passphrases(Pkcs12):
    def test_each_source(self):
        path = self.ours()
        env = {**os.environ, "CLEAT_WORD": WORD}
        reader, writer = os.pipe()
        os.write(writer, (WORD + "\r\nmore\n").encode())
        os.close(writer)
        for source, more in ((f"file:{self.word}", {}), ("env:CLEAT_WORD", {"env": env}),
                             (f"fd:{reader}", {"pass_fds": (reader,)}),
                             ("stdin", {"input": (WORD + "\n").encode()}),
                             (f"pass:{WORD}", {})):
            with self.subTest(source):
                done = subprocess.run([PROGRAM, "cert", "convert", "--decrypt", "--passin", source,
                                       path], capture_output=True, check=False, **more)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(b"other users may see" in done.stderr, "pass:" in source)
        os.close(reader)

    def test_what_is_no_source_is_told(self):
        for source, code in (("secret", 2), ("file:", 2), ("fd:x", 2), ("env:CLEAT_NOT", 1),
                             ("file:/nonexistent", 1), ("fd:987", 1), ("stdin", 1)):
            with self.subTest(source):
                done = subprocess.run([PROGRAM, "cert", "convert", "--passin", source,
                                       self.ours()], stdin=subprocess.DEVNULL, capture_output=True,
                                      check=False)
                self.assertEqual(done.returncode, code)
                self.assertEqual(done.stdout, b"")

    def test_a_file_that_others_read_is_warned_about(self):
        loose = self.folder / "loose"
        loose.write_text(WORD)
        loose.chmod(0o644)
        done = self.convert("--decrypt", "--passin", f"file:{loose}", self.ours())
        self.assertIn(b"can be read or written by others", done.stderr)

    def test_without_a_terminal_nobody_is_asked(self):
        done = subprocess.run([PROGRAM, "cert", "convert", self.ours()], capture_output=True,
                              stdin=subprocess.DEVNULL, start_new_session=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"no terminal", done.stderr)
        self.assertIn(b"--passin file:PATH", done.stderr)

    def test_a_terminal_is_asked_without_echo(self):
        line = WORD.encode() + b"\n"
        shown, code = on_terminal([PROGRAM, "cert", "match", self.ours(), self.cert],
                                  (b"Passphrase of", line))
        self.assertEqual(code, 0)
        self.assertIn(b"They belong together", shown)
        self.assertNotIn(WORD.encode(), shown)

    def test_a_new_passphrase_is_asked_for_twice(self):
        path = self.folder / "asked.pem"
        args = [PROGRAM, "cert", "key", "--encrypt", "--force", "-o", path]
        shown, code = on_terminal(args, (b"New passphrase", b"one\n"),
                                  (b"Once more", b"two\n"))
        self.assertEqual(code, 1)
        self.assertIn(b"not the same", shown)
        self.assertFalse(path.exists())
        shown, code = on_terminal(args, (b"New passphrase", b"one\n"),
                                  (b"Once more", b"one\n"))
        self.assertEqual(code, 0)
        openssl("pkey", "-in", path, "-passin", "pass:one", "-noout")

    def test_ctrl_c_ends_the_question(self):
        _, code = on_terminal([PROGRAM, "cert", "match", self.ours(), self.cert],
                              (b"Passphrase of", b"\x03"))
        self.assertEqual(code, -2)

    def test_encrypted_keys_are_read_everywhere(self):
        sealed, old = self.folder / "sealed-key.pem", self.folder / "dek-key.pem"
        self.convert("--to", "pem", "--passout", f"file:{self.word}", "-o", sealed, "--force",
                     self.key)
        openssl("ec", "-in", self.key, "-aes256", "-passout", f"pass:{WORD}", "-out", old)
        source = ("--passin", f"file:{self.word}")
        for key in (sealed, old):
            csr = self.folder / "sealed.csr"
            run([PROGRAM, "cert", "match", *source, key, self.cert])
            run([PROGRAM, "cert", "csr", *source, "--key", key, "--force", "-o", csr, "a.test"])
            run([PROGRAM, "cert", "sign", *source, "--root", "--ca-key", key, "--csr", csr,
                 "--force", "-o", self.folder / "root.pem"])


if __name__ == "__main__":
    sys.exit(main())
