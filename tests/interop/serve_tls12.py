#!/usr/bin/env python3
"""`cleat serve` at TLS 1.2 as OpenSSL, GnuTLS and curl see it: every suite, group and kind of
certificate; resumed by ticket, by a shared ticket key and by session ID; no renegotiation."""
import os
import unittest

import matrix
import support
from matrix import GROUPS, SUITES_12, ServeTest

support.need("openssl", "gnutls-cli", "curl")
CA = support.make_ca()
OFFER = ["--ciphers", ":".join(SUITES_12), "--curves", ":".join(GROUPS)]
GROUP = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}
# the curves of the certificates must be on offer, too (RFC 8422 5.3)
CURVES = {"ecdsa": "P-256", "ecdsa384": "P-384", "ecdsa521": "P-521"}


class Test12(ServeTest):
    version = "TLSv1.2"

    def openssl(self, server, *args, check=True, path=None):
        self.asked = path or self.path()
        done = support.run(
            ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
             CA.cert, "-servername", "localhost", "-verify_return_error", "-ign_eof", *args],
            check=False, stdin=None, input=matrix.last_request(self.asked))
        text = (done.stdout + done.stderr).decode(errors="replace")
        if check:
            self.assertEqual(done.returncode, 0, text)
            self.assertIn("\nserved\n", text)
        return text


class Full(Test12):
    def each(self, ask):
        for kind in matrix.SIGNATURES:
            with matrix.serve([matrix.leaf(CA, kind)], offer=OFFER) as server:
                for suite, group in matrix.cases(list(SUITES_12)):
                    iana, words, kinds = SUITES_12[suite]
                    if kind not in kinds:
                        continue
                    with self.subTest(kind=kind, suite=suite, group=group):
                        ask(server, suite, words, group, kind)
                        # the server prefers in its own order
                        groups = {group, CURVES.get(kind, group)}
                        seen = self.agreed(server, self.asked, iana, min(groups, key=GROUPS.index))
                        self.assertNotIn("resumed", seen.line)

    def test_openssl(self):
        def ask(server, suite, _, group, kind):
            groups = [group] + [c for c in [CURVES.get(kind)] if c and c != group]
            text = self.openssl(server, "-cipher", f"{suite}:@SECLEVEL=0", "-groups",
                                ":".join(groups))
            self.assertIn("Extended master secret: yes", text)
            self.assertIn("Secure Renegotiation IS supported", text)
        self.each(ask)

    def test_gnutls(self):
        def ask(server, _, words, group, kind):
            kx, cipher = words.split(":+")
            groups = [group] + [c for c in [CURVES.get(kind)] if c and c != group]
            priority = ":".join(["NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:-CIPHER-ALL:-GROUP-ALL",
                                 f"+{kx}", f"+{cipher}", *(f"+GROUP-{GROUP[g]}" for g in groups)])
            self.asked = self.path()
            done = support.run(["gnutls-cli", "--x509cafile", CA.cert, "--sni-hostname",
                                "localhost", "--verify-hostname", "localhost", "--priority",
                                priority, "--port", server.port, "127.0.0.1"], check=False,
                               stdin=None, input=matrix.last_request(self.asked))
            text = (done.stdout + done.stderr).decode(errors="replace")
            self.assertEqual(done.returncode, 0, text)
            self.assertIn("\nserved\n", text)
        self.each(ask)

    def test_curl(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], offer=OFFER) as server:
            self.asked = self.path()
            done = support.run(["curl", "-sS", "--tls-max", "1.2", "--cacert", CA.cert,
                                f"https://localhost:{server.port}{self.asked}"])
            self.assertEqual(done.stdout, b"served\n")
            self.agreed(server, self.asked, kind="ecdsa")


class Resumed(Test12):
    def twice(self, first, second, *more):
        session = support.folder() / f"session-{first.port}"
        self.openssl(first, "-sess_out", session, *more)
        if not session.exists():
            return "no session was given"
        return self.openssl(second, "-sess_in", session, *more)

    def test_by_ticket_with_every_suite(self):
        for kind in ("ecdsa", "rsa"):
            with matrix.serve([matrix.leaf(CA, kind)], offer=OFFER) as server:
                for suite, (iana, _, kinds) in SUITES_12.items():
                    if kind in kinds:
                        with self.subTest(suite):
                            text = self.twice(server, server, "-cipher", f"{suite}:@SECLEVEL=0")
                            self.assertIn("Reused, TLSv1.2", text)
                            self.agreed(server, self.asked, iana, resumed=True)

    def test_by_session_id(self):
        for args, resumed in (((), True), (("--session-cache", "0"), False)):
            with matrix.serve([matrix.leaf(CA, "ecdsa")], *args, offer=OFFER) as server:
                text = self.twice(server, server, "-no_ticket")
                self.assertEqual("Reused, TLSv1.2" in text, resumed, text)
                if resumed:
                    self.agreed(server, self.asked, resumed=True)

    def test_by_a_ticket_of_a_machine_with_the_same_key(self):
        files = []
        for name in ("new", "old"):
            files.append(support.folder() / f"{name}.key")
            files[-1].write_bytes(os.urandom(80))
            files[-1].chmod(0o600)
        new, old = files
        pair = [matrix.leaf(CA, "ecdsa")]
        cases = ((["--ticket-key", old], ["--ticket-key", new, "--ticket-key", old], True),
                 (["--ticket-key", old], ["--ticket-key", new], False), ([], [], False))
        for first, second, resumed in cases:
            with matrix.serve(pair, *first, offer=OFFER) as a, \
                    matrix.serve(pair, *second, offer=OFFER) as b:
                self.assertEqual("Reused, TLSv1.2" in self.twice(a, b), resumed)

    def test_a_ticket_key_that_is_none(self):
        bad = support.folder() / "bad.key"
        bad.write_bytes(b"x" * 47)
        done = support.run([os.environ["CLEAT_PROGRAM"], "serve", *matrix.leaf(CA, "ecdsa").args(),
                            "--listen", "127.0.0.1:0", "--ticket-key", bad], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"48 or 80 bytes", done.stderr)


class Versions(Test12):
    def test_tls_min_13_refuses(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--tls-min", "1.3") as server:
            text = self.openssl(server, check=False)
            self.assertIn("protocol version", text)

    def test_a_fallback_is_refused(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            text = self.openssl(server, "-fallback_scsv", check=False)
            self.assertIn("inappropriate fallback", text)

    def test_renegotiation_is_refused(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            done = support.run(["openssl", "s_client", "-tls1_2", "-connect",
                                f"127.0.0.1:{server.port}", "-CAfile", CA.cert], check=False,
                               stdin=None, input=b"R\n")
            text = (done.stdout + done.stderr).decode(errors="replace")
            self.assertIn("RENEGOTIATING", text)
            self.assertIn("no renegotiation", text)


if __name__ == "__main__":
    support.main()
