"""`cleat serve --ws-broadcast`: a room across workers, and members that do not keep up."""
import re
import signal
import socket
import time
import unittest

import abuse_support
import support
import ws_support as ws
from ws_support import BINARY, TEXT, frame

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOMS = [*PAIR.args(), "--ws-broadcast", "/a", "--ws-broadcast", "/b", "--threads", 4]
GROWTH = (16 << 20) + abuse_support.QUARANTINE
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def member(server, path="/a", *fields):
    return ws.tls_client(server, CA, path, *fields)


def settled(server, members):
    """Each has heard the last one: all have entered."""
    members[-1].send(frame(TEXT, b"hello"))
    for m in members[:-1]:
        while m.message()[1] != b"hello":
            pass


class Room(unittest.TestCase):
    def test_everybody_else_hears_it_in_every_worker(self):
        with support.Server(*ROOMS) as server:
            members = [member(server) for _ in range(24)]
            other = member(server, "/b")
            settled(server, members)
            for i, m in enumerate(members):
                m.send(frame(TEXT, b"from %d" % i), frame(BINARY, b"\0%d" % i))
                for k, listener in enumerate(members):
                    if k != i:
                        self.assertEqual(listener.message(), (TEXT, b"from %d" % i))
                        self.assertEqual(listener.message(), (BINARY, b"\0%d" % i))
            other.send(ws.close_frame(1000))
            self.assertEqual(other.receive()[2], ws.CLOSE)  # nothing came from the other room
            for m in [*members, other]:
                m.close()

    def test_messages_of_one_member_keep_their_order(self):
        with support.Server(*ROOMS) as server:
            members = [member(server) for _ in range(8)]
            settled(server, members)
            ws.in_thread(lambda: members[0].send(*[frame(TEXT, b"%d" % i) for i in range(2000)]))
            for m in members[1:]:
                self.assertEqual([m.message()[1] for _ in range(2000)],
                                 [b"%d" % i for i in range(2000)])
                m.close()
            members[0].close()

    def test_long_and_fragmented_messages_arrive_whole(self):
        data = b"0123456789" * 50000
        with support.Server(*ROOMS) as server, member(server) as a, member(server) as b:
            settled(server, [a, b])
            a.send(frame(TEXT, data[:200000], fin=False), frame(ws.PING, b"x"),
                   frame(0, data[200000:]))
            self.assertEqual(b.receive(), (True, 0, TEXT, data))

    def test_some_get_it_compressed(self):
        with support.Server(*ROOMS) as server:
            with member(server) as a, member(server, "/a", DEFLATE) as b, member(server) as c:
                settled(server, [c, a])
                self.assertEqual(b.message()[1], b"hello")
                a.send(frame(TEXT, b"z" * 5000))
                fin, rsv, opcode, data = b.receive()
                self.assertEqual((fin, rsv, opcode), (True, 4, TEXT))
                self.assertLess(len(data), 100)
                self.assertEqual(c.receive(), (True, 0, TEXT, b"z" * 5000))

    def test_the_room_ends_with_the_server(self):
        server = support.Server(*ROOMS)
        members = [member(server) for _ in range(8)]
        server.signal(signal.SIGTERM)
        for m in members:
            self.assertEqual(m.closing()[0], 1001)
            m.send(ws.close_frame(1001))
        self.assertEqual(server.wait(support.AT_ONCE), 0)
        server.end()


class SlowMembers(unittest.TestCase):
    """One member does not read; the others must not suffer, or all of them wait, as asked for."""

    def room(self, how):
        server = support.Server(*ROOMS, "--ws-slow", how, env=abuse_support.ENV)
        self.addCleanup(server.end)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(support.PATIENCE)
        sock.connect(("127.0.0.1", server.port))
        slow = ws.Client(support.tls_context(CA).wrap_socket(sock, server_hostname="localhost"),
                         "/a")
        members = [slow, member(server), member(server)]
        settled(server, members)
        self.addCleanup(lambda: [m.close() for m in members])
        return server, members

    def flood(self, server, speaker, listener, megabytes):
        """One message after the other, as fast as the listener hears them, who does. Growth of the
        server's memory."""
        gauge = abuse_support.Gauge(server)
        before = gauge.rss()
        for i in range(megabytes << 5):
            speaker.send(frame(BINARY, b"%8d" % i + b"x" * 32760))
            self.assertEqual(listener.message()[1][:8], b"%8d" % i)
        return gauge.most() - before

    def test_close_tells_it_1013_and_the_others_go_on(self):
        server, (slow, speaker, listener) = self.room("close")
        self.assertLess(self.flood(server, speaker, listener, 64), GROWTH)
        server.errors.wait_for("WebSocket failed: WS_QUEUE_FULL: the peer takes its messages too")
        server.access.wait_for(" ws 1013 server ")

    def test_drop_loses_the_oldest_and_counts_them(self):
        server, (slow, speaker, listener) = self.room("drop")
        self.assertLess(self.flood(server, speaker, listener, 64), GROWTH)
        numbers = []
        while not numbers or numbers[-1] != (64 << 5) - 1:
            numbers.append(int(slow.message()[1][:8]))
        self.assertEqual(numbers, sorted(numbers))
        self.assertLess(len(numbers), 64 << 5)
        slow.send(ws.close_frame(1000))
        line = server.access.wait_for(" ws 1000 client ")
        self.assertEqual(int(re.search(r"(\d+)$", line).group(1)), (64 << 5) - len(numbers))

    def test_block_waits_for_it_and_nothing_is_lost(self):
        server, (slow, speaker, listener) = self.room("block")
        gauge = abuse_support.Gauge(server)
        before, num = gauge.rss(), 64 << 5
        ws.in_thread(lambda: speaker.send(*[frame(BINARY, b"%8d" % i + b"x" * 32760)
                                            for i in range(num)]))
        heard = []
        ws.in_thread(lambda: heard.extend(int(listener.message()[1][:8]) for _ in range(num)))
        time.sleep(3)
        self.assertLess(len(heard), num)
        self.assertEqual([int(slow.message()[1][:8]) for _ in range(num)], list(range(num)))
        abuse_support.wait_until(lambda: f"{len(heard)} of {num}", lambda: len(heard) == num)
        self.assertEqual(heard, list(range(num)))
        self.assertLess(gauge.most() - before, GROWTH)

    def test_block_loses_no_message_of_any_size(self):
        server, (slow, speaker, listener) = self.room("block")
        sizes = [1 << 16, 40000, 10, 32768, 65535, 65500, 33000, 100000] * 40
        ws.in_thread(lambda: speaker.send(*[frame(BINARY, b"s" * n) for n in sizes]))
        heard = []
        ws.in_thread(lambda: heard.extend(len(listener.message()[1]) for _ in sizes))
        self.assertEqual([len(slow.message()[1]) for _ in sizes], sizes)
        abuse_support.wait_until(lambda: f"{len(heard)} of {len(sizes)}",
                                 lambda: len(heard) == len(sizes))
        self.assertEqual(heard, sizes)

    def test_block_goes_on_when_the_slow_one_leaves(self):
        server, (slow, speaker, listener) = self.room("block")
        num = 64 << 5
        ws.in_thread(lambda: speaker.send(*[frame(BINARY, b"x" * 32760) for i in range(num)]))
        heard = []
        ws.in_thread(lambda: heard.extend(len(listener.message()[1]) for _ in range(num)))
        time.sleep(2)
        slow.close()
        abuse_support.wait_until(lambda: f"{len(heard)} of {num}", lambda: len(heard) == num)


if __name__ == "__main__":
    support.main()
