#!/usr/bin/env python3
"""Who may come in with a client certificate, and what the server says about its own chain."""
import ssl
import unittest

import support
from support import Responses, Server

support.need("openssl")
CA = support.make_ca()
LOCAL = support.make_leaf(CA, "local")
ALICE = support.make_leaf(CA, "alice", hosts=["alice.test", "192.0.2.7"], purpose="clientAuth")
BOB = support.make_leaf(CA, "bob", hosts=["bob.test"], purpose="clientAuth")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("0123456789")
GET = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"


def serve(*args):
    return Server(*LOCAL.args(), "--root", ROOT, "--client-ca", CA.cert, *args)


def context(pair):
    c = support.tls_context(CA)
    if pair is not None:
        c.load_cert_chain(str(pair.cert), str(pair.key))
    return c


def ask(server, pair, session=None, ctx=None):
    """(status, session) of one request."""
    with support.tls(server.port, CA, context=ctx or context(pair), session=session) as s:
        s.sendall(GET)
        return Responses(s).next()[0], s.session


def fingerprint(pair):
    text = support.run(["openssl", "x509", "-in", pair.cert, "-noout", "-fingerprint",
                        "-sha256"]).stdout.decode()
    return text.strip().split("=")[1]


class Allow(unittest.TestCase):
    def test_by_each_kind_of_name(self):
        for rule in ("alice.test", "DNS:alice.test", "*.test", "192.0.2.7", "CN:alice",
                     fingerprint(ALICE)):
            with self.subTest(rule), serve("--client-allow", rule) as server:
                self.assertEqual(ask(server, ALICE)[0], 200)
        with serve("--client-allow", "alice.test", "--client-allow", "bob.test") as server:
            self.assertEqual(ask(server, ALICE)[0], 200)
            self.assertEqual(ask(server, BOB)[0], 200)

    def test_others_get_a_403_and_the_log_says_why(self):
        with serve("--client-allow", "alice.test") as server:
            self.assertEqual(ask(server, BOB)[0], 403)
            line = server.errors.wait_for("client may not come in")
            for words in ("none of the 1 --client-allow fits its certificate",
                          "requests are answered with 403", '"CN=bob" "DNS:bob.test"',
                          fingerprint(BOB).replace(":", "").lower()):
                self.assertIn(words, line)
            line = server.access.wait_for(" 403 ")
            self.assertIn(" - bob.test [", line)

    def test_others_get_no_handshake_when_that_is_asked_for(self):
        with serve("--client-allow", "alice.test", "--client-deny", "handshake") as server:
            self.assertEqual(ask(server, ALICE)[0], 200)
            with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)) as caught:
                ask(server, BOB)
            if isinstance(caught.exception, ssl.SSLError):
                self.assertIn("ACCESS_DENIED", str(caught.exception).upper().replace(" ", "_"))
            line = server.errors.wait_for("client may not come in")
            self.assertIn("the handshake is refused", line)
            server.errors.wait_for("handshake failed: REFUSED")

    def test_a_resumed_session_is_asked_again(self):
        for how in ("403", "handshake"):
            with serve("--client-allow", "alice.test", "--client-deny", how) as server:
                ctx = context(ALICE)
                status, session = ask(server, None, ctx=ctx)
                self.assertEqual(status, 200)
                self.assertEqual(ask(server, None, session, ctx)[0], 200)
                server.access.wait_for(" resumed ")

    def test_nobody_comes_in_without_a_certificate_when_there_are_rules(self):
        with serve("--client-auth", "optional", "--client-allow", "alice.test") as server:
            self.assertEqual(ask(server, None)[0], 403)
            server.errors.wait_for("client may not come in: it has no certificate")
            self.assertEqual(ask(server, ALICE)[0], 200)
        with serve("--client-auth", "optional", "--client-allow", "alice.test", "--client-deny",
                   "handshake") as server:
            with self.assertRaises((ssl.SSLError, ConnectionError, EOFError, IndexError)):
                ask(server, None)
            server.errors.wait_for("client may not come in: it has no certificate")

    def test_the_access_log_has_the_identity(self):
        with serve() as server:
            self.assertEqual(ask(server, ALICE)[0], 200)
            line = server.access.wait_for(" 200 ")
            self.assertIn(" - alice.test [", line)
            digest = fingerprint(ALICE).replace(":", "").lower()
            names = '"CN=alice" "DNS:alice.test,IP:192.0.2.7"'
            self.assertRegex(line, rf'{names} {digest} "CN=[^"]+"$')

    def test_rules_that_cannot_be(self):
        base = ["--listen", "127.0.0.1:0", *map(str, LOCAL.args())]
        for words, code in ((["--client-allow", "a.test"], 2), (["--client-deny", "403"], 0),
                            (["--client-ca", str(CA.cert), "--client-deny", "maybe"], 2),
                            (["--client-ca", str(CA.cert), "--client-allow", "a b"], 1)):
            if code:
                done = support.run([support.CLEAT, "serve", *base, *words], check=False)
                self.assertEqual(done.returncode, code, done.stderr)


