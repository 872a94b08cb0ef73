#!/usr/bin/env python3
"""Raw public keys (RFC 7250) between `cleat` and the programs of GnuTLS and OpenSSL (from 3.2 on),
and between our own ends: both roles, TLS 1.3 and 1.2, one side or both; keys that nobody has pinned
are refused."""
import base64
import hashlib
import unittest

import matrix
import support
from get_support import Peer, free_port
from support import Server

support.need("gnutls-cli", "gnutls-serv", "openssl")
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf")
VERSIONS = {"1.3": "TLS1.3", "1.2": "TLS1.2"}


class Key:
    """A private key, its public half, and its pin."""

    def __init__(self, name, kind):
        self.private = support.make_key(name, kind)
        self.public = self.private.with_suffix(".pub")
        support.run(["openssl", "pkey", "-in", self.private, "-pubout", "-out", self.public])
        spki = support.run(["openssl", "pkey", "-in", self.private, "-pubout", "-outform",
                            "DER"]).stdout
        self.pin = "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()

    def wrapped(self):
        """Arguments of OpenSSL's programs, which take a key only with a certificate for it."""
        cert = self.private.with_suffix(".pem")
        support.run(["openssl", "req", "-x509", "-new", "-key", self.private, "-subj", "/CN=none",
                     "-out", cert])
        return ["-cert", cert, "-key", self.private]

    def text(self):
        """As OpenSSL prints it, without spaces."""
        done = support.run(["openssl", "pkey", "-in", self.private, "-text_pub", "-noout"])
        return "".join(done.stdout.decode().split())


KEYS = {kind: Key(f"raw-{kind}", kind) for kind in ("ecdsa", "ecdsa384", "rsa", "ed25519")}
MINE = Key("raw-mine", "ecdsa")
OTHER = Key("raw-other", "ecdsa")


def priority(version, *types):
    return ":+".join(["NORMAL:-VERS-ALL", f"VERS-{VERSIONS[version]}:-CTYPE-ALL", *types])


def serve(*args):
    return Server(*args, "--root", matrix.site())


class Serve(unittest.TestCase):
    """gnutls-cli does not verify raw keys: it is told not to."""

    def ask(self, server, version, *types, mine=None):
        keys = ["--rawpkkeyfile", mine.private, "--rawpkfile", mine.public] if mine else []
        done = support.run(
            ["gnutls-cli", "--x509cafile", CA.cert, "--no-ca-verification", "--sni-hostname",
             "localhost", "--priority", priority(version, *types), *keys, "--port", server.port,
             "127.0.0.1"], check=False, stdin=None, input=matrix.last_request("/"))
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_a_key_of_each_kind_is_shown(self):
        for kind, key in KEYS.items():
            with serve("--raw-public-key", key.private) as server:
                self.assertIn(key.pin, server.errors.text())
                for version in VERSIONS:
                    with self.subTest(kind=kind, version=version):
                        text = self.ask(server, version, "CTYPE-SRV-RAWPK", "CTYPE-CLI-X509")
                        self.assertIn("Got 1 Raw public-key(s).", text)
                        self.assertIn("\nserved\n", text)

    def test_beside_a_certificate_the_client_has_the_choice(self):
        with serve(*LEAF.args(), "--raw-public-key", KEYS["ecdsa"].private) as server:
            for version in VERSIONS:
                with self.subTest(version):
                    text = self.ask(server, version, "CTYPE-SRV-RAWPK", "CTYPE-CLI-X509")
                    self.assertIn("Got 1 Raw public-key(s).", text)
                    text = self.ask(server, version, "CTYPE-X509")
                    self.assertIn("- Got a certificate list of", text)
                    self.assertIn("\nserved\n", text)

    def test_a_client_shows_its_key(self):
        with serve(*LEAF.args(), "--raw-public-key", KEYS["ecdsa"].private, "--client-raw-key-pin",
                   MINE.pin, "--client-raw-key-pin", KEYS["rsa"].pin) as server:
            for version in VERSIONS:
                for mine in (MINE, KEYS["rsa"]):
                    with self.subTest(version=version, pin=mine.pin):
                        text = self.ask(server, version, "CTYPE-SRV-RAWPK", "CTYPE-CLI-RAWPK",
                                        mine=mine)
                        self.assertIn("\nserved\n", text)
                text = self.ask(server, version, "CTYPE-SRV-RAWPK", "CTYPE-CLI-RAWPK", mine=OTHER)
                self.assertNotIn("\nserved\n", text)
                self.assertIn(OTHER.pin, server.errors.wait_for("UNKNOWN_KEY"))
            server.access.wait_for(r'"raw public key"')


