"""Peers that speak something else, badly or not at all: a clear line each, the others unharmed."""
import os
import random
import re
import socket
import subprocess
import time
import unittest

import support
from support import Responses, Server

support.need("curl", "openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "index.html").write_text("home\n")
BIG = 64 << 20
with open(ROOT / "big.bin", "wb") as big:
    big.truncate(BIG)

# An SSL 2.0 CLIENT-HELLO: three cipher specs, a challenge of 16 bytes
SSLV2 = bytes.fromhex("802e0100020015000000100100800200800600400400800700c0") + bytes(range(22))


def setUpModule():
    global server
    server = Server(*PAIR.args(), "--root", ROOT).__enter__()


def tearDownModule():
    # after all of that it still serves
    with support.tls(server.port, CA) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"home" in support.read_to_end(s)
    server.__exit__(None, None, None)


def send(data, fin=False):
    """Sends raw bytes; returns what came back and the server's line about it."""
    with support.connect(server.port) as s:
        port = s.getsockname()[1]
        s.sendall(data)
        if fin:
            s.shutdown(socket.SHUT_WR)
        answer = support.read_to_end(s)
    return answer, server.errors.wait_for(rf":{port}: ")


ALERT = b"\x15\x03"


class OtherProtocols(unittest.TestCase):
    def test_plain_http_is_told_where_to_go(self):
        done = support.run(["curl", "-sS", "-i", f"http://localhost:{server.port}/path"])
        head, body = done.stdout.decode().split("\r\n\r\n", 1)
        self.assertTrue(head.startswith("HTTP/1.1 400 Bad Request"))
        self.assertIn("Connection: close", head)
        self.assertIn(f"https://localhost:{server.port}/", body)
        server.errors.wait_for("handshake failed: HTTP_ON_TLS_PORT: .*GET")

    def test_other_methods_of_plain_http_too(self):
        for request in (b"POST / HTTP/1.0\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
                        b"OPTIONS * HTTP/1.1\r\n", b"CONNECT a:443 HTTP/1.1\r\n\r\n"):
            answer, line = send(request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), (request, answer))
            self.assertIn("HTTP_ON_TLS_PORT", line)

    def test_an_sslv2_hello(self):
        answer, line = send(SSLV2)
        self.assertIn("SSLV2_HELLO", line)
        self.assertEqual(answer[-2:], b"\x02\x46")  # fatal, protocol_version

    def test_garbage(self):
        random.seed(1)
        for data in (b"\x00" * 100, b"SSH-2.0-OpenSSH_9.2\r\n", b"\xff" * 3000,
                     random.randbytes(4096), b"\x16\x03\x01\xff\xff" + b"x" * 100):
            answer, line = send(data, fin=True)
            self.assertIn("handshake failed", line)
            self.assertTrue(answer == b"" or answer.startswith(ALERT), answer)

    def test_old_versions(self):
        for flag, name in (("-tls1", "TLS 1.0"), ("-tls1_1", "TLS 1.1")):
            done = support.run(["openssl", "s_client", flag, "-cipher", "ALL:@SECLEVEL=0",
                                "-connect", f"127.0.0.1:{server.port}"], check=False)
            self.assertIn(b"protocol version", done.stderr)
            server.errors.wait_for(f"PROTOCOL_VERSION: .*{name}")


