"""Floods and oversized things of every kind: refused with the alert or status that is due, the log
says why, memory stays bounded, and others are served meanwhile."""
import os
import re
import select
import ssl
import subprocess
import time
import unittest

import support
from abuse_support import REDUCED, Gauge, get, make_site
from support import Responses, Server

support.need("openssl")
CA, PAIR, ROOT = make_site()
(ROOT / "large").write_bytes(bytes(1 << 16))
CLIENT = support.make_leaf(CA, "client", purpose="clientAuth")
FLOOD = os.environ.get("CLEAT_FLOOD", "build/release/tests/interop/interop_flood")
MIB = 1 << 20
# What one connection, of whatever kind, may add to the server's memory: a message of 128 KiB, a
# record, both buffers, and what malloc keeps.
ONE_CONNECTION = 4 * MIB

# alerts
UNEXPECTED, RECORD_OVERFLOW, DECODE_ERROR, NO_RENEGOTIATION = 10, 22, 50, 100


def alert(number):
    return bytes([21, 3, 3, 0, 2, 2, number])


class Abuse(unittest.TestCase):
    """Each test has a server of its own, whose memory it watches."""

    options = ()

    def setUp(self):
        self.server = Server(*PAIR.args(), "--root", ROOT, *self.options).__enter__()
        self.addCleanup(self.server.__exit__, None, None, None)
        self.gauge = Gauge(self.server)
        self.well()
        self.before = self.gauge.rss()

    def well(self):
        get(self.server, CA)

    def unharmed(self):
        self.well()
        if not REDUCED:  # a sanitizer keeps what is freed
            self.assertLess(self.gauge.most(), self.before + ONE_CONNECTION)

    def send(self, data):
        """What comes back for raw bytes, and the server's line about them."""
        with support.connect(self.server.port) as s:
            port = s.getsockname()[1]
            try:
                s.sendall(data)
            except OSError:
                pass  # it had enough of it
            answer = support.read_to_end(s)
        return answer, self.server.errors.wait_for(rf":{port}: ")


def handshake_records(body):
    """As records of the largest size."""
    parts = [body[i:i + 16384] for i in range(0, len(body), 16384)]
    return b"".join(b"\x16\x03\x01" + len(p).to_bytes(2, "big") + p for p in parts)


