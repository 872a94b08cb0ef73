#!/usr/bin/env python3
"""`cleat get` beside curl where much is sent: files (-T, -d @FILE), forms with files (-F), and a
server that says what it thinks before the body is there."""
import os
import pty
import re
import subprocess
import time

from get_beside import OK, Beside
from get_support import PROGRAM, Scripted
from support import PATIENCE, main

BIG = os.urandom(3_000_000)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FIELDS = ("host", "user-agent", "accept", "connection")


def go_on(head):
    """100 Continue for those who ask."""
    return CONTINUE if "Expect:" in head else b""


class Taking(Scripted):
    """Reads bodies of every framing, and may answer before that.

    early(head) returns what to say when the head is there: b"" for nothing, an interim response,
    or, with `final`, all that is said.
    """

    def __init__(self, cert, key, early=lambda head: b"", final=False, say=lambda head: OK):
        super().__init__(cert, key, None)
        self.early, self.final, self.say = early, final, say
        self.waits = []

    def _serve(self, tls):
        data = b""
        while b"\r\n\r\n" not in data:
            more = tls.recv(65536)
            if not more:
                return False
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        head = head.decode("latin-1") + "\r\n\r\n"
        self.heads.append(head)
        said = self.early(head)
        tls.sendall(said)
        if said and self.final:
            self.bodies.append(data)
            tls.settimeout(0.3)
            try:  # what comes although it was not wanted
                while more := tls.recv(65536):
                    self.bodies[-1] += more
            except OSError:
                pass
            return False
        begin = time.monotonic()
        body = self._read_body(tls, head, data)
        self.waits.append(self.began - begin)
        self.bodies.append(body)
        tls.sendall(self.say(head))
        return True

    def _read_body(self, tls, head, data):
        self.began = time.monotonic()
        length = re.search(r"(?i)\r\nContent-Length: (\d+)", head)
        chunked = re.search(r"(?i)\r\nTransfer-Encoding: chunked", head)
        if not length and not chunked:
            return data
        wanted = int(length.group(1)) if length else 0
        if not data and (wanted or chunked):
            data = tls.recv(65536)
            self.began = time.monotonic()
        while chunked and not data.endswith(b"0\r\n\r\n") or len(data) < wanted:
            more = tls.recv(65536)
            if not more:
                raise OSError("the body has ended early")
            data += more
        return self._decode(data) if chunked else data

    @staticmethod
    def _decode(data):
        out = b""
        while True:
            line, data = data.split(b"\r\n", 1)
            size = int(line, 16)
            if size == 0:
                return out
            out, data = out + data[:size], data[size + 2:]


def without(head, *names):
    """A head's lines, sorted, without the fields in which programs differ."""
    lines = [line for line in head.split("\r\n")
             if line.split(":")[0].lower() not in FIELDS + names]
    return sorted(line.lower() for line in lines)


class Sending(Beside):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.big = cls.folder / "big file.bin"
        cls.big.write_bytes(BIG)
        cls.small = cls.folder / "small.txt"
        cls.small.write_bytes(b"line 1\r\nline 2\n")

    def send(self, *args, path="/", code=0, differs=(), early=lambda head: b"", final=False,
             say=lambda head: OK, **kwargs):
        """Runs both with these arguments; their requests must be the same, but for some fields."""
        with Taking(self.cert, self.key, early, final, say) as server:
            url = f"https://localhost:{server.port}{path}"
            ours = self.fetch("-sS", *args, url, code=code, **kwargs)
            stdin = kwargs.get("stdin", b"")
            theirs = subprocess.run(
                ["curl", "--cacert", self.ca.cert, "--http1.1", "-sS", *map(str, args), url],
                capture_output=True, timeout=PATIENCE, input=stdin)
        self.assertEqual(theirs.returncode, code, theirs.stderr)
        half = len(server.heads) // 2
        self.assertEqual([without(h, *differs) for h in server.heads[:half]],
                         [without(h, *differs) for h in server.heads[half:]])
        return ours, server


