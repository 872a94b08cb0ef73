"""`cleat serve` and WebSockets: the upgrade, echo, limits, the log, as a raw client sees them."""
import os
import re
import signal
import time
import unittest

import support
import ws_support as ws
from ws_support import BINARY, CLOSE, PING, PONG, TEXT, frame

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("0123456789")
ARGS = [*PAIR.args(), "--root", ROOT, "--ws-echo", "/echo"]


def setUpModule():
    global server
    server = support.Server(*ARGS, "--ws-max-message", 1 << 24, "--ws-subprotocol", "chat.v2",
                            "--ws-subprotocol", "chat.v1", "--ws-origin", "https://friend.test",
                            "--insecure-listen", "127.0.0.1:0")
    server.clear = int(re.search(r":(\d+) \(", server.errors.wait_for(r"http://")).group(1))


def tearDownModule():
    server.__exit__(None, None, None)


def client(*fields, path="/echo", at=None):
    return ws.tls_client(at or server, CA, path, *fields)


def ask(data, at=None):
    """Status, fields and body of the answer to a request; the rest of what comes."""
    with support.tls((at or server).port, CA) as s:
        s.sendall(data)
        responses = support.Responses(s)
        return (*responses.next(), support.read_to_end(s))


class Echo(unittest.TestCase):
    def test_messages_come_back_as_they_are(self):
        with client() as c:
            for opcode, data in ((TEXT, b""), (TEXT, "grüße".encode()), (BINARY, bytes(range(256))),
                                 (BINARY, os.urandom(65535)), (BINARY, os.urandom(65536)),
                                 (TEXT, "€".encode() * 100000)):
                c.send(frame(opcode, data))
                self.assertEqual(c.message(), (opcode, data))

    def test_a_message_in_131072_fragments_and_of_16_mib(self):
        data = os.urandom(1 << 24)
        with client() as c:
            step = len(data) // 131072
            parts = [frame(BINARY if i == 0 else 0, data[i * step:(i + 1) * step], fin=i == 131071)
                     for i in range(131072)]
            c.send_meanwhile(*parts)
            self.assertEqual(c.message(), (BINARY, data))

    def test_a_thousand_messages_at_once(self):
        with client() as c:
            c.send(*[frame(TEXT, b"%d" % i) for i in range(1000)])
            got = [c.message()[1] for _ in range(1000)]
            self.assertEqual(got, [b"%d" % i for i in range(1000)])

    def test_a_frame_byte_by_byte(self):
        with client() as c:
            for byte in frame(TEXT, b"slow") + frame(PING, b"x"):
                c.send(bytes([byte]))
            self.assertEqual(c.message(), (TEXT, b"slow"))
            self.assertEqual(c.receive(), (True, 0, PONG, b"x"))

    def test_the_same_in_clear_on_a_loopback_address(self):
        with ws.Client(support.connect(server.clear), "/echo") as c:
            c.send(frame(TEXT, b"hello"))
            self.assertEqual(c.message(), (TEXT, b"hello"))

    def test_the_server_answers_a_close_frame_and_ends(self):
        for code in (1000, 1001, 3000, 4999):
            with client() as c:
                c.send(ws.close_frame(code, b"bye"))
                self.assertEqual(c.closing()[0], code)
                self.assertTrue(c.ended())
        server.access.wait_for(r'/echo HTTP/1.1" 101 .* ws 3000 client "a code of a library')


