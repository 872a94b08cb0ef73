"""Which certificate a client gets, who is asked for one, and what is resumed."""
import re
import ssl
import unittest

import support
from support import Responses, Server

support.need("openssl")
CA = support.make_ca()
PAIRS = {
    "ecdsa": support.make_leaf(CA, "ecdsa", "ecdsa", ["a.test"]),
    "ecdsa384": support.make_leaf(CA, "ecdsa384", "ecdsa384", ["a.test"]),
    "rsa": support.make_leaf(CA, "rsa", "rsa", ["a.test"]),
    "ed25519": support.make_leaf(CA, "ed25519", "ed25519", ["a.test"]),
    "b": support.make_leaf(CA, "b", "ecdsa", ["b.test", "*.wild.test"]),
    "local": support.make_leaf(CA, "local", "ecdsa"),
}
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("0123456789")
GET = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def s_client(server, *args, check=False):
    return support.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
                        CA.cert, *args], check=check)


def subject(server, *args):
    """The common name of the certificate that the server shows."""
    found = re.search(rb"subject=CN ?= ?(\S+)", s_client(server, *args).stdout)
    return found.group(1).decode() if found else None


class Choice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        args = [word for pair in PAIRS.values() for word in pair.args()]
        cls.server = Server(*args, "--root", ROOT).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def test_by_server_name(self):
        for name, want in (("b.test", "b"), ("B.TEST", "b"), ("x.wild.test", "b"),
                           ("localhost", "local"), ("a.test", "ecdsa"),
                           ("x.y.wild.test", "ecdsa"), ("wild.test", "ecdsa"),
                           ("nobody.test", "ecdsa")):
            self.assertEqual(subject(self.server, "-servername", name), want, name)

    def test_the_first_without_a_name(self):
        self.assertEqual(subject(self.server, "-noservername"), "ecdsa")

    def test_by_signature_algorithms(self):
        for algorithms, want in (("ECDSA+SHA256", "ecdsa"), ("ECDSA+SHA384:ECDSA+SHA256", "ecdsa"),
                                 ("RSA-PSS+SHA256:ECDSA+SHA256", "ecdsa"),
                                 ("RSA-PSS+SHA256", "rsa"), ("ed25519:ECDSA+SHA256", "ecdsa")):
            got = subject(self.server, "-servername", "a.test", "-sigalgs", algorithms)
            self.assertEqual(got, want, algorithms)

    def test_every_kind_signs_what_openssl_accepts(self):
        for kind in ("ecdsa", "ecdsa384", "rsa", "ed25519"):
            with Server(*PAIRS[kind].args()) as server:
                done = s_client(server, "-servername", "a.test", "-verify_return_error", check=True)
                self.assertIn(b"Verify return code: 0 (ok)", done.stdout, kind)

    def test_without_a_shared_algorithm_both_sides_say_so(self):
        with Server(*PAIRS["ed25519"].args()) as server:
            done = s_client(server, "-sigalgs", "ECDSA+SHA256:RSA-PSS+SHA256")
            self.assertIn(b"alert handshake failure", done.stderr)
            server.errors.wait_for("handshake failed: NO_SHARED_SIGNATURE")


class Parameters(unittest.TestCase):
    def test_alpn(self):
        with Server(*PAIRS["local"].args()) as server:
            for offer, want in (("http/1.1", "http/1.1"), ("h2,http/1.1", "h2")):
                done = s_client(server, "-alpn", offer)
                self.assertIn(f"ALPN protocol: {want}".encode(), done.stdout)
            done = s_client(server, "-alpn", "h9")
            self.assertIn(b"no application protocol", done.stderr)
            server.errors.wait_for("NO_SHARED_ALPN")

    def test_ciphers_and_curves_of_the_command_line(self):
        with Server(*PAIRS["local"].args(), "--ciphers", "TLS_CHACHA20_POLY1305_SHA256", "--curves",
                    "P-384") as server:
            done = s_client(server, "-curves", "X25519:P-384", "-msg", check=True)
            self.assertIn(b"Cipher is TLS_CHACHA20_POLY1305_SHA256", done.stdout)
            self.assertIn(b"secp384r1", done.stdout)
            done = s_client(server, "-ciphersuites", "TLS_AES_128_GCM_SHA256")
            self.assertIn(b"alert handshake failure", done.stderr)
            server.errors.wait_for("NO_SHARED_CIPHER")
            s_client(server, "-curves", "X25519")
            server.errors.wait_for("NO_SHARED_GROUP")