class Oversized(Abuse):
    def test_a_client_hello_longer_than_its_fields_allow(self):
        for size in (131401, 1 << 20, (16 << 20) - 1):
            body = b"\x01" + size.to_bytes(3, "big") + b"\x03\x03" + bytes(size - 2)
            answer, line = self.send(handshake_records(body))
            self.assertEqual(answer, alert(DECODE_ERROR))
            self.assertIn(f"HANDSHAKE_TOO_LARGE: ClientHello announces {size} bytes", line)
        self.unharmed()

    def test_the_longest_client_hello_that_says_nothing(self):
        size = 131396
        body = b"\x01" + size.to_bytes(3, "big") + b"\x03\x03" + bytes(size - 2)
        answer, line = self.send(handshake_records(body))
        self.assertEqual(answer[:6], alert(0)[:6])
        self.assertIn("handshake failed: ", line)
        self.unharmed()

    def test_records_that_are_too_long(self):
        for size in (16385, 16641, 65535):
            answer, line = self.send(b"\x16\x03\x01" + size.to_bytes(2, "big") + bytes(size))
            self.assertEqual(answer, alert(RECORD_OVERFLOW))
            self.assertIn(f"RECORD_OVERFLOW: a record announces {size} bytes", line)
        self.unharmed()

    def test_a_megabyte_of_header(self):
        for head in (b"X-Large: " + b"a" * MIB, b"X: y\r\n" * (MIB // 6)):
            with support.tls(self.server.port, CA) as s:
                try:
                    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + head)
                except OSError:
                    pass
                self.assertEqual(Responses(s).head()[0], 431)
        self.server.access.wait_for('" 431 ')
        self.unharmed()

    def test_a_megabyte_of_target(self):
        with support.tls(self.server.port, CA) as s:
            try:
                s.sendall(b"GET /" + b"a" * MIB)
            except OSError:
                pass
            self.assertEqual(Responses(s).head()[0], 414)
        self.unharmed()

    def test_a_body_without_end(self):
        with support.tls(self.server.port, CA) as s:
            s.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
            self.assertEqual(Responses(s).head()[0], 413)
        self.unharmed()


class AfterTheHandshake(Abuse):
    def flood(self, what, count):
        done = support.run([FLOOD, self.server.port, CLIENT.cert, CLIENT.key, what, count])
        text = done.stdout.decode()
        sent, how = re.fullmatch(r"sent (\d+): (.*)\n", text).groups()
        return int(sent), how

    def test_key_updates_without_end(self):
        """100,000 are to be sent; after 32 without data the server has had enough."""
        sent, how = self.flood("key-updates", 100000)
        self.assertLess(sent, 100000)
        self.assertIn("unexpected_message (10)", how)
        self.server.errors.wait_for("connection failed: TOO_MANY_RECORDS: more than 32 KeyUpdate")
        self.unharmed()

    def test_many_clients_with_key_updates(self):
        for _ in range(5 if REDUCED else 20):
            self.flood("key-updates", 1000)
        self.unharmed()

    def test_a_message_of_16_mb(self):
        _, how = self.flood("message", (16 << 20) - 1)
        self.assertIn("decode_error (50)", how)
        self.server.errors.wait_for("connection failed: HANDSHAKE_TOO_LARGE: KeyUpdate announces")
        self.unharmed()

    def test_records_of_one_byte(self):
        """A head that comes in records of a byte, up to its limit."""
        head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20000
        before = self.gauge.cpu()
        with support.tls(self.server.port, CA) as s:
            try:
                for i in range(len(head)):
                    s.send(head[i:i + 1])
            except OSError:
                pass
            self.assertEqual(Responses(s).head()[0], 431)
        cost = self.gauge.cpu() - before
        print(f"\n{len(head)} records of a byte: {cost * 1e6 / len(head):.1f} us each")
        self.unharmed()

    def test_a_body_in_records_of_one_byte(self):
        num = 10000 if REDUCED else 100000
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {num}\r\n\r\n".encode()
        with support.tls(self.server.port, CA) as s:
            s.sendall(head)
            self.well()
            for _ in range(num):
                s.send(b"a")
            self.assertEqual(Responses(s).head()[0], 405)
        self.unharmed()


class Pipelined(Abuse):
    def test_a_hundred_thousand_requests(self):
        """10,000 are answered on one connection (CL_SERVE_MAX_REQUESTS); it closes in good order,
        and what is behind them is not looked at."""
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        s = support.tls(self.server.port, CA)
        s.setblocking(False)
        left, got = memoryview(request * 100000), b""
        ended, until = False, time.monotonic() + support.PATIENCE
        # one thread: a connection of OpenSSL is not to be read and written by two at once
        while not ended and time.monotonic() < until:
            try:
                if left:
                    left = left[s.send(left[:16384]):]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                pass
            except OSError:
                left = left[:0]
            try:
                data = s.recv(65536)
                got += data
                ended = not data
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                select.select([s], [s] if left else [], [], 1)
            except OSError:
                ended = True
        s.close()
        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", got)
        # who sends on into a closed connection may lose the last answers, but gets no others
        self.assertEqual(set(statuses), {b"200"})
        self.assertLessEqual(len(statuses), 10000)
        self.unharmed()
        self.server.end()
        # the log's queue may overflow, but not in silence
        log = self.server.access.text()
        lost = sum(int(n) for n in re.findall(r"cleat: (\d+) log lines were lost here", log))
        self.assertEqual(log.count('"GET / HTTP/1.1" 200') + lost, 10000 + 2)

    def test_answers_that_nobody_takes(self):
        """Requests are not read while the answers to those before them do not go out."""
        request = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with support.tls(self.server.port, CA) as s:
            s.settimeout(2)
            with self.assertRaises(TimeoutError):
                for _ in range(100000):
                    s.sendall(request * 100)
            self.unharmed()


class Certificates(Abuse):
    def flood(self, size):
        done = support.run([FLOOD, self.server.port, CLIENT.cert, CLIENT.key, "certificate", size])
        return done.stdout.decode()

    def well(self):
        context = support.tls_context(CA)
        context.load_cert_chain(CLIENT.cert, CLIENT.key)
        with support.tls(self.server.port, CA, context=context) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(Responses(s).next()[0], 200)

    def setUp(self):
        self.options = ("--client-ca", CA.cert)
        super().setUp()

    def test_a_chain_of_ten_megabytes(self):
        self.assertIn("decode_error (50)", self.flood(10 * MIB))
        self.server.errors.wait_for(
            f"handshake failed: HANDSHAKE_TOO_LARGE: Certificate announces {10 * MIB} bytes")
        self.unharmed()

    def test_a_chain_below_the_limit_that_is_none(self):
        self.assertIn("decode_error (50)", self.flood(100000))
        self.unharmed()


class Renegotiation(Abuse):
    options = ("--tls-min", "1.2", "--tls-max", "1.2")

    def test_renegotiation_is_refused_each_time(self):
        """s_client renegotiates at each line that begins with R."""
        for _ in range(3 if REDUCED else 20):
            client = subprocess.Popen(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-tls1_2",
                 "-legacy_renegotiation", "-CAfile", CA.cert], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            with client:
                for line in client.stdout:
                    if b"Extended master secret" in line:
                        break
                client.stdin.write(b"R\n")
                client.stdin.flush()
                text = client.stdout.read()
            self.assertIn(b"RENEGOTIATING", text)
            self.assertIn(b"no renegotiation", text)
            self.assertNotEqual(client.returncode, 0)
        # s_client does not go on after the warning
        self.server.errors.wait_for("connection failed: PEER_ALERT: .*handshake_failure")
        self.unharmed()


if __name__ == "__main__":
    support.main()
