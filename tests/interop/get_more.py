#!/usr/bin/env python3
"""`cleat get` as a daily tool, side by side with curl where curl has the same: what it prints about
a transfer, the time that its phases take, and the command that curl would need."""
import gzip
import json
import re
import subprocess

from get_beside import OK, Beside, answer
from get_support import get
from support import PATIENCE, main


class WriteOut(Beside):
    # What differs by its nature: ports, versions, times.
    SAME = "|".join(f"%{{{name}}}" for name in (
        "http_code response_code content_type num_redirects size_download size_upload "
        "method urlnum exitcode errormsg num_headers http_connect num_connects remote_ip "
        "local_ip redirect_url filename_effective ssl_verify_result referer url "
        "url_effective ").split())
    SAME += "\\t\\n%%|%|%{onerror}not seen"

    def test_variables_have_the_values_that_curl_gives_them(self):
        target = self.folder / "out"
        for args in ((), ("-X", "DELETE"), ("-d", "a=b"), ("-e", "https://ref.example/a")):
            ours, theirs, _ = self.both(answer(OK), "-s", "-o", target, "-w", self.SAME, *args)
            self.assertEqual(ours.stdout, theirs.stdout)

    def test_onerror_prints_after_failures(self):
        args = ("-s", "-f", "-w", "a %{onerror}%{exitcode} %{http_code}")
        bad = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        ours, theirs, _ = self.both(answer(bad), *args, code=22)
        self.assertEqual(ours.stdout, b"a 22 503")
        self.assertEqual(theirs.stdout, ours.stdout)

    def test_fields_of_the_response(self):
        ours, theirs, _ = self.both(answer(OK), "-s", "-o", self.folder / "out", "-w",
                                    "%header{x-two}|%header{CONTENT-type}|%header{none}")
        self.assertEqual(ours.stdout, b"1|text/plain|")
        self.assertEqual(theirs.stdout, ours.stdout)
        ours, theirs, _ = self.both(answer(OK), "-s", "-o", self.folder / "out", "-w",
                                    "%{header_json}")
        self.assertEqual(json.loads(ours.stdout), json.loads(theirs.stdout))

    def test_certificates_are_pem(self):
        with self.serve(answer(OK)) as server:
            url = f"https://localhost:{server.port}/"
            result = self.fetch("-s", "-o", self.folder / "out", "-w",
                                "%{num_certs}\n%{certs}", url)
        self.assertEqual(result.stdout, b"1\n" + self.cert.read_bytes())


