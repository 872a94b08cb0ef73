#!/usr/bin/env python3
"""The example rest_server, an HTTP server over the library alone: curl over HTTP/1.1 and HTTP/2,
and by hand what curl does not do."""
import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import unittest

import support

support.need("curl", "openssl")
if b"HTTP2" not in support.run(["curl", "--version"]).stdout:
    support.skip_all("this curl is not built with HTTP/2")
PROGRAM = os.environ["CLEAT_REST_SERVER"]
CA = support.make_ca()
LEAF = support.make_leaf(CA, "rest")
UPLOAD = pathlib.Path(support.folder()) / "upload"
VERSIONS = ("--http1.1", "--http2")


class Rest:
    def __init__(self):
        self.process = subprocess.Popen([PROGRAM, "0", LEAF.cert, LEAF.key],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.url = f"https://localhost:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.said = self.process.communicate(timeout=support.PATIENCE)[1].decode()
        if self.process.returncode != 0:  # a sanitizer's word, too
            raise AssertionError(self.said)

    def socket(self):
        return support.tls(self.port, CA)


class Answer:
    """What `curl -i` shows: the final head, the body, the trailers (which curl shows behind)."""

    def __init__(self, text):
        head, self.body = text.split(b"\r\n\r\n", 1)
        while head.startswith((b"HTTP/1.1 1", b"HTTP/2 1")):
            head, self.body = self.body.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        self.version, self.status = first.split()[0], int(first.split()[1])
        self.fields = {name.lower(): value
                       for name, value in (line.split(": ", 1) for line in lines)}


class RestTest(unittest.TestCase):
    def ask(self, server, version, path, *args):
        done = support.run(["curl", "-sSi", version, "--cacert", CA.cert, *args,
                            server.url + path], check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        answer = Answer(done.stdout)
        self.assertEqual(answer.version, "HTTP/2" if version == "--http2" else "HTTP/1.1")
        self.assertRegex(answer.fields["date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        return answer


class WithCurl(RestTest):
    def test_a_note_from_its_beginning_to_its_end(self):
        for version in VERSIONS:
            with self.subTest(version), Rest() as server:
                text = ("-H", "Content-Type: text/plain")
                made = self.ask(server, version, "/notes", *text, "-d", "first")
                self.assertEqual((made.status, made.fields["location"]), (201, "/notes/1"))
                tag = made.fields["etag"]
                got = self.ask(server, version, "/notes/1")
                self.assertEqual((got.status, got.body, got.fields["etag"]), (200, b"first", tag))
                self.assertEqual(got.fields["content-type"], "text/plain; charset=utf-8")
                same = self.ask(server, version, "/notes/1", "-H", f"If-None-Match: {tag}")
                self.assertEqual((same.status, same.body), (304, b""))
                put = self.ask(server, version, "/notes/1", *text, "-X", "PUT", "-d", "second",
                               "-H", f"If-Match: {tag}")
                self.assertEqual(put.status, 204)
                for method in ("PUT", "DELETE"):
                    late = self.ask(server, version, "/notes/1", *text, "-X", method, "-d", "x",
                                    "-H", f"If-Match: {tag}")
                    self.assertEqual(late.status, 412)
                notes = json.loads(self.ask(server, version, "/notes").body)
                self.assertEqual(notes, [{"id": 1, "version": 2, "length": 6}])
                self.assertEqual(self.ask(server, version, "/notes/1", "-X", "DELETE").status, 204)
                self.assertEqual(self.ask(server, version, "/notes/1").status, 404)
                self.assertEqual(json.loads(self.ask(server, version, "/notes").body), [])

    def test_what_is_not_meant_is_answered_for_what_it_is(self):
        for version in VERSIONS:
            with self.subTest(version), Rest() as server:
                self.assertEqual(self.ask(server, version, "/nothing").status, 404)
                self.assertEqual(self.ask(server, version, "/notes/%2e%2e", "--path-as-is").status,
                                 400)
                refused = self.ask(server, version, "/notes", "-X", "DELETE")
                self.assertEqual(refused.status, 405)
                self.assertEqual(set(refused.fields["allow"].split(", ")),
                                 {"GET", "HEAD", "POST", "OPTIONS"})
                options = self.ask(server, version, "/notes", "-X", "OPTIONS")
                self.assertEqual((options.status, options.fields["allow"]),
                                 (204, refused.fields["allow"]))
                head = self.ask(server, version, "/notes", "--head")
                self.assertEqual((head.status, head.fields["content-length"]), (200, "3"))
                png = self.ask(server, version, "/notes", "-H", "Content-Type: image/png",
                               "-d", "x")
                self.assertEqual(png.status, 415)
                UPLOAD.write_bytes(bytes(300000))
                for expect in ("Expect: 100-continue", "Expect:"):
                    long = self.ask(server, version, "/notes", "-H", expect,
                                    "-H", "Content-Type: text/plain",
                                    "--data-binary", f"@{UPLOAD}")
                    self.assertEqual(long.status, 413)

    def test_an_upload_is_hashed_while_it_comes(self):
        data = os.urandom(5000000)
        UPLOAD.write_bytes(data)
        for version in VERSIONS:
            with self.subTest(version), Rest() as server:
                for args in ([], ["-H", "Transfer-Encoding: chunked"]):
                    answer = self.ask(server, version, "/digest", "-T", UPLOAD, "-X", "POST",
                                      *args)
                    self.assertEqual((answer.status, answer.fields["x-length"]), (200, "5000000"))
                    self.assertIn(hashlib.sha256(data).hexdigest().encode(), answer.body)

    def test_a_download_is_written_as_it_is_taken(self):
        want = b"".join(b"%d\n" % i for i in range(1, 300001))
        for version in VERSIONS:
            for rate in ("1G", "4M"):
                with self.subTest(version=version, rate=rate), Rest() as server:
                    got = self.ask(server, version, "/count/300000", "--limit-rate", rate)
                    self.assertEqual(got.body, want)
                    self.assertEqual(self.ask(server, version, "/count/0").body, b"")
                    self.assertEqual(self.ask(server, version, "/count/x").status, 400)

    def test_many_at_once(self):
        for version in VERSIONS:
            with self.subTest(version), Rest() as server:
                folder = pathlib.Path(support.folder())
                urls = [f"{server.url}/count/{n}" for n in range(1, 31)]
                done = support.run(["curl", "-sS", version, "--cacert", CA.cert, "-Z",
                                    *(word for n, url in enumerate(urls)
                                      for word in ("-o", folder / f"count-{n}", url))])
                self.assertEqual(done.returncode, 0)
                for n in range(30):
                    self.assertEqual((folder / f"count-{n}").read_text().split()[-1], str(n + 1))


class ByHand(RestTest):
    def test_a_trailer_of_the_client_is_held_against_what_came(self):
        right = hashlib.sha256(b"abcde").hexdigest()
        with Rest() as server, server.socket() as sock:
            answers = support.Responses(sock)
            for digest, status in ((right, 200), ("0" * 64, 422), (right, 200)):
                sock.sendall(b"POST /digest HTTP/1.1\r\nHost: localhost\r\n"
                             b"Transfer-Encoding: chunked\r\nTrailer: X-SHA-256\r\n\r\n"
                             b"5\r\nabcde\r\n0\r\nx-sha-256: " + digest.encode() + b"\r\n\r\n")
                self.assertEqual(answers.head()[0], status)
                end = b"not what was sent.\n" if status == 422 else \
                    b"0\r\nX-SHA-256: " + right.encode() + b"\r\n\r\n"
                while not answers.buffer.endswith(end):
                    answers.buffer += sock.recv(65536)
                answers.buffer.clear()

    def test_pipelined_requests_and_a_slow_reader(self):
        with Rest() as server, server.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.sendall(b"GET /count/200000 HTTP/1.1\r\nHost: x\r\n\r\n" * 3 +
                         b"GET /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            time.sleep(0.5)  # the server waits; others are served meanwhile
            self.assertEqual(self.ask(server, "--http2", "/notes").status, 200)
            text = support.read_to_end(sock)
            self.assertEqual(text.count(b"HTTP/1.1 200 OK"), 4)
            self.assertEqual(text.count(b"\n200000\n"), 3)
            self.assertTrue(text.endswith(b"[]\n"))

    def test_a_stop_lets_what_is_in_flight_end(self):
        with Rest() as server:
            with server.socket() as sock, server.socket() as idle:
                sock.sendall(b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
                             b"Content-Length: 5\r\n\r\nab")
                time.sleep(0.3)
                server.process.send_signal(signal.SIGTERM)
                self.assertEqual(idle.recv(1), b"")
                sock.sendall(b"cde")
                text = support.read_to_end(sock)
                self.assertIn(b"HTTP/1.1 201 Created\r\n", text)
                self.assertIn(b"Connection: close\r\n", text)
            self.assertEqual(server.process.wait(support.AT_ONCE), 0)

    def test_nonsense_is_refused_and_others_do_not_notice(self):
        with Rest() as server:
            for text, status in ((b"nonsense\r\n\r\n", 400),
                                 (b"GET / HTTP/1.1\r\n\r\n", 400),
                                 (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n", 414),
                                 (b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                                  b"Transfer-Encoding: chunked\r\n\r\n", 400)):
                with server.socket() as sock:
                    sock.sendall(text)
                    self.assertIn(f"HTTP/1.1 {status} ".encode(), support.read_to_end(sock))
            self.assertEqual(self.ask(server, "--http1.1", "/notes").status, 200)


if __name__ == "__main__":
    support.main()
