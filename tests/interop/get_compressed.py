#!/usr/bin/env python3
"""`cleat get --compressed` beside curl: what is asked for, every coding decoded, what is broken."""
import gzip
import pathlib
import zlib

from get_more import Beside
from get_support import nginx
from support import main

CORPUS = pathlib.Path(__file__).parents[2] / "fuzz/corpus/coding"
TEXT = b"<p>content coding of the web</p>\n<p>content coding of the web, again</p>\n"


def corpus(name):
    """A body that the libraries made (two bytes of the fuzz target in front)."""
    return (CORPUS / name).read_bytes()[2:]


def raw_deflate(data):
    z = zlib.compressobj(6, zlib.DEFLATED, -15)
    return z.compress(data) + z.flush()


def response(body, coding, more=""):
    field = f"Content-Encoding: {coding}\r\n" if coding is not None else ""
    return (f"HTTP/1.1 200 OK\r\n{field}{more}Content-Length: {len(body)}\r\n\r\n").encode() + body


class Compressed(Beside):
    def script(self, data):
        def run(tls, head):
            self.head = head
            tls.sendall(data)
            return "close"
        return run

    def test_every_coding_is_decoded_as_curl_does(self):
        gz = gzip.compress(TEXT)
        for coding, body in (("gzip", gz), ("x-gzip", gz), ("GZIP", gz),
                             ("deflate", zlib.compress(TEXT)), ("deflate", raw_deflate(TEXT)),
                             ("br", corpus("br")), ("zstd", corpus("zstd")),
                             ("identity", TEXT), (None, TEXT), ("gzip, gzip", gzip.compress(gz)),
                             ("gzip", b"")):
            with self.subTest(coding=coding, bytes=len(body)):
                ours, theirs, _ = self.both(self.script(response(body, coding)), "-s",
                                            "--compressed", "-w", "|%{size_download}")
                expected = TEXT if body else b""
                self.assertEqual(ours.stdout, expected + b"|%d" % len(body))
                self.assertEqual(ours.stdout, theirs.stdout)

    def test_codings_upon_each_other_are_undone(self):
        for names in (("gzip", "deflate"), ("deflate", "br"), ("br", "zstd"), ("zstd", "gzip")):
            body = corpus("-".join(names))
            with self.serve(self.script(response(body, ", ".join(names)))) as server:
                result = self.fetch("-sS", "--compressed", f"https://localhost:{server.port}/")
            self.assertEqual(result.stdout, TEXT)

    def test_what_is_asked_for_is_curls_list(self):
        heads = []
        self.both(lambda tls, head: (heads.append(head), tls.sendall(response(b"", None)),
                                     "close")[-1], "-s", "--compressed")
        fields = [line for head in heads for line in head.split("\r\n")
                  if line.lower().startswith("accept-encoding:")]
        self.assertEqual(len(fields), 2)
        self.assertEqual(fields[0].split(": ")[1].split(", ")[:3], ["deflate", "gzip", "br"])
        self.assertEqual(fields[0], fields[1])

    def test_without_the_option_a_body_is_written_as_it_comes(self):
        gz = gzip.compress(TEXT)
        ours, theirs, _ = self.both(self.script(response(gz, "gzip")), "-s")
        self.assertEqual(ours.stdout, gz)
        self.assertEqual(theirs.stdout, gz)
        self.assertNotIn("accept-encoding", self.head.lower())

    def test_unknown_and_broken_codings_end_with_61(self):
        gz = gzip.compress(TEXT)
        for coding, body, why in (("rot13", TEXT, b"rot13"), ("gzip", TEXT, b"not valid gzip"),
                                  ("br", b"\xff" * 40, b"not valid br"),
                                  ("zstd", TEXT, b"not valid zstd")):
            with self.subTest(coding=coding):
                ours, _, _ = self.both(self.script(response(body, coding)), "-sS", "--compressed",
                                       code=61)
                self.assertIn(why, ours.stderr)
                self.assertIn(b"without --compressed", ours.stderr)
        # what curl passes over
        for coding, body, why in (("gzip", gz[:-9], b"ends before its gzip does"),
                                  ("gzip", gz + b"more", b"not valid gzip"),
                                  (", ".join(["gzip"] * 6), gz, b"more than 5 codings"),
                                  ("br", corpus("br")[:-3], b"ends before its br does")):
            with self.subTest(coding=coding, why=why), \
                    self.serve(self.script(response(body, coding))) as server:
                result = self.fetch("-sS", "--compressed", f"https://localhost:{server.port}/",
                                    code=61)
                self.assertIn(why, result.stderr)

    def test_no_body_is_no_failure(self):
        for data, args in ((b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: br\r\n\r\n", ()),
                           (b"HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 9"
                            b"\r\n\r\n", ("-I",))):
            self.both(self.script(data), "-s", "--compressed", *args)

    def test_a_redirects_body_is_not_looked_at(self):
        def run(tls, head):
            if "GET /to" in head:
                tls.sendall(response(gzip.compress(TEXT), "gzip"))
            else:
                tls.sendall(b"HTTP/1.1 302 Found\r\nLocation: /to\r\nContent-Encoding: br\r\n"
                            b"Content-Length: 4\r\n\r\nnope")
            return "close"
        with self.serve(run) as server:
            result = self.fetch("-sSL", "--compressed", f"https://localhost:{server.port}/")
        self.assertEqual(result.stdout, TEXT)

    def test_a_bomb_is_stopped(self):
        once = gzip.compress(bytes(1 << 20), 9)
        bomb = gzip.compress(once * 600, 9)  # 600 MiB in a few kilobytes
        with self.serve(self.script(response(bomb, "gzip, gzip"))) as server:
            result = self.fetch("-sS", "--compressed", "-o", "/dev/null",
                                f"https://localhost:{server.port}/", code=61)
        self.assertIn(b"1100 times", result.stderr)

    def test_nginx_compresses_for_us(self):
        page = "a line of nginx\n" * 200
        with nginx(self.folder, self.cert, self.key, "gzip on;", "gzip_types *;",
                   page=page) as server:
            result = self.fetch("-sS", "--compressed", "-w", "%{size_download}",
                                f"https://localhost:{server.port}/")
        body, size = result.stdout[:len(page)], int(result.stdout[len(page):])
        self.assertEqual(body, page.encode())
        self.assertLess(size, len(page) // 10)


if __name__ == "__main__":
    main()
