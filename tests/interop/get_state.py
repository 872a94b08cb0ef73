#!/usr/bin/env python3
"""`cleat get` beside curl where something is kept: cookies between requests and runs, attempts that
are made again, files that are gone on with."""
import os
import re
import stat
import time

from get_beside import OK, Beside, answer
from support import main


def says(*lines, status="200 OK", body=b"hello"):
    return (f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode()
            + b"".join(line.encode() + b"\r\n" for line in lines) + b"\r\n" + body)


def in_turn(*answers):
    """Each request gets the next answer; the last one stays."""
    left = list(answers)

    def script(tls, head):
        tls.sendall(left.pop(0) if len(left) > 1 else left[0])
        return "close"
    return script


def cookies_of(head):
    found = re.search(r"(?im)^cookie: (.*)\r$", head)
    return found.group(1) if found else None


class Cookies(Beside):
    SET = ("Set-Cookie: session=1; Path=/; HttpOnly",
           "Set-Cookie: kept=2; Path=/; Max-Age=3600; Secure",
           "Set-Cookie: deep=3; Path=/deep", "Set-Cookie: gone=4; Max-Age=0",
           "Set-Cookie: other=5; Domain=example.com", "Set-Cookie: suffix=6; Domain=com",
           "Set-Cookie: __Host-bad=7; Path=/", "Set-Cookie: __Host-good=8; Path=/; Secure")

    def test_a_jar_is_written_that_curl_reads_and_the_other_way_round(self):
        for write, read in ((self.fetch, self.curl), (self.curl, self.fetch)):
            jar = self.folder / f"jar-{write.__name__}"
            with self.serve(answer(says(*self.SET))) as server:
                url = f"https://localhost:{server.port}/deep/x"
                write("-sS", "-c", jar, url)
                read("-sS", "-b", jar, url)
                read("-sS", "-b", jar, "-j", url)
            self.assertIsNone(cookies_of(server.heads[0]))
            self.assertEqual(sorted(cookies_of(server.heads[1]).split("; ")),
                             ["__Host-good=8", "deep=3", "kept=2", "session=1"])
            self.assertTrue(cookies_of(server.heads[1]).startswith("deep=3"))
            self.assertEqual(cookies_of(server.heads[2]), "kept=2")
        ours = self.folder / "jar-fetch"
        self.assertEqual(stat.S_IMODE(ours.stat().st_mode), 0o600)
        self.assertIn("#HttpOnly_localhost\tFALSE\t/\tFALSE\t0\tsession\t1\n", ours.read_text())

    def test_cookies_are_kept_within_a_run_when_asked_for(self):
        for args, want in (((), None), (("-b", ""), "session=1")):
            with self.serve(answer(says(self.SET[0]))) as server:
                url = f"https://localhost:{server.port}/"
                self.fetch("-sS", *args, url, url)
                self.curl("-sS", *args, url, url)
            self.assertEqual([cookies_of(h) for h in server.heads], [None, want, None, want])

    def test_data_is_sent_with_what_the_jar_has(self):
        jar = self.folder / "jar-data"
        jar.write_text("localhost\tFALSE\t/\tFALSE\t0\tfile\t1\n")
        ours, theirs, server = self.both(answer(OK), "-sS", "-b", "a=1; b=2", "-b", jar)
        self.assertEqual(cookies_of(server.heads[0]), "file=1; a=1; b=2")
        self.assertEqual(cookies_of(server.heads[1]), "file=1; a=1; b=2")

    def test_redirects_take_cookies_along_and_data_to_the_first_host_alone(self):
        with self.serve(answer(OK)) as there:
            away = says(self.SET[0], f"Location: https://127.0.0.1:{there.port}/", status="302 F")
            with self.serve(in_turn(says(self.SET[0], "Location: /b", status="302 Found"),
                                    away)) as here:
                self.fetch("-sSL", "-b", "a=secret", "-b", "",
                           f"https://localhost:{here.port}/a")
        self.assertEqual([cookies_of(h) for h in here.heads], ["a=secret", "session=1; a=secret"])
        self.assertIsNone(cookies_of(there.heads[0]))

    def test_a_value_is_in_no_trace(self):
        trace = self.folder / "trace"
        with self.serve(answer(says("Set-Cookie: name=s3cret"))) as server:
            url = f"https://localhost:{server.port}/"
            result = self.fetch("-v", "-b", "given=h1dden", "-c", self.folder / "jar-trace",
                                "--trace-json", trace, url, url)
        told = result.stderr + trace.read_bytes()
        self.assertIn(b"cookie name: kept", told)
        self.assertNotIn(b"s3cret", told)
        self.assertNotIn(b"h1dden", told)

    def test_files_that_are_not_there_stop_nothing(self):
        with self.serve(answer(says(self.SET[0]))) as server:
            url = f"https://localhost:{server.port}/"
            read = self.fetch("-sS", "-b", self.folder / "none", url)
            wrote = self.fetch("-sS", "-c", self.folder / "no" / "folder", url)
            self.fetch("-sS", "-c", "/dev/null", url)
            printed = self.fetch("-sS", "-o", self.folder / "o", "-c", "-", url)
        self.assertIn(b"cannot read the cookies", read.stderr)
        self.assertIn(b"cannot write the cookies", wrote.stderr)
        self.assertIn(b"\tsession\t1\n", printed.stdout)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))


