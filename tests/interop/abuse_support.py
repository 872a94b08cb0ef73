"""What the tests of abuse share: how much of the machine a server takes, and how others fare."""
import os
import re
import socket
import ssl
import time

import support

REDUCED = os.environ.get("CLEAT_INTEROP_REDUCED") == "1"
# The address sanitizer keeps what was freed for a while; with this environment 16 MiB of it instead
# of 256. What a process may grow by then beside what it holds: that, the sanitizer's own notes on
# all memory, and its larger blocks.
ENV = {}
QUARANTINE = 0
if REDUCED:
    ENV = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=16"}
    QUARANTINE = 96 << 20
# How long a client that behaves may wait among those that do not. A machine shared with other
# tests is slow; what is seen on a quiet one is some milliseconds.
GOOD_S = 30
# The server's own limit on a handshake (CL_STREAM_HANDSHAKE_MS).
HANDSHAKE_S = 10
# Address of a socket is chosen at connect: source addresses may share their ports.
IP_BIND_ADDRESS_NO_PORT = 24


class Gauge:
    """Looks at a process from the outside; sizes in bytes."""

    def __init__(self, server):
        self.pid = server.process.pid

    def _status(self, name):
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(rf"(?m)^{name}:\s+(\d+) kB", f.read()).group(1)) * 1024

    def rss(self):
        return self._status("VmRSS")

    def most(self):
        return self._status("VmHWM")

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu(self):
        """Seconds that all threads have run."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        return total / 1e9


def wait_until(what, condition, patience=support.PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what())
        time.sleep(0.1)


def client_hello():
    """As Python's ssl sends it."""
    ends = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(*ends, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return ends[1].read()


class Starter:
    """Opens connections from several addresses of the loopback network, so that there are ports
    enough for all that are closed and not yet forgotten."""

    def __init__(self, server):
        self.port = server.port
        self.num = 0

    def __call__(self, data):
        s = socket.socket()
        s.settimeout(support.PATIENCE)
        s.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.num += 1
        s.bind((f"127.0.0.{2 + self.num % 8}", 0))
        s.connect(("127.0.0.1", self.port))
        s.sendall(data)
        return s


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    s.close()


def get(server, ca, path="/"):
    """A client that behaves: seconds until it has its answer."""
    began = time.monotonic()
    with support.tls(server.port, ca) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status, _, body = support.Responses(s).next()
    assert (status, body) == (200, b"home\n"), (status, body)
    took = time.monotonic() - began
    assert took < GOOD_S, f"a client that behaves waited {took:.1f} s"
    return took


def make_site():
    """CA, leaf and a folder to serve."""
    ca = support.make_ca()
    root = support.folder() / "root"
    root.mkdir()
    (root / "index.html").write_text("home\n")
    return ca, support.make_leaf(ca, "leaf"), root
