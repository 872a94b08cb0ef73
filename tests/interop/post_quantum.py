#!/usr/bin/env python3
"""ML-KEM with peers that others wrote, as client and as server: Node.js with OpenSSL 3.5 or later,
Go 1.26 or later, and as Debian 13 has them OpenSSL 3.5 and NSS. Each group, the second key share, a
retry.

A Node.js that is new enough is installed with npm into CLEAT_NODE_DIR (in the build tree) at the
version that node/package-lock.json pins; Go is taken from PATH. A peer that is not there, or has no
ML-KEM, skips its tests.
"""
import json
import os
import shutil
import unittest

import matrix
import support
from get_support import Peer, free_port
from node_peer import HERE, SLOW, PeerServer, node

support.need("openssl")
HYBRIDS = ["X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024"]
ALONE = {"ML-KEM-512": "MLKEM512", "ML-KEM-768": "MLKEM768", "ML-KEM-1024": "MLKEM1024"}
NUMBERS = {"X25519MLKEM768": 0x11ec, "SecP256r1MLKEM768": 0x11eb, "SecP384r1MLKEM1024": 0x11ed,
           "X25519": 29, "P-384": 24}
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf")


def go_peer():
    """The peer of node/peer.go, built; skips without Go."""
    if shutil.which("go") is None:
        raise unittest.SkipTest("go is not installed")
    program = support.folder() / "go-peer"
    done = support.run(["go", "build", "-o", program, HERE / "peer.go"], check=False, timeout=SLOW,
                       env={"GOCACHE": str(support.folder() / "go-cache"), "GOFLAGS": "-mod=mod",
                            **os.environ})
    if done.returncode != 0:
        raise unittest.SkipTest("go cannot build the peer: "
                                + done.stderr.decode(errors="replace")[-300:])
    return program


class Peers:
    """What every peer is put through; it has command and groups, and gives its names for them."""

    # a group of which our client sends no share by itself
    retried = "SecP384r1MLKEM1024"

    def serve(self, *groups):
        return PeerServer([*self.command, "serve", LEAF.cert, LEAF.key, self.names(groups)])

    def get(self, server, *groups):
        done = support.run([*self.command, "get", server.port, CA.cert, self.names(groups)])
        self.assertTrue(done.stdout.startswith(b"HTTP/1.1 200 OK "), done.stdout)

    def ask(self, peer, *args):
        done = support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, "-o", "/dev/null",
                            "-w", "%{json}\n", *args, f"https://localhost:{peer.port}/"])
        facts = json.loads(done.stdout)
        self.assertEqual(facts["http_code"], 200)
        return facts["tls_group"], facts["tls_hello_retry"]

    def test_our_client_with_each_group(self):
        for group in self.groups:
            with self.subTest(group), self.serve(group) as peer:
                self.assertEqual(self.ask(peer, "--curves", group), (group, False))

    def test_our_client_by_default(self):
        with self.serve("X25519MLKEM768", "X25519") as peer:
            self.assertEqual(self.ask(peer), ("X25519MLKEM768", False))
        with self.serve("X25519") as peer:
            self.assertEqual(self.ask(peer), ("X25519", False))
        with self.serve(self.retried) as peer:
            self.assertEqual(self.ask(peer), (self.retried, True))

    def test_our_server_with_each_group(self):
        with support.Server(*LEAF.args(), "--root", support.folder() / "root", "--curves",
                            ":".join(self.groups)) as server:
            for i, group in enumerate(self.groups):
                with self.subTest(group):
                    self.get(server, group)
                    server.access.wait_for(rf" TLSv1.3 \S+ {group} ")

    def test_our_server_by_default(self):
        with support.Server(*LEAF.args(), "--root", support.folder() / "root") as server:
            self.get(server, "X25519MLKEM768", "X25519")
            server.access.wait_for(" X25519MLKEM768 ")
            self.get(server, "X25519")
            server.access.wait_for(" X25519 ")


class Node(Peers, unittest.TestCase):
    groups = [*HYBRIDS, *ALONE]

    @classmethod
    def setUpClass(cls):
        cls.command = node()

    def names(self, groups):
        return ":".join(ALONE.get(g, g) for g in groups)


class Go(Peers, unittest.TestCase):
    groups = HYBRIDS

    @classmethod
    def setUpClass(cls):
        cls.command = [go_peer()]

    def names(self, groups):
        return ",".join(str(NUMBERS[g]) for g in groups)


class OpenSSL(Peers, unittest.TestCase):
    groups = [*HYBRIDS, *ALONE]

    @classmethod
    def setUpClass(cls):
        known = support.run(["openssl", "list", "-kem-algorithms"], check=False).stdout
        if b"X25519MLKEM768" not in known:
            version = support.run(["openssl", "version"]).stdout.decode().strip()
            raise unittest.SkipTest(f"{version} has no ML-KEM (3.5 or later has)")

    def names(self, groups):
        return ":".join(ALONE.get(g, g) for g in groups)

    def serve(self, *groups):
        port = free_port()
        return Peer(["openssl", "s_server", "-accept", port, "-cert", LEAF.cert, "-key", LEAF.key,
                     "-www", "-quiet", "-groups", self.names(groups)], port, support.folder())

    def get(self, server, *groups):
        done = support.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", CA.cert,
             "-servername", "localhost", "-verify_hostname", "localhost", "-verify_return_error",
             "-ign_eof", "-groups", self.names(groups)], stdin=None, input=matrix.last_request("/"))
        self.assertIn(b"HTTP/1.1 200 OK", done.stdout)


class NSS(Peers, unittest.TestCase):
    """Version 3.110 has one of the groups."""

    groups = ["X25519MLKEM768"]
    retried = "P-384"

    @classmethod
    def setUpClass(cls):
        if any(shutil.which(name) is None for name in ("tstclnt", "selfserv", "certutil")):
            raise unittest.SkipTest("NSS's tools are not installed")
        done = support.run(["tstclnt"], check=False)
        if b"mlkem768x25519" not in done.stdout + done.stderr:
            raise unittest.SkipTest("this NSS has no ML-KEM (3.105 or later has)")
        cls.database = support.nss_database("ml-kem", CA, LEAF)

    def names(self, groups):
        known = {"X25519MLKEM768": "mlkem768x25519", "X25519": "x25519", "P-384": "P384"}
        return ",".join(known[g] for g in groups)

    def serve(self, *groups):
        port = free_port()
        return Peer(["selfserv", "-d", self.database, "-n", "mine", "-p", port, "-V",
                     "tls1.3:tls1.3", "-I", self.names(groups)], port, support.folder())

    def get(self, server, *groups):
        request = support.folder() / "request"
        request.write_bytes(matrix.last_request("/"))
        done = support.run(["tstclnt", "-4", "-h", "localhost", "-p", server.port, "-d",
                            self.database, "-V", "tls1.3:tls1.3", "-A", request, "-I",
                            self.names(groups)])
        self.assertIn(b"HTTP/1.1 200 OK", done.stdout)


if __name__ == "__main__":
    (support.folder() / "root").mkdir()
    (support.folder() / "root" / "index.html").write_text("ok\n")
    support.main()