class OwnChain(unittest.TestCase):
    """A second CA's chain: root, intermediate, leaf with an AIA URL."""

    @classmethod
    def setUpClass(cls):
        folder = support.folder()
        cls.sub_key, cls.sub = folder / "sub.key", folder / "sub.pem"
        cls.key, cls.leaf = folder / "below.key", folder / "below.pem"
        ca = ("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
              "subjectKeyIdentifier=hash\n")
        own = ("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n"
               "authorityInfoAccess=caIssuers;URI:http://ca.test/sub.der\n")
        for name, key, out, issuer, issuer_key, text in (
                ("Sub CA", cls.sub_key, cls.sub, CA.cert, CA.key, ca),
                ("below", cls.key, cls.leaf, cls.sub, cls.sub_key, own)):
            request, ext = folder / "r.csr", folder / "r.ext"
            ext.write_text(text)
            support.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout",
                         key, "-out", request])
            support.run(["openssl", "x509", "-req", "-in", request, "-CA", issuer, "-CAkey",
                         issuer_key, "-CAcreateserial", "-days", "30", "-extfile", ext, "-out",
                         out])
            key.chmod(0o600)

    def start(self, *certs):
        chain = support.folder() / "own-chain.pem"
        chain.write_bytes(b"".join(c.read_bytes() for c in certs))
        with Server("--cert", chain, "--key", self.key, "--root", ROOT) as server:
            pass
        return server.errors.text()

    def test_a_good_chain_is_not_warned_about(self):
        self.assertNotIn("warning", self.start(self.leaf, self.sub))

    def test_incomplete(self):
        text = self.start(self.leaf)
        self.assertIn("clients will refuse it: certificate 1 of 1, CN=below, needs its issuer's "
                      "certificate CN=Sub CA behind it", text)
        self.assertIn("hint: fetch it from http://ca.test/sub.der", text)

    def test_root_included_and_out_of_order(self):
        self.assertIn("is the root: it costs", self.start(self.leaf, self.sub, CA.cert))
        self.assertIn("the chain is in the wrong order", self.start(self.leaf, CA.cert, self.sub))

    def test_a_key_of_another_certificate_of_the_chain_is_refused_and_told(self):
        chain = support.folder() / "upside.pem"
        chain.write_bytes(self.sub.read_bytes() + self.leaf.read_bytes())
        done = support.run([support.CLEAT, "serve", "--listen", "127.0.0.1:0", "--cert", chain,
                            "--key", self.key], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"belongs to certificate 2 of", done.stderr)
        self.assertIn(b"reorder the file", done.stderr)

    def test_no_names_and_for_clients_only(self):
        nameless = support.folder() / "nameless.pem"
        key = support.folder() / "nameless.key"
        support.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", key,
                     "-out", nameless, "-days", "30", "-addext", "extendedKeyUsage=clientAuth"])
        with Server("--cert", nameless, "--key", key, "--root", ROOT) as server:
            pass
        text = server.errors.text()
        for words in ("has no subject alternative name", "is not for serverAuth", "is self-signed"):
            self.assertIn(words, text)


if __name__ == "__main__":
    support.main()
