#!/usr/bin/env python3
"""Content codings of `cleat serve`, as curl decodes them and a raw client sees them: files that lie
there compressed, files compressed in memory, what depends on Accept-Encoding and what is said."""
import gzip
import os
import time
import unittest

import support

support.need("curl", "openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
PAGE = "<p>a line of a page that is worth compressing</p>\n" * 200

(ROOT / "page.html").write_text(PAGE)
(ROOT / "small.html").write_text("<p>small</p>")
(ROOT / "noise.txt").write_bytes(os.urandom(20000))
(ROOT / "image.png").write_text(PAGE)
(ROOT / "large.txt").write_text("x" * ((1 << 20) + 1))


def setUpModule():
    global server
    server = support.Server(*PAIR.args(), "--root", ROOT, "--compress", "on").__enter__()


def tearDownModule():
    server.__exit__(None, None, None)


def ask(path, accept=None, *fields, method="GET", at=None):
    """(status, fields by lower-case name, body) as they came; h1, nothing decoded."""
    args = ["-o", support.folder() / "body", "-D", "-", "--http1.1"]
    args += ["-I"] if method == "HEAD" else ["-X", method]
    for field in [f"Accept-Encoding: {accept}"] * (accept is not None) + list(fields):
        args += ["-H", field]
    (support.folder() / "body").write_bytes(b"")
    head = support.run(["curl", "-sS", "--cacert", CA.cert, *args, (at or server).url + path])
    lines = head.stdout.decode().split("\r\n")
    named = dict(line.lower().split(": ", 1) if ": " in line else (line, "") for line in lines[1:])
    body = b"" if method == "HEAD" else (support.folder() / "body").read_bytes()
    return int(lines[0].split()[1]), named, body


def decoded(path, *args):
    """What curl makes of it, with a protocol and a coding of its choice."""
    return support.run(["curl", "-sS", "--cacert", CA.cert, "--compressed", *args,
                        server.url + path]).stdout


class InMemory(unittest.TestCase):
    def test_curl_decodes_every_coding_over_both_protocols(self):
        for coding in ("gzip", "br", "zstd"):
            for protocol in ("--http1.1", "--http2"):
                status, fields, body = ask("/page.html", coding)
                self.assertEqual((status, fields["content-encoding"]), (200, coding))
                self.assertLess(len(body), len(PAGE) // 20)
                self.assertEqual(int(fields["content-length"]), len(body))
                self.assertEqual(decoded("/page.html", protocol, "-H",
                                         f"Accept-Encoding: {coding}").decode(), PAGE)

    def test_the_clients_weights_decide_then_the_order(self):
        for accept, coding in (("gzip, deflate, br, zstd", "br"), ("gzip, zstd", "zstd"),
                               ("gzip;q=1, br;q=0.1", "gzip"), ("deflate", None), ("", None),
                               (None, None), ("identity, br;q=0.5", None), ("*", "br"),
                               ("br;q=0, *", "zstd")):
            with self.subTest(accept=accept):
                status, fields, body = ask("/page.html", accept)
                self.assertEqual(status, 200)
                self.assertEqual(fields.get("content-encoding"), coding)
                self.assertEqual(fields["vary"], "accept-encoding")
                if coding is None:
                    self.assertEqual(body.decode(), PAGE)

    def test_what_is_not_worth_it_goes_as_it_is(self):
        for path, varies in (("/small.html", False), ("/image.png", False), ("/large.txt", False),
                             ("/noise.txt", True)):
            status, fields, body = ask(path, "gzip, br, zstd")
            self.assertEqual(status, 200)
            self.assertNotIn("content-encoding", fields)
            self.assertEqual("vary" in fields, varies, path)
            self.assertEqual(body, (ROOT / path[1:]).read_bytes())

    def test_a_head_says_what_a_get_would(self):
        for accept in (None, "br", "gzip"):
            _, get, _ = ask("/page.html", accept)
            _, head, _ = ask("/page.html", accept, method="HEAD")
            for name in ("content-length", "etag", "vary", "content-type", "last-modified"):
                self.assertEqual(get[name], head[name])
            self.assertEqual(get.get("content-encoding"), head.get("content-encoding"))

    def test_each_coding_has_a_tag_of_its_own(self):
        tags = {accept: ask("/page.html", accept)[1]["etag"]
                for accept in ("identity", "gzip", "br", "zstd")}
        self.assertEqual(len(set(tags.values())), 4)
        for accept, tag in tags.items():
            self.assertEqual(tag.startswith('w/"'), accept != "identity")
            real = tag.replace('w/"', 'W/"')
            status, fields, _ = ask("/page.html", accept, f"If-None-Match: {real}")
            self.assertEqual((status, fields["vary"]), (304, "accept-encoding"))
            self.assertNotIn("content-encoding", fields)
            other = "identity" if accept != "identity" else "br"
            self.assertEqual(ask("/page.html", other, f"If-None-Match: {real}")[0], 200)

    def test_parts_are_parts_of_the_file_as_it_is(self):
        _, whole, _ = ask("/page.html", "gzip")
        status, fields, body = ask("/page.html", "gzip", "Range: bytes=3-9")
        self.assertEqual((status, fields["vary"]), (206, "accept-encoding"))
        self.assertNotIn("content-encoding", fields)
        self.assertEqual(body.decode(), PAGE[3:10])
        tag = whole["etag"].replace('w/"', 'W/"')
        status, fields, body = ask("/page.html", "gzip", "Range: bytes=3-9", f"If-Range: {tag}")
        self.assertEqual((status, len(body)), (200, len(PAGE)))
        self.assertNotIn("accept-ranges", whole)

    def test_no_transform_is_respected(self):
        _, fields, body = ask("/page.html", "gzip", "Cache-Control: no-transform")
        self.assertNotIn("content-encoding", fields)
        self.assertEqual(body.decode(), PAGE)

    def test_who_refuses_everything_gets_406(self):
        for path, accept in (("/page.html", "identity;q=0"), ("/image.png", "br, *;q=0")):
            self.assertEqual(ask(path, accept)[0], 406)
        self.assertEqual(ask("/page.html", "identity;q=0, gzip")[1]["content-encoding"], "gzip")

    def test_a_changed_file_is_compressed_anew(self):
        file = ROOT / "changing.txt"
        for text in ("first " * 500, "second " * 500):
            file.write_text(text)
            self.assertEqual(decoded("/changing.txt").decode(), text)


class BesideFiles(unittest.TestCase):
    """FILE.br, FILE.zst and FILE.gz; their bytes are those that the server itself has made."""
    @classmethod
    def setUpClass(cls):
        cls.coded = {coding: ask("/page.html", coding)[2] for coding in ("br", "zstd")}
        cls.coded["gzip"] = gzip.compress(PAGE.encode())
        cls.plain = support.Server(*PAIR.args(), "--root", ROOT).__enter__()
        cls.off = support.Server(*PAIR.args(), "--root", ROOT, "--no-precompressed").__enter__()

    @classmethod
    def tearDownClass(cls):
        for one in (cls.plain, cls.off):
            one.__exit__(None, None, None)

    def put(self, name, *codings, older=0):
        (ROOT / name).write_text(PAGE)
        for coding in codings:
            path = ROOT / (name + {"br": ".br", "zstd": ".zst", "gzip": ".gz"}[coding])
            path.write_bytes(self.coded[coding])
            if older:
                past = time.time() - older
                os.utime(path, (past, past))

    def test_they_are_sent_for_the_file(self):
        self.put("app.js", "br", "zstd", "gzip")
        for coding in ("br", "zstd", "gzip"):
            status, fields, body = ask("/app.js", coding, at=self.plain)
            self.assertEqual((status, fields["content-encoding"]), (200, coding))
            self.assertEqual(fields["content-type"], "text/javascript; charset=utf-8")
            self.assertEqual(body, self.coded[coding])
            self.assertEqual(fields["vary"], "accept-encoding")
            self.assertFalse(fields["etag"].startswith("w/"))
        self.assertEqual(decoded("/app.js").decode(), PAGE)

    def test_what_is_not_there_is_not_sent_but_the_answer_varies(self):
        self.put("one.css", "gzip")
        for accept, coding in (("br", None), ("br, gzip", "gzip"), (None, None)):
            _, fields, _ = ask("/one.css", accept, at=self.plain)
            self.assertEqual(fields.get("content-encoding"), coding)
            self.assertEqual(fields["vary"], "accept-encoding")
        _, fields, _ = ask("/page.html", "br", at=self.plain)
        self.assertNotIn("vary", fields)

    def test_parts_are_parts_of_what_lies_there(self):
        self.put("part.css", "gzip")
        _, whole, _ = ask("/part.css", "gzip", at=self.plain)
        for condition in ((), (f"If-Range: {whole['etag']}",)):
            status, fields, body = ask("/part.css", "gzip", "Range: bytes=2-7", *condition,
                                       at=self.plain)
            self.assertEqual((status, fields["content-encoding"]), (206, "gzip"))
            self.assertEqual(body, self.coded["gzip"][2:8])
            self.assertEqual(fields["content-range"], f"bytes 2-7/{len(self.coded['gzip'])}")
        status, _, body = ask("/part.css", None, "Range: bytes=2-7", f"If-Range: {whole['etag']}",
                              at=self.plain)
        self.assertEqual((status, body.decode()), (200, PAGE))
        status, fields, _ = ask("/part.css", "gzip", "Range: bytes=999999-", at=self.plain)
        self.assertEqual((status, fields["vary"]), (416, "accept-encoding"))
        self.assertEqual(fields["content-range"], f"bytes */{len(self.coded['gzip'])}")

    def test_an_older_one_is_passed_over(self):
        self.put("stale.css", "gzip", "br", older=100)
        _, fields, body = ask("/stale.css", "gzip, br", at=self.plain)
        self.assertNotIn("content-encoding", fields)
        self.assertNotIn("vary", fields)
        self.assertEqual(body.decode(), PAGE)

    def test_the_compressed_file_itself_is_sent_as_it_is(self):
        self.put("self.css", "gzip", "br")
        for suffix, coding in ((".gz", "gzip"), (".br", "br")):
            status, fields, body = ask("/self.css" + suffix, "gzip, br", at=self.plain)
            self.assertEqual((status, body), (200, self.coded[coding]))
            self.assertNotIn("content-encoding", fields)

    def test_folders_links_and_empty_files_are_passed_over(self):
        (ROOT / "odd.css").write_text(PAGE)
        (ROOT / "odd.css.br").mkdir()
        outside = support.folder() / "outside.gz"
        outside.write_bytes(self.coded["gzip"])
        (ROOT / "odd.css.gz").symlink_to(outside)
        (ROOT / "odd.css.zst").write_bytes(b"")
        _, fields, body = ask("/odd.css", "gzip, br, zstd", at=self.plain)
        self.assertNotIn("content-encoding", fields)
        self.assertEqual(body.decode(), PAGE)

    def test_a_folders_index_has_them_too(self):
        (ROOT / "sub").mkdir()
        self.put("sub/index.html", "gzip")
        _, fields, body = ask("/sub/", "gzip", at=self.plain)
        self.assertEqual((fields["content-encoding"], body), ("gzip", self.coded["gzip"]))
        self.assertEqual(fields["content-type"], "text/html; charset=utf-8")

    def test_they_can_be_switched_off(self):
        self.put("off.css", "gzip", "br")
        _, fields, _ = ask("/off.css", "gzip, br", at=self.off)
        self.assertNotIn("content-encoding", fields)
        self.assertNotIn("vary", fields)

    def test_what_lies_there_is_preferred_to_what_would_be_made(self):
        self.put("both.css", "gzip")
        _, fields, body = ask("/both.css", "gzip, br, zstd")
        self.assertEqual((fields["content-encoding"], body), ("gzip", self.coded["gzip"]))
        _, fields, _ = ask("/both.css", "gzip;q=0.5, br")
        self.assertEqual(fields["content-encoding"], "br")


class Options(unittest.TestCase):
    def test_wrong_lists_are_refused(self):
        for value in ("deflate", "br,br", "lzma", "", "identity", "off,br"):
            done = support.run([support.CLEAT, "serve", *PAIR.args(), "--compress", value],
                               check=False)
            self.assertEqual(done.returncode, 2, value)
            self.assertIn(b"--compress", done.stderr)

    def test_a_list_is_an_order(self):
        with support.Server(*PAIR.args(), "--root", ROOT, "--compress", "gzip,zstd") as one:
            _, fields, _ = ask("/page.html", "br, zstd, gzip", at=one)
            self.assertEqual(fields["content-encoding"], "gzip")


if __name__ == "__main__":
    support.main()
