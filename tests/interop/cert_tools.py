#!/usr/bin/env python3
"""`cleat cert match`, `key`, `csr`, `sign` and `convert` beside the openssl command: what one
makes the other reads, and what does not belong together is told apart."""
import pathlib
import subprocess

from get_support import PROGRAM, GetTest, openssl
from support import main, run


class Tools(GetTest):
    def cert(self, *args, **more):
        return run([PROGRAM, "cert", *args], **more)

    def file(self, name):
        return self.folder / name

    def key(self, name, kind="p256"):
        path = self.file(name)
        self.cert("key", "--key-type", kind, "--force", "-o", path)
        return path

    def request(self, name, key, *more):
        path = self.file(name)
        openssl("req", "-new", "-key", key, "-subj", "/CN=tools.test", "-out", path, *more)
        return path


class Keys(Tools):
    def test_openssl_reads_every_kind_of_key(self):
        for kind, words in (("p256", "prime256v1"), ("p384", "secp384r1"), ("p521", "secp521r1"),
                            ("ed25519", "ED25519"), ("ed448", "ED448"),
                            ("rsa2048", "2048 bit"), ("ecdsa", "prime256v1")):
            with self.subTest(kind):
                key = self.key("kind.pem", kind)
                self.assertIn(words, openssl("pkey", "-in", key, "-noout", "-text",
                                             "-check").stdout.decode())
                self.assertIn("BEGIN PRIVATE KEY", key.read_text())
                self.assertEqual(key.stat().st_mode & 0o777, 0o600)

    def test_a_key_is_not_written_over(self):
        key = self.key("precious.pem")
        before = key.read_bytes()
        done = self.cert("key", "-o", key, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"exists", done.stderr)
        self.assertEqual(key.read_bytes(), before)
        self.cert("key", "--force", "-o", key)
        self.assertNotEqual(key.read_bytes(), before)

    def test_without_a_file_it_is_printed(self):
        self.assertTrue(self.cert("key").stdout.startswith(b"-----BEGIN PRIVATE KEY-----\n"))

    def test_kinds_that_are_none_are_refused(self):
        for args in (("--key-type", "rsa1024"), ("--key-type", ""), ("file.pem",)):
            with self.subTest(args):
                self.assertEqual(self.cert("key", *args, check=False).returncode, 2)


class Match(Tools):
    def match(self, *paths):
        return self.cert("match", *paths, check=False)

    def test_a_key_its_certificate_its_request_and_its_public_half(self):
        for kind in ("p256", "rsa2048", "ed25519"):
            with self.subTest(kind):
                key = self.key(f"m-{kind}.pem", kind)
                csr = self.request(f"m-{kind}.csr", key)
                cert, public = self.file(f"m-{kind}.crt"), self.file(f"m-{kind}.pub")
                openssl("x509", "-req", "-in", csr, "-signkey", key, "-out", cert)
                openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", public)
                done = self.match(key, cert, csr, public)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(b"They belong together", done.stdout)
                both = self.file("both.pem")
                both.write_bytes(cert.read_bytes() + key.read_bytes())
                self.assertEqual(self.match(both, cert).returncode, 0)
                self.assertEqual(self.match(both, both).returncode, 0)

    def test_another_key_is_told(self):
        key, other = self.key("one.pem"), self.key("two.pem")
        csr = self.request("one.csr", key)
        self.assertEqual(self.match(key, csr).returncode, 0)
        done = self.match(other, csr)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"do NOT belong together", done.stdout)
        self.assertEqual(self.match(key, csr, other).returncode, 1)

    def test_older_forms_of_keys(self):
        key, old = self.key("new.pem"), self.file("old.pem")
        openssl("ec", "-in", key, "-out", old)
        self.assertIn("BEGIN EC PRIVATE KEY", old.read_text())
        self.assertEqual(self.match(old, self.request("old.csr", key)).returncode, 0)

    def test_what_cannot_be_compared_is_no_answer(self):
        key = self.key("plain.pem")
        csr = self.request("plain.csr", key)
        sealed, older = self.file("sealed.pem"), self.file("older.pem")
        openssl("pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", sealed)
        openssl("ec", "-in", key, "-aes128", "-passout", "pass:x", "-out", older)
        junk, cut = self.file("junk"), self.file("cut.csr")
        junk.write_text("nothing here\n")
        cut.write_text(csr.read_text()[:-60])
        for args, words in (((sealed, csr), "encrypted"), ((older, csr), "encrypted"),
                            ((junk, csr), "neither PEM nor DER"), ((key, cut), "cut.csr"),
                            ((key, self.file("missing")), "No such file"), ((key,), "two files")):
            with self.subTest(args):
                done = self.match(*args)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr.decode())


