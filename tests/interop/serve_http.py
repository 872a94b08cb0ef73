"""HTTP/1.1 over TLS from `cleat serve`, as curl and a raw client see it."""
import hashlib
import os
import socket
import ssl
import time
import unittest

import support
from support import Responses

support.need("curl", "openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
(ROOT / "sub").mkdir(parents=True)
(ROOT / "index.html").write_text("<h1>home</h1>\n")
(ROOT / "sub" / "index.html").write_text("sub\n")
(ROOT / "a.txt").write_text("0123456789")
(ROOT / ".secret").write_text("hidden")
(support.folder() / "outside.txt").write_text("outside")
(ROOT / "link.txt").symlink_to(support.folder() / "outside.txt")
BIG = os.urandom(1 << 20) * 24
(ROOT / "big.bin").write_bytes(BIG)


def setUpModule():
    global server
    server = support.Server(*PAIR.args(), "--root", ROOT).__enter__()


def tearDownModule():
    server.__exit__(None, None, None)


def curl(*args, check=True):
    return support.run(["curl", "-sS", "--http1.1", "--cacert", CA.cert, *args], check=check)


def talk(*requests, num=None, name="localhost"):
    """Sends all at once, returns `num` responses."""
    with support.tls(server.port, CA, name) as s:
        s.sendall(b"".join(requests))
        responses = Responses(s)
        return [responses.next() for _ in range(num or len(requests))]


def get(path, *fields, method="GET", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


class Files(unittest.TestCase):
    def test_a_folder_gives_its_index_with_type_and_date(self):
        head, body = curl("-i", server.url + "/").stdout.decode().split("\r\n\r\n", 1)
        self.assertEqual(body, "<h1>home</h1>\n")
        self.assertIn("HTTP/1.1 200 OK", head)
        self.assertIn("Content-Type: text/html; charset=utf-8", head)
        self.assertRegex(head, r"Date: \w{3}, \d\d \w{3} \d{4} ")
        self.assertIn("Server: cleat/", head)

    def test_head_has_the_length_and_no_body(self):
        done = curl("-I", server.url + "/a.txt").stdout.decode()
        self.assertIn("Content-Length: 10", done)
        (status, fields), = [r[:2] for r in [self.head_then_get()[0]]]
        self.assertEqual((status, fields["content-length"]), (200, "10"))

    def head_then_get(self):
        with support.tls(server.port, CA) as s:
            s.sendall(get("/a.txt", method="HEAD") + get("/a.txt"))
            responses = Responses(s)
            return responses.next(without_body=True), responses.next()

    def test_a_body_follows_no_head(self):
        self.assertEqual(self.head_then_get()[1][2], b"0123456789")

    def test_ranges(self):
        for field, status, body in (("0-3", 206, b"0123"), ("-2", 206, b"89"),
                                    ("4-", 206, b"456789"), ("99-", 416, None)):
            (got, fields, content), = talk(get("/a.txt", f"Range: bytes={field}"))
            self.assertEqual(got, status, field)
            if body is not None:
                self.assertEqual(content, body)

    def test_a_known_etag_is_not_sent_again(self):
        (_, fields, _), = talk(get("/a.txt"))
        done = curl("-o", "/dev/null", "-w", "%{http_code}", "-H",
                    f"If-None-Match: {fields['etag']}", server.url + "/a.txt")
        self.assertEqual(done.stdout, b"304")
        done = curl("-o", "/dev/null", "-w", "%{http_code}", "-H",
                    f"If-Modified-Since: {fields['last-modified']}", server.url + "/a.txt")
        self.assertEqual(done.stdout, b"304")

    def test_nothing_outside_the_root_and_nothing_hidden(self):
        for path in ("/../outside.txt", "/sub/../../outside.txt", "/%2e%2e/outside.txt",
                     "/..%2foutside.txt", "/link.txt", "/.secret", "//etc/passwd",
                     "/sub/..%5c..%5coutside.txt", "/nothing"):
            done = curl("--path-as-is", "-w", "%{http_code}", server.url + path)
            self.assertIn(done.stdout[-3:], (b"400", b"403", b"404"), path)
            self.assertNotIn(b"outside", done.stdout[:-3].replace(b"outside.txt", b""), path)
            self.assertNotIn(b"hidden", done.stdout, path)

    def test_a_large_file_arrives_whole(self):
        done = curl(server.url + "/big.bin")
        self.assertEqual(hashlib.sha256(done.stdout).digest(), hashlib.sha256(BIG).digest())

    def test_a_slow_reader_gets_everything(self):
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            plain.settimeout(support.PATIENCE)
            plain.connect(("127.0.0.1", server.port))
            with support.tls_context(CA).wrap_socket(plain, server_hostname="localhost") as s:
                s.sendall(get("/big.bin", "Connection: close"))
                got = s.recv(1000)
                time.sleep(1)
                got += support.read_to_end(s)
        self.assertEqual(hashlib.sha256(got[-len(BIG):]).digest(), hashlib.sha256(BIG).digest())

    def test_sixteen_downloads_at_once(self):
        urls = [word for _ in range(16) for word in ("-o", "/dev/null", server.url + "/big.bin")]
        done = curl("-Z", "-w", "%{http_code} %{size_download}\n", *urls)
        self.assertEqual(done.stdout.decode().split("\n")[:16], [f"200 {len(BIG)}"] * 16)


class Connections(unittest.TestCase):
    def test_one_connection_serves_many_requests(self):
        done = curl("-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null",
                    server.url + "/a.txt", server.url + "/")
        self.assertEqual(done.stdout, b"1 0 ")

    def test_pipelined_requests_are_answered_in_order(self):
        paths = ["/a.txt", "/", "/nothing", "/sub/"] * 100
        got = talk(*[get(p) for p in paths])
        want = {"/a.txt": b"0123456789", "/": b"<h1>home</h1>\n", "/sub/": b"sub\n"}
        for path, (status, _, body) in zip(paths, got):
            self.assertEqual(status, 404 if path == "/nothing" else 200)
            self.assertEqual(body, want.get(path, body))

    def test_a_large_file_and_small_ones_in_one_pipeline(self):
        got = talk(get("/a.txt"), get("/big.bin"), get("/a.txt"), get("/big.bin"), get("/"))
        self.assertEqual([len(g[2]) for g in got], [10, len(BIG), 10, len(BIG), 14])
        self.assertEqual(got[3][2], BIG)

    def test_a_head_byte_by_byte(self):
        with support.tls(server.port, CA) as s:
            for byte in get("/a.txt"):
                s.sendall(bytes([byte]))
            self.assertEqual(Responses(s).next()[2], b"0123456789")

    def test_http_1_0_closes_unless_asked_to_stay(self):
        with support.tls(server.port, CA) as s:
            s.sendall(get("/a.txt", "Connection: keep-alive", version="1.0"))
            responses = Responses(s)
            self.assertEqual(responses.next()[1]["connection"], "keep-alive")
            s.sendall(get("/a.txt", version="1.0"))
            self.assertEqual(responses.next()[1]["connection"], "close")
            self.assertEqual(s.recv(1), b"")

    def test_the_end_is_a_close_notify(self):
        context = support.tls_context(CA)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with support.connect(server.port) as s:
            def pump(call):
                while True:
                    try:
                        return call()
                    except ssl.SSLWantReadError:
                        s.sendall(outgoing.read())
                        data = s.recv(65536)
                        incoming.write(data) if data else incoming.write_eof()
            pump(session.do_handshake)
            session.write(get("/a.txt", "Connection: close"))
            while pump(lambda: session.read(4096)):
                pass
            # SSLEOFError would have come had the TCP connection just ended
            self.assertEqual(session.read(1), b"")

    def test_a_half_closed_client_still_gets_its_answer(self):
        done = support.run(["sh", "-c", "printf 'GET /a.txt HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' | "
                            f"timeout 20 openssl s_client -quiet -no_ign_eof -CAfile {CA.cert} "
                            f"-connect 127.0.0.1:{server.port} 2>/dev/null"], check=False)
        # s_client may leave before it has read; the server must in any case log the request
        server.access.wait_for(r'"GET /a.txt HTTP/1.1" 200 10')
        self.assertIsNotNone(done)

    def test_two_hundred_connections_at_once(self):
        context = support.tls_context(CA)
        socks = []
        try:
            for _ in range(200):
                socks.append(support.tls(server.port, CA, context=context))
            for s in socks:
                s.sendall(get("/a.txt"))
            for s in socks:
                self.assertEqual(Responses(s).next()[2], b"0123456789")
        finally:
            for s in socks:
                s.close()


class Refusals(unittest.TestCase):
    def test_methods(self):
        got = talk(get("/a.txt", "Content-Length: 0", method="POST"), get("/a.txt", method="BREW"),
                   get("/a.txt"))
        self.assertEqual([g[0] for g in got], [405, 501, 200])
        self.assertIn("GET", got[0][1]["allow"])

    def test_a_body_is_dropped_and_the_connection_stays(self):
        body = b"GET /nothing HTTP/1.1\r\n\r\n" * 1000
        got = talk(get("/a.txt", f"Content-Length: {len(body)}", method="POST") + body,
                   get("/a.txt", "Transfer-Encoding: chunked") +
                   b"5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", get("/"))
        self.assertEqual([g[0] for g in got], [405, 200, 200])

    def test_a_body_beyond_the_limit_is_413(self):
        got, = talk(get("/", "Content-Length: 10485761", method="POST"))
        self.assertEqual((got[0], got[1]["connection"]), (413, "close"))

    def test_continue(self):
        with support.tls(server.port, CA) as s:
            s.sendall(get("/a.txt", "Content-Length: 5", "Expect: 100-continue"))
            responses = Responses(s)
            self.assertEqual(responses.head()[0], 100)
            s.sendall(b"hello")
            self.assertEqual(responses.next()[0], 200)
        got, = talk(get("/a.txt", "Content-Length: 5", "Expect: 100-continue", method="PUT"))
        self.assertEqual((got[0], got[1]["connection"]), (405, "close"))

    def test_heads_that_are_ambiguous_or_too_long(self):
        for request, status in (
                (get("/", "Content-Length: 5", "Transfer-Encoding: chunked"), 400),
                (get("/", "Content-Length: 5", "Content-Length: 6"), 400),
                (get("/", "X : y"), 400),
                (get("/", "X: y\r\n z"), 400),
                (b"GET / HTTP/1.1\nHost: x\n\n", 400),
                (b"GET / HTTP/1.1\r\n\r\n", 400),
                (get("/" + "a" * 9000), 414),
                (get("/", "X: " + "a" * 17000), 431),
                (get("/", *[f"X{i}: y" for i in range(120)]), 431),
                (get("/", version="2.0"), 505)):
            with support.tls(server.port, CA) as s:
                s.sendall(request + get("/a.txt"))
                responses = Responses(s)
                got = responses.next()
                self.assertEqual((got[0], got[1]["connection"]), (status, "close"), request[:60])
                with self.assertRaises(EOFError):
                    responses.next()  # what follows a bad request is never looked at


class Log(unittest.TestCase):
    def test_a_line_for_every_request(self):
        curl("-o", "/dev/null", "-A", "te\"st", server.url + "/a.txt?log")
        line = server.access.wait_for(r"a\.txt\?log")
        self.assertRegex(line, r'^127\.0\.0\.1:\d+ - - \[[^]]+ \+0000\] '
                               r'"GET /a\.txt\?log HTTP/1\.1" '
                               r'200 10 "-" "te\\x22st" \d+\.\d{6} TLSv1\.3 TLS_\w+ \S+ full '
                               r'http/1\.1 localhost '
                               r't13\w{7}_\w{12}_\w{12} [0-9a-f]{32}$')

    def test_a_bad_request_cannot_forge_a_line(self):
        with support.tls(server.port, CA) as s:
            s.sendall(b"BAD\x1b[31m\" 200 forged\rtext\n\r\n\r\n")
            support.read_to_end(s)
        line = server.access.wait_for(r"BAD\\x1b")
        self.assertIn(r'"BAD\x1b[31m\x22 200 forged" 400', line)


if __name__ == "__main__":
    support.main()
