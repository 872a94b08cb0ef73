"""Request smuggling against `cleat serve`: every row of smuggling_rows.py, against the server alone
and behind nginx."""
import contextlib
import re
import socket
import ssl
import unittest

import get_support
import smuggling_rows
import support
from abuse_support import REDUCED
from smuggling_support import Proxy, requests_of
from support import Server

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("a\n")
(ROOT / "index.html").write_text("home\n")
ROWS = list(smuggling_rows.rows())


def follow(number):
    """A request of its own for each row; who answers it tells which bytes were taken for what."""
    return b"GET /row-%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number


def statuses(data):
    """Of the responses in `data`, each with its body; and the values of Connection."""
    found, closing = [], []
    while data:
        head, ended, data = data.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        if not ended or not status:
            raise AssertionError(f"no response: {head[:100]!r}")
        found.append(int(status.group(1)))
        size = re.search(rb"(?im)^content-length: (\d+)\r?$", head)
        data = data[int(size.group(1)) if size and found[-1] not in (100, 304) else 0:]
        closing.append(b"\r\nconnection: close" in head.lower())
    return found, closing


class Alone(unittest.TestCase):
    def test_each_row_is_refused_and_closed_or_read_in_one_way(self):
        context = support.tls_context(CA)
        wrong = []
        with Server(*PAIR.args(), "--root", ROOT) as server:
            ports = {}
            for number, (name, data, want) in enumerate(ROWS):
                got, last, port = self.ask(server.port, context, data, number)
                ports[port] = name
                taken = isinstance(want, list)
                expected = want + [404] if taken else [want]
                # what is read on is the follower: it is the last that is answered
                if got != expected or last != [not taken]:
                    wrong.append(f"{name}: {got} {last} instead of {expected}")
            server.end()
            for port, request, status in requests_of(server):
                if "/smuggled" in request and status != "400":
                    wrong.append(f"{ports.get(int(port))}: smuggled: {request}")
        self.assertEqual(wrong, [], f"{len(wrong)} of {len(ROWS)}:\n" + "\n".join(wrong))

    def ask(self, port, context, data, number):
        with support.tls(port, CA, context=context) as s:
            mine = s.getsockname()[1]
            s.sendall(data + follow(number))
            got = b""
            try:
                while b"\r\n\r\n" not in got or b" 404 " not in got:
                    part = s.recv(65536)
                    if not part:
                        break
                    got += part
            except (ConnectionResetError, ssl.SSLError):
                pass  # what it does not read may reset the connection behind the answer
        found, closing = statuses(got)
        return found, closing[-1:], mine


def through(port, data):
    """Everything that comes back; the client has nothing more to say."""
    with support.connect(port) as s:
        s.sendall(data)
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_WR)
        return support.read_to_end(s)


class BehindNginx(unittest.TestCase):
    """For each row one client sends it, and another asks for a file of its own, over the connection
    between nginx and the server that there still is: it gets that file. And the server has answered
    as many requests as nginx has passed on, with the same targets and statuses."""

    @classmethod
    def setUpClass(cls):
        support.need("nginx")
        for number in range(len(ROWS)):
            (ROOT / f"own-{number}.txt").write_text(f"this is {number}\n")

    @unittest.skipIf(REDUCED, "two of the four ways are run here")
    def test_over_tls(self):
        self.run_rows("https", "on")

    def test_over_tls_with_bodies_passed_on_as_they_come(self):
        self.run_rows("https", "off")

    def test_in_clear(self):
        self.run_rows("http", "on")

    @unittest.skipIf(REDUCED, "two of the four ways are run here")
    def test_in_clear_with_bodies_passed_on_as_they_come(self):
        self.run_rows("http", "off")

    def run_rows(self, scheme, buffering):
        clear = get_support.free_port()
        options = [*PAIR.args(), "--root", ROOT, "--insecure-listen", f"127.0.0.1:{clear}"]
        with Server(*options) as server:
            proxy = Proxy(server.port if scheme == "https" else clear, scheme, buffering)
            with proxy.peer:
                for number, (name, data, _) in enumerate(ROWS):
                    through(proxy.port, data)
                    self.ask_for_own(proxy.port, number, name)
            server.end()
        logged = requests_of(server)
        answered = proxy.agrees_with(logged)
        shared = self.count_shared(logged)
        print(f"\n{len(ROWS)} rows, {answered.total()} requests, {shared} rows and their followers "
              "on one connection")
        self.assertGreater(shared, len(ROWS) // 10)

    def ask_for_own(self, port, number, name):
        own = through(port, f"GET /own-{number}.txt HTTP/1.1\r\nHost: localhost\r\n"
                            "Connection: close\r\n\r\n".encode())
        self.assertTrue(own.startswith(b"HTTP/1.1 200 "), (name, own[:200]))
        self.assertTrue(own.endswith(b"\r\n\r\nthis is %d\n" % number), (name, own))

    @staticmethod
    def count_shared(logged):
        """How many followers came over the connection of the row before them."""
        shared = 0
        for before, (port, request, _) in zip(logged, logged[1:]):
            shared += "/own-" in request and "/own-" not in before[1] and before[0] == port
        return shared


if __name__ == "__main__":
    support.main()
