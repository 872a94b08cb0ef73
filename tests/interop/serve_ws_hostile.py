"""`cleat serve` and WebSocket clients that mean harm: refused in words, within bounded memory."""
import socket
import struct
import time
import unittest
import zlib

import abuse_support
import support
import ws_support as ws
from ws_support import BINARY, CLOSE, PING, PONG, TEXT, frame

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
# What a server may grow by while it is abused: buffers of its pools stay for the next burst.
GROWTH = (12 << 20) + abuse_support.QUARANTINE
NUM_CYCLES = 2000


def setUpModule():
    global server, gauge, stalled
    server = support.Server(*PAIR.args(), "--ws-echo", "/echo", "--insecure-listen", "127.0.0.1:0",
                            env=abuse_support.ENV)
    gauge = abuse_support.Gauge(server)
    line = server.errors.wait_for(r"listening on http://")
    server.clear = int(line.split(" (")[0].rsplit(":", 1)[1])
    with client() as c:
        c.send(frame(TEXT, b"warm"))
        c.message()
    stalled = ws.Client(support.connect(server.clear), "/echo")
    fill(stalled)


def fill(c):
    """Sends, never reads, until nothing more is taken."""
    c.sock.settimeout(1)
    try:
        while True:
            c.sock.sendall(frame(BINARY, b"s" * 65536))
    except TimeoutError:
        pass


def tearDownModule():
    stalled.close()
    server.__exit__(None, None, None)


