#!/usr/bin/env python3
"""`cleat serve` as curl sees it: every suite, group and kind of certificate; after a retry,
resumed; client certificates, ALPN. (What curl sees of HTTP is serve_http.py's.)"""
import unittest

import matrix
import support
from matrix import GROUPS, SIGNATURES, SUITES, ServeTest

support.need("curl", "openssl")
support.allow_short_tags()
if b"OpenSSL" not in support.run(["curl", "--version"]).stdout:
    support.skip_all("this curl is not built with OpenSSL: its flags for suites and groups differ")
CA = support.make_ca()


class CurlTest(ServeTest):
    def ask(self, server, *args, check=True, num=1):
        self.asked = [self.path() for _ in range(num)]
        urls = [server.url + path for path in self.asked]
        done = support.run(["curl", "-sSv", "--http1.1", "--cacert", CA.cert, *args, *urls],
                           check=False)
        text = done.stderr.decode(errors="replace")
        if check:
            self.assertEqual(done.returncode, 0, text)
            self.assertEqual(done.stdout, b"served\n" * num)
        return text


class Matrix(CurlTest):
    def test_every_suite_group_and_kind_of_certificate(self):
        for kind in SIGNATURES:
            with matrix.serve([matrix.leaf(CA, kind)]) as server:
                for suite, group in matrix.cases():
                    with self.subTest(kind=kind, suite=suite, group=group):
                        text = self.ask(server, "--tls13-ciphers", suite, "--curves", group)
                        self.assertIn(f"SSL connection using TLSv1.3 / {suite}", text)
                        self.assertIn("SSL certificate verify ok", text)
                        self.agreed(server, self.asked[0], suite, group, kind, alpn="http/1.1")

    def test_a_retry_for_every_group(self):
        for group in GROUPS:
            other = next(g for g in GROUPS if g != group)
            with matrix.serve([matrix.leaf(CA, "ecdsa")],
                              offer=["--ciphers", ":".join(SUITES), "--curves", group]) as server:
                for suite in SUITES:
                    with self.subTest(group=group, suite=suite):
                        self.ask(server, "--curves", f"{other}:{group}", "--tls13-ciphers", suite)
                        self.agreed(server, self.asked[0], suite, group, "ecdsa", retry=True)

    def test_resumption_with_every_suite(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            for suite in SUITES:
                with self.subTest(suite):
                    self.ask(server, "--tls13-ciphers", suite, "-H", "Connection: close", num=3)
                    first, *others = self.asked
                    self.agreed(server, first, suite, kind="ecdsa")
                    for path in others:
                        self.agreed(server, path, suite, resumed=True)

    def test_client_certificates_of_every_kind(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert) as server:
            for kind in SIGNATURES:
                with self.subTest(kind):
                    mine = support.make_leaf(CA, f"client-{kind}", kind, ["client.example"],
                                             purpose="clientAuth")
                    self.ask(server, "--cert", mine.cert, "--key", mine.key)
                    self.agreed(server, self.asked[0], client=True)
            self.assertIn("certificate required", self.ask(server, check=False))

    def test_an_unknown_ca_is_not_trusted(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            other = support.make_ca("other")
            done = support.run(["curl", "-sS", "--cacert", other.cert, server.url], check=False)
            self.assertEqual(done.returncode, 60)
            server.errors.wait_for("unknown_ca")


if __name__ == "__main__":
    support.main()
