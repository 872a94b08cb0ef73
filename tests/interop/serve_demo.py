#!/usr/bin/env python3
"""What `cleat serve --demo` tells a connection about itself, and what its client knows of it."""
import hashlib
import json
import ssl
import unittest

import support
from support import CLEAT, Responses, Server

support.need("openssl")
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf")
SECRETS = ("TRAFFIC_SECRET", "EXPORTER_SECRET")


class Told(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(*LEAF.args(), "--demo", env={"SSLKEYLOGFILE": str(
            support.folder() / "keys.log")})

    @classmethod
    def tearDownClass(cls):
        cls.server.end()

    def open(self, **more):
        return support.tls(self.server.port, CA, **more)

    def ask(self, sock, path="/connection.json", method="GET", fields=""):
        sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
        return Responses(sock).next(method == "HEAD")

    def told(self, sock, path="/connection.json"):
        status, fields, body = self.ask(sock, path)
        self.assertEqual((status, fields["cache-control"]), (200, "no-store"))
        return json.loads(body)

    def test_what_was_agreed_is_what_the_client_sees(self):
        with self.open() as sock:
            told = self.told(sock)
            name, version, _ = sock.cipher()
            der = sock.getpeercert(True)
            peer = "{}:{}".format(*sock.getsockname())
        tls = told["tls"]
        self.assertEqual((tls["cipher"], version), (name, "TLSv1.3"))
        self.assertEqual((tls["version"], tls["server_name"]), ("TLS 1.3", "localhost"))
        self.assertEqual((told["peer"], told["answers"]), (peer, 1))
        self.assertEqual(told["chain"][0]["sha256"], hashlib.sha256(der).hexdigest())
        self.assertEqual(told["anchor"], "private")
        self.assertIn("localhost", told["chain"][0]["names"])

    def test_messages_come_in_order_with_times_that_rise(self):
        with self.open() as sock:
            events = self.told(sock)["events"]
        names = [e["name"] for e in events if e["kind"] == "message"]
        self.assertEqual(names[:2] + names[-1:], ["ClientHello", "ServerHello", "NewSessionTicket"])
        times = [e["us"] for e in events]
        self.assertEqual(times, sorted(times))
        sent = {e["name"]: e["sent"] for e in events if e["kind"] == "message"}
        self.assertEqual((sent["ClientHello"], sent["CertificateVerify"]), (False, True))

    def test_no_secret_is_told_though_the_server_logs_them(self):
        with self.open() as sock:
            text = self.ask(sock)[2].decode()
        log = (support.folder() / "keys.log").read_text()
        self.assertIn("CLIENT_HANDSHAKE_TRAFFIC_SECRET", log)
        for word in SECRETS:
            self.assertNotIn(word, text)
        for line in log.splitlines():
            self.assertNotIn(line.split()[-1], text)

    def test_a_resumed_connection_says_so_and_sends_no_chain(self):
        context = support.tls_context(CA)
        with self.open(context=context) as sock:
            self.assertFalse(self.told(sock)["tls"]["resumed"])
            session = sock.session
        with self.open(context=context, session=session) as sock:
            told = self.told(sock)
            self.assertTrue(sock.session_reused)
        self.assertTrue(told["tls"]["resumed"])
        self.assertEqual((told["chain"], told["tls"]["signature"]), ([], None))

    def test_the_last_answer_ends_the_connection(self):
        with self.open() as sock:
            fields = self.ask(sock, "/connection.json?last")[1]
            self.assertEqual(fields["connection"], "close")
            self.assertEqual(sock.recv(1), b"")

    def test_a_name_that_means_harm_stays_text(self):
        harm = '</script><img src=x onerror="alert(1)">'
        done = support.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}",
                            "-servername", harm, "-quiet", "-no_ign_eof"], check=False,
                           stdin=None, input=b"GET /connection.json HTTP/1.1\r\nHost: a\r\n"
                           b"Connection: close\r\n\r\n")
        if b"HTTP/1.1 200" in done.stdout:
            body = json.loads(done.stdout.split(b"\r\n\r\n", 1)[1])
            self.assertEqual(body["tls"]["server_name"], harm.lower())
        else:  # refused as no host name (RFC 6066 3)
            self.assertIn(b"alert", done.stderr)
        with self.open() as sock:
            self.assertEqual(self.told(sock)["tls"]["server_name"], "localhost")

    def test_counters_count(self):
        with self.open() as sock:
            before = self.told(sock, "/counters.json")
            with self.open() as other:
                self.ask(other, "/")
            after = self.told(sock, "/counters.json")
        for name in ("connections", "handshakes"):
            self.assertGreaterEqual(after[name], before[name] + 1)
        self.assertGreaterEqual(after["requests_h1"], before["requests_h1"] + 2)
        self.assertGreater(after["bytes_out"], before["bytes_out"] + 5000)
        self.assertGreaterEqual(after["jobs"], before["jobs"] + 2)
        self.assertLessEqual(sum(after["batches"]), after["jobs"])
        self.assertGreater(sum(after["batches"]), sum(before["batches"]))

    def test_every_answer_carries_the_policy(self):
        with self.open() as sock:
            for path in ("/", "/style.css", "/counters.json", "/connection.json"):
                fields = self.ask(sock, path, "HEAD")[1]
                self.assertRegex(fields["content-security-policy"], "^default-src 'none';", path)
                self.assertEqual(fields["x-content-type-options"], "nosniff", path)
            tag = self.ask(sock, "/", "HEAD")[1]["etag"]
            self.assertEqual(self.ask(sock, "/", fields=f"If-None-Match: {tag}\r\n")[0], 304)

    def test_a_folder_beside_it_is_refused(self):
        done = support.run([CLEAT, "serve", *LEAF.args(), "--demo", "--root", "."], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--demo serves a page of its own, --root . a folder", done.stderr)


if __name__ == "__main__":
    support.main()