def client(*fields):
    return ws.tls_client(server, CA, "/echo", *fields)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.before = gauge.rss()

    def tearDown(self):
        self.assertLess(gauge.rss() - self.before, GROWTH)
        with client() as c:  # the others are served as ever
            c.send(frame(TEXT, b"fine"))
            self.assertEqual(c.message(), (TEXT, b"fine"))

    def refused(self, code, *frames, fields=(), said=None):
        with client(*fields) as c:
            c.send(*frames)
            got = c.closing()
            self.assertEqual(got[0], code, got)
            if said:
                self.assertIn(said, got[1])
            self.assertTrue(c.ended())

    def test_an_unmasked_frame(self):
        self.refused(1002, frame(TEXT, b"hello", key=None), said="without mask")

    def test_frames_that_break_the_rules(self):
        for bad in (frame(3), frame(11), frame(TEXT, b"x", rsv=4), frame(TEXT, b"x", rsv=2),
                    frame(0, b"nothing to continue"), frame(PING, b"x" * 126),
                    frame(PING, b"x", fin=False), frame(CLOSE, b"\x03"), ws.close_frame(1005),
                    ws.close_frame(999), frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
                    b"\x82\xfe\x00\x05\0\0\0\0hello", b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0"):
            self.refused(1002, bad)

    def test_text_that_is_no_utf_8_at_every_boundary(self):
        text = "aé€😀".encode()
        for cut in range(1, len(text)):
            self.refused(1007, frame(TEXT, text[:cut], fin=False), frame(0, b"\xff"))
            with client() as c:
                c.send(frame(TEXT, text[:cut], fin=False), frame(0, text[cut:]))
                self.assertEqual(c.message(), (TEXT, text))
        for bad in (b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\xe2\x82", b"\x80"):
            self.refused(1007, frame(TEXT, bad))

    def test_a_gigabyte_announced(self):
        self.refused(1009, frame(BINARY, b"", announce=1 << 30), said="limit 1048576")
        self.refused(1009, frame(BINARY, b"", announce=(1 << 63) - 1))

    def test_endless_fragments(self):
        for part, code in ((b"", 1008), (b"x" * 4096, 1009)):
            with client() as c:
                frames = frame(TEXT, b"x", fin=False) + frame(0, part, fin=False) * 300
                c.send_meanwhile(frames)
                self.assertEqual(c.closing()[0], code)

    def test_a_ping_flood(self):
        with client() as c:
            c.send_meanwhile(*[frame(PING, b"x" * 125)] * 5000)
            code, reason = c.closing()
            self.assertEqual((code, "1000 control frames" in reason), (1008, True), reason)

    def test_pings_by_who_does_not_read_cost_no_memory(self):
        with client() as c:
            c.sock.settimeout(2)
            try:
                for _ in range(200):
                    c.send(frame(PING, b"x" * 125) * 900)
                    c.send(frame(TEXT, b"so that it is no flood"))
            except (TimeoutError, OSError):
                pass
            self.assertLess(gauge.rss() - self.before, GROWTH)

    def test_who_sends_and_does_not_read(self):
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.settimeout(support.PATIENCE)
            plain.connect(("127.0.0.1", server.clear))
            c = ws.Client(plain, "/echo")
            plain.settimeout(2)
            sent, data = 0, frame(BINARY, b"s" * 65536)
            try:
                while sent < 256 << 20:
                    sent += plain.send(data)
            except TimeoutError:
                pass
            self.assertLess(sent, 64 << 20)
            self.assertLess(gauge.rss() - self.before, GROWTH)
            # what was taken comes back as soon as it is read
            self.assertEqual(c.message(), (BINARY, b"s" * 65536))

    def test_a_hundred_slow_readers(self):
        clients = []
        for _ in range(100):
            c = ws.Client(support.connect(server.clear), "/echo")
            self.addCleanup(c.close)
            c.sock.setblocking(False)
            clients.append(c)
        data = frame(BINARY, b"s" * 65536) * 4
        rest = [b""] * len(clients)  # of frames begun: what follows a part must be the other part
        for _ in range(40):
            for i, c in enumerate(clients):
                rest[i] = rest[i] or data
                try:
                    rest[i] = rest[i][c.sock.send(rest[i]):]
                except (BlockingIOError, ConnectionError):
                    pass  # on a slow machine the first are given up meanwhile
        # 64 KiB of queue, a buffer for each direction: what is promised for each
        self.assertLess(gauge.rss() - self.before, 100 * 160 * 1024 + GROWTH)
        for c in clients:
            c.close()
        time.sleep(1)
        self.before = gauge.rss()  # what a hundred needed is kept for the next hundred, in part

    def test_a_compression_bomb(self):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256))
        bomb += packer.flush(zlib.Z_SYNC_FLUSH)[:-4]
        self.assertLess(len(bomb), 1 << 19)
        with client(DEFLATE) as c:
            c.send_meanwhile(frame(BINARY, bomb, rsv=4))
            self.assertEqual(c.closing()[0], 1009)
        self.refused(1007, frame(BINARY, b"\xff\xff\xff", rsv=4), fields=(DEFLATE,))

    def test_many_that_stop_inside_a_compressed_message(self):
        """Each holds an inflater; the budget of all is what it is."""
        clients = [client(DEFLATE) for _ in range(300)]
        part = zlib.compressobj(1, zlib.DEFLATED, -15)
        data = part.compress(b"begun " * 100) + part.flush(zlib.Z_SYNC_FLUSH)
        for c in clients:
            c.send(frame(TEXT, data, rsv=4, fin=False))
        time.sleep(1)
        self.assertLess(gauge.rss() - self.before, (36 << 20) + GROWTH)
        for c in clients:
            c.close()
        time.sleep(1)
        self.before = gauge.rss()

    def test_who_never_closes_is_closed_upon(self):
        with client() as c:
            c.send(frame(TEXT, b"bad \xff"))
            self.assertEqual(c.closing()[0], 1007)
            begin = time.monotonic()
            while True:  # it goes on as if nothing had happened
                try:
                    c.send(frame(TEXT, b"still here"))
                    time.sleep(0.1)
                except OSError:
                    break
                self.assertLess(time.monotonic() - begin, 30)

    def test_who_leaves_without_a_word(self):
        for how in (0, 1):
            with socket.create_connection(("127.0.0.1", server.clear)) as plain:
                c = ws.Client(plain, "/echo")
                c.send(frame(TEXT, b"half", fin=False))
                if how:
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        server.access.wait_for(" ws 1006 nobody ")


class Stalled(unittest.TestCase):
    """Last of all: what the others take is most of the time that it needs."""

    def test_who_takes_nothing_is_given_up(self):
        end = time.monotonic() + 60  # three looks, ten seconds apart, and one to begin with
        while time.monotonic() < end:
            try:
                stalled.sock.send(b"x")
            except TimeoutError:
                continue
            except ConnectionError:
                server.errors.wait_for("takes nothing any more")
                return
        self.fail("still connected")


class Leaks(unittest.TestCase):
    def test_two_thousand_connections_come_and_go(self):
        def cycle(i):
            with ws.Client(support.connect(server.clear), "/echo",
                           *((DEFLATE,) if i % 2 else ())) as c:
                c.send(frame(TEXT, b"x" * 500))
                c.receive()
                if i % 3:
                    c.send(ws.close_frame(1000))
                    self.assertEqual(c.closing()[0], 1000)
        for i in range(NUM_CYCLES // 4):
            cycle(i)
        before, files = gauge.rss(), gauge.files()
        for i in range(NUM_CYCLES):
            cycle(i)
        abuse_support.wait_until(lambda: f"{gauge.files()} files, {files} before",
                                 lambda: gauge.files() <= files + 2)
        self.assertLess(gauge.rss() - before, (4 << 20) + abuse_support.QUARANTINE)


if __name__ == "__main__":
    support.main()
