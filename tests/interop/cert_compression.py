#!/usr/bin/env python3
"""Compressed certificates (RFC 8879) between `cleat serve` and `cleat get`: each algorithm, of
servers and of clients; and with Debian 13's OpenSSL (zstd, zlib) and NSS (zlib). Debian's GnuTLS
has none; serve_browser.py has Chromium (brotli)."""
import re
import shutil
import unittest

import matrix
import support
from get_support import Peer, free_port
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


class OpenSSL(unittest.TestCase):
    """What its libcrypto was built with it offers and takes by itself."""

    @classmethod
    def setUpClass(cls):
        help_text = support.run(["openssl", "s_client", "-help"], check=False).stderr
        if b"-no_rx_cert_comp" not in help_text:
            raise unittest.SkipTest("this OpenSSL compresses no certificates (3.2 or later does)")

    def ask(self, server, *args):
        done = support.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", CA.cert,
             "-servername", "localhost", "-verify_return_error", "-ign_eof", "-trace", *args],
            stdin=None, input=matrix.last_request("/"))
        text = done.stdout.decode(errors="replace")
        self.assertIn("\nserved\n", text)
        return re.findall(r"(zlib|brotli|zstd) \(\d\)", text)

    def test_it_takes_our_certificate(self):
        with serve() as server:
            offered = self.ask(server)
            self.assertNotEqual(offered, [])
            first = next(name for name in OURS if name in offered)
            server.errors.wait_for(f", certificate in {first},")
            self.ask(server, "-no_rx_cert_comp")
        self.assertEqual(server.errors.text().count("certificate in"), 1)

    def test_a_clients_certificate_is_taken(self):
        with serve("--client-ca", CA.cert) as server:
            self.ask(server, "-cert", MINE.cert, "-key", MINE.key)
            server.access.wait_for("CN=mine")

    def test_its_certificate_is_taken(self):
        port = free_port()
        with Peer(["openssl", "s_server", "-accept", port, "-cert", LEAF.cert, "-key", LEAF.key,
                   "-www", "-quiet", "-cert_comp"], port, support.folder()):
            for name in ("zstd", "zlib"):
                with self.subTest(name):
                    text = story(f"https://localhost:{port}/", "--cert-compression", name)
                    self.assertIn(f"peer's certificate compression: {name} (", text)


class NSS(unittest.TestCase):
    def test_it_takes_our_certificate(self):
        if shutil.which("tstclnt") is None or shutil.which("certutil") is None:
            self.skipTest("NSS's tools are not installed")
        done = support.run(["tstclnt"], check=False)
        if b"--zlib-certificate-compression" not in done.stdout + done.stderr:
            self.skipTest("this NSS takes no compressed certificates (3.102 or later does)")
        request = support.folder() / "request"
        request.write_bytes(matrix.last_request("/"))
        with serve() as server:
            done = support.run(["tstclnt", "-4", "-h", "localhost", "-p", server.port, "-d",
                                support.nss_database("trusting", CA), "-A", request,
                                "--zlib-certificate-compression"])
            self.assertIn(b"\nserved\n", done.stdout)
            server.errors.wait_for(", certificate in zlib,")


if __name__ == "__main__":
    support.main()
