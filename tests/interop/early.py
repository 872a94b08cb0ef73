#!/usr/bin/env python3
"""Early data (0-RTT): `cleat serve` with OpenSSL's and GnuTLS's clients, `cleat get` with their
servers, and both with each other, over HTTP/1.1 and HTTP/2: taken, refused, held, replayed, asked
for once more (425)."""
import contextlib
import json
import subprocess
import threading
import time
import unittest

import h2_frames as h2
import matrix
import support
from get_support import Peer, free_port, get, need
from matrix import ServeTest

support.need("openssl")
CA = support.make_ca()
LEAF = support.make_leaf(CA, "early")
# A server takes no early data during the first ten seconds.
COLD = 10.3
# What asks for each version, as -w names it.
PROTOCOLS = {"--http1.1": "1.1", "--http2": "2"}


def serve(*args):
    return matrix.serve([LEAF], "--early-data", *args, offer=[])


def warm():
    """A server that has been running for long enough."""
    server = serve()
    time.sleep(COLD)
    return server


def fetch(*urls, args=(), code=(0,)):
    """`cleat get --tls-earlydata` of these URLs, each on a connection: what -w says of each."""
    outputs = [word for _ in urls for word in ("-o", support.folder() / "body")]
    done = get("--cacert", CA.cert, "-sS", "--tls-earlydata", "-H", "Connection: close", "-w",
               "%{json}\n", *outputs, *args, *urls)
    if done.returncode not in code:
        raise AssertionError(f"exit {done.returncode}: {done.stderr.decode(errors='replace')}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Serve(ServeTest):
    """Against other clients, and ours; one server that is warm, as warming it takes its time."""

    @classmethod
    def setUpClass(cls):
        cls.server = warm()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def s_client(self, *args, data=b""):
        done = support.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-CAfile",
             CA.cert, "-servername", "localhost", "-ign_eof", *args], check=False, stdin=None,
            input=data)
        return (done.stdout + done.stderr).decode(errors="replace")

    def session(self, *args, data=None):
        path = support.folder() / "session.pem"
        self.s_client("-sess_out", path, *args, data=data or matrix.last_request(self.path()))
        return path

    def early(self, request):
        """The answer of a resumption that brings the request as early data."""
        file = support.folder() / "request"
        file.write_bytes(request)
        return self.s_client("-sess_in", self.session(), "-early_data", file)

    def test_openssl_get(self):
        path = self.path()
        text = self.early(matrix.last_request(path))
        self.assertIn("Early data was accepted", text)
        self.assertIn("\nserved\n", text)
        self.assertIn(" early ", self.server.access.wait_for(f'"GET /[?]{path[2:]} HTTP'))

    def test_openssl_post_waits_for_the_handshake(self):
        path = self.path()
        text = self.early(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                          "Connection: close\r\n\r\nabc".encode())
        self.assertIn("Early data was accepted", text)
        self.assertIn("405 Method Not Allowed", text)

    def test_openssl_several_requests(self):
        path = self.path()
        text = self.early(matrix.request(path) * 3 + matrix.last_request(path))
        self.assertEqual(text.count("\nserved\n"), 4, text)

    def test_openssl_what_follows_a_post_is_dropped_with_the_connection(self):
        path = self.path()
        text = self.early(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                          "\r\n".encode() + matrix.last_request(path))
        self.assertEqual(text.count("HTTP/1.1 "), 1, text)

    def test_openssl_a_large_answer(self):
        size = 3 << 20
        (matrix.site() / "large").write_bytes(b"x" * size)
        text = self.early(matrix.last_request("/large"))
        self.assertIn("Early data was accepted", text)
        self.assertGreaterEqual(text.count("x"), size)

    def test_openssl_half_a_request(self):
        """The head begins early and ends late."""
        path = self.path()
        whole = matrix.last_request(path)
        file = support.folder() / "half"
        file.write_bytes(whole[:20])
        text = self.s_client("-sess_in", self.session(), "-early_data", file, data=whole[20:])
        self.assertIn("\nserved\n", text)

    def test_openssl_over_http_2(self):
        """Preface, a GET and a POST with the ClientHello: the GET is answered at once, the POST
        behind the handshake, and the GOAWAY that follows ends the connection."""
        path, begin, end = self.path(), h2.PREFACE + h2.settings(), h2.frame(h2.GOAWAY, 0, bytes(8))
        file = support.folder() / "frames"
        file.write_bytes(begin + h2.headers(1, h2.request(path)) +
                         h2.headers(3, h2.request(path, method="POST")))
        session = self.session("-alpn", "h2", data=begin + end)
        text = self.s_client("-alpn", "h2", "-sess_in", session, "-early_data", file, data=end)
        self.assertIn("Early data was accepted", text)
        self.assertIn("served\n", text)
        for method, status in (("GET", 200), ("POST", 405)):
            line = self.server.access.wait_for(rf'"{method} /[?]{path[2:]} HTTP/2\.0" {status} ')
            self.assertRegex(line, " early h2 ")

    def test_gnutls(self):
        need("gnutls-cli")
        path, first = self.path(), self.path()
        file = support.folder() / "request"
        file.write_bytes(matrix.last_request(path))
        done = support.run(
            ["gnutls-cli", "--x509cafile", CA.cert, "--sni-hostname", "localhost",
             "--verify-hostname", "localhost", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3",
             "--resume", "--earlydata", file, "--port", self.server.port, "127.0.0.1"],
            check=False, stdin=None, input=matrix.last_request(first))
        version = support.run(["gnutls-cli", "--version"]).stdout.decode().split("\n")[0]
        if b"error sending early data" in done.stderr and " 3.7." not in version:
            self.skipTest(f"{version} sends no early data, not to its own server either")
        self.assertIn(b"\nserved\n", done.stdout, done.stderr)
        self.assertIn(" early ", self.server.access.wait_for(f'"GET /[?]{path[2:]} HTTP'))

    def test_ourselves(self):
        for protocol, version in PROTOCOLS.items():
            with self.subTest(protocol):
                path = self.path()
                url = f"{self.server.url}{path}"
                first, second = fetch(url, url, args=[protocol])
                self.assertEqual(first["tls_early_data"], "not-sent")
                self.assertEqual(second["tls_early_data"], "accepted")
                self.assertEqual((first["tls_earlydata"], second["tls_earlydata"] > 0), (0, True))
                self.assertTrue(second["tls_resumed"])
                self.assertEqual((second["http_code"], second["http_version"]), (200, version))
                self.assertEqual((support.folder() / "body").read_text(), "served\n")
                self.server.access.wait_for(rf'"GET /[?]{path[2:]} HTTP/{version}.* early ')

    def test_ourselves_with_a_file_of_sessions(self):
        url = f"{self.server.url}{self.path()}"
        for protocol in PROTOCOLS:
            args = (protocol, "--ssl-sessions", support.folder() / f"sessions{protocol}")
            outcomes = [fetch(url, args=args)[0]["tls_early_data"] for _ in range(3)]
            self.assertEqual(outcomes, ["not-sent", "accepted", "accepted"], protocol)

    def test_ourselves_only_get_and_head_go_early(self):
        url = f"{self.server.url}{self.path()}"
        for args, want in (("-I",), "accepted"), (("-X", "OPTIONS"), "not-sent"), \
                (("-d", "x"), "not-sent"):
            for protocol, version in PROTOCOLS.items():
                with self.subTest(args=args, protocol=protocol):
                    second = fetch(url, url, args=[protocol, *args])[1]
                    self.assertEqual(second["tls_early_data"], want)
                    self.assertEqual(second["http_version"], version)

    def test_a_replay_gets_no_answer(self):
        """What a client sent is sent again: the request in it is served once only."""
        recorder = support.Recorder(self.server.port)
        path = self.path()
        url = f"https://localhost:{recorder.port}/"
        second = fetch(url, url + path[1:])[1]
        self.assertEqual(second["tls_early_data"], "accepted")
        flights = {}
        for number, outwards, data in recorder.packets:
            flights.setdefault(number, []).append((outwards, data))
        flight = b""
        for outwards, data in list(flights.values())[-1]:
            if not outwards:
                break
            flight += data
        recorder.close()
        for _ in range(3):
            with support.connect(self.server.port) as raw:
                raw.sendall(flight)
                self.assertGreater(len(raw.recv(65536)), 0)  # its ServerHello
        self.server.access.wait_for(f'"GET /[?]{path[2:]} HTTP.*early')
        fetch(url.replace(str(recorder.port), str(self.server.port)))
        text = self.server.access.text()
        self.assertEqual(text.count(f'"GET {path} HTTP'), 1, text)


