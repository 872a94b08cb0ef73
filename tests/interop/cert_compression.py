#!/usr/bin/env python3
"""Compressed certificates (RFC 8879) between `cleat serve` and `cleat get`: each algorithm, of
servers and of clients. Debian's GnuTLS and OpenSSL have none; serve_browser.py has Chromium."""
import unittest

import matrix
import support
from support import Server

support.need("openssl")
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf", "rsa")
MINE = support.make_leaf(CA, "mine", "rsa", ["client.test"], purpose="clientAuth")
OURS = [name for name in ("brotli", "zstd", "zlib") if support.takes(name)]


def serve(*args):
    return Server("-v", *LEAF.args(), *args, "--root", matrix.site())


def story(url, *args):
    done = support.run([support.CLEAT, "get", "-v", "--cacert", CA.cert, *args, url])
    return done.stderr.decode()


class Compression(unittest.TestCase):
    def test_both_ends_with_each(self):
        for name in OURS:
            with self.subTest(name), serve("--cert-compression", name, "--client-ca",
                                           CA.cert) as server:
                text = story(server.url, "--cert", MINE.cert, "--key", MINE.key)
                self.assertIn(f"peer's certificate compression: {name} (", text)
                self.assertIn(f" certificate compression: {name} (", text)
                self.assertEqual(text.count("tls   CompressedCertificate, "), 2)
                server.errors.wait_for(f", certificate in {name},")

    def test_the_servers_first_is_taken(self):
        for name in OURS:
            rest = ",".join(other for other in OURS if other != name)
            with self.subTest(name), serve("--cert-compression", f"{name},{rest}") as server:
                self.assertIn(f"peer's certificate compression: {name} (", story(server.url))

    def test_off_is_off(self):
        for ours, theirs in (("none", "zlib"), ("zlib", "none")):
            with self.subTest(ours), serve("--cert-compression", ours) as server:
                text = story(server.url, "--cert-compression", theirs)
                self.assertNotIn("certificate compression", text)
                self.assertIn("tls   Certificate, ", text)

    def test_a_name_that_is_not_known_is_told(self):
        done = support.run([support.CLEAT, "get", "--cert-compression", "gzip",
                            "https://localhost/"], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b'unknown compression "gzip"', done.stderr)


if __name__ == "__main__":
    support.main()
