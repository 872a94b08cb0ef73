"""`cleat serve --ws-tcp`: a bridge to a TCP server, with back-pressure and ends on both sides."""
import os
import signal
import socket
import socketserver
import threading
import time
import unittest

import abuse_support
import support
import ws_support as ws
from ws_support import BINARY, TEXT, frame

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
        self.request.sendall(b"after your FIN")


class Talk(socketserver.BaseRequestHandler):
    """Says what it has to say, and ends."""

    def handle(self):
        self.request.sendall(b"hello" * 100000)


class Flood(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while True:
                self.request.sendall(b"f" * 65536)
        except OSError:
            pass


class Deaf(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"ready")
        stopped.wait(120)


class Reset(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.request.close()


class Servers(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False


stopped = threading.Event()
HANDLERS = {"echo": Echo, "talk": Talk, "flood": Flood, "deaf": Deaf, "reset": Reset}


def setUpModule():
    global server, behind
    behind, args = [], []
    for name, handler in HANDLERS.items():
        behind.append(Servers(("127.0.0.1", 0), handler))
        threading.Thread(target=behind[-1].serve_forever, daemon=True).start()
        args += ["--ws-tcp", f"/{name}=localhost:{behind[-1].server_address[1]}"]
    with socket.create_server(("127.0.0.1", 0)) as s:
        nobody = s.getsockname()[1]
    args += ["--ws-tcp", f"/nobody=127.0.0.1:{nobody}", "--ws-tcp", "/name=no.such.name.invalid:80"]
    server = support.Server(*PAIR.args(), *args)
    server.args = [*PAIR.args(), *args]


def tearDownModule():
    stopped.set()
    server.__exit__(None, None, None)
    for s in behind:
        s.shutdown()
        s.server_close()


def client(path, at=None):
    return ws.tls_client(at or server, CA, path)


def bytes_of(c, size):
    got = b""
    while len(got) < size:
        kind, data = c.message()
        assert kind == BINARY, kind
        got += data
    return got


class Bridge(unittest.TestCase):
    def test_bytes_go_there_and_back(self):
        data = os.urandom(3 << 20)
        with client("/echo") as c:
            for part in (b"x", b"text"):
                c.send(frame(TEXT, part))
                self.assertEqual(bytes_of(c, len(part)), part)
            parts = [frame(BINARY, data[i:i + 65536]) for i in range(0, len(data), 65536)]
            c.send_meanwhile(*parts)
            self.assertEqual(bytes_of(c, len(data)), data)

    def test_messages_wait_for_the_connection(self):
        with client("/echo") as c:
            c.send(*[frame(BINARY, b"%4d" % i) for i in range(1000)])
            self.assertEqual(bytes_of(c, 4000), b"".join(b"%4d" % i for i in range(1000)))

    def test_the_server_s_end_closes_with_1000_behind_its_last_byte(self):
        with client("/talk") as c:
            self.assertEqual(bytes_of(c, 500000), b"hello" * 100000)
            self.assertEqual(c.closing(), (1000, ""))

    def test_the_client_s_close_frame_is_the_server_s_end(self):
        with client("/echo") as c:
            c.send(frame(BINARY, b"last"), ws.close_frame(1000))
            self.assertEqual(c.closing()[0], 1000)
            self.assertTrue(c.ended())

    def test_who_cannot_be_reached_is_told_as_1014(self):
        for path in ("/nobody", "/name"):
            with client(path) as c:
                c.send(frame(BINARY, b"lost"))
                self.assertEqual(c.closing(), (1014, "the server behind cannot be reached"))
            said = "refused" if path == "/nobody" else "name"
            server.errors.wait_for(rf"{path}: \S+:\d+: .*{said}")

    def test_a_server_that_resets_is_told_as_1014(self):
        with client("/reset") as c:
            c.send(frame(BINARY, b"x"))
            self.assertEqual(c.closing(), (1014, "the server behind has gone"))

    def test_bad_targets_are_refused_at_the_start(self):
        for bad in ("/x=localhost", "/x=:80", "/x=localhost:0", "/x=::1:80", "/x=a:70000", "/x="):
            done = support.run([support.CLEAT, "serve", *PAIR.args(), "--ws-tcp", bad], check=False)
            self.assertEqual(done.returncode, 2, bad)

    def test_a_stopping_server_ends_its_bridges(self):
        s = support.Server(*server.args)
        with client("/echo", s) as c, client("/deaf", s) as d:
            self.assertEqual(d.message()[1], b"ready")
            s.signal(signal.SIGTERM)
            self.assertEqual(c.closing()[0], 1001)
            c.send(ws.close_frame(1001))
            d.send(ws.close_frame(1001))
            self.assertEqual(s.wait(support.AT_ONCE), 0)
        s.end()


class BackPressure(unittest.TestCase):
    def test_a_server_that_floods_is_not_read_faster_than_the_client_reads(self):
        gauge = abuse_support.Gauge(server)
        with client("/flood") as c:
            c.message()
            before = gauge.rss()
            time.sleep(3)
            self.assertLess(gauge.rss() - before, 8 << 20)
            self.assertEqual(bytes_of(c, 8 << 20)[:8 << 20].strip(b"f"), b"")

    def test_a_server_that_does_not_read_holds_the_client_up(self):
        gauge = abuse_support.Gauge(server)
        with client("/deaf") as c:
            self.assertEqual(c.message()[1], b"ready")
            before, sent = gauge.rss(), 0
            c.sock.settimeout(2)
            try:
                while sent < 256 << 20:
                    sent += c.sock.send(frame(BINARY, b"z" * 65536))
            except TimeoutError:
                pass
            self.assertLess(sent, 64 << 20)
            self.assertLess(gauge.rss() - before, 8 << 20)


if __name__ == "__main__":
    support.main()