class Refused(unittest.TestCase):
    """The request goes through all the same."""

    def test_by_a_server_that_has_just_started(self):
        with serve() as server:
            second = fetch(server.url, server.url)[1]
        self.assertEqual(second["tls_early_data"], "rejected")
        self.assertEqual(second["http_code"], 200)

    def test_by_a_hello_retry_request(self):
        with serve("--curves", "P-256") as server:
            second = fetch(server.url, server.url)[1]
        self.assertEqual(second["tls_early_data"], "rejected")
        self.assertTrue(second["tls_hello_retry"])
        self.assertEqual(second["http_code"], 200)

    def test_not_offered_where_it_is_off(self):
        with matrix.serve([LEAF], offer=[]) as server:
            second = fetch(server.url, server.url)[1]
        self.assertEqual(second["tls_early_data"], "not-sent")
        self.assertTrue(second["tls_resumed"])


class SServer:
    """OpenSSL's s_server, which prints what it receives; each request is answered in turn."""

    def __init__(self, *answers, args=()):
        self.port = free_port()
        self.answers = list(answers)
        self.paths = []
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", LEAF.cert,
             "-key", LEAF.key, "-early_data", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.up = threading.Event()
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self):
        with self.process.stdout as output:
            for line in output:
                self._take(line)

    def _take(self, line):
        if line.startswith(b"ACCEPT"):
            self.up.set()
        at = line.find(b"GET /")
        if at >= 0:
            self.paths.append(line[at:].split()[1].decode())
        if line == b"\r\n" and self.answers:
            text = f"HTTP/1.1 {self.answers.pop(0)}\r\nContent-Length: 3\r\n\r\nok\n"
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()

    def __enter__(self):
        self.up.wait(support.PATIENCE)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class H2Server(SServer):
    """The same over HTTP/2: what s_server -quiet prints are the frames of one connection after the
    other, and what is written to it are those of the answer."""

    def __init__(self, *answers, args=()):
        self.seen = b""
        super().__init__(*answers, args=("-alpn", "h2", "-quiet", *args))

    def __enter__(self):
        end = time.monotonic() + support.PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError), support.connect(self.port):
                return self
            time.sleep(0.05)
        raise AssertionError("s_server does not listen")

    def _answer(self):
        with self.process.stdout as output:
            while piece := output.read1():
                self.seen += piece
                while self._take_frame():
                    pass

    def _take_frame(self):
        """One frame, or the beginning of a connection; False: it is not there as a whole."""
        if h2.PREFACE.startswith(self.seen[:len(h2.PREFACE)]):
            size = len(h2.PREFACE)
        else:
            size = 9 + int.from_bytes(self.seen[:3], "big")
        if len(self.seen) < max(size, 9):
            return False
        taken, self.seen = self.seen[:size], self.seen[size:]
        if taken != h2.PREFACE and taken[3] == h2.HEADERS:
            self._respond(int.from_bytes(taken[5:9], "big"))
        return True

    def _respond(self, stream):
        status = self.answers.pop(0)
        self.paths.append(status)
        self.process.stdin.write(h2.settings() + h2.frame(h2.SETTINGS, flags=h2.ACK) +
                                 h2.headers(stream, [(":status", status)]))
        self.process.stdin.flush()