class SilentPeers(unittest.TestCase):
    def test_a_scanner_that_closes_at_once_makes_no_line(self):
        with Server(*PAIR.args(), "--root", ROOT) as scanned:
            support.connect(scanned.port).close()
            with support.connect(scanned.port) as s:
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(support.read_to_end(s), b"")
        self.assertNotRegex(scanned.errors.text(), r"(?m)^cleat: 127\.0\.0\.1:")

    def test_a_client_that_leaves_in_the_middle_is_told_of(self):
        _, line = send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", fin=True)
        self.assertRegex(line, "handshake failed: TRUNCATED")

    def test_a_reset_in_the_middle(self):
        with support.connect(server.port) as s:
            port = s.getsockname()[1]
            s.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
            time.sleep(0.2)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.assertIn("handshake failed", server.errors.wait_for(rf":{port}: "))

    def test_time_outs(self):
        """Together: a silent one (10 s), one with half a hello (10 s), with half a head (15 s), one
        that is silent after the handshake (15 s), one that takes nothing (30 s, the second 30 s
        after the first, in which the system's buffers took something)."""
        began = time.monotonic()
        with support.connect(server.port) as silent, support.connect(server.port) as half, \
                support.tls(server.port, CA) as http, support.tls(server.port, CA) as quiet, \
                support.tls(server.port, CA) as stalled:
            stalled.sendall(b"GET /big.bin?stalled HTTP/1.1\r\nHost: localhost\r\n\r\n")
            half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
            port = half.getsockname()[1]
            http.sendall(b"GET / HTTP/1.1\r\nHost: loc")
            self.assertEqual(support.read_to_end(silent), b"")
            support.read_to_end(half)
            self.assertTrue(8 < time.monotonic() - began < support.PATIENCE)
            self.assertIn("not finished in time", server.errors.wait_for(rf":{port}: "))
            self.assertEqual(Responses(http).next()[0], 408)
            self.assertEqual(support.read_to_end(quiet), b"")
            self.assertGreater(time.monotonic() - began, 13)
            line = server.access.wait_for(r'"GET /big\.bin\?stalled HTTP/1\.1" 200 \d+ ',
                                          2 * support.PATIENCE)
            self.assertGreater(time.monotonic() - began, 28)
            self.assertLess(int(re.search(r" 200 (\d+) ", line).group(1)), BIG)

    def test_a_request_that_ends_in_the_middle(self):
        with support.tls(server.port, CA) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHo")
            s = s.unwrap()
            self.assertEqual(support.read_to_end(s), b"")


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def wait_until(what, condition):
    end = time.monotonic() + support.PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class DyingPeers(unittest.TestCase):
    def test_clients_that_are_killed_in_the_middle_of_a_download(self):
        """What they held is given back, and the log tells how much of the file left."""
        with Server(*PAIR.args(), "--root", ROOT) as server:
            before = descriptors(server)
            clients = []
            for i in range(4):
                target = support.folder() / f"killed-{i}"
                clients.append((target, subprocess.Popen(
                    ["curl", "-sS", "--limit-rate", "50k", "--cacert", CA.cert, "-o", target,
                     f"{server.url}/big.bin?{i}"], stderr=subprocess.DEVNULL)))
            for target, _ in clients:
                wait_until("no download has begun",
                           lambda: target.exists() and target.stat().st_size > 0)
            self.assertGreaterEqual(descriptors(server), before + 4)
            for _, process in clients:
                process.kill()
                process.wait()
            wait_until("descriptors are not given back", lambda: descriptors(server) <= before)
            with support.tls(server.port, CA) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(Responses(s).next()[0], 200)
        sizes = re.findall(r'"GET /big\.bin\?\d HTTP/2\.0" 200 (\d+) ', server.access.text())
        self.assertEqual(len(sizes), 4, server.access.text())
        self.assertTrue(all(0 < int(size) < BIG for size in sizes), sizes)


class ManyPeers(unittest.TestCase):
    def small(self):
        return Server(*PAIR.args(), "--root", ROOT, "--threads", 1, "--max-connections", 4)

    def ask(self, sock):
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertEqual(Responses(sock).next()[0], 200)

    def test_idle_connections_make_room_the_longest_idle_first(self):
        with self.small() as small:
            context = support.tls_context(CA)
            first = [support.tls(small.port, CA, context=context) for _ in range(4)]
            for i in (1, 0, 2, 3):
                self.ask(first[i])
            began = time.monotonic()
            with support.tls(small.port, CA, context=context) as s:
                self.ask(s)
            self.assertLess(time.monotonic() - began, support.AT_ONCE)
            small.errors.wait_for("all 4 connections of a worker are taken")
            self.assertEqual(support.read_to_end(first[1]), b"")
            for i in (0, 2, 3):
                self.ask(first[i])
            for s in first:
                s.close()

    def test_unfinished_handshakes_make_room_before_idle_connections(self):
        with self.small() as small:
            context = support.tls_context(CA)
            idle = support.tls(small.port, CA, context=context)
            slow = [support.connect(small.port) for _ in range(3)]
            for s in slow:
                s.sendall(b"\x16\x03\x01")
            time.sleep(1.2)
            with support.tls(small.port, CA, context=context) as s:
                self.ask(s)
                self.assertEqual(support.read_to_end(slow[0]), b"")
                self.ask(idle)
            for s in (idle, *slow):
                s.close()

    def test_more_connections_than_allowed_wait_for_their_turn(self):
        with self.small() as small:
            context = support.tls_context(CA)
            first = [support.tls(small.port, CA, context=context) for _ in range(4)]
            for s in first:  # in the middle of a request: nobody makes room
                s.sendall(b"GET / HTTP/1.1\r\n")
            late = support.connect(small.port, 2)
            late.sendall(b"\x16\x03\x01")
            with self.assertRaises(TimeoutError):
                late.recv(1)
            late.close()
            first.pop().close()
            with support.tls(small.port, CA, context=context) as s:
                self.ask(s)
            for s in first:
                s.close()

    def test_running_out_of_descriptors_is_survived(self):
        with Server(*PAIR.args(), "--root", ROOT, "--threads", 1, files=40) as small:
            socks = []
            for _ in range(80):
                try:
                    socks.append(support.connect(small.port, 5))
                except OSError:
                    break
            time.sleep(0.5)
            for s in socks:
                s.close()
            time.sleep(0.5)
            with support.tls(small.port, CA) as s:
                self.ask(s)


if __name__ == "__main__":
    support.main()
