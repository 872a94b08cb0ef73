#!/usr/bin/env python3
"""Encrypted Client Hello with NSS, both ways: tstclnt to `cleat serve --ech-key`, `cleat get --ech`
to selfserv; accepted, rejected with new configurations, after a retry request, and as a dummy."""
import base64
import re
import struct
import unittest

import get_support
import support

support.need("tstclnt", "selfserv", "certutil", "pk12util", "openssl")
HOST, PUBLIC = "secret.example.test", "public.example.test"
CA = support.make_ca()
PAIR = support.make_leaf(CA, "both", hosts=(HOST, PUBLIC))
DATABASE = support.nss_database("ech", CA, PAIR)
# id-ecPublicKey and curve25519 (1.3.6.1.4.1.11591.15.1): NSS's own form of an X25519 key
NSS_KEY = bytes.fromhex("3067020100301406072a8648ce3d020106092b06010401da470f01"
                        "044c304a0201010420")
NSS_KEY_PUBLIC = bytes.fromhex("a123032100")


def keygen(name):
    path = support.folder() / f"{name}.pem"
    support.run([support.CLEAT, "ech", "keygen", "--max-name-length", "32", "-o", path, PUBLIC])
    return path


def block(path, label):
    text = re.search(f"BEGIN {label}-----(.*?)-----", path.read_text(), re.S)[1]
    return base64.b64decode("".join(text.split()))


def list_of(path):
    return base64.b64encode(block(path, "ECHCONFIG")).decode()


def for_selfserv(path):
    """Private key and list as selfserv's -X takes them."""
    config = block(path, "ECHCONFIG")
    public = config[11:43]  # behind lengths, version, config_id, KEM and its own length
    key = NSS_KEY + block(path, "PRIVATE KEY")[-32:] + NSS_KEY_PUBLIC + public
    return base64.b64encode(struct.pack(">H", len(key)) + key + config).decode()


ONE, OLD = keygen("one"), keygen("old")


class Tstclnt(unittest.TestCase):
    def ask(self, server, *args, code=0):
        """What tstclnt says, and whether the host's name was seen on the way."""
        request = support.folder() / "request"
        request.write_text(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n")
        recorder = support.Recorder(server.port)
        done = support.run(["tstclnt", "-4", "-h", "127.0.0.1", "-p", recorder.port, "-a", HOST,
                            "-d", DATABASE, "-V", "tls1.3:tls1.3", "-A", request, *args],
                           check=False)
        recorder.close()
        text = (done.stdout + done.stderr).decode(errors="replace")
        self.assertEqual(done.returncode, code, text)
        crossed = b"".join(data for _, _, data in recorder.packets)
        return text, HOST.encode() in crossed

    def server(self, *more):
        return support.Server(*PAIR.args(), f"--ech-key={ONE}", *more)

    def test_the_name_is_hidden_and_served(self):
        with self.server() as server:
            text, seen = self.ask(server, "-N", list_of(ONE))
            self.assertIn("HTTP/1.1 404", text)
            self.assertFalse(seen)
            self.assertTrue(self.ask(server)[1])

    def test_after_a_retry_request(self):
        with self.server("--curves", "P-384") as server:
            text, seen = self.ask(server, "-N", list_of(ONE), "-I", "x25519,P384")
            self.assertIn("HTTP/1.1 404", text)
            self.assertFalse(seen)

    def test_an_old_configuration_is_answered_with_the_new_ones(self):
        with self.server() as server:
            text, seen = self.ask(server, "-N", list_of(OLD), code=254)
            self.assertIn("SSL_ERROR_ECH_RETRY_WITH_ECH", text)
            self.assertIn(list_of(ONE), text)
            self.assertFalse(seen)

    def test_a_server_without_keys_switches_it_off(self):
        with support.Server(*PAIR.args()) as server:
            text, seen = self.ask(server, "-N", list_of(OLD), code=254)
            self.assertIn("SSL_ERROR_ECH_RETRY_WITHOUT_ECH", text)
            self.assertFalse(seen)

    def test_a_dummy_is_a_dummy(self):
        with self.server() as server:
            self.assertIn("HTTP/1.1 404", self.ask(server, "-i", "100")[0])


class Selfserv(unittest.TestCase):
    def peer(self, *more):
        port = get_support.free_port()
        return get_support.Peer(["selfserv", "-d", DATABASE, "-n", "mine", "-p", port, "-V",
                                 "tls1.3:tls1.3", "-X", for_selfserv(ONE), *more], port,
                                support.folder())

    def fetch(self, peer, *args):
        done = get_support.get("-sSv", "--cacert", str(CA.cert), "-o", "/dev/null", "-w",
                               "%{stderr}status=%{tls_ech} group=%{tls_group}\n", "--resolve",
                               f"{HOST}:{peer.port}:127.0.0.1", *map(str, args),
                               f"https://{HOST}:{peer.port}/")
        return done.stderr.decode()

    def test_it_accepts_rejects_and_asks_again(self):
        with self.peer() as peer:
            self.assertIn("status=accepted", self.fetch(peer, "--ech", f"@{ONE}"))
            text = self.fetch(peer, "--ech", f"@{OLD}")
            self.assertIn("connecting once more", text)
            self.assertIn("status=accepted", text)
            self.assertIn("status=grease", self.fetch(peer))

    def test_after_a_retry_request(self):
        with self.peer("-I", "P384") as peer:
            self.assertIn("status=accepted group=P-384", self.fetch(peer, "--ech", f"@{ONE}"))


if __name__ == "__main__":
    support.main()