class ClientCertificates(unittest.TestCase):
    def ask(self, server, pair=None):
        context = support.tls_context(CA)
        if pair:
            context.load_cert_chain(pair.cert, pair.key)
        with support.tls(server.port, CA, context=context) as s:
            s.sendall(GET)
            return Responses(s).next()[0]

    def test_required(self):
        good = support.make_leaf(CA, "client", hosts=["client.test"], purpose="clientAuth")
        stranger = support.make_leaf(support.make_ca("other-ca"), "stranger", hosts=["c.test"],
                                     purpose="clientAuth")
        server_only = support.make_leaf(CA, "server-only", hosts=["s.test"])
        with Server(*PAIRS["local"].args(), "--root", ROOT, "--client-ca", CA.cert) as server:
            self.assertEqual(self.ask(server, good), 200)
            for pair, reason in ((None, "CERTIFICATE_REQUIRED"), (stranger, "UNKNOWN_ISSUER"),
                                 (server_only, "BAD_KEY_USAGE")):
                with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                    self.ask(server, pair)
                server.errors.wait_for(f"handshake failed: {reason}")

    def test_optional(self):
        good = support.make_leaf(CA, "client2", hosts=["client.test"], purpose="clientAuth")
        with Server(*PAIRS["local"].args(), "--root", ROOT, "--client-ca", CA.cert, "--client-auth",
                    "optional", "-v") as server:
            self.assertEqual(self.ask(server), 200)
            self.assertEqual(self.ask(server, good), 200)
            server.errors.wait_for("client certificate verified")


class Resumption(unittest.TestCase):
    def test_a_session_is_resumed_and_logged(self):
        with Server(*PAIRS["local"].args(), "--root", ROOT) as server:
            context = support.tls_context(CA)
            with support.tls(server.port, CA, context=context) as s:
                s.sendall(GET)
                Responses(s).next()
                session = s.session
                self.assertFalse(s.session_reused)
            for _ in range(3):
                with support.tls(server.port, CA, context=context, session=session) as s:
                    s.sendall(GET)
                    Responses(s).next()
                    self.assertTrue(s.session_reused)
        kinds = re.findall(" (full|resumed) ", server.access.text())
        self.assertEqual(kinds, ["full", "resumed", "resumed", "resumed"])

    def test_a_ticket_is_for_one_server_name(self):
        """Other hosts may have other rules. RFC 9846 does not demand it; Cleat binds tickets so."""
        with Server(*PAIRS["local"].args(), *PAIRS["b"].args(), "--root", ROOT) as server:
            context = support.tls_context(CA)
            with support.tls(server.port, CA, context=context) as s:
                s.sendall(GET)
                Responses(s).next()
                session = s.session
            with support.tls(server.port, CA, "b.test", session, context) as s:
                s.sendall(GET)
                self.assertEqual(Responses(s).next()[0], 200)
                self.assertFalse(s.session_reused)
            with support.tls(server.port, CA, "LOCALHOST", session, context) as s:
                self.assertTrue(s.session_reused)

    def test_tickets_of_another_server_mean_a_full_handshake(self):
        context = support.tls_context(CA)
        with Server(*PAIRS["local"].args(), "--root", ROOT) as first:
            with support.tls(first.port, CA, context=context) as s:
                s.sendall(GET)
                Responses(s).next()
                session = s.session
        with Server(*PAIRS["local"].args(), "--root", ROOT) as second:
            with support.tls(second.port, CA, context=context, session=session) as s:
                s.sendall(GET)
                self.assertEqual(Responses(s).next()[0], 200)
                self.assertFalse(s.session_reused)


if __name__ == "__main__":
    support.main()