class Get(unittest.TestCase):
    """Against other servers."""

    def test_openssl(self):
        with SServer("200 OK", "200 OK") as peer:
            url = f"https://localhost:{peer.port}"
            second = fetch(f"{url}/1", f"{url}/2")[1]
        self.assertEqual(second["tls_early_data"], "accepted")
        self.assertEqual(second["http_code"], 200)
        self.assertEqual(peer.paths, ["/1", "/2"])

    def test_openssl_retries(self):
        with SServer("200 OK", "200 OK", args=["-groups", "P-521"]) as peer:
            url = f"https://localhost:{peer.port}"
            second = fetch(f"{url}/1", f"{url}/2")[1]
        self.assertEqual(second["tls_early_data"], "rejected")
        self.assertTrue(second["tls_hello_retry"])
        self.assertEqual(second["http_code"], 200)
        self.assertEqual(peer.paths, ["/1", "/2"])

    def test_too_early_is_sent_once_more(self):
        with SServer("200 OK", "425 Too Early", "200 OK") as peer:
            url = f"https://localhost:{peer.port}"
            second = fetch(f"{url}/1", f"{url}/2")[1]
        self.assertEqual(second["tls_early_data"], "not-sent")
        self.assertEqual(second["http_code"], 200)
        self.assertEqual(peer.paths, ["/1", "/2", "/2"])

    def test_too_early_twice_is_the_answer(self):
        with SServer("200 OK", "425 Too Early", "425 Too Early") as peer:
            url = f"https://localhost:{peer.port}"
            second = fetch(f"{url}/1", f"{url}/2")[1]
        self.assertEqual(second["http_code"], 425)
        self.assertEqual(peer.paths, ["/1", "/2", "/2"])

    def test_openssl_over_http_2(self):
        for answers, want in ((["200", "200"], ("accepted", 200)),
                              (["200", "425", "200"], ("not-sent", 200)),
                              (["200", "425", "425"], ("not-sent", 425))):
            with self.subTest(answers), H2Server(*answers) as peer:
                url = f"https://localhost:{peer.port}/"
                second = fetch(url, url)[1]
                self.assertEqual((second["tls_early_data"], second["http_code"]), want)
                self.assertEqual(second["http_version"], "2")
                self.assertEqual(peer.answers, [])

    def test_gnutls(self):
        """gnutls-serv takes early data, but does not always answer it; and it takes none when the
        age of the ticket, rounded to milliseconds, is above its own by one: try again then."""
        need("gnutls-serv")
        port = free_port()
        argv = ["gnutls-serv", "--port", port, "--http", "--earlydata", "--maxearlydata", "8192",
                "--x509certfile", LEAF.cert, "--x509keyfile", LEAF.key]
        with Peer(argv, port, support.folder()):
            url = f"https://localhost:{port}/"
            for _ in range(20):
                first, second = fetch(url, url, args=["-m", "3"], code=(0, 28))
                self.assertEqual(first["http_code"], 200)
                if second["tls_early_data"] == "accepted":
                    return
                self.assertEqual(second["http_code"], 200)
        self.fail("never accepted")


if __name__ == "__main__":
    support.main()