class Upgrade(unittest.TestCase):
    def test_what_is_missing_or_wrong_is_named(self):
        for request, name in (
                (ws.request("/echo", without=("Upgrade",)), "Upgrade"),
                (ws.request("/echo", without=("Connection",)), "Connection"),
                (ws.request("/echo", without=("Sec-WebSocket-Key",)), "Sec-WebSocket-Key"),
                (ws.request("/echo", without=("Sec-WebSocket-Version",)), "Sec-WebSocket-Version"),
                (ws.request("/echo", "Sec-WebSocket-Key: abc",
                            without=("Sec-WebSocket-Key",)), "Sec-WebSocket-Key"),
                (ws.request("/echo", "Sec-WebSocket-Protocol: a,a"), "Sec-WebSocket-Protocol"),
                (ws.request("/echo", "Content-Length: 4") + b"body", "Content-Length"),
                (ws.request("/echo", "Transfer-Encoding: chunked"), "Transfer-Encoding")):
            status, fields, body, rest = ask(request)
            self.assertEqual((status, fields["connection"], rest), (400, "close", b""), name)
            self.assertIn(name.encode(), body)

    def test_another_version_gets_426_and_the_right_one(self):
        status, fields, _, _ = ask(ws.request("/echo", version="8"))
        self.assertEqual((status, fields["sec-websocket-version"]), (426, "13"))

    def test_other_methods_and_paths(self):
        self.assertEqual(ask(ws.request("/echo").replace(b"GET", b"POST"))[0], 405)
        self.assertEqual(ask(ws.request("/nothing"))[0], 404)
        self.assertEqual(ask(ws.request("/echo/"))[0], 404)

    def test_origins(self):
        name = f"localhost:{server.port}"
        for origin, host, status in ((f"https://{name}", name, 101),
                                     ("https://evil.test", name, 403),
                                     (f"http://{name}", name, 403), ("null", name, 403),
                                     ("https://friend.test", name, 101),
                                     ("https://localhost", "localhost", 101),
                                     ("https://friend.test.evil.test", name, 403)):
            with support.tls(server.port, CA) as s:
                s.sendall(ws.request("/echo", f"Origin: {origin}", host=host))
                self.assertEqual(support.Responses(s).head()[0], status, origin)
        server.errors.wait_for(r'WebSocket refused: WS_ORIGIN: Origin: "https://evil.test"')

    def test_the_server_s_first_subprotocol_among_those_offered(self):
        with client("Sec-WebSocket-Protocol: other, chat.v1, chat.v2") as c:
            self.assertEqual(c.fields["sec-websocket-protocol"], "chat.v2")
        with client("Sec-WebSocket-Protocol: other") as c:
            self.assertNotIn("sec-websocket-protocol", c.fields)

    def test_frames_before_the_answer_are_refused(self):
        status, _, body, rest = ask(ws.request("/echo") + frame(TEXT, b"early"))
        self.assertEqual((status, rest), (400, b""))
        self.assertIn(b"behind the request", body)

    def test_a_request_hidden_behind_an_upgrade_is_never_answered(self):
        hidden = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for data in (ws.request("/echo") + hidden,
                     ws.request("/echo", f"Content-Length: {len(hidden)}") + hidden,
                     ws.request("/echo", version="9") + hidden,
                     ws.request("/nothing") + hidden):
            status, _, _, rest = ask(data)
            self.assertIn(status, (400, 404, 426))
            self.assertEqual(rest, b"")

    def test_requests_come_before_an_upgrade_on_one_connection(self):
        with support.tls(server.port, CA) as s:
            get = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
            s.sendall(get + get)
            responses = support.Responses(s)
            self.assertEqual([responses.next()[2] for _ in range(2)], [b"0123456789"] * 2)
            c = ws.Client(s, "/echo")
            c.send(frame(TEXT, b"now"))
            self.assertEqual(c.message(), (TEXT, b"now"))

    def test_no_upgrade_on_http_1_0(self):
        self.assertEqual(ask(ws.request("/echo").replace(b"HTTP/1.1", b"HTTP/1.0"))[0], 400)

    def test_without_endpoints_an_upgrade_is_ignored(self):
        with support.Server(*PAIR.args(), "--root", ROOT) as plain:
            with support.tls(plain.port, CA) as s:
                s.sendall(ws.request("/a.txt"))
                self.assertEqual(support.Responses(s).next()[2], b"0123456789")

    def test_a_client_that_may_not_come_in_gets_no_websocket(self):
        other = support.make_leaf(CA, "other", hosts=("other.test",), purpose="clientAuth")
        with support.Server(*ARGS, "--client-ca", CA.cert, "--client-allow", "friend.test") as s:
            context = support.tls_context(CA)
            context.load_cert_chain(other.cert, other.key)
            with support.tls(s.port, CA, context=context) as sock:
                sock.sendall(ws.request("/echo"))
                self.assertEqual(support.Responses(sock).head()[0], 403)

    def test_a_protected_path_asks_for_the_certificate_first(self):
        friend = support.make_leaf(CA, "friend", hosts=("friend.test",), purpose="clientAuth")
        with support.Server(*ARGS, "--client-ca", CA.cert, "--client-auth-path", "/echo") as s:
            context = support.tls_context(CA)
            context.post_handshake_auth = True
            with support.tls(s.port, CA, context=context) as sock:  # it has none
                sock.sendall(ws.request("/echo"))
                self.assertEqual(support.Responses(sock).head()[0], 403)
            context.load_cert_chain(friend.cert, friend.key)
            with support.tls(s.port, CA, context=context) as sock:
                c = ws.Client(sock, "/echo")
                c.send(frame(TEXT, b"in"))
                self.assertEqual(c.message(), (TEXT, b"in"))


