#!/usr/bin/env python3
"""`cleat cert`: the local CA and its leaves as OpenSSL and curl see them; what show prints."""
import json
import os
import pathlib
import ssl
import subprocess
import threading
import time

from get_support import (PROGRAM, GetTest, Peer, Scripted, free_port, get, need, openssl)
from support import main, run


class Dev(GetTest):
    def dev(self, *args, check=True, env=None):
        whole = {**os.environ, "CLEAT_CA_DIR": str(self.folder / "dev" / "ca"), **(env or {})}
        return run([PROGRAM, "cert", "dev", *args], check=check, cwd=self.folder, env=whole)

    def verify(self, cert, *args):
        openssl("verify", "-x509_strict", "-CAfile", self.folder / "dev/ca/ca.pem", *args,
                self.folder / cert)

    def text(self, cert):
        return openssl("x509", "-noout", "-text", "-in", self.folder / cert).stdout.decode()

    def test_files_are_named_as_mkcert_names_them_and_keys_are_private(self):
        out = self.dev("localhost", "127.0.0.1", "::1").stdout.decode()
        for name, mode in (("dev/ca", 0o700), ("dev/ca/ca-key.pem", 0o600),
                           ("localhost+2-key.pem", 0o600)):
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, mode, name)
        old = os.umask(0o077)  # who wants files of his own has them, certificates too
        try:
            self.dev("umask.test", "localhost")
        finally:
            os.umask(old)
        for name, mode in (("localhost+2.pem", 0o644 & ~old), ("umask.test+1.pem", 0o600),
                           ("umask.test+1-key.pem", 0o600)):
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, mode, name)
        self.assertIn("localhost+2.pem", out)
        self.assertIn("curl --cacert", out)
        self.verify("localhost+2.pem", "-verify_hostname", "localhost", "-purpose", "sslserver")
        self.verify("localhost+2.pem", "-verify_ip", "::1")
        text = self.text("localhost+2.pem")
        self.assertIn("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1", text)
        self.assertEqual(list(self.folder.glob("**/*.new")), [])

    def test_the_ca_stays_the_same(self):
        self.dev("one.test")
        before = (self.folder / "dev/ca/ca.pem").read_bytes()
        out = self.dev("two.test").stdout.decode()
        self.assertEqual((self.folder / "dev/ca/ca.pem").read_bytes(), before)
        self.assertNotIn("Made a local CA", out)

    def test_every_type_of_key(self):
        for kind, words in (("ecdsa", "prime256v1"), ("ecdsa-p384", "secp384r1"),
                            ("rsa", "2048 bit"), ("ed25519", "ED25519")):
            with self.subTest(kind):
                self.dev("--key-type", kind, "--cert-file", "k.pem", "--key-file", "k.key",
                         "kind.test")
                self.assertIn(words, self.text("k.pem"))
                self.verify("k.pem", "-verify_hostname", "kind.test")
                leaf = openssl("x509", "-noout", "-pubkey", "-in", self.folder / "k.pem").stdout
                key = openssl("pkey", "-pubout", "-in", self.folder / "k.key").stdout
                self.assertEqual(leaf, key)

    def test_wildcards_mailboxes_and_international_names(self):
        self.dev("--out-dir", ".", "*.wild.test")
        self.verify("_wildcard.wild.test.pem", "-verify_hostname", "a.wild.test")
        self.dev("--cert-file", "idn.pem", "--key-file", "idn.key", "b\u00fccher.test")
        self.verify("idn.pem", "-verify_hostname", "xn--bcher-kva.test")
        self.dev("--client", "alice@example.test")
        self.verify("alice@example.test-client.pem", "-purpose", "sslclient",
                    "-verify_email", "alice@example.test")

    def test_a_leaf_is_valid_for_less_than_398_days(self):
        self.dev("--cert-file", "v.pem", "--key-file", "v.key", "v.test")
        shown = json.loads(run([PROGRAM, "cert", "show", "--json", self.folder / "v.pem"]).stdout)
        self.assertIn(shown["certificates"][0]["days_left"], (395, 396))
        self.verify("v.pem")

    def test_names_that_are_none_are_refused(self):
        for name in ("-bad-.test", "a b", "*", "*.*.test", "a..b", "x" * 64 + ".test", "", "a/b"):
            with self.subTest(name):
                done = self.dev("--", name, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr)
        self.assertEqual(self.dev(check=False).returncode, 2)

    def test_two_at_once_make_one_ca(self):
        env = {"CLEAT_CA_DIR": str(self.folder / "race")}
        names = [("--cert-file", f"r{i}.pem", "--key-file", f"r{i}.key") for i in range(6)]
        threads = [threading.Thread(target=self.dev, args=(*pair, "race.test"), kwargs={"env": env})
                   for pair in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i in range(6):
            openssl("verify", "-CAfile", self.folder / "race/ca.pem", self.folder / f"r{i}.pem")

    def test_a_key_of_another_ca_is_noticed(self):
        env = {"CLEAT_CA_DIR": str(self.folder / "mixed")}
        self.dev("a.test", env=env)
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                self.folder / "mixed/ca-key.pem")
        done = self.dev("a.test", env=env, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"does not belong", done.stderr)

    def test_curl_trusts_a_server_with_a_leaf(self):
        need("curl")
        self.dev("--cert-file", "s.pem", "--key-file", "s.key", "localhost")
        port = free_port()
        argv = ["openssl", "s_server", "-accept", port, "-cert", self.folder / "s.pem", "-key",
                self.folder / "s.key", "-www", "-quiet"]
        with Peer(argv, port, self.folder):
            url = f"https://localhost:{port}/"
            run(["curl", "-sS", "--cacert", self.folder / "dev/ca/ca.pem", url])
            done = get("-sS", "--cacert", self.folder / "dev/ca/ca.pem", url)
            self.assertEqual(done.returncode, 0, done.stderr)