class Retry(Beside):
    BUSY = says("Retry-After: 1", status="503 Service Unavailable", body=b"busy")

    def test_a_server_that_is_busy_is_asked_again(self):
        target = self.folder / "retried"
        for run in (self.fetch, self.curl):
            with self.serve(in_turn(self.BUSY, OK)) as server:
                begin = time.monotonic()
                result = run("-s", "--retry", "2", "-o", target, "-w",
                             "%{http_code} %{size_download}", f"https://localhost:{server.port}/")
            self.assertEqual(len(server.heads), 2)
            self.assertGreaterEqual(time.monotonic() - begin, 1)
            self.assertEqual(result.stdout, b"200 5")
            self.assertEqual(target.read_bytes(), b"hello")

    def test_the_last_answer_stands_when_all_attempts_fail(self):
        for args, code in (((), 0), (("-f",), 22)):
            ours, theirs, server = self.both(answer(self.BUSY), "-s", "--retry", "1", "-w",
                                             "%{http_code}", "-o", self.folder / "busy", *args,
                                             code=code)
            self.assertEqual(len(server.heads), 4)
            self.assertEqual(ours.stdout, theirs.stdout)

    def test_what_will_not_pass_is_not_tried_again(self):
        _, _, server = self.both(answer(says(status="404 Not Found")), "-s", "--retry", "3")
        self.assertEqual(len(server.heads), 2)

    def test_all_errors_are_tried_again_on_request(self):
        for args, num in (((), 1), (("--retry-all-errors",), 2)):
            with self.serve(in_turn(b"", OK)) as server:
                result = self.fetch("-sS", "--retry", "1", "--retry-delay", "0.1", *args, "-w",
                                    "%{num_retries}", f"https://localhost:{server.port}/",
                                    code=52 if num == 1 else 0)
            self.assertEqual(len(server.heads), num)
            self.assertEqual(result.stdout, b"0" if num == 1 else b"hello1")

    def test_nobody_there_is_tried_again_on_request(self):
        args = ("-s", "--retry", "1", "--retry-delay", "1", "https://127.0.0.1:1/")
        begin = time.monotonic()
        self.fetch(*args, code=7)
        self.assertLess(time.monotonic() - begin, 1)
        self.fetch("--retry-connrefused", *args, code=7)
        self.curl("--retry-connrefused", *args, code=7)
        self.assertGreaterEqual(time.monotonic() - begin, 2)

    def test_the_limit_for_the_whole_ends_it(self):
        slow = says("Retry-After: 60", status="503 S")
        begin = time.monotonic()
        _, _, server = self.both(answer(slow), "-s", "--retry", "5", "--retry-max-time", "5")
        self.assertLess(time.monotonic() - begin, 50)
        self.assertEqual(server.heads[0].split()[0], "GET")
        with self.serve(answer(says(status="503 S"))) as server:
            self.fetch("-s", "--retry", "50", "--retry-delay", "0.2", "--retry-max-time", "1",
                       f"https://localhost:{server.port}/")
        self.assertIn(len(server.heads), range(2, 6))

    def test_a_body_is_sent_again(self):
        with self.serve(in_turn(self.BUSY, OK)) as server:
            result = self.fetch("--no-progress-meter", "-d", "a=b", "--retry", "1", "-o",
                                self.folder / "again", f"https://localhost:{server.port}/")
        self.assertEqual(server.bodies, [b"a=b", b"a=b"])
        self.assertIn(b"warning: HTTP 503; will try again in 1.0 s (1 attempt left)", result.stderr)


