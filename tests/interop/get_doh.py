#!/usr/bin/env python3
"""`cleat get` and `cleat ws` ask for names by DNS over HTTPS: answers good and bad; beside curl.

The names exist nowhere else: where the server fails, nobody else can have answered.
"""
import socket
import struct
import subprocess

import dns_support as dns
from get_support import PROGRAM, GetTest, Scripted, need
from proxy_support import Proxy
import support
from support import PATIENCE, main

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"
NAME = "origin.test"
HERE = [socket.inet_aton("127.0.0.1")]
RECORDS = {(NAME, dns.A): HERE}
TYPE = "application/dns-message"


def http(body, status="200 OK", kind=TYPE, more=""):
    return (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
            "\r\n").encode() + body


def record(owner, kind, data, name_class=1):
    return owner + struct.pack(">HHIH", kind, name_class, 60, len(data)) + data


class Doh(Scripted):
    """Answers with `reply(query)`, which is the whole of DNS, or with `raw(query)`, of HTTP."""

    def __init__(self, pair, reply=None, raw=None):
        self.raw = raw or (lambda query: http((reply or self.right)(query)))
        super().__init__(*pair, self.answer)

    @staticmethod
    def right(query):
        return dns.reply_to(query, RECORDS)

    def answer(self, tls, head):
        tls.sendall(self.raw(self.bodies[-1]))
        return "close"

    @property
    def asked(self):
        return sorted(dns.question_of(body)[0] for body in self.bodies)

    @property
    def url(self):
        return f"https://localhost:{self.port}/dns-query"


