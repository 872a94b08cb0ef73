#!/usr/bin/env python3
"""The WebSockets of `cleat serve` over HTTP/2 (RFC 8441): every kind of endpoint on a stream beside
others, refusals, back-pressure, ends."""
import signal
import socketserver
import threading
import unittest

import h2_frames as h2
import support
import ws_support as ws
from h2_frames import Connection
from support import Server

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "server")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "index.html").write_text("served\n")
ENDPOINTS = ["--ws-echo", "/echo", "--ws-exec", "/cat=cat", "--ws-broadcast", "/room",
             "--ws-subprotocol", "chat"]
TEXT, BINARY, CLOSE = 1, 2, 8


class Behind(socketserver.BaseRequestHandler):
    """What --ws-tcp leads to: gives everything back, says goodbye to who ends first."""

    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
            if data == b"end":
                return
        self.request.sendall(b"after your end")


class Servers(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


def setUpModule():
    global behind
    behind = Servers(("127.0.0.1", 0), Behind)
    threading.Thread(target=behind.serve_forever, daemon=True).start()


def tearDownModule():
    behind.shutdown()
    behind.server_close()


def asks(stream, path="/echo", version="13", protocol="websocket", more=()):
    fields = [(":method", "CONNECT"), (":protocol", protocol), (":scheme", "https"),
              (":authority", "localhost"), (":path", path), ("sec-websocket-version", version)]
    return h2.headers(stream, [*fields, *more], end=False)


def says(stream, *frames, end=False):
    return h2.frame(h2.DATA, stream, b"".join(frames), h2.END_STREAM if end else 0)


class OverHttp2(unittest.TestCase):
    def setUp(self):
        self.server = Server(*PAIR.args(), "--root", ROOT, *ENDPOINTS, "--ws-tcp",
                             f"/tcp=127.0.0.1:{behind.server_address[1]}").__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)

    def rest_of(self, c, stream):
        """What comes of a stream until its end."""
        data = b""
        while True:
            _, flags, _, payload = c.wait_for(h2.DATA, stream)
            data += payload
            if flags & h2.END_STREAM:
                return data

    def test_it_is_offered(self):
        with Connection(self.server, CA) as c:
            settings = c.wait_for(h2.SETTINGS)[3]
            self.assertIn(b"\0\x08\0\0\0\1", settings)

    def test_messages_come_back_beside_other_requests(self):
        with Connection(self.server, CA) as c:
            c.send(asks(1) + asks(3))
            self.assertEqual([c.status(1), c.status(3)], [200, 200])
            c.send(says(1, ws.frame(TEXT, b"one")) + h2.headers(5, h2.request()) +
                   says(3, ws.frame(TEXT, b"three")))
            seen = {}
            while len(seen) < 3:
                kind, _, stream, payload = c.next()
                if kind == h2.DATA and payload:
                    seen[stream] = payload
            self.assertEqual(seen, {1: b"\x81\x03one", 5: b"served\n", 3: b"\x81\x05three"})
            c.send(says(1, ws.close_frame(1000)))
            self.assertEqual(self.rest_of(c, 1), b"\x88\x02\x03\xe8")
            c.send(says(1, end=True) + says(3, ws.frame(TEXT, b"still")))
            self.assertEqual(c.wait_for(h2.DATA, 3)[3], b"\x81\x05still")
        line = self.server.access.wait_for(r'"GET /echo HTTP/2\.0" 200 .* ws 1000 client ')
        self.assertIn(" h2 localhost ", line)

    def test_processes_and_rooms(self):
        with Connection(self.server, CA) as c:
            c.send(asks(1, "/cat") + asks(3, "/room") + asks(5, "/room"))
            self.assertEqual([c.status(s) for s in (1, 3, 5)], [200, 200, 200])
            c.send(says(1, ws.frame(TEXT, b"line")))
            self.assertEqual(c.wait_for(h2.DATA, 1)[3], b"\x81\x04line")
            c.send(says(3, ws.frame(TEXT, b"all")))
            self.assertEqual(c.wait_for(h2.DATA, 5)[3], b"\x81\x03all")
            c.send(h2.frame(h2.RST_STREAM, 1, (8).to_bytes(4, "big")))
            self.server.access.wait_for(r'"GET /cat HTTP/2\.0" 200 .* ws 1006 nobody ')
            c.send(h2.headers(7, h2.request()))
            self.assertEqual(c.status(7), 200)

    def test_bridges_to_a_tcp_server(self):
        with Connection(self.server, CA) as c:
            c.send(asks(1, "/tcp") + asks(3, "/tcp") + asks(5, "/tcp"))
            self.assertEqual([c.status(s) for s in (1, 3, 5)], [200, 200, 200])
            c.send(says(1, ws.frame(BINARY, b"one")))
            self.assertEqual(c.wait_for(h2.DATA, 1)[3], b"\x82\x03one")
            c.send(says(3, ws.frame(BINARY, b"end")))  # the server behind ends first
            self.assertEqual(c.wait_for(h2.DATA, 3)[3], b"\x82\x03end")
            self.assertEqual(c.wait_for(h2.DATA, 3)[3], b"\x88\x02\x03\xe8")
            c.send(says(3, ws.close_frame(1000), end=True))
            self.assertEqual(self.rest_of(c, 3), b"")
            c.send(h2.frame(h2.RST_STREAM, 5, (8).to_bytes(4, "big")))  # nobody else notices
            c.send(says(1, ws.frame(TEXT, b"two")))
            self.assertEqual(c.wait_for(h2.DATA, 1)[3], b"\x82\x03two")
            c.send(says(1, ws.close_frame(1000)))
            self.assertEqual(self.rest_of(c, 1), b"\x88\x02\x03\xe8")
        self.server.access.wait_for(r'"GET /tcp HTTP/2\.0" 200 .* ws 1000 server ')
        self.server.access.wait_for(r'"GET /tcp HTTP/2\.0" 200 .* ws 1000 client ')
        self.server.access.wait_for(r'"GET /tcp HTTP/2\.0" 200 .* ws 1006 nobody ')

    def test_refusals_are_answers_of_their_stream(self):
        with Connection(self.server, CA) as c:
            c.send(asks(1, "/nowhere") + asks(3, version="8") +
                   asks(5, more=[("origin", "https://evil.example")]) + asks(7, protocol="chat"))
            got = {s: c.status(s) for s in (1, 3, 5)}
            self.assertEqual(got, {1: 404, 3: 426, 5: 403})
            self.assertEqual(c.status(7), 501)
            c.send(h2.headers(9, h2.request("/echo")) + asks(11))
            self.assertEqual([c.status(9), c.status(11)], [400, 200])

    def test_who_does_not_read_is_held_up_alone(self):
        """The window of one stream is closed: what it sends stays, and the others go on."""
        big = ws.frame(2, bytes(60000))
        with Connection(self.server, CA, h2.settings(window=1000)) as c:
            c.send(asks(1) + asks(3))
            self.assertEqual([c.status(1), c.status(3)], [200, 200])
            for at in range(0, len(big), 16000):
                c.send(says(1, big[at:at + 16000]))
            c.send(says(3, ws.frame(TEXT, b"quick")))
            self.assertEqual(c.wait_for(h2.DATA, 3)[3], b"\x81\x05quick")
            c.send(h2.frame(h2.WINDOW_UPDATE, 1, (1 << 20).to_bytes(4, "big")))
            size = 1000
            while size < 60000 - 4000:  # it comes in fragments, each with a head
                size += len(c.wait_for(h2.DATA, 1)[3])

    def test_a_stopping_server_closes_them(self):
        with Connection(self.server, CA) as c:
            c.send(asks(1))
            self.assertEqual(c.status(1), 200)
            self.server.signal(signal.SIGTERM)
            self.assertEqual(c.wait_for(h2.DATA, 1)[3][2:4], (1001).to_bytes(2, "big"))
            c.send(says(1, ws.close_frame(1001), end=True))
            self.assertEqual(self.rest_of(c, 1), b"")
        self.assertEqual(self.server.wait(), 0)


if __name__ == "__main__":
    support.main()