WHOLE = bytes(range(256)) * 40


def ranges(tls, head):
    """A server that knows ranges of one file."""
    found = re.search(r"(?i)\r\nRange: bytes=(\d+)-\r\n", head)
    first = int(found.group(1)) if found else 0
    if first >= len(WHOLE):
        tls.sendall(says(f"Content-Range: bytes */{len(WHOLE)}", status="416 R", body=b"no"))
    elif first:
        part = WHOLE[first:]
        tls.sendall(says(f"Content-Range: bytes {first}-{len(WHOLE) - 1}/{len(WHOLE)}",
                         status="206 Partial Content", body=part))
    else:
        tls.sendall(says(body=WHOLE))
    return "close"


class Resume(Beside):
    def go_on(self, have, script=ranges, args=("-C", "-"), code=0, url_args=()):
        """Runs both over a file of which so much is there; returns the two results."""
        target = self.folder / "part"
        results = []
        with self.serve(script) as server:
            for run in (self.fetch, self.curl):
                if have is None:
                    target.unlink(missing_ok=True)
                else:
                    target.write_bytes(have)
                result = run("-sS", *args, "-o", target, f"https://localhost:{server.port}/",
                             code=code)
                results.append((result, target.read_bytes()))
        self.assertEqual(results[0][1], results[1][1])
        return results[0]

    def test_what_is_missing_is_fetched(self):
        for have in (None, b"", WHOLE[:1], WHOLE[:5000], WHOLE[:-1]):
            _, now = self.go_on(have)
            self.assertEqual(now, WHOLE)

    def test_a_file_that_is_complete_stays_as_it_is(self):
        for args in (("-C", "-"), ("-C", str(len(WHOLE)))):
            _, now = self.go_on(WHOLE, args=args)
            self.assertEqual(now, WHOLE)
        target = self.folder / "complete"
        target.write_bytes(WHOLE)
        with self.serve(ranges) as server:  # older versions of curl call this one a failure
            self.fetch("-sSf", "-C", "-", "-o", target, f"https://localhost:{server.port}/")
        self.assertEqual(target.read_bytes(), WHOLE)
        _, now = self.go_on(b"hello", script=answer(OK))
        self.assertEqual(now, b"hello")

    def test_a_head_alone_is_shown(self):
        target = self.folder / "head"
        target.write_bytes(b"abc")
        with self.serve(answer(OK[:-5])) as server:
            self.fetch("-sSI", "-C", "3", f"https://localhost:{server.port}/")

    def test_a_number_is_where_to_go_on(self):
        _, now = self.go_on(WHOLE[:100], args=("-C", "200"))
        self.assertEqual(now, WHOLE[:100] + WHOLE[200:])

    def test_a_server_without_ranges_is_exit_code_33(self):
        result, now = self.go_on(b"abc", script=answer(OK), code=33)
        self.assertEqual(now, b"abc")
        self.assertIn(b"it does not know ranges", result.stderr)

    def test_another_part_is_not_appended(self):
        wrong = says("Content-Range: bytes 0-4/5", status="206 Partial Content")
        target = self.folder / "wrong"
        target.write_bytes(b"abc")
        with self.serve(answer(wrong)) as server:
            self.fetch("-sS", "-C", "-", "-o", target, f"https://localhost:{server.port}/", code=33)
        self.assertEqual(target.read_bytes(), b"abc")

    def test_a_server_whose_file_is_shorter_is_told(self):
        target = self.folder / "longer"
        target.write_bytes(WHOLE + b"more")
        with self.serve(ranges) as server:
            result = self.fetch("-sS", "-C", "-", "-o", target,
                                f"https://localhost:{server.port}/", code=33)
        self.assertIn(f"the server's file has {len(WHOLE)} bytes".encode(), result.stderr)

    def test_an_interrupted_download_is_completed_by_retry_and_resume(self):
        target = self.folder / "retried-part"
        target.write_bytes(WHOLE[:10])
        busy = says(status="503 S", body=b"busy")
        left = [busy]

        def script(tls, head):
            if left:
                tls.sendall(left.pop())
                return "close"
            return ranges(tls, head)
        with self.serve(script) as server:
            self.fetch("-sS", "-f", "--retry", "1", "--retry-delay", "0.1", "-C", "-", "-o", target,
                       f"https://localhost:{server.port}/")
        self.assertEqual(target.read_bytes(), WHOLE)


if __name__ == "__main__":
    main()
