"""What TLS 1.3 peers can agree on, and `cleat serve` started so that it offers all of it.

A connection is told apart by the path of its request: the access log and the line of -v say what
the server saw, and the tests compare that with what they asked the peer for.
"""
import os
import re
import unittest

import support

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]
# Of TLS 1.2: OpenSSL's name, IANA's, GnuTLS' words, the kinds of certificate that go with it.
ECDSA, RSA = ("ecdsa", "ecdsa384", "ecdsa521", "ed25519"), ("rsa", "rsapss")
SUITES_12 = {
    "ECDHE-ECDSA-AES128-GCM-SHA256":
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA:+AES-128-GCM", ECDSA),
    "ECDHE-ECDSA-AES256-GCM-SHA384":
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA:+AES-256-GCM", ECDSA),
    "ECDHE-ECDSA-CHACHA20-POLY1305":
        ("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA:+CHACHA20-POLY1305", ECDSA),
    "ECDHE-ECDSA-AES128-CCM":
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDHE-ECDSA:+AES-128-CCM", ECDSA),
    "ECDHE-ECDSA-AES128-CCM8":
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE-ECDSA:+AES-128-CCM-8", ECDSA),
    "ECDHE-ECDSA-AES256-CCM":
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDHE-ECDSA:+AES-256-CCM", ECDSA),
    "ECDHE-ECDSA-AES256-CCM8":
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "ECDHE-ECDSA:+AES-256-CCM-8", ECDSA),
    "ECDHE-RSA-AES128-GCM-SHA256":
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA:+AES-128-GCM", RSA),
    "ECDHE-RSA-AES256-GCM-SHA384":
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA:+AES-256-GCM", RSA),
    "ECDHE-RSA-CHACHA20-POLY1305":
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA:+CHACHA20-POLY1305", RSA),
}
GROUPS = ["X25519", "P-256", "P-384", "P-521"]
# Kind of certificate -> the signature schemes that its key can make.
SIGNATURES = {
    "ecdsa": r"ecdsa_secp256r1_sha256",
    "ecdsa384": r"ecdsa_secp384r1_sha384",
    "ecdsa521": r"ecdsa_secp521r1_sha512",
    "rsa": r"rsa_pss_rsae_sha\d+",
    "rsapss": r"rsa_pss_pss_sha\d+",
    "ed25519": r"ed25519",
}
ALL = ["--ciphers", ":".join(SUITES), "--curves", ":".join(GROUPS)]
# A sanitized program, or a hurry: the corners of the matrix instead of all of it.
REDUCED = os.environ.get("CLEAT_INTEROP_REDUCED") == "1"


def cases(suites=SUITES, groups=GROUPS):
    """Pairs of suite and group: all, or so many that each of both occurs."""
    if not REDUCED:
        return [(s, g) for s in suites for g in groups]
    return [(suites[i % len(suites)], groups[i % len(groups)])
            for i in range(max(len(suites), len(groups)))]


def request(path, *fields):
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


def last_request(path):
    return request(path, "Connection: close")


_leaves = {}


def leaf(ca, kind):
    """One certificate for each kind is enough for a test program."""
    if kind not in _leaves:
        _leaves[kind] = support.make_leaf(ca, f"leaf-{kind}", kind)
    return _leaves[kind]


_site = None


def site():
    """A folder to serve: index.html says "served"."""
    global _site
    if _site is None:
        _site = support.folder() / "site"
        _site.mkdir()
        (_site / "index.html").write_text("served\n")
    return _site


def serve(pairs, *args, offer=ALL, env=None):
    """`cleat serve -v` with these certificates and, unless told otherwise, everything on."""
    words = [word for pair in pairs for word in pair.args()]
    return support.Server("-v", *words, "--root", site(), *offer, *args, env=env)


class Seen:
    """What the server says about the connection that asked for a path."""

    def __init__(self, server, path):
        self.access = server.access.wait_for(rf'"GET {re.escape(path)} HTTP')
        address = self.access.split(" ", 1)[0]
        self.line = server.errors.wait_for(rf"cleat: {re.escape(address)}: TLSv1")
        self.words = self.line.split(": ", 2)[2].split(", ")


class ServeTest(unittest.TestCase):
    """A test case that knows how to compare."""

    count = 0
    version = "TLSv1.3"

    def path(self):
        """A path that no other connection of this program asks for."""
        ServeTest.count += 1
        return f"/?{ServeTest.count}"

    def agreed(self, server, path, suite=None, group=None, kind=None, resumed=False, retry=False,
               client=False, alpn=None, name=None):
        """Checks what the server saw; None is "whatever"."""
        seen = Seen(server, path)
        self.assertEqual(seen.words[0], self.version, seen.line)
        self.assertIn(" 200 ", seen.access)
        if suite:
            self.assertEqual(seen.words[1], suite, seen.line)
        if group:
            self.assertEqual(seen.words[2], group, seen.line)
        if resumed:
            self.assertEqual(seen.words[3], "resumed", seen.line)
        elif kind:
            self.assertRegex(seen.words[3], f"^{SIGNATURES[kind]}$", seen.line)
        else:
            self.assertNotIn("resumed", seen.line)
        self.assertEqual("after a HelloRetryRequest" in seen.line, retry, seen.line)
        self.assertEqual("client certificate verified" in seen.line, client, seen.line)
        if alpn:
            self.assertIn(f"ALPN {alpn}", seen.words, seen.line)
        if name:
            self.assertIn(f"SNI {name}", seen.words, seen.line)
        return seen