class Show(GetTest):
    def show(self, *args, **more):
        return run([PROGRAM, "cert", "show", *args], **more)

    def test_a_file_in_pem_der_and_on_standard_input(self):
        # In the middle of a day of its validity: the number of days left does not change meanwhile.
        start, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * days))
                      for days in (-1, 8.5))
        cert, _ = self.ca.leaf("shown", dates=(start, end))
        der = self.folder / "shown.der"
        openssl("x509", "-in", cert, "-outform", "DER", "-out", der)
        out = self.show(cert).stdout.decode()
        self.assertEqual(out, self.show(der).stdout.decode())
        with open(cert, "rb") as f:
            self.assertEqual(out, self.show("-", stdin=f).stdout.decode())
        fingerprint = openssl("x509", "-noout", "-fingerprint", "-sha256", "-in", cert).stdout
        self.assertIn(fingerprint.decode().strip().split("=")[1], out)
        for words in ("CN=shown", "CN=Interop CA", "DNS:localhost, IP:127.0.0.1, IP:::1",
                      "8 days left", "ECDSA P-256", "ecdsa-with-SHA256", "sha256/",
                      "basicConstraints (critical)"):
            self.assertIn(words, out)

    def test_the_pin_is_curls(self):
        need("curl")
        cert, key = self.ca.leaf("pinned", "rsa")
        shown = json.loads(self.show("--json", cert).stdout)
        pin = "sha256//" + shown["certificates"][0]["spki_pin_sha256"]
        port = free_port()
        argv = ["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-www",
                "-quiet"]
        with Peer(argv, port, self.folder):
            run(["curl", "-ksS", "--pinnedpubkey", pin, f"https://localhost:{port}/"])

    def test_a_server_is_shown_whatever_its_certificate(self):
        cert, key = self.ca.leaf("old", dates=("20240101000000Z", "20250101000000Z"))

        def script(tls, head):
            return "close"
        with Scripted(cert, key, script) as server:
            url = f"https://localhost:{server.port}"
            out = self.show("--cacert", self.ca.cert, url).stdout.decode()
            shown = json.loads(self.show("--json", "--cacert", self.ca.cert, url).stdout)
        self.assertIn("EXPIRED", out)
        self.assertIn("Verified: NO", out)
        self.assertEqual(shown["verified"]["code"], "CERT_EXPIRED")
        self.assertFalse(shown["certificates"][0]["in_validity"])
        self.assertEqual(server.heads, [])

    def test_a_server_that_asks_for_a_client_certificate_is_shown(self):
        cert, key = self.ca.leaf("asks")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(self.ca.cert)
        context.verify_mode = ssl.CERT_REQUIRED
        with Scripted(cert, key, lambda tls, head: "close", context) as server:
            out = self.show("--cacert", self.ca.cert, f"https://localhost:{server.port}").stdout
        self.assertIn(b"Verified: yes", out)

    def test_failures_are_told(self):
        junk = self.folder / "junk"
        junk.write_text("no certificate here\n")
        for source in (junk, self.folder / "missing", f"https://localhost:{free_port()}"):
            with self.subTest(source):
                done = self.show(source, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(str(source), done.stderr.decode())
        self.assertEqual(self.show(check=False).returncode, 2)

    def test_every_ca_of_the_system_can_be_shown(self):
        bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
        if not bundle.exists():
            self.skipTest("no CA bundle")
        shown = json.loads(self.show("--json", bundle).stdout)["certificates"]
        self.assertEqual(len(shown), bundle.read_text().count("BEGIN CERTIFICATE"))
        self.assertTrue(all(c["is_ca"] for c in shown if c["version"] == 3))


if __name__ == "__main__":
    main()
