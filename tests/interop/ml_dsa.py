#!/usr/bin/env python3
"""ML-DSA certificates (FIPS 204, RFC 9881) of each size with OpenSSL's programs and Node.js, as
client and as server, of one side and of both; chains of them; beside a certificate of another kind.

Both need a libcrypto that has ML-DSA (3.5 or later; Debian 13's has).
"""
import subprocess
import unittest

import matrix
import support
from get_support import Peer, free_port
from node_peer import PeerServer, node
from support import Server

support.need("openssl")
SIZES = ("44", "65", "87")
# What else has to be offered: the CA's signature is checked too.
ECDSA = "ecdsa_secp256r1_sha256"


def need_ml_dsa():
    listed = subprocess.run(["openssl", "list", "-signature-algorithms"], capture_output=True,
                            text=True, check=False).stdout
    if "ML-DSA-65" not in listed:
        support.skip_all("openssl has no ML-DSA (3.5 or later has)")
    done = support.run([support.CLEAT, "get", "--sigalgs", "mldsa65", "https://localhost:1/"],
                       check=False)
    if b"unknown signature scheme" in done.stderr:
        support.skip_all("cleat's libcrypto has no ML-DSA (3.5 or later has)")


need_ml_dsa()
for size in SIZES:
    support.KINDS[f"mldsa{size}"] = ["-algorithm", f"ML-DSA-{size}"]
CA = support.make_ca()
LEAF = support.make_leaf(CA, "ecdsa")
LEAVES = {size: support.make_leaf(CA, f"leaf{size}", f"mldsa{size}") for size in SIZES}
MINE = {size: support.make_leaf(CA, f"mine{size}", f"mldsa{size}", ["client.test"],
                                purpose="clientAuth") for size in SIZES}


def schemes(size):
    return f"mldsa{size}:{ECDSA}"


def serve(*args):
    return Server("-v", *args, "--root", matrix.site())


class Serve(unittest.TestCase):
    def ask(self, server, *args, ca=CA):
        done = support.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", ca.cert,
             "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error",
             "-ign_eof", *args], check=False, stdin=None, input=matrix.last_request("/"))
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_a_certificate_of_each_size(self):
        for size, leaf in LEAVES.items():
            with self.subTest(size), serve(*leaf.args()) as server:
                text = self.ask(server)
                self.assertIn("\nserved\n", text)
                self.assertIn(f"Peer signature type: mldsa{size}\n", text)
                self.assertIn("Verify return code: 0 (ok)", text)
                server.errors.wait_for(f"TLSv1.3, .*, mldsa{size}, ")

    def test_a_chain_of_them(self):
        ca = support.make_ca("ca87", "mldsa87")
        leaf = support.make_leaf(ca, "under87", "mldsa44")
        with serve(*leaf.args()) as server:
            text = self.ask(server, ca=ca)
            self.assertIn("\nserved\n", text)
            self.assertIn("Peer signature type: mldsa44\n", text)

    def test_a_client_of_each_size(self):
        with serve(*LEAF.args(), "--client-ca", CA.cert, "--sigalgs",
                   ":".join([*(f"mldsa{size}" for size in SIZES), ECDSA])) as server:
            for size, mine in MINE.items():
                with self.subTest(size):
                    text = self.ask(server, "-cert", mine.cert, "-key", mine.key)
                    self.assertIn("\nserved\n", text)
                    server.access.wait_for(f"CN=mine{size}")

    def test_before_a_certificate_of_another_kind_it_is_for_those_who_can(self):
        with serve(*LEAVES["65"].args(), *LEAF.args(), "--sigalgs", schemes("65")) as server:
            for offer, made in (("mldsa65", "mldsa65"), (ECDSA, ECDSA)):
                with self.subTest(made):
                    text = self.ask(server, "-sigalgs", f"{offer}:{ECDSA}")
                    self.assertIn("\nserved\n", text)
                    self.assertIn(f"Peer signature type: {made}\n", text)

    def test_a_client_that_cannot_is_told(self):
        with serve(*LEAVES["44"].args()) as server:
            self.assertIn("alert number 40", self.ask(server, "-sigalgs", ECDSA))
            server.errors.wait_for("NO_SHARED_SIGNATURE")


