#!/usr/bin/env python3
"""cleat fingerprint: files of every kind, beside tshark, and how two ClientHellos differ."""
import json
import shutil
import struct
import subprocess
import unittest

import support

FOLDER = support.folder()


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def hello(suites, extensions):
    """A handshake message."""
    listed = b"".join(struct.pack(">H", s) for s in suites)
    block = b"".join(extensions)
    body = (b"\3\3" + bytes(32) + b"\0" + struct.pack(">H", len(listed)) + listed + b"\1\0"
            + struct.pack(">H", len(block)) + block)
    return b"\1" + struct.pack(">I", len(body))[1:] + body


NAME = extension(0, b"\0\x0e\0\0\x0bexample.org")
GROUPS = extension(10, b"\0\4\0\x1d\0\x17")
SCHEMES = extension(13, b"\0\4\4\3\x08\4")
ALPN = extension(16, b"\0\3\2h2")
VERSIONS = extension(43, b"\4\3\4\3\3")
ONE = hello([0x1301, 0xc02f], [NAME, GROUPS, SCHEMES, ALPN, VERSIONS])
OTHER = hello([0x0a0a, 0xc02f, 0x1302, 0x1301], [VERSIONS, NAME, SCHEMES, GROUPS])


def record(message):
    return b"\x16\3\1" + struct.pack(">H", len(message)) + message


def pcap(*packets):
    """A capture of raw IPv4: each packet is (sequence number, flags, data)."""
    out = struct.pack(">IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    for seq, flags, data in packets:
        tcp = struct.pack(">HHIIBBHHH", 40000, 443, seq, 0, 0x50, flags, 1000, 0, 0) + data
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0,
                             bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])) + tcp
        out += struct.pack(">IIII", 1795000000, 250000, len(packet), len(packet)) + packet
    return out


def write(name, content):
    path = FOLDER / name
    path.write_bytes(content)
    return path


def fingerprint(*args, **more):
    return subprocess.run([support.CLEAT, "fingerprint", *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=20, check=False, **more)


RECORD = record(ONE)
CAPTURE = write("one.pcap", pcap((9, 2, b""), (10 + 40, 16, RECORD[40:]), (10, 16, RECORD[:60])))


class Files(unittest.TestCase):
    def test_each_kind_of_file_has_the_same_fingerprint(self):
        files = [write("message", ONE), write("records", record(ONE[:50]) + record(ONE[50:])),
                 write("digits", ONE.hex().encode() + b"\n"), CAPTURE]
        told = [json.loads(fingerprint("--json", path).stdout) for path in files]
        self.assertEqual({one["ja4_r"] for one in told},
                         {"t13d0205h2_1301,c02f_000a,000d,002b_0403,0804"})
        self.assertEqual({one["ja3_full"] for one in told},
                         {"771,4865-49199,0-10-13-16-43,29-23,"})
        self.assertEqual({one["server_name"] for one in told}, {"example.org"})
        self.assertEqual(told[3]["from"], {"address": "192.0.2.1", "port": 40000})
        self.assertEqual(told[3]["time"], "2026-11-18T11:06:40.250000Z")

    def test_a_line_for_people(self):
        got = fingerprint(CAPTURE)
        self.assertEqual(got.returncode, 0)
        words = got.stdout.decode().split()
        self.assertEqual(words[:5], ["2026-11-18T11:06:40.250000Z", "192.0.2.1:40000", ">",
                                     "192.0.2.2:443", "example.org"])
        self.assertTrue(words[5].startswith("t13d0205h2_"))
        self.assertEqual(len(words), 7)
        self.assertEqual(fingerprint("-", input=CAPTURE.read_bytes()).stdout, got.stdout)

    def test_tshark_says_the_same_ja3(self):
        if shutil.which("tshark") is None:
            self.skipTest("no tshark")
        in_order = write("in_order.pcap", pcap((9, 2, b""), (10, 24, RECORD)))
        seen = subprocess.run(
            ["tshark", "-r", str(in_order), "-Y", "tls.handshake.type == 1", "-T", "fields", "-e",
             "tls.handshake.ja3", "-e", "tls.handshake.ja3_full"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=60, check=True).stdout.decode().split()
        told = json.loads(fingerprint("--json", CAPTURE).stdout)
        self.assertEqual(seen, [told["ja3"], told["ja3_full"]])

    def test_malformed_hellos_have_no_fingerprint_but_a_reason(self):
        wrong = write("wrong", hello([0x1301], [extension(43, b"\4\3\4")]))
        got = fingerprint(wrong)
        self.assertEqual(got.returncode, 1)
        self.assertIn(b"extension 43 has wrong lengths", got.stdout)
        self.assertIn("extension 43", json.loads(fingerprint("--json", wrong).stdout)["error"])

    def test_what_is_missing_is_told(self):
        cut = write("cut.pcap", pcap((9, 2, b""), (10, 16, RECORD[:60])))
        got = fingerprint(cut)
        self.assertEqual((got.returncode, got.stdout), (1, b""))
        self.assertIn(b"1 ClientHellos that begin and do not end", got.stderr)
        self.assertIn(b"no ClientHello in 2 packets", got.stderr)

    def test_nonsense_is_refused(self):
        for args, code, words in (
                ((), 2, b"no file and no interface"), (("/etc/passwd",), 1, b"neither a capture"),
                (("/nowhere",), 1, b"No such file"), (("--diff", CAPTURE), 2, b"two files"),
                (("--seconds", "1", CAPTURE), 2, b"need -i"), (("-c", "0", CAPTURE), 2, b"-c"),
                (("-i", "lo", CAPTURE), 2, b"does not read"), (("-i", "nosuch0"), 1, b"device")):
            with self.subTest(args):
                got = fingerprint(*args)
                self.assertEqual(got.returncode, code, got)
                self.assertIn(words, got.stderr)


class Diff(unittest.TestCase):
    def test_it_tells_what_is_added_removed_and_moved(self):
        other = write("other", OTHER)
        got = fingerprint("--diff", CAPTURE, other)
        text = got.stdout.decode()
        self.assertEqual(got.returncode, 1)
        for words in ("ALPN: h2, then 00", "number of cipher suites: 02, then 03",
                      "+ TLS_AES_256_GCM_SHA384 (0x1302)", "what both have is in another order",
                      "- application_layer_protocol_negotiation (0x0010)", "  - h2",
                      "+ reserved values"):
            self.assertIn(words, text)
        self.assertNotIn("groups (", text)
        told = json.loads(fingerprint("--diff", "--json", CAPTURE, other).stdout)
        changes = {one["what"]: one for one in told["differences"]}
        self.assertEqual(set(changes), {"cipher_suites", "extensions", "alpn", "grease"})
        self.assertTrue(changes["cipher_suites"]["reordered"])
        self.assertEqual(changes["cipher_suites"]["removed"], [])
        self.assertEqual(changes["alpn"]["removed"], ["h2"])

    def test_the_same_and_trouble_have_their_exit_codes(self):
        got = fingerprint("--diff", CAPTURE, CAPTURE)
        self.assertEqual(got.returncode, 0)
        self.assertIn(b"no difference", got.stdout)
        self.assertEqual(fingerprint("--diff", CAPTURE, "/nowhere").returncode, 2)


if __name__ == "__main__":
    unittest.main()
