"""`cleat get --ech true` and `--ech hard`: the configuration comes from the HTTPS record in DNS.

A name server of our own answers, in namespaces of the test (unshare), so that no name server of the
machine is asked; without the right to make them: SKIP."""
import base64
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import unittest

import abuse_support
import get_support
import support

INSIDE = "CLEAT_TEST_INSIDE"
HOST, PUBLIC = "secret.example.test", "public.example.test"
A, HTTPS = 1, 65


def enter():
    """Runs this program again where 127.0.0.1 is its own, and so is /etc/resolv.conf."""
    if any(shutil.which(name) is None for name in ("unshare", "ip", "mount")):
        support.skip_all("unshare, ip or mount is missing")
    path = support.folder() / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\n")
    script = ("ip link set lo up && mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"")
    command = ["unshare", "-mn", "sh", "-c", script, str(path)]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        support.skip_all("no right to make namespaces")
    done = subprocess.run([*command, sys.executable, __file__], check=False,
                          env={**os.environ, INSIDE: "1"})
    sys.exit(done.returncode)


class NameServer:
    """Answers questions for A and HTTPS records of what it was given."""

    def __init__(self, records):
        self.records = records
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            data, peer = self.socket.recvfrom(4096)
            labels, at = [], 12
            while data[at] != 0:
                labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
                at += 1 + data[at]
            kind = struct.unpack(">H", data[at + 1:at + 3])[0]
            self.asked.append((".".join(labels), kind))
            body = self.records.get(self.asked[-1])
            answer = b"" if body is None else (b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60,
                                                                         len(body)) + body)
            head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if answer else 0, 0, 0)
            self.socket.sendto(head + data[12:at + 5] + answer, peer)


def list_of(path):
    text = path.read_text().split("BEGIN ECHCONFIG-----")[1].split("-----")[0]
    return base64.b64decode("".join(text.split()))


class EchDns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = support.make_ca()
        cls.pair = support.make_leaf(cls.ca, "both", hosts=(HOST, PUBLIC))
        cls.key = support.folder() / "ech.pem"
        support.run([os.environ["CLEAT_PROGRAM"], "ech", "keygen", "-o", str(cls.key), PUBLIC])
        cls.names = NameServer({(HOST, A): socket.inet_aton("127.0.0.1")})

    def fetch(self, how, record, code=0):
        with support.Server(*self.pair.args(), f"--ech-key={self.key}",
                            env=abuse_support.ENV) as server:
            name = f"_{server.port}._https.{HOST}"
            self.names.records[name, HTTPS] = record
            self.names.asked.clear()
            done = get_support.get("-sSv", "--cacert", str(self.ca.cert), "-o", "/dev/null",
                                   "--ech", how, f"https://{HOST}:{server.port}/")
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn((name, HTTPS), self.names.asked)
            return done.stderr.decode()

    @staticmethod
    def record(ech, target=b"\0"):
        return b"\0\1" + target + struct.pack(">HH", 5, len(ech)) + ech

    def test_what_the_record_has_is_offered(self):
        for how in ("true", "hard"):
            self.assertIn("Encrypted Client Hello: accepted",
                          self.fetch(how, self.record(list_of(self.key))))

    def test_without_a_record_a_dummy_is_sent_or_nothing(self):
        self.assertIn("the name has no HTTPS record", self.fetch("true", None))
        self.assertIn("the name has no HTTPS record", self.fetch("hard", None, code=101))

    def test_what_is_no_list_or_for_another_host_is_not_used(self):
        self.assertIn("is not an ECHConfigList", self.fetch("hard", self.record(b"xx"), code=101))
        other = self.record(list_of(self.key), target=b"\3two\0")
        self.assertIn("no HTTPS record is for this host", self.fetch("hard", other, code=101))


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter()
    support.need("openssl")
    support.main()
