"""A name server of the test's own, in namespaces (unshare), so that no other one is asked.

Without the right to make them: SKIP."""
import base64
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading

import support

INSIDE = "CLEAT_TEST_INSIDE"
A, CNAME, AAAA, HTTPS = 1, 5, 28, 65


def enter(program):
    """Runs this test program again where 127.0.0.1 is its own, and so is /etc/resolv.conf."""
    if INSIDE in os.environ:
        return
    if any(shutil.which(name) is None for name in ("unshare", "ip", "mount")):
        support.skip_all("unshare, ip or mount is missing")
    path = support.folder() / "resolv.conf"
    path.write_text("nameserver 127.0.0.1\n")
    script = ("ip link set lo up && mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"")
    command = ["unshare", "-mn", "sh", "-c", script, str(path)]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        support.skip_all("no right to make namespaces")
    done = subprocess.run([*command, sys.executable, program], check=False,
                          env={**os.environ, INSIDE: "1"})
    sys.exit(done.returncode)


def name_of(text):
    return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"


def question_of(data):
    """The name and type that a question is about, and where it ends."""
    labels, at = [], 12
    while data[at] != 0:
        labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
        at += 1 + data[at]
    return (".".join(labels), struct.unpack(">H", data[at + 1:at + 3])[0]), at + 5


def reply_to(data, records, flags=0x8180):
    """The answer to a question: a list of data for each name and type."""
    asked, end = question_of(data)
    bodies = records.get(asked) or []
    answer = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", asked[1], 1, 60, len(body)) + body
                      for body in bodies)
    head = data[:2] + struct.pack(">HHHHH", flags, 1, len(bodies), 0, 0)
    return head + data[12:end] + answer


class NameServer:
    """Answers questions for the records it was given: a list of data for each name and type."""

    def __init__(self, records):
        self.records = records
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            data, peer = self.socket.recvfrom(4096)
            self.asked.append(question_of(data)[0])
            self.socket.sendto(reply_to(data, self.records), peer)


def https(priority, target="", ech=None, port=None, alpn=None, more=b""):
    """The data of an HTTPS record."""
    params = b""
    if alpn is not None:
        ids = b"".join(bytes([len(name)]) + name.encode() for name in alpn)
        params += struct.pack(">HH", 1, len(ids)) + ids
        params += struct.pack(">HH", 2, 0)
    if port is not None:
        params += struct.pack(">HHH", 3, 2, port)
    if ech is not None:
        params += struct.pack(">HH", 5, len(ech)) + ech
    return struct.pack(">H", priority) + (name_of(target) if target else b"\0") + params + more


def list_of(path):
    text = path.read_text().split("BEGIN ECHCONFIG-----")[1].split("-----")[0]
    return base64.b64decode("".join(text.split()))