class Requests(Tools):
    def test_openssl_verifies_a_request_of_every_kind_of_key(self):
        for kind in ("p256", "p384", "p521", "ed25519", "ed448", "rsa2048"):
            with self.subTest(kind):
                key, csr = self.file(f"r-{kind}.pem"), self.file(f"r-{kind}.csr")
                self.cert("csr", "--new-key", key, "--key-type", kind, "-o", csr, "r.test")
                # OpenSSL 3.0 says so on standard error, 3.5 on standard output
                done = openssl("req", "-in", csr, "-verify", "-noout")
                self.assertIn(b"OK", done.stdout + done.stderr)
                self.assertEqual(self.cert("match", key, csr).returncode, 0)
                self.assertEqual(key.stat().st_mode & 0o777, 0o600)

    def test_the_names_and_must_staple_are_in_it(self):
        key = self.key("names.pem")
        done = self.cert("csr", "--key", key, "--must-staple", "--organization", "Example \u00dc",
                         "*.r.test", "b\u00fccher.test", "192.0.2.1", "::1", "a@r.test")
        text = openssl("req", "-noout", "-text", "-nameopt", "RFC2253,-esc_msb", "-verify",
                       input=done.stdout).stdout.decode()
        for words in ("CN=*.r.test,O=Example \u00dc", "DNS:*.r.test, DNS:xn--bcher-kva.test, "
                      "IP Address:192.0.2.1, IP Address:0:0:0:0:0:0:0:1, email:a@r.test",
                      "status_request"):
            self.assertIn(words, text)

    def test_openssl_signs_what_is_asked_for(self):
        key, csr, cert = self.key("sign.pem"), self.file("sign.csr"), self.file("sign.crt")
        self.cert("csr", "--key", key, "-o", csr, "sign.test", "www.sign.test")
        openssl("x509", "-req", "-in", csr, "-CA", self.ca.cert, "-CAkey", self.ca.key, "-out",
                cert, "-days", "3", "-copy_extensions", "copy")
        openssl("verify", "-CAfile", self.ca.cert, "-verify_hostname", "www.sign.test", cert)
        self.assertEqual(self.cert("match", key, csr, cert).returncode, 0)

    def test_what_is_there_stays(self):
        key, csr = self.key("stay.pem"), self.file("stay.csr")
        before = key.read_bytes()
        done = self.cert("csr", "--force", "--new-key", key, "-o", csr, "stay.test", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"exists", done.stderr)
        self.assertEqual(key.read_bytes(), before)
        self.assertFalse(csr.exists())
        self.cert("csr", "--key", key, "-o", csr, "stay.test")
        self.assertEqual(self.cert("csr", "--key", key, "-o", csr, "stay.test",
                                   check=False).returncode, 1)

    def test_what_cannot_be_asked_for_is_told(self):
        key = self.key("fault.pem")
        sealed = self.file("fault-sealed.pem")
        openssl("pkey", "-in", key, "-aes256", "-passout", "pass:x", "-out", sealed)
        for args, code, words in ((("--key", key), 2, "no name"), (("a.test",), 2, "which key"),
                                  (("--key", key, "--new-key", "x", "a.test"), 2, "exclude"),
                                  (("--key", key, "--key-type", "p256", "a.test"), 2, "--new-key"),
                                  (("--key", key, "a b"), 1, "a b"),
                                  (("--key", sealed, "a.test"), 1, "encrypted"),
                                  (("--key", self.ca.cert, "a.test"), 1, "no private key")):
            with self.subTest(args):
                done = self.cert("csr", *args, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(words, done.stderr.decode())
                self.assertEqual(done.stdout, b"")


class Sign(Tools):
    def ask(self, name, *args):
        """A key and a request for it."""
        key, csr = self.file(f"{name}-key.pem"), self.file(f"{name}.csr")
        self.cert("csr", "--force", "--key", self.key(key.name), "-o", csr, *args)
        return key, csr

    def sign(self, name, issuer, csr, *args, **more):
        out = self.file(f"{name}.pem")
        return self.cert("sign", "--force", "--ca", self.file(f"{issuer}.pem"), "--ca-key",
                         self.file(f"{issuer}-key.pem"), "--csr", csr, "-o", out, *args, **more)

    def setUp(self):
        super().setUp()
        key, csr = self.ask("root", "--common-name", "Small CA")
        self.cert("sign", "--root", "--force", "--ca-key", key, "--csr", csr, "-o",
                  self.file("root.pem"))
        _, csr = self.ask("middle", "--common-name", "Small CA, below")
        self.sign("middle", "root", csr, "--intermediate")

    def verify(self, name, *args):
        return openssl("verify", "-x509_strict", "-CAfile", self.file("root.pem"), "-untrusted",
                       self.file("middle.pem"), *args, self.file(f"{name}.pem"))

    def test_openssl_verifies_what_is_signed(self):
        for name, args, purposes in (("server", (), ("sslserver",)),
                                     ("client", ("--client",), ("sslclient",)),
                                     ("both", ("--client", "--server"),
                                      ("sslserver", "sslclient"))):
            with self.subTest(name):
                key, csr = self.ask(name, "--must-staple", "a.test", "*.b.test", "192.0.2.1")
                told = self.sign(name, "middle", csr, *args).stderr
                self.assertIn(b"for *.b.test", told)
                for purpose in purposes:
                    self.verify(name, "-purpose", purpose, "-verify_hostname", "x.b.test")
                text = openssl("x509", "-noout", "-text", "-in",
                               self.file(f"{name}.pem")).stdout.decode()
                self.assertIn("status_request", text)
                self.assertNotIn("CA:TRUE", text)
                self.cert("match", key, csr, self.file(f"{name}.pem"))
        with self.assertRaises(subprocess.CalledProcessError):
            self.verify("client", "-purpose", "sslserver")

    def test_requests_that_openssl_made(self):
        for kind in ("rsa2048", "ed25519", "p521"):
            with self.subTest(kind):
                key = self.key("theirs-key.pem", kind)
                csr = self.request("theirs.csr", key, "-addext", "subjectAltName=DNS:theirs.test",
                                   "-addext", "basicConstraints=critical,CA:TRUE",
                                   "-addext", "keyUsage=keyCertSign")
                self.sign("theirs", "middle", csr)
                self.verify("theirs", "-verify_hostname", "theirs.test")
                text = openssl("x509", "-noout", "-ext", "basicConstraints,keyUsage", "-in",
                               self.file("theirs.pem")).stdout
                self.assertNotIn(b"Certificate Sign", text)
                self.assertNotIn(b"CA:TRUE", text)

    def test_nothing_outlives_its_issuer(self):
        _, csr = self.ask("brief", "--common-name", "Brief CA")
        self.sign("brief", "root", csr, "--intermediate", "--days", "2")
        _, csr = self.ask("long", "long.test")
        self.assertIn(b"less than 397 days", self.sign("long", "brief", csr).stderr)
        ends = [openssl("x509", "-noout", "-enddate", "-in", self.file(f"{n}.pem")).stdout
                for n in ("brief", "long")]
        self.assertEqual(ends[0], ends[1])

    def test_what_is_not_signed(self):
        key, good = self.ask("good", "good.test")
        self.sign("good", "middle", good)
        _, nameless = self.ask("nameless", "--common-name", "nobody")
        odd = self.request("odd.csr", key, "-addext", "subjectAltName=DNS:a b")
        _, twin = self.ask("twin", "--common-name", "Small CA, below", "twin.test")
        forged = self.file("forged.csr")
        der = bytearray(self.cert("convert", good).stdout)
        der[der.index(b"good.test")] ^= 1
        forged.write_bytes(der)
        for issuer, csr, args, words in (
                ("middle", forged, (), "its signature"), ("middle", nameless, (), "subjectAltName"),
                ("middle", odd, (), "a b"), ("middle", twin, (), "the CA's own"),
                ("middle", good, ("--intermediate",), "path length"),
                ("good", good, (), "not the certificate of a CA"),
                ("middle", key, (), "no certificate request")):
            with self.subTest(words):
                done = self.sign("never", issuer, csr, *args, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(words, done.stderr.decode())
                self.assertFalse(self.file("never.pem").exists())
        done = self.cert("sign", "--ca", self.file("root.pem"), "--ca-key", key, "--csr", good,
                         check=False)
        self.assertIn(b"not the key of the CA", done.stderr)
        for args in ((), ("--csr", good), ("--csr", good, "--ca-key", key),
                     ("--root", "--client", "--csr", good, "--ca-key", key)):
            self.assertEqual(self.cert("sign", *args, check=False).returncode, 2, args)


class Convert(Tools):
    def both_ways(self, path, *check):
        der, back = self.file("c.der"), self.file("c.pem")
        self.cert("convert", "--force", "-o", der, path)
        openssl(*check, "-inform", "DER", "-in", der, "-noout")
        self.cert("convert", "--force", "-o", back, der)
        self.assertEqual(back.read_bytes(), path.read_bytes())
        return der

    def test_everything_there_and_back(self):
        key = self.key("c-key.pem")
        csr = self.request("c.csr", key)
        self.both_ways(csr, "req")
        self.both_ways(self.ca_crl(), "crl")
        cert = self.file("c.crt")
        openssl("x509", "-req", "-in", csr, "-signkey", key, "-out", cert)
        self.assertEqual(self.both_ways(cert, "x509").stat().st_mode & 0o777, 0o644)
        for name, args in (("c-key.pem", ()), ("c-rsa.pem", ("rsa2048",))):
            der = self.both_ways(self.key(name, *args), "pkey")
            self.assertEqual(der.stat().st_mode & 0o777, 0o600)
        public = self.file("c-pub.pem")
        openssl("pkey", "-in", key, "-pubout", "-out", public)
        self.both_ways(public, "pkey", "-pubin")

    def ca_crl(self):
        """Of the CA in get_support: an empty list by `openssl ca`."""
        folder = self.file("crl")
        folder.mkdir(exist_ok=True)
        (folder / "index.txt").touch()
        config = folder / "ca.cnf"
        config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index.txt\n"
                          "default_md=sha256\ndefault_crl_days=7\n")
        out = self.file("list.pem")
        openssl("ca", "-config", config, "-gencrl", "-cert", self.ca.cert, "-keyfile", self.ca.key,
                "-out", out)
        return out

    def test_a_chain_is_one_certificate_after_another(self):
        key = self.key("chain-key.pem")
        cert, chain = self.file("chain-leaf.pem"), self.file("chain.pem")
        openssl("x509", "-req", "-in", self.request("chain.csr", key), "-signkey", key, "-out",
                cert)
        chain.write_bytes(cert.read_bytes() + self.ca.cert.read_bytes())
        done = self.cert("convert", chain)
        self.assertIn(b"2 in one DER file", done.stderr)
        back = subprocess.run([PROGRAM, "cert", "convert", "-"], input=done.stdout,
                              capture_output=True, check=True)
        self.assertEqual(back.stdout, chain.read_bytes())
        annotated = self.file("annotated.pem")
        annotated.write_bytes(b"subject=CN = x\n\n" + chain.read_bytes())
        clean = self.cert("convert", "--to", "pem", annotated)
        self.assertEqual(clean.stdout, chain.read_bytes())

    def test_what_cannot_be_converted_is_told(self):
        key = self.key("bad-key.pem")
        csr = self.request("bad.csr", key)
        mixed, lies, junk = self.file("mixed"), self.file("lies"), self.file("nonsense")
        mixed.write_bytes(csr.read_bytes() + key.read_bytes())
        lies.write_text(key.read_text().replace("PRIVATE KEY", "CERTIFICATE"))
        junk.write_bytes(b"\x30\x03\x02\x01")
        for path, words in ((mixed, "cannot go into one DER file"), (lies, "private key"),
                            (junk, "cut off"), (pathlib.Path("/dev/null"), "empty file")):
            with self.subTest(path):
                done = self.cert("convert", path, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(words, done.stderr.decode())
                self.assertEqual(done.stdout, b"")
        self.assertEqual(self.cert("convert", check=False).returncode, 2)
        self.assertEqual(self.cert("convert", "--to", "p7b", csr, check=False).returncode, 2)


if __name__ == "__main__":
    main()
