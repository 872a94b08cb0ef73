#!/usr/bin/env python3
"""`cleat profile`: what it prints is what `cleat get --profile` puts into its ClientHello, and what
`cleat serve --profile` chooses."""
import json
import os
import socket
import struct
import unittest

import support

support.need("openssl")
CLEAT = os.environ["CLEAT_PROGRAM"]
CA = support.make_ca()


def profile(*args):
    return support.run([CLEAT, "profile", *args]).stdout


def names():
    return [p["name"] for p in json.loads(profile("list", "--json"))["profiles"]]


def client_hello(name):
    """The bytes that a client of this profile sends first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(support.PATIENCE)
        client = support.subprocess.Popen(
            [CLEAT, "get", "-sS", "-k", "--profile", name,
             f"https://localhost:{listener.getsockname()[1]}/"],
            stdout=support.subprocess.DEVNULL, stderr=support.subprocess.DEVNULL)
        peer, _ = listener.accept()
        with peer:
            header = peer.recv(5, socket.MSG_WAITALL)
            hello = peer.recv(struct.unpack(">H", header[3:])[0], socket.MSG_WAITALL)
        client.wait(support.PATIENCE)
    return hello


def numbers(data):
    found = [n for n, in struct.iter_unpack(">H", data)]
    return [n for n in found if n & 0x0f0f != 0x0a0a]  # GREASE


def parse(hello):
    at = 4 + 2 + 32
    at += 1 + hello[at]
    length = struct.unpack_from(">H", hello, at)[0]
    fields = {"suites": numbers(hello[at + 2:at + 2 + length])}
    at += 2 + length
    at += 1 + hello[at] + 2
    while at < len(hello):
        kind, length = struct.unpack_from(">HH", hello, at)
        body = hello[at + 4:at + 4 + length]
        at += 4 + length
        if kind == 10:
            fields["groups"] = numbers(body[2:])
        elif kind == 13:
            fields["schemes"] = numbers(body[2:])
        elif kind == 43:
            fields["versions"] = numbers(body[1:])
    return fields


class Profiles(unittest.TestCase):
    def test_five_are_listed(self):
        self.assertEqual(names(), ["public", "internal", "high-security", "iot", "legacy"])
        for name in names():
            self.assertIn(name.encode(), profile("list"))

    def test_what_is_printed_is_what_a_client_offers(self):
        for name in names():
            with self.subTest(name):
                says = json.loads(profile("show", name, "--json"))
                hello = parse(client_hello(name))
                self.assertEqual(hello["suites"], [s["number"] for s in says["suites"]])
                self.assertEqual(hello["groups"], [g["number"] for g in says["groups"]])
                self.assertEqual(hello["schemes"],
                                 [s["number"] for s in says["signature_schemes"]])
                version = {"1.2": 0x0303, "1.3": 0x0304}
                low, high = (version[says[f"version_{end}"]] for end in ("min", "max"))
                self.assertEqual(hello["versions"], list(range(high, low - 1, -1)))

    def test_the_text_names_every_item_of_the_json(self):
        for name in names():
            says, text = json.loads(profile("show", name, "--json")), profile("show", name).decode()
            for items in ("suites", "groups", "signature_schemes"):
                for item in says[items]:
                    self.assertIn(item["name"], text)

    def test_a_server_of_each_profile_chooses_its_first_suite(self):
        pair = support.make_leaf(CA, "leaf384", "ecdsa384")
        for name in names():
            if name == "iot":
                continue  # its signature schemes have no P-384
            says = json.loads(profile("show", name, "--json"))
            with self.subTest(name), support.Server(*pair.args(), "--profile", name) as server:
                done = support.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                                    "-CAfile", CA.cert, "-groups", "P-384"], check=False)
                self.assertIn(says["suites"][0]["name"], done.stdout.decode())

    def test_a_name_that_is_none(self):
        done = support.run([CLEAT, "profile", "show", "publik"], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"did you mean 'public'?", done.stderr)


if __name__ == "__main__":
    support.main()