class Timing(Beside):
    def test_the_phases_are_drawn_on_standard_error(self):
        with self.serve(answer(OK, delay=0.2)) as server:
            result = self.fetch("-sS", "--timing", f"https://localhost:{server.port}/",
                                env={"LC_ALL": "C"})
        self.assertEqual(result.stdout, b"hello")
        lines = result.stderr.decode().splitlines()
        self.assertEqual([line.split("  ")[0] for line in lines],
                         ["DNS", "TCP", "TLS", "first byte", "transfer", "total"])
        bars = {line.split("  ")[0]: line.count("#") for line in lines}
        self.assertGreater(bars["first byte"], bars["total"] // 4)
        waited = float(re.search(r"first byte +([\d.]+) ms", result.stderr.decode()).group(1))
        self.assertGreaterEqual(waited, 200)

    def test_bars_are_blocks_where_the_locale_has_them(self):
        with self.serve(answer(OK)) as server:
            result = self.fetch("-sS", "--timing", f"https://localhost:{server.port}/",
                                env={"LC_ALL": "C.UTF-8"})
        self.assertIn("█", result.stderr.decode())
        self.assertNotIn(b"\033", result.stderr)

    def test_a_limit_that_is_missed_is_exit_code_4(self):
        with self.serve(answer(OK, delay=0.15)) as server:
            url = f"https://localhost:{server.port}/"
            missed = self.fetch("-sS", "--slo", "ttfb=100,total=60000", url, code=4)
            self.fetch("-sS", "--slo", "total=60000", url)
            both = self.fetch("-sS", "-o", self.folder / "out", "--slo", "total=1", "--slo",
                              "tls=60000", "-w", "%{json}", url, code=4)
            self.fetch("-sS", "-f", "--slo", "total=1", f"https://localhost:{server.port + 1}/",
                       code=7)
        self.assertEqual(missed.stdout, b"hello")
        self.assertRegex(missed.stderr, rb"^cleat: \(4\) --slo: ttfb took "
                                        rb"\d+\.\d ms, \d+\.\d ms over its limit\n$")
        facts = json.loads(both.stdout)
        self.assertEqual(facts["exitcode"], 4)
        self.assertFalse(facts["slo"]["met"])
        self.assertFalse(facts["slo"]["phases"]["total"]["met"])
        self.assertTrue(facts["slo"]["phases"]["tls"]["met"])

    def test_nonsense_is_a_usage_error(self):
        for limits in ("total", "total=x", "speed=5"):
            self.assertEqual(get("--slo", limits, "https://localhost/").returncode, 2)


class MixedContent(Beside):
    PAGE = (b"<!doctype html>\n<link rel=stylesheet href=http://cdn.example/a.css>\n"
            b"<img src=http://img.example/b.png>\n<img src=https://img.example/c.png>\n"
            b"<form action=http://form.example/>\n<script src=//same/d.js></script>\n")

    def page(self, body, *fields, kind=b"text/html; charset=utf-8"):
        return answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: %s\r\n%s\r\n%s"
                      % (len(body), kind, b"".join(f + b"\r\n" for f in fields), body))

    def look(self, script, *args, code=0):
        with self.serve(script) as server:
            return self.fetch("-sS", *(args or ("--mixed-content",)),
                              f"https://localhost:{server.port}/dir/", code=code)

    def test_a_page_is_told_with_lines_and_kinds(self):
        lines = self.look(self.page(self.PAGE), code=4).stdout.decode().splitlines()
        self.assertEqual([line.split() for line in lines[:3]],
                         [["2", "active", "link", "href", "http://cdn.example/a.css"],
                          ["3", "passive", "img", "src", "http://img.example/b.png"],
                          ["5", "form", "form", "action", "http://form.example/"]])
        self.assertRegex(lines[3], r"^https://localhost:\d+/dir/: 3 over plain HTTP: 1 active "
                                   r"1 passive 1 form; browsers block ")

    def test_programs_get_json(self):
        told = json.loads(self.look(self.page(self.PAGE), "--mixed-content-json", code=4).stdout)
        self.assertEqual((told["schema"], told["active"], told["passive"], told["form"],
                          told["navigation"], told["upgraded"]), (1, 1, 1, 1, 0, 0))
        self.assertEqual(told["resources"][0],
                         {"line": 2, "kind": "active", "element": "link", "attribute": "href",
                          "url": "http://cdn.example/a.css", "upgraded": False})

    def test_images_alone_are_no_failure(self):
        self.look(self.page(b"<img src=http://img.example/>"))
        clean = self.look(self.page(b"<img src=/a>"))
        self.assertIn(b"nothing over plain HTTP", clean.stdout)

    def test_a_policy_that_upgrades_is_heeded(self):
        told = self.look(self.page(self.PAGE,
                                   b"Content-Security-Policy: upgrade-insecure-requests"))
        self.assertIn(b"(upgraded by policy)", told.stdout)

    def test_style_sheets_are_looked_at_and_other_things_are_not(self):
        told = self.look(self.page(b"@import 'http://a.example/';", kind=b"text/css"), code=4)
        self.assertIn(b"1  active      css      @import     http://a.example/", told.stdout)
        told = self.look(self.page(b"{}", kind=b"application/json"), code=8)
        self.assertIn(b"is application/json: neither HTML nor a style sheet", told.stderr)

    def test_a_page_may_be_compressed(self):
        told = self.look(self.page(gzip.compress(self.PAGE), b"Content-Encoding: gzip"), code=4)
        self.assertIn(b"3 over plain HTTP", told.stdout)

    def test_redirects_are_told_or_followed(self):
        def script(tls, head):
            if head.startswith("GET /dir/ "):
                tls.sendall(b"HTTP/1.1 302 Found\r\nLocation: /other\r\n"
                            b"Content-Length: 0\r\n\r\n")
                return "close"
            return self.page(b"\n<script src=http://x.example/>")(tls, head)
        self.assertIn(b"302: -L follows", self.look(script).stderr)
        self.assertIn(b"     2  active", self.look(script, "-L", "--mixed-content", code=4).stdout)

    def test_a_page_that_is_too_large_is_refused(self):
        big = b"x" * (16 << 20) + b"<img src=http://x.example/>"
        self.assertIn(b"larger than 16 MiB", self.look(self.page(big), code=23).stderr)