class DohTest(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pair = cls.ca.leaf(sans=f"DNS:localhost,DNS:{NAME},DNS:doh.test")
        cls.origin = Scripted(*cls.pair, lambda tls, head: tls.sendall(OK) or "close")
        cls.origin.__enter__()
        cls.url = f"https://{NAME}:{cls.origin.port}/"

    @classmethod
    def tearDownClass(cls):
        cls.origin.__exit__()
        super().tearDownClass()

    def ask(self, reply=None, *args, code=0, raw=None, url=None):
        with Doh(self.pair, reply, raw) as server:
            args = [str(a).replace("PORT", str(server.port)) for a in args]
            result = self.fetch("-sS", "--doh-url", server.url, *args, url or self.url, code=code)
        return result, server


class Names(DohTest):
    def test_the_server_is_asked_for_addresses_of_both_families(self):
        result, server = self.ask(None, "-v")
        self.assertEqual(result.stdout, b"hello")
        self.assertEqual(server.asked, [(NAME, dns.A), (NAME, dns.AAAA)])
        self.assertIn(b"A    127.0.0.1 (DoH, ", result.stderr)
        _, server = self.ask(None, "-4")
        self.assertEqual(server.asked, [(NAME, dns.A)])

    def test_a_question_is_as_rfc_8484_has_it(self):
        _, server = self.ask()
        for head, body in zip(server.heads, server.bodies):
            self.assertTrue(head.startswith("POST /dns-query HTTP/1.1\r\n"))
            self.assertIn(f"\r\nHost: localhost:{server.port}\r\n", head)
            self.assertIn(f"\r\nAccept: {TYPE}\r\n", head)
            self.assertIn(f"\r\nContent-Type: {TYPE}\r\n", head)
            self.assertEqual(body[:12], bytes.fromhex("000001000001000000000001"))
            self.assertEqual(len(body), 128)  # padded: lengths tell no name
            end = dns.question_of(body)[1]
            self.assertEqual(body[end:end + 9], b"\0" + struct.pack(">HHI", 41, 1232, 0))
            option, length = struct.unpack(">HH", body[end + 11:end + 15])
            self.assertEqual((option, body[end + 15:]), (12, bytes(length)))

    def test_cnames_are_followed(self):
        def reply(query):
            asked, end = dns.question_of(query)
            if asked[1] != dns.A:
                return dns.reply_to(query, {})
            chain = (record(b"\xc0\x0c", dns.CNAME, dns.name_of("a.test")) +
                     record(dns.name_of("b.test"), dns.A, HERE[0]) +
                     record(dns.name_of("a.test"), dns.CNAME, dns.name_of("b.test")) +
                     record(dns.name_of("c.test"), dns.A, socket.inet_aton("192.0.2.1")))
            return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 4, 0, 0) + query[12:end] + chain
        result, _ = self.ask(reply)
        self.assertEqual(result.stdout, b"hello")

    def test_curl_gets_the_same(self):
        need("curl")
        # It would wait for the second connection before it closes the first.
        last = "Connection: close\r\n"
        with Doh(self.pair, raw=lambda query: http(Doh.right(query), more=last)) as server:
            done = subprocess.run(["curl", "-sS", "--cacert", str(self.ca.cert), "--doh-url",
                                   server.url, self.url], capture_output=True, timeout=PATIENCE,
                                  check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"hello"), done.stderr)
        # It asks the same, but for the padding.
        self.assertEqual(server.asked, [(NAME, dns.A), (NAME, dns.AAAA)])

    def test_what_is_known_here_is_not_asked_for(self):
        for args, url in ((["--resolve", f"{NAME}:{self.origin.port}:127.0.0.1"], None),
                          ([], f"https://localhost:{self.origin.port}/"),
                          (["-k"], f"https://127.0.0.1:{self.origin.port}/")):
            _, server = self.ask(None, *args, url=url)
            self.assertEqual(server.bodies, [])

    def test_the_server_is_found_as_the_command_line_says(self):
        for args in (["--resolve", "doh.test:PORT:127.0.0.1"],
                     ["--connect-to", "doh.test:PORT:127.0.0.1:PORT"]):
            with Doh(self.pair) as server:
                args = [a.replace("PORT", str(server.port)) for a in args]
                self.fetch("-sS", "--doh-url", f"https://doh.test:{server.port}/q?a=b", *args,
                           self.url)
                self.assertTrue(server.heads[0].startswith("POST /q?a=b HTTP/1.1\r\n"))
        self.fetch("-sS", "--doh-url", "https://doh.test/", self.url, code=6)

    def test_the_server_is_asked_through_a_proxy_too(self):
        with Doh(self.pair) as server, Proxy() as proxy:
            self.fetch("-sS", "--doh-url", server.url, "--noproxy", NAME, "-x",
                       f"http://localhost:{proxy.port}", self.url)
            self.assertEqual(set(proxy.names), {"localhost"})
            self.assertEqual(len(server.bodies), 2)

    def test_its_certificate_is_verified(self):
        with Doh(self.pair) as server:
            where = f"https://127.0.0.1:{server.port}/"
            result = self.fetch("-sS", "--doh-url", where, self.url, code=6)
            self.assertIn(b"it is not for 127.0.0.1", result.stderr)
            # -k is about the server of the URL, as with curl.
            self.fetch("-sS", "-k", "--doh-url", where, self.url, code=6)
            self.assertEqual(server.bodies, [])
            result = self.fetch("-sS", "--doh-url", where, "--doh-insecure", self.url)
            self.assertEqual(result.stdout, b"hello")

    def test_https_records_come_from_it(self):
        def reply(query):
            port = self.origin.port
            name = f"_{port}._https.{NAME}"
            return dns.reply_to(query, {**RECORDS, (name, dns.HTTPS): [
                dns.https(1, "other.test", port=port)], ("other.test", dns.A): HERE})
        result, server = self.ask(reply, "-v", "--ech", "true")
        self.assertEqual(result.stdout, b"hello")
        self.assertIn((f"_{self.origin.port}._https.{NAME}", dns.HTTPS), server.asked)
        self.assertIn(("other.test", dns.A), server.asked)
        self.assertIn(b"other.test port", result.stderr)

    def test_an_ech_configuration_from_it_is_used(self):
        key = self.folder / "ech.pem"
        support.run([PROGRAM, "ech", "keygen", "-o", key, "localhost"])
        with support.Server("--cert", self.pair[0], "--key", self.pair[1],
                            f"--ech-key={key}") as server:
            def reply(query):
                return dns.reply_to(query, {**RECORDS, (f"_{server.port}._https.{NAME}", dns.HTTPS):
                                            [dns.https(1, ech=dns.list_of(key))]})
            result, _ = self.ask(reply, "--ech", "hard", "-w", "%{tls_ech}", "-o", "/dev/null",
                                 url=f"https://{NAME}:{server.port}/")
            self.assertEqual(result.stdout, b"accepted")
            result, _ = self.ask(None, "--ech", "hard", url=f"https://{NAME}:{server.port}/",
                                 code=101)

    def test_websockets_ask_it_too(self):
        with Doh(self.pair, lambda query: dns.reply_to(query, {}, 0x8183)) as server:
            done = subprocess.run([PROGRAM, "ws", "--cacert", str(self.ca.cert), "--doh-url",
                                   server.url, f"wss://{NAME}/"], capture_output=True,
                                  timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn(b"no such name", done.stderr)
            self.assertEqual(len(server.bodies), 2)


class Failures(DohTest):
    """Exit code 6 with the reason, and nobody else is asked."""

    def check(self, text, reply=None, raw=None, *args):
        result, _ = self.ask(reply, *args, raw=raw, code=6)
        self.assertIn(text.encode(), result.stderr)
        return result

    def test_what_the_server_says_is_told(self):
        result = self.check("no such name", lambda query: dns.reply_to(query, {}, 0x8183))
        self.assertIn(b"check the spelling", result.stderr)
        self.check("the name has no address of this family",
                   lambda query: dns.reply_to(query, {}))
        result = self.check("could not find out", lambda query: dns.reply_to(query, {}, 0x8182))
        self.assertIn(b"nobody else is asked", result.stderr)

    def test_other_answers_of_http(self):
        self.check("503 Service Unavailable", raw=lambda query: http(b"", "503 No"))
        self.check("302", raw=lambda query: http(b"", "302 No", more="Location: /there\r\n"))
        self.check("not with application/dns-message",
                   raw=lambda query: http(Doh.right(query), kind="application/dns-json"))
        self.check("not with application/dns-message", raw=lambda query: OK)
        self.check("65535 bytes", raw=lambda query: http(bytes(65536)))
        self.check("after 5 bytes", raw=lambda query: http(bytes(9))[:-4])
        self.check("", raw=lambda query: b"nothing of HTTP\r\n\r\n")

    def test_messages_that_are_none(self):
        def change(at, data):
            def reply(query):
                right = bytearray(Doh.right(query))
                right[at:at + len(data)] = data
                return bytes(right)
            return reply
        malformed = "the answer is malformed, or to another question"
        rows = (lambda query: b"", lambda query: Doh.right(query)[:11],
                lambda query: Doh.right(query)[:-1] if dns.question_of(query)[0][1] == dns.A else
                Doh.right(query)[:-4],
                lambda query: query,  # a question is no answer
                change(2, b"\x83"),  # cut off
                change(2, b"\x89"),  # of another kind
                change(4, b"\0\0"), change(4, b"\0\2"),  # questions
                change(13, b"x"),  # another name
                change(12 + len(NAME) + 3, b"\x10"),  # another type
                change(12 + len(NAME) + 5, b"\3"))  # another class
        for reply in rows:
            self.check(malformed, reply)
        # Too many records, an address that is too long, a name that leads to itself.
        for body in (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 5) + bytes(5),
                     b"\xc0\x1d" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes(4),
                     record(b"\xc0\x0c", dns.CNAME, b"\xc0\x29")):
            self.check(malformed, lambda query, b=body: query[:2] + struct.pack(
                ">HHHHH", 0x8180, 1, 1, 0, 0) + query[12:dns.question_of(query)[1]] + b)

    def test_cnames_that_go_in_circles_end(self):
        def reply(query):
            end = dns.question_of(query)[1]
            chain = (record(b"\xc0\x0c", dns.CNAME, dns.name_of("a.test")) +
                     record(dns.name_of("a.test"), dns.CNAME, dns.name_of(NAME)))
            return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 2, 0, 0) + query[12:end] + chain
        self.check("the name has no address", reply)

    def test_addresses_of_other_names_do_not_count(self):
        def reply(query):
            end = dns.question_of(query)[1]
            other = record(dns.name_of("evil.test"), dns.question_of(query)[0][1],
                           HERE[0] if dns.question_of(query)[0][1] == dns.A else bytes(15) + b"\1")
            return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + query[12:end] + other
        self.check("the name has no address", reply)

    def test_nobody_listens(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            result = self.fetch("-sS", "--doh-url", f"https://localhost:{s.getsockname()[1]}/",
                                self.url, code=6)
        self.assertIn(b"connection refused", result.stderr)
        self.assertIn(b"nobody else is asked", result.stderr)

    def test_silence_ends_with_the_time_for_connecting(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            result = self.fetch("-sS", "--connect-timeout", "1", "--doh-url",
                                f"https://localhost:{s.getsockname()[1]}/", self.url, code=28)
        self.assertIn(b"looking up the host", result.stderr)
        self.assertIn(b"nobody else is asked", result.stderr)

    def test_urls_that_are_none(self):
        for url, code in (("http://localhost/", 1), ("https://", 3), ("ftp://localhost/", 1),
                          ("https://me:you@localhost/", 3)):
            self.fetch("-sS", "--doh-url", url, self.url, code=code)


if __name__ == "__main__":
    main()