class Uploads(Sending):
    def test_a_file_is_put(self):
        _, server = self.send("-T", self.small, path="/a/name", differs=("expect",))
        self.assertTrue(server.heads[0].startswith("PUT /a/name HTTP/1.1\r\n"))
        self.assertEqual(server.bodies, [b"line 1\r\nline 2\n"] * 2)

    def test_a_folder_gets_the_name_of_the_file(self):
        for path in ("/a/", ""):
            _, server = self.send("-T", self.big, path=path, differs=("expect",), early=go_on)
            self.assertIn(f"PUT {path or '/'}big%20file.bin HTTP/1.1", server.heads[0])
            self.assertEqual(server.bodies, [BIG] * 2)

    def test_standard_input_goes_in_chunks(self):
        for word in ("-", "."):
            _, server = self.send("-T", word, path="/x", stdin=BIG, differs=("expect",),
                                  early=go_on)
            self.assertIn("Transfer-Encoding: chunked\r\n", server.heads[0])
            self.assertEqual(server.bodies, [BIG] * 2)

    def test_standard_input_that_comes_slowly_holds_up_nothing(self):
        with Taking(self.cert, self.key) as server:
            run = subprocess.Popen([PROGRAM, "get", "-sS", "--cacert", str(self.ca.cert), "-T", "-",
                                    "-m", "30", f"https://localhost:{server.port}/"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for part in (b"one ", b"two ", b"three"):
                run.stdin.write(part)
                run.stdin.flush()
                time.sleep(0.2)
            out, _ = run.communicate(timeout=PATIENCE)
        self.assertEqual((out, run.returncode), (b"hello", 0))
        self.assertEqual(server.bodies, [b"one two three"])

    def test_a_limit_ends_the_wait_for_standard_input(self):
        with Taking(self.cert, self.key) as server:
            run = subprocess.Popen([PROGRAM, "get", "-sS", "--cacert", str(self.ca.cert), "-T", "-",
                                    "-m", "2", f"https://localhost:{server.port}/"],
                                   stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(run.wait(timeout=PATIENCE), 28)
            run.stdin.close()
            run.stderr.close()

    def test_several_urls_have_a_file_each(self):
        with Taking(self.cert, self.key) as server:
            url = f"https://localhost:{server.port}/"
            self.fetch("-sS", "-T", self.small, "-T", self.big, url, url, url + "third")
        self.assertEqual([h.split()[0] for h in server.heads], ["PUT", "PUT", "GET"])
        self.assertEqual(server.bodies, [b"line 1\r\nline 2\n", BIG, b""])

    def test_a_file_is_gone_on_with(self):
        _, server = self.send("-T", self.small, "-C", "5", differs=("expect",))
        self.assertIn("Content-Range: bytes 5-14/15\r\n", server.heads[0])
        self.assertEqual(server.bodies, [b"1\r\nline 2\n"] * 2)

    def test_what_cannot_be_read_is_exit_code_26(self):
        for args in (("-T", "/no/such"), ("-d", "@/no/such"), ("-F", "a=@/no/such")):
            self.fetch(*args, "https://localhost/", code=26)

    def test_one_kind_of_body_a_request(self):
        self.fetch("-T", self.small, "-d", "a", "https://localhost/", code=2)
        self.fetch("-F", "a=b", "-d", "a", "https://localhost/", code=2)
        self.fetch("-I", "-F", "a=b", "https://localhost/", code=2)

    def test_memory_is_not_what_the_file_is(self):
        huge = self.folder / "huge"
        with huge.open("wb") as f:
            f.truncate(300_000_000)
        with Taking(self.cert, self.key, say=lambda head: OK) as server:
            server._read_body = lambda tls, head, data: self.drain(server, tls, len(data))
            result = subprocess.run(
                ["sh", "-c", 'ulimit -v 200000; exec "$@"', "sh", PROGRAM, "get", "-sS", "--cacert",
                 str(self.ca.cert), "-T", str(huge), f"https://localhost:{server.port}/"],
                capture_output=True, timeout=PATIENCE)
        if b"anitizer" not in result.stderr:  # sanitizers reserve terabytes of addresses
            self.assertEqual((result.returncode, result.stdout), (0, b"hello"), result.stderr)
            self.assertEqual(server.got, 300_000_000)

    @staticmethod
    def drain(server, tls, got):
        server.began = time.monotonic()
        buffer = bytearray(1 << 20)
        while got < 300_000_000:
            got += tls.recv_into(buffer)
        server.got = got
        return b""


class Data(Sending):
    def test_files_are_part_of_forms(self):
        _, server = self.send("-d", "a=1", "-d", f"@{self.small}", "--data-binary",
                              f"@{self.small}")
        self.assertEqual(server.bodies, [b"a=1&line 1line 2&line 1\r\nline 2\n"] * 2)
        _, server = self.send("--data-binary", f"@{self.big}", differs=("expect",))
        self.assertEqual(server.bodies, [BIG] * 2)

    def test_a_redirect_sends_the_file_again(self):
        def say(head):
            return OK if " /there " in head else (
                b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
        for args in (("--data-binary", f"@{self.big}"), ("-T", self.big), ("-F", f"f=@{self.big}")):
            _, server = self.send("-L", *args, path="/here", say=say, early=go_on,
                                  differs=("expect", "content-type", "content-length"))
            self.assertEqual(len(server.bodies), 4)
            self.assertEqual(server.bodies[0], server.bodies[1])
            self.assertIn(BIG, server.bodies[0])

    def test_standard_input_cannot_be_sent_again(self):
        say = (b"HTTP/1.1 307 T\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
        with Taking(self.cert, self.key, say=lambda head: say) as server:
            result = self.fetch("-sSL", "-T", "-", f"https://localhost:{server.port}/x", code=65,
                                stdin=b"once")
        self.assertIn(b"cannot be read again", result.stderr)


class Forms(Sending):
    BOUNDARY = re.compile(rb"-{24}[0-9A-Za-z]{16,22}")

    def same_form(self, *args, **kwargs):
        _, server = self.send(*args, differs=("content-type", "content-length", "expect"), **kwargs)
        ours, theirs = (self.BOUNDARY.sub(b"BOUNDARY", body) for body in server.bodies)
        self.assertEqual(ours, theirs)
        boundary = re.search(r"boundary=(\S+)\r\n", server.heads[0]).group(1)
        self.assertTrue(server.bodies[0].endswith(f"\r\n--{boundary}--\r\n".encode()))
        return ours

    def test_forms_are_what_curl_makes_of_them(self):
        page = self.folder / "page.HTML"
        page.write_text("<p>")
        self.same_form("-F", "a=1", "-F", "b=two words;type=text/x-y", "-F", f"c=@{self.small}",
                       "-F", f"d=@{page};type=text/html;filename=\"other;name\"", "-F",
                       f"e=<{self.small}", "--form-string", "f=@not;a=file", "-F",
                       "g=\"quo;ted\\\"\"", "-F", "h=", "-F", 'i"j=1')
        self.same_form("-F", "x=@-;filename=in", stdin=b"from standard input")
        self.assertIn(BIG, self.same_form("-F", f"big=@{self.big}"))


class Expect(Sending):
    def test_a_large_body_waits_for_100(self):
        begin = time.monotonic()
        _, server = self.send("--data-binary", f"@{self.big}", early=go_on)
        self.assertIn("Expect: 100-continue\r\n", server.heads[0])
        self.assertEqual(server.bodies, [BIG] * 2)
        self.assertLess(server.waits[0], 0.9, time.monotonic() - begin)

    def test_it_goes_without_100_after_a_second(self):
        _, server = self.send("--data-binary", f"@{self.big}")
        self.assertEqual(server.bodies, [BIG] * 2)
        self.assertGreater(server.waits[0], 0.9)

    def test_a_small_body_does_not_ask(self):
        _, server = self.send("--data-binary", f"@{self.small}")
        self.assertNotIn("Expect", server.heads[0])

    def test_a_field_decides_otherwise(self):
        _, server = self.send("-H", "Expect:", "--data-binary", f"@{self.big}")
        self.assertNotIn("Expect", server.heads[0])
        self.assertLess(server.waits[0], 0.9)
        _, server = self.send("-H", "Expect: 100-continue", "-d", "a=b",
                              early=go_on)
        self.assertEqual(server.bodies, [b"a=b"] * 2)

    def test_a_final_answer_ends_the_upload(self):
        no = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
        ours, server = self.send("-T", self.big, path="/x", early=lambda head: no, final=True,
                                 differs=("expect",))
        self.assertEqual(ours.stdout, b"no")
        self.assertEqual(server.bodies[0], b"")

    def test_a_server_that_does_not_know_the_question_is_not_asked_again(self):
        def early(head):
            return b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n" \
                if "Expect:" in head else b""
        with Taking(self.cert, self.key, early, final=False) as server:
            server.final = True
            result = self.fetch("-sS", "--data-binary", f"@{self.big}",
                                f"https://localhost:{server.port}/")
        self.assertEqual(result.stdout, b"hello")
        self.assertEqual(server.bodies, [b"", BIG])
        self.assertNotIn("Expect", server.heads[1])


class Progress(Sending):
    def test_what_is_sent_has_a_bar(self):
        master, slave = pty.openpty()
        with Taking(self.cert, self.key) as server:
            run = subprocess.Popen([PROGRAM, "get", "--cacert", str(self.ca.cert), "-T",
                                    str(self.big), "-o", "/dev/null",
                                    f"https://localhost:{server.port}/"], stderr=slave,
                                   env={**os.environ, "TERM": "xterm"})
            os.close(slave)
            told = b""
            try:
                while more := os.read(master, 65536):
                    told += more
            except OSError:
                pass
            self.assertEqual(run.wait(timeout=PATIENCE), 0)
        os.close(master)
        self.assertRegex(told, rb"\d+% .* of 2.9 MiB")


if __name__ == "__main__":
    main()