class PrintCurl(Beside):
    # Fields in which the two programs name themselves, or say what they can.
    OWN = re.compile(r"(?im)^(user-agent|connection): .*\r\n")

    def same_request(self, *args, path="/p?q=1&r=%20"):
        """Runs get, then what it prints, in a shell; both requests must be the same."""
        with self.serve(answer(OK)) as server:
            url = f"https://localhost:{server.port}{path}"
            self.fetch("-s", *args, url)
            printed = self.fetch("-s", *args, url, "--print-curl")
            self.assertEqual(len(server.heads), 1, "nothing is fetched")
            done = subprocess.run(["sh", "-c", printed.stdout.decode()], capture_output=True,
                                  timeout=PATIENCE)
            self.assertEqual(done.returncode, 0, printed.stdout + done.stderr)
        ours, theirs = (sorted(line.rstrip() for line in self.OWN.sub("", head).splitlines())
                        for head in server.heads)
        self.assertEqual(ours, theirs)
        self.assertEqual(server.bodies[0], server.bodies[1])
        return printed

    def test_curl_makes_the_same_request(self):
        self.same_request()
        self.same_request("-X", "PUT", "-d", "it's\n'quoted' $HOME `x` \"y\" \\", "-H", "X-A: b c")
        self.same_request("--json", '{"a": [1, 2]}', "-u", "user:pa ss", "-e", "https://r.example/")
        self.same_request("-r0-9", "--header=X-B;", path="/a?b[1-2]=c")

    def test_what_curl_lacks_is_said_on_standard_error(self):
        printed = self.same_request("--timing", "--trace-json", self.folder / "t")
        self.assertNotIn(b"timing", printed.stdout)
        self.assertIn(b"# curl has no --timing (-w prints times)\n", printed.stderr)
        self.assertIn(b"# curl has no --trace-json", printed.stderr)

    def test_a_url_without_a_scheme_is_https(self):
        result = get("--print-curl", "example.org/a", "--", "-x")
        self.assertEqual(result.stdout, b"curl https://example.org/a https://-x\n")

    def test_every_option_is_curls_or_known_not_to_be(self):
        # In curl, but not in the version that is installed.
        newer = {"sigalgs", "ech", "ssl-sessions", "tls-earlydata"}
        theirs = set(re.findall(r" --([a-z0-9.-]+)",
                                subprocess.run(["curl", "--help", "all"], capture_output=True,
                                               text=True).stdout))
        for name in re.findall(r"^ .*?--([a-z0-9.-]+)", get("--help").stdout.decode(), re.M):
            if name in newer or name in ("help", "print-curl"):
                continue
            argv = [f"--{name}"]
            result = get("--print-curl", *argv, "X", "https://a.example/")
            lacks = f"curl has no --{name}".encode() in result.stderr
            if result.returncode == 0:
                self.assertNotEqual(lacks, name in theirs, name)


if __name__ == "__main__":
    main()