class Options(unittest.TestCase):
    def test_clear_text_is_for_loopback_addresses_and_no_client_certificates(self):
        for args, said in ((["--insecure-listen", "0.0.0.0:0"], b"loopback"),
                           (["--insecure-listen", "127.0.0.1:0", "--client-ca", CA.cert], b"TLS")):
            done = support.run([support.CLEAT, "serve", *ARGS, *args], check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)
        self.assertIn("in clear, for tests", server.errors.wait_for("http://"))

    def test_paths(self):
        for path in ("echo", "", "/a b", "/a?b", "/echo"):
            done = support.run([support.CLEAT, "serve", *ARGS, "--ws-echo", path], check=False)
            self.assertEqual(done.returncode, 2, path)

    def test_more_connections_than_allowed_get_503(self):
        with support.Server(*ARGS, "--ws-max-connections", 2) as s:
            with client(at=s), client(at=s):
                self.assertEqual(ask(ws.request("/echo"), s)[0], 503)
            s.access.wait_for(" ws 1006 nobody ")
            time.sleep(0.2)
            with client(at=s) as c:
                c.send(frame(TEXT, b"again"))
                self.assertEqual(c.message(), (TEXT, b"again"))

    def test_a_silent_client_is_pinged_and_given_up(self):
        with support.Server(*ARGS, "--ws-ping-interval", 1) as s, client(at=s) as c:
            fin, _, opcode, data = c.receive()
            self.assertEqual((fin, opcode), (True, PING))
            c.send(frame(PONG, data))
            self.assertEqual(c.receive()[2], PING)
            begin = time.monotonic()
            self.assertEqual(c.closing()[0], 1011)
            self.assertGreater(time.monotonic() - begin, 15)
            s.errors.wait_for(r"WebSocket failed: WS_TIMEOUT: no pong within 20000 milliseconds")
            c.close()
            s.access.wait_for(' ws 1011 server "an internal error')


class Log(unittest.TestCase):
    def test_a_line_when_it_ends(self):
        with client("User-Agent: te\"st", path="/echo?log") as c:
            c.send(frame(TEXT, b"12345"), frame(BINARY, b"123"))
            c.message(), c.message()
            c.send(ws.close_frame(1000))
            self.assertEqual(c.closing()[0], 1000)
        line = server.access.wait_for(r"echo\?log")
        self.assertRegex(line, r'^127\.0\.0\.1:\d+ - - \[[^]]+ \+0000\] "GET /echo\?log HTTP/1\.1" '
                               r'101 8 "-" "te\\x22st" \d+\.\d{6} TLSv1\.3 TLS_\w+ \S+ full \S+ '
                               r'localhost t13\S+ [0-9a-f]{32} '
                               r'ws 1000 client "normal closure: [^"]+" 2 8 2 8 0$')


class Stopping(unittest.TestCase):
    def test_open_websockets_are_told_1001_and_waited_for(self):
        s = support.Server(*ARGS)
        with client(at=s) as c, client(at=s) as busy:
            c.send(frame(TEXT, b"x"))
            self.assertEqual(c.message(), (TEXT, b"x"))
            busy.send(frame(TEXT, b"begun", fin=False))
            self.assertEqual(busy.receive(), (False, 0, TEXT, b"begun"))
            s.signal(signal.SIGTERM)
            self.assertEqual(c.closing(), (1001, "the server stops"))
            c.send(ws.close_frame(1001))
            self.assertTrue(c.ended())
            # a message that has begun may end
            busy.send(frame(0, b", ended"))
            self.assertEqual(busy.receive(), (True, 0, 0, b", ended"))
            self.assertEqual(busy.closing(), (1001, "the server stops"))
            busy.send(ws.close_frame(1001))
            self.assertEqual(s.wait(support.AT_ONCE), 0)
        s.end()

    def test_who_never_closes_is_not_waited_for(self):
        s = support.Server(*ARGS)
        with client(at=s) as c:
            s.signal(signal.SIGTERM)
            self.assertEqual(c.receive()[2], CLOSE)
            begin = time.monotonic()
            self.assertEqual(s.wait(support.AT_ONCE), 0)
            self.assertGreater(time.monotonic() - begin, 3)
        s.end()


if __name__ == "__main__":
    support.main()
