"""SIGHUP: `cleat serve` reads certificates and keys again, and nobody who is connected notices."""
import shutil
import signal
import ssl
import time
import unittest

import abuse_support
import support
import ws_support as ws
from ws_support import TEXT, frame

support.need("openssl")
CA = support.make_ca()
ONE = support.make_leaf(CA, "one", hosts=("localhost",))
TWO = support.make_leaf(CA, "two", hosts=("localhost",))
RSA = support.make_leaf(CA, "three", kind="rsa", hosts=("localhost",))
READ_AGAIN = "SIGHUP: certificates, keys and CAs were read again"
NOTHING = "SIGHUP: nothing is changed"


def serial(pair):
    return support.run(["openssl", "x509", "-noout", "-serial", "-in", pair.cert]).stdout \
        .decode().strip().split("=")[1]


def served(server):
    with support.tls(server.port, CA) as s:
        return s.getpeercert()["serialNumber"]


class Files:
    """A certificate and key that are replaced under their names."""

    def __init__(self, pair, name):
        self.pair = support.Pair(support.folder() / f"{name}.pem", support.folder() / f"{name}.key")
        self.put(pair)

    def put(self, pair):
        for source, target in ((pair.cert, self.pair.cert), (pair.key, self.pair.key)):
            new = target.with_suffix(".new")
            shutil.copy(source, new)
            new.replace(target)


class Reload(unittest.TestCase):
    def setUp(self):
        self.files = Files(ONE, self._testMethodName)
        self.num = {READ_AGAIN: 0, NOTHING: 0}

    def server(self, *more):
        return support.Server(*self.files.pair.args(), "--ws-echo", "/echo", *more,
                              env=abuse_support.ENV)

    def reload(self, server, outcome=READ_AGAIN):
        self.num[outcome] += 1
        server.signal(signal.SIGHUP)
        abuse_support.wait_until(
            server.errors.text,
            lambda: server.errors.text().count(outcome) == self.num[outcome])

    def test_new_connections_get_the_new_certificate_and_old_ones_go_on(self):
        with self.server() as server, ws.tls_client(server, CA, "/echo") as old:
            self.assertEqual(served(server), serial(ONE))
            for pair in (TWO, RSA, ONE):
                self.files.put(pair)
                self.reload(server)
                self.assertEqual(served(server), serial(pair))
                old.send(frame(TEXT, b"still here"))
                self.assertEqual(old.message(), (TEXT, b"still here"))

    def test_a_reload_that_fails_changes_nothing_and_says_why(self):
        with self.server() as server:
            for spoil, said in ((lambda: self.files.pair.cert.write_text("no certificate"), "PEM"),
                                (lambda: self.files.put(support.Pair(TWO.cert, ONE.key)),
                                 "does not belong"),
                                (self.files.pair.cert.unlink, "No such file")):
                self.files.put(ONE)
                spoil()
                self.reload(server, NOTHING)
                line = [l for l in server.errors.text().split("\n") if NOTHING in l][-1]
                self.assertIn(said, line)
                self.assertEqual(served(server), serial(ONE))
            self.files.put(TWO)
            self.reload(server)
            self.assertEqual(served(server), serial(TWO))

    def test_sessions_are_resumed_across_a_reload(self):
        with self.server() as server:
            context = support.tls_context(CA)
            with support.tls(server.port, CA, context=context) as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                s.recv(100)
                session = s.session
            self.reload(server)
            with support.tls(server.port, CA, context=context, session=session) as s:
                self.assertTrue(s.session_reused)

    def test_client_cas_are_read_again(self):
        others = support.make_ca("others")
        client = support.make_leaf(others, "client", purpose="clientAuth")
        cas = support.folder() / "cas.pem"
        shutil.copy(CA.cert, cas)
        with self.server("--client-ca", cas) as server:
            context = support.tls_context(CA)
            context.load_cert_chain(client.cert, client.key)
            with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                ws.Client(support.tls(server.port, CA, context=context), "/echo")
            cas.write_bytes(CA.cert.read_bytes() + others.cert.read_bytes())
            self.reload(server)
            with ws.Client(support.tls(server.port, CA, context=context), "/echo") as c:
                c.send(frame(TEXT, b"in"))
                self.assertEqual(c.message(), (TEXT, b"in"))

    def test_a_hundred_reloads_under_load_leak_no_memory(self):
        with self.server() as server:
            gauge = abuse_support.Gauge(server)
            clients = [ws.tls_client(server, CA, "/echo") for _ in range(20)]
            for i in range(100):
                self.reload(server)
                with ws.tls_client(server, CA, "/echo") as c:
                    c.send(frame(TEXT, b"x"))
                    self.assertEqual(c.message(), (TEXT, b"x"))
                if i == 50:
                    before = gauge.rss()
            self.assertLess(gauge.rss() - before, (2 << 20) + abuse_support.QUARANTINE)
            for c in clients:
                c.send(frame(TEXT, b"y"))
                self.assertEqual(c.message(), (TEXT, b"y"))
                c.close()
            time.sleep(0.1)


if __name__ == "__main__":
    support.main()