class Get(unittest.TestCase):
    def serve(self, pair, *args):
        port = free_port()
        return Peer(["openssl", "s_server", "-accept", port, "-cert", pair.cert, "-key", pair.key,
                     "-www", "-quiet", "-CAfile", CA.cert, *args], port, support.folder())

    def get(self, port, *args, check=True, ca=CA):
        return support.run([support.CLEAT, "get", "-sS", "--cacert", ca.cert, "-o", "/dev/null",
                            "-w", "%{http_code} %{tls_signature}", *args,
                            f"https://localhost:{port}/"], check=check)

    def test_a_certificate_of_each_size(self):
        for size, leaf in LEAVES.items():
            with self.subTest(size), self.serve(leaf) as peer:
                done = self.get(peer.port, "--sigalgs", schemes(size))
                self.assertEqual(done.stdout.decode(), f"200 mldsa{size}")

    def test_a_chain_of_them(self):
        ca = support.make_ca("ca65", "mldsa65")
        with self.serve(support.make_leaf(ca, "under65", "mldsa87")) as peer:
            done = self.get(peer.port, "--sigalgs", "mldsa65:mldsa87", ca=ca)
            self.assertEqual(done.stdout.decode(), "200 mldsa87")

    def test_our_certificate_of_each_size(self):
        for size, mine in MINE.items():
            with self.subTest(size), self.serve(LEAF, "-Verify", "2",
                                                "-verify_return_error") as peer:
                done = self.get(peer.port, "--sigalgs", schemes(size), "--cert", mine.cert,
                                "--key", mine.key)
                self.assertEqual(done.stdout.decode(), f"200 {ECDSA}")

    def test_it_is_not_offered_unless_it_is_named(self):
        with self.serve(LEAVES["65"]) as peer:
            done = self.get(peer.port, check=False)
            self.assertEqual(done.returncode, 35, done.stderr)
            self.assertIn(b"handshake_failure", done.stderr)


class Node(unittest.TestCase):
    """With X25519MLKEM768: key exchange and signature are post-quantum, both."""

    @classmethod
    def setUpClass(cls):
        cls.command = node()

    def test_our_server_with_each_size(self):
        for size, leaf in LEAVES.items():
            with self.subTest(size), serve(*leaf.args()) as server:
                done = support.run([*self.command, "get", server.port, CA.cert, "X25519MLKEM768"])
                self.assertTrue(done.stdout.startswith(b"HTTP/1.1 200 OK "), done.stdout)
                server.errors.wait_for(f"TLSv1.3, .*, X25519MLKEM768, mldsa{size}, ")

    def test_our_client_with_each_size(self):
        for size, leaf in LEAVES.items():
            with self.subTest(size), PeerServer([*self.command, "serve", leaf.cert, leaf.key,
                                                 "X25519MLKEM768"]) as peer:
                done = support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, "--sigalgs",
                                    schemes(size), "-w", "%{tls_group} %{tls_signature}",
                                    f"https://localhost:{peer.port}/"])
                self.assertEqual(done.stdout, f"ok\nX25519MLKEM768 mldsa{size}".encode())


class Ourselves(unittest.TestCase):
    def test_both_sides_of_each_size(self):
        for size in SIZES:
            with self.subTest(size), serve(*LEAVES[size].args(), "--client-ca", CA.cert,
                                           "--sigalgs", schemes(size)) as server:
                done = support.run(
                    [support.CLEAT, "get", "-sS", "--cacert", CA.cert, "--sigalgs", schemes(size),
                     "--cert", MINE[size].cert, "--key", MINE[size].key, server.url])
                self.assertEqual(done.stdout, b"served\n")

    def test_the_certificate_is_shown_and_verified(self):
        for size, leaf in LEAVES.items():
            with self.subTest(size):
                shown = support.run([support.CLEAT, "cert", "show", leaf.cert]).stdout.decode()
                self.assertIn(f"ML-DSA-{size}", shown)
                done = support.run([support.CLEAT, "cert", "verify", "--ca", CA.cert, "--host",
                                    "localhost", leaf.cert])
                self.assertIn(b"verified", done.stdout)


if __name__ == "__main__":
    support.main()
