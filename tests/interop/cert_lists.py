#!/usr/bin/env python3
"""`cleat cert sign --crl` beside OpenSSL and GnuTLS: what the small CA revokes is revoked for all
of them, and a list goes on from the one before it."""
import shutil
import subprocess

from get_support import PROGRAM, GetTest, openssl
from support import main, run


class Lists(GetTest):
    def setUp(self):
        super().setUp()
        self.key = self.file("list-ca-key.pem")
        self.root = self.file("list-ca.pem")
        csr = self.file("list-ca.csr")
        self.cert("key", "--force", "-o", self.key)
        self.cert("csr", "--force", "--key", self.key, "--common-name", "List CA", "-o", csr)
        self.cert("sign", "--root", "--force", "--ca-key", self.key, "--csr", csr, "-o", self.root)

    def file(self, name):
        return self.folder / name

    def cert(self, *args, **more):
        return run([PROGRAM, "cert", *args], **more)

    def leaf(self, name, *args):
        key, csr, out = self.file(f"{name}.key"), self.file(f"{name}.csr"), self.file(f"{name}.pem")
        self.cert("key", "--force", "-o", key)
        self.cert("csr", "--force", "--key", key, "-o", csr, f"{name}.test")
        self.cert("sign", "--force", "--ca", self.root, "--ca-key", self.key, "--csr", csr, "-o",
                  out, *args)
        return out

    def list(self, *args, **more):
        return self.cert("sign", "--crl", "--ca", self.root, "--ca-key", self.key, *args, **more)

    def text(self, crl, *args):
        done = openssl("crl", "-in", crl, "-noout", "-text", "-CAfile", self.root, *args)
        self.assertIn(b"verify OK", done.stdout + done.stderr)
        return done.stdout.decode()

    def serial(self, cert):
        return openssl("x509", "-in", cert, "-noout", "-serial").stdout.decode().strip()[7:]

    def assert_revoked(self, crl, *names, good=()):
        for name in (*names, *good):
            theirs = run(["openssl", "verify", "-crl_check", "-CAfile", self.root, "-CRLfile", crl,
                          self.file(f"{name}.pem")], check=False)
            ours = self.cert("verify", "--ca", self.root, "--revocation", "crl", "--hard-fail",
                             "--crlfile", crl, self.file(f"{name}.pem"), check=False)
            with self.subTest(name):
                self.assertEqual(theirs.returncode == 0, name in good, theirs.stderr)
                self.assertEqual(ours.returncode, 0 if name in good else 60, ours.stdout)
                if name not in good:
                    self.assertIn(b"certificate revoked", theirs.stdout + theirs.stderr)
                    self.assertIn(b"CERT_REVOKED", ours.stdout)

    def test_a_list_from_nothing_to_one_that_was_released(self):
        a, b = self.leaf("a"), self.leaf("b")
        self.leaf("c")
        crl = self.file("ca.crl")
        self.list("-o", crl)
        self.assertIn("No Revoked Certificates", self.text(crl))
        self.assert_revoked(crl, good=("a", "b", "c"))
        told = self.list("--from", crl, "-o", crl, "--revoke", f"{a}:keyCompromise", "--since",
                         "2026-01-02", "--revoke", f"{self.serial(b)}:certificateHold").stderr
        self.assertIn(b"2 revoked", told)
        text = self.text(crl)
        for words in ("Key Compromise", "Jan  2 00:00:00 2026", "Certificate Hold"):
            self.assertIn(words, text)
        self.assert_revoked(crl, "a", "b", good=("c",))
        if shutil.which("certtool"):
            done = run(["certtool", "--verify-crl", "--load-ca-certificate", self.root, "--infile",
                        crl])
            self.assertIn(b"Verified. The certificate is trusted", done.stdout + done.stderr)
        before = self.number(text)
        self.list("--from", crl, "-o", crl, "--release", b, "--revoke",
                  f"{a}:superseded", "--revoke", "00:ff")
        text = self.text(crl)
        self.assertEqual(self.number(text), before + 1)
        self.assertIn("Serial Number: FF", text)
        self.assertIn("Superseded", text)
        self.assertIn("Jan  2 00:00:00 2026", text)
        self.assertNotIn("Hold", text)
        self.assert_revoked(crl, "a", good=("b", "c"))

    def number(self, text):
        return int(text.split("X509v3 CRL Number:")[1].split()[0])

    def test_a_list_that_openssl_began_is_carried_on(self):
        a, b = self.leaf("oa"), self.leaf("ob")
        folder = self.file("ca-db")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "number").write_text("ff\n")
        config = folder / "ca.cnf"
        config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index.txt\n"
                          f"crlnumber={folder}/number\ndefault_md=sha256\ndefault_crl_days=7\n"
                          "crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n")
        ca = ("ca", "-config", config, "-cert", self.root, "-keyfile", self.key)
        first, second = self.file("first.crl"), self.file("second.crl")
        openssl(*ca, "-revoke", a, "-crl_compromise", "20260303000000Z")
        openssl(*ca, "-gencrl", "-out", first)
        self.list("--from", first, "--force", "-o", second, "--revoke", b)
        text = self.text(second)
        self.assertEqual(self.number(text), 0x100)
        self.assertIn("Mar  3 00:00:00 2026", text)
        self.assert_revoked(second, "oa", "ob")

    def test_a_partition_is_for_its_own_certificates(self):
        one = "http://crl.test/1.crl"
        a = self.leaf("pa", "--crl-url", one, "--ocsp-url", "http://ocsp.test", "--issuer-url",
                      "http://ca.test/ca.der")
        self.leaf("pb", "--crl-url", one)
        self.leaf("pc", "--crl-url", "http://crl.test/2.crl")
        text = openssl("x509", "-in", a, "-noout", "-text").stdout.decode()
        for words in (f"URI:{one}", "OCSP - URI:http://ocsp.test",
                      "CA Issuers - URI:http://ca.test/ca.der"):
            self.assertIn(words, text)
        crl = self.file("part.crl")
        self.list("--force", "-o", crl, "--crl-url", one, "--only", "user", "--revoke", a)
        self.assertIn("Only User Certificates", self.text(crl))
        self.assert_revoked(crl, "pa", good=("pb",))
        other = self.cert("verify", "--ca", self.root, "--revocation", "crl", "--hard-fail",
                          "--crlfile", crl, self.file("pc.pem"), check=False)
        self.assertEqual(other.returncode, 60)
        self.list("--from", crl, "-o", crl)  # its scope is carried on, too
        self.assert_revoked(crl, "pa", good=("pb",))
        done = self.list("--from", crl, "-o", crl, "--crl-url", "http://crl.test/2.crl",
                         check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"another set", done.stderr)

    def test_der_on_standard_output(self):
        done = self.list("--der")
        out = self.file("o.der")
        out.write_bytes(done.stdout)
        self.text(out, "-inform", "DER")

    def test_every_kind_of_key(self):
        for kind in ("p384", "ed25519", "rsa2048"):
            with self.subTest(kind):
                self.cert("key", "--force", "--key-type", kind, "-o", self.key)
                csr = self.file("k.csr")
                self.cert("csr", "--force", "--key", self.key, "--common-name", kind, "-o", csr)
                self.cert("sign", "--root", "--force", "--ca-key", self.key, "--csr", csr, "-o",
                          self.root)
                self.leaf("kinds")
                crl = self.file("k.crl")
                self.list("--force", "-o", crl, "--revoke", self.file("kinds.pem"))
                self.assert_revoked(crl, "kinds")

    def test_what_is_not_put_on_a_list(self):
        a = self.leaf("na")
        crl, forged, mine = self.file("n.crl"), self.file("f.crl"), self.file("mine.crl")
        self.list("--force", "-o", crl, "--revoke", f"{a}:superseded")
        der = bytearray(self.cert("convert", crl).stdout)
        der[der.index(b"List CA") + 40] ^= 1
        forged.write_bytes(der)
        for args, words in ((("--revoke", f"{a}:because"), "neither a file nor a serial"),
                            (("--revoke", "12:removeFromCRL"), "delta"),
                            (("--revoke", self.ca.cert), "did not issue"),
                            (("--revoke", self.root), "own list"),
                            (("--revoke", "0x"), "neither a file"),
                            (("--revoke", "11" * 30), "neither a file"),
                            (("--revoke", "12", "--revoke", "0012"), "twice"),
                            (("--release", "12"), "not on the list"),
                            (("--from", crl, "--release", a), "not on hold"),
                            (("--from", forged,), "f.crl"),
                            (("--from", a), "no revocation list"),
                            (("--from", self.file("no.crl")), "No such file")):
            with self.subTest(words):
                done = self.list("-o", mine, *args, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(words, done.stderr.decode())
                self.assertFalse(mine.exists())
        done = self.list("-o", crl, check=False)
        self.assertIn(b"exists", done.stderr)
        for args in (("--csr", a), ("--only", "all"), ("--since", "2026-01-01"), ("--server",),
                     ("--crl-url", "ftp://x"), ("--revoke", "1", "--since", "yesterday")):
            with self.subTest(args):
                self.assertEqual(self.list(*args, check=False).returncode, 2)
        self.assertEqual(self.cert("sign", "--ca", self.root, "--ca-key", self.key, "--csr", a,
                                   "--revoke", "12", check=False).returncode, 2)

    def test_a_ca_that_may_not_sign_lists_does_not(self):
        root, key = self.file("no-lists.pem"), self.file("no-lists.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", root,
                        "-subj", "/CN=No lists", "-addext", "keyUsage=critical,keyCertSign"],
                       check=True, capture_output=True)
        done = self.cert("sign", "--crl", "--ca", root, "--ca-key", key, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cRLSign", done.stderr)


if __name__ == "__main__":
    main()