class Get(unittest.TestCase):
    def serve(self, version, key, *args, types=("CTYPE-SRV-RAWPK", "CTYPE-CLI-X509")):
        port = free_port()
        return Peer(["gnutls-serv", "--http", "--quiet", "--port", port, "--priority",
                     priority(version, *types), "--rawpkkeyfile", key.private, "--rawpkfile",
                     key.public, *args], port, support.folder())

    def get(self, port, *args, check=True):
        return support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, *args,
                            f"https://localhost:{port}/"], check=check)

    def test_a_pinned_key_of_each_kind_is_taken(self):
        for kind, key in KEYS.items():
            for version in VERSIONS:
                with self.subTest(kind=kind, version=version), self.serve(version, key) as peer:
                    done = self.get(peer.port, "--raw-key-pin", OTHER.pin, "--raw-key-pin", key.pin)
                    self.assertIn(b"GnuTLS", done.stdout)

    def test_another_key_is_not(self):
        for version in VERSIONS:
            with self.subTest(version), self.serve(version, KEYS["ecdsa"]) as peer:
                done = self.get(peer.port, "--raw-key-pin", OTHER.pin, check=False)
                self.assertEqual(done.returncode, 60, done.stderr)
                self.assertIn(KEYS["ecdsa"].pin.encode(), done.stderr)

    def test_our_key_is_shown_when_asked_for(self):
        types = ("CTYPE-SRV-RAWPK", "CTYPE-CLI-RAWPK")
        for version in VERSIONS:
            with self.subTest(version), self.serve(version, KEYS["ecdsa"], "--require-client-cert",
                                                   types=types) as peer:
                done = self.get(peer.port, "--raw-key-pin", KEYS["ecdsa"].pin, "--raw-public-key",
                                MINE.private)
                self.assertIn(b"GnuTLS", done.stdout)


class OpenSSL(unittest.TestCase):
    """s_client and s_server say that a raw key is not trusted, and go on: they know no pins."""

    versions = {"1.3": "-tls1_3", "1.2": "-tls1_2"}

    @classmethod
    def setUpClass(cls):
        if b"-enable_server_rpk" not in support.run(["openssl", "s_client", "-help"],
                                                    check=False).stderr:
            raise unittest.SkipTest("this OpenSSL has no raw public keys (3.2 or later has)")

    def ask(self, server, version, *args):
        done = support.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername",
             "localhost", "-ign_eof", self.versions[version], "-enable_server_rpk", *args],
            check=False, stdin=None, input=matrix.last_request("/"))
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_our_server_shows_a_key_of_each_kind(self):
        for kind, key in KEYS.items():
            with serve("--raw-public-key", key.private) as server:
                for version in VERSIONS:
                    with self.subTest(kind=kind, version=version):
                        text = self.ask(server, version)
                        self.assertIn("Server-to-client raw public key negotiated", text)
                        self.assertIn("\nserved\n", text)
                        self.assertIn(key.text(), "".join(text.split()))

    def test_its_client_shows_a_key(self):
        with serve("--raw-public-key", KEYS["ecdsa"].private, "--client-raw-key-pin",
                   MINE.pin) as server:
            for version in VERSIONS:
                for mine in (MINE, OTHER):
                    with self.subTest(version=version, mine=mine.pin):
                        text = self.ask(server, version, "-enable_client_rpk", *mine.wrapped())
                        self.assertEqual("\nserved\n" in text, mine is MINE, text)

    def test_a_pinned_key_is_taken_and_ours_is_shown(self):
        for version in VERSIONS:
            port = free_port()
            with self.subTest(version), \
                    Peer(["openssl", "s_server", "-accept", port, *KEYS["rsa"].wrapped(), "-www",
                          "-quiet", self.versions[version], "-enable_server_rpk",
                          "-enable_client_rpk", "-Verify", "2"], port, support.folder()) as peer:
                for pin, code in ((KEYS["rsa"].pin, 0), (OTHER.pin, 60)):
                    done = support.run([support.CLEAT, "get", "-sS", "--raw-key-pin", pin,
                                        "--raw-public-key", MINE.private,
                                        f"https://localhost:{port}/"], check=False)
                    self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn("Raw public key untrusted", peer.log.read_text())


class Ourselves(unittest.TestCase):
    def get(self, server, *args, check=True):
        return support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, *args,
                            f"{server.url}/"], check=check)

    def test_both_ends_show_keys_and_resume(self):
        sessions = support.folder() / "raw-sessions"
        with serve("--raw-public-key", KEYS["ecdsa"].private, "--client-raw-key-pin",
                   MINE.pin) as server:
            args = ("--raw-key-pin", KEYS["ecdsa"].pin, "--raw-public-key", MINE.private,
                    "--ssl-sessions", sessions)
            for expected in (" full ", " resumed "):
                self.assertEqual(self.get(server, *args).stdout, b"served\n")
                self.assertIn(expected, server.access.wait_for(f".*{expected}.*raw public key"))
            # another pin is another policy: the session is left alone
            self.assertEqual(self.get(server, *args, "--raw-key-pin", OTHER.pin).stdout,
                             b"served\n")

    def test_a_pin_is_not_satisfied_by_a_certificate(self):
        with serve(*LEAF.args()) as server:
            done = self.get(server, "--raw-key-pin", KEYS["ecdsa"].pin, check=False)
            self.assertNotEqual(done.returncode, 0)
            server.errors.wait_for("UNSUPPORTED_CERTIFICATE")

    def test_a_pinned_client_passes_beside_rules_for_certificates(self):
        with serve(*LEAF.args(), "--client-ca", CA.cert, "--client-allow", "nobody.test",
                   "--client-raw-key-pin", MINE.pin) as server:
            self.assertEqual(self.get(server, "--raw-public-key", MINE.private).stdout, b"served\n")
            mine = support.make_leaf(CA, "client", "ecdsa", ["client.test"], purpose="clientAuth")
            done = self.get(server, "--cert", mine.cert, "--key", mine.key, "-f", check=False)
            self.assertEqual(done.returncode, 22)


if __name__ == "__main__":
    support.main()
