#!/usr/bin/env python3
"""`cleat get` against a server that misbehaves on purpose: exit codes, redirects, truncation."""
import json
import socket
import subprocess
import threading
import time

from get_support import PROGRAM, Authority, GetTest, Scripted, free_port, get, self_signed
from support import PATIENCE, main

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"


def answer(data, how="close"):
    def script(tls, head):
        tls.sendall(data)
        return how
    return script


class Answers(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def serve(self, script):
        return Scripted(self.cert, self.key, script)

    def check(self, data, how="close", code=0, body=b"hello", args=()):
        with self.serve(answer(data, how)) as server:
            result = self.fetch("-sS", *args, f"https://localhost:{server.port}/", code=code)
        if body is not None:
            self.assertEqual(result.stdout, body)
        return result

    def test_bodies_of_every_framing_arrive(self):
        self.check(OK)
        self.check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
        self.check(b"HTTP/1.1 200 OK\r\n\r\nhello")
        self.check(b"HTTP/1.0 200 OK\r\n\r\nhello")
        self.check(b"HTTP/1.1 204 No Content\r\n\r\n", body=b"")

    def test_a_complete_body_needs_no_close_notify(self):
        self.check(OK, how="cut")

    def test_an_until_close_body_without_close_notify_is_truncated(self):
        result = self.check(b"HTTP/1.1 200 OK\r\n\r\nhello", how="cut", code=56, body=None)
        self.assertIn(b"close_notify", result.stderr)

    def test_a_body_that_is_too_short_is_partial(self):
        for how in ("close", "cut"):
            result = self.check(OK.replace(b": 5", b": 50"), how=how, code=18)
            self.assertIn(b"5 of 50 bytes", result.stderr)

    def test_chunks_that_stop_early_are_partial(self):
        self.check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", code=18,
                   body=b"hel")

    def test_no_answer_is_an_empty_reply(self):
        for how in ("close", "cut"):
            self.check(b"", how=how, code=52, body=b"")

    def test_half_a_head_is_a_failure_to_receive(self):
        self.check(b"HTTP/1.1 200 OK\r\nContent-", code=56, body=b"")

    def test_a_reset_is_a_failure_to_receive(self):
        def script(tls, head):
            tls.sendall(OK.replace(b": 5", b": 50"))
            time.sleep(0.3)  # a reset destroys what has not been read yet
            return "reset"
        with self.serve(script) as server:
            result = self.fetch("-sS", f"https://localhost:{server.port}/", code=56)
        self.assertIn(b"the connection failed: connection reset by peer, ", result.stderr)

    def test_what_is_not_http_is_a_weird_reply(self):
        self.check(b"220 smtp.example ESMTP\r\n", code=8, body=b"")
        self.check(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                   code=8, body=b"")
        self.check(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"0\r\n\r\n", code=8, body=b"")
        self.check(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n", code=8, body=b"")

    def test_interim_responses_are_skipped(self):
        early = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        self.check(b"HTTP/1.1 100 Continue\r\n\r\n" + early + OK)
        self.check(early * 40 + OK, code=8, body=b"")

    def test_fail_turns_400_and_more_into_22(self):
        bad = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"
        self.check(bad)
        result = self.check(bad, code=22, body=b"", args=["-f"])
        self.assertIn(b"404", result.stderr)
        self.check(bad, code=22, body=b"hello", args=["--fail-with-body"])

    def test_head_and_include_print_the_head(self):
        head = OK[:-5]
        self.check(head, body=head, args=["-I"])
        self.check(OK, body=OK, args=["-i"])
        self.check(OK, body=OK, args=["-D", "-"])

    def test_output_goes_to_files(self):
        target = self.folder / "out.txt"
        self.check(OK, body=b"", args=["-o", target])
        self.assertEqual(target.read_bytes(), b"hello")
        self.check(OK, code=23, body=b"", args=["-o", self.folder / "no" / "such" / "file"])
        with self.serve(answer(OK)) as server:
            result = subprocess.run(
                [PROGRAM, "get", "-sSO", "--cacert", str(self.ca.cert),
                 f"https://localhost:{server.port}/a/name.txt?q"],
                cwd=self.folder, capture_output=True, timeout=PATIENCE)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.fetch("-sSO", f"https://localhost:{server.port}/a/", code=23)
        self.assertEqual((self.folder / "name.txt").read_bytes(), b"hello")

    def test_a_full_disk_is_a_write_error(self):
        self.check(OK, code=23, body=b"", args=["-o", "/dev/full"])

    def test_max_time_ends_a_slow_answer(self):
        def script(tls, head):
            tls.sendall(OK.replace(b": 5", b": 50"))
            tls.settimeout(PATIENCE)
            tls.recv(1)
            return "cut"
        with self.serve(script) as server:
            result = self.fetch("-sS", "-m", "3", f"https://localhost:{server.port}/", code=28)
        self.assertRegex(result.stderr, rb"timed out after \d+ ms, after 5 of 50 bytes of the body")

    def test_max_time_ends_the_wait_for_an_answer(self):
        def script(tls, head):
            tls.settimeout(PATIENCE)
            tls.recv(1)
            return "cut"
        with self.serve(script) as server:
            result = self.fetch("-sS", "-m", "3", f"https://localhost:{server.port}/", code=28)
        self.assertRegex(result.stderr, rb"timed out after \d+ ms, waiting for the response")

    def test_requests_are_as_the_flags_say(self):
        with self.serve(answer(OK)) as server:
            url = f"https://localhost:{server.port}/p?q=1#frag"
            self.fetch("-sS", "-A", "me", "-e", "https://ref.example/", "-H", "X-A: b", "-u",
                       "u:p", url)
            self.fetch("-sS", "-d", "a=1", "-d", "b=2", url)
            self.fetch("-sS", "--json", "{}", "-X", "PUT", url)
            self.fetch("-sS", "-r", "0-9", url)
        first, form, put, part = server.heads
        self.assertTrue(first.startswith("GET /p?q=1 HTTP/1.1\r\n"))
        for line in (f"Host: localhost:{server.port}", "User-Agent: me",
                     "Referer: https://ref.example/", "X-A: b",
                     "Authorization: Basic dTpw", "Accept: */*"):
            self.assertIn(f"\r\n{line}\r\n", first)
        self.assertTrue(form.startswith("POST "))
        self.assertEqual(server.bodies[1], b"a=1&b=2")
        self.assertIn("\r\nContent-Type: application/x-www-form-urlencoded\r\n", form)
        self.assertTrue(put.startswith("PUT "))
        self.assertIn("\r\nContent-Type: application/json\r\n", put)
        self.assertIn("\r\nRange: bytes=0-9\r\n", part)

    def test_a_large_upload_arrives_whole(self):
        data = self.folder / "upload"
        data.write_bytes(bytes(range(256)) * 20000)
        with self.serve(answer(OK)) as server:
            facts = self.facts("--data-binary", f"@{data}", f"https://localhost:{server.port}/")
        self.assertEqual(server.bodies[0], data.read_bytes())
        self.assertEqual(facts["size_upload"], len(server.bodies[0]))


class KeptConnections(GetTest):
    """HTTP/1.1 connections that are used again, and those that must not be."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def serve(self, *steps):
        """steps: (bytes, how) for one request after the other; the last for all that follow."""
        left = list(steps)

        def script(tls, head):
            data, how = left.pop(0) if len(left) > 1 else left[0]
            tls.sendall(data)
            return how
        return Scripted(self.cert, self.key, script)

    def twice(self, server, *args, code=0):
        url = f"https://localhost:{server.port}/"
        return self.fetch("-sS", *args, url, url, code=code)

    def test_one_connection_serves_all_urls(self):
        with self.serve((OK, "keep")) as server:
            result = self.twice(server, "-w", "%{num_connects}")
            self.assertEqual(result.stdout, b"hello1hello0")
            self.assertEqual((server.num_connections, len(server.heads)), (1, 2))

    def test_a_post_does_not_end_it(self):
        with self.serve((OK, "keep")) as server:
            self.twice(server, "-d", "a=1")
            self.assertEqual((server.num_connections, server.bodies), (1, [b"a=1"] * 2))

    def test_what_ends_a_connection_is_minded(self):
        last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        old = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        for data in (last, old, OK + b"more", b"HTTP/1.1 200 OK\r\n\r\nhello"):
            with self.subTest(data), self.serve((data, "close")) as server:
                self.assertEqual(self.twice(server).stdout, b"hellohello")
                self.assertEqual(server.num_connections, 2)

    def test_who_says_close_is_not_asked_again(self):
        with self.serve((OK, "close")) as server:
            result = self.twice(server, "-v", "-H", "Connection: close")
            self.assertEqual(result.stdout, b"hellohello")
            self.assertNotIn(b"sent again", result.stderr)

    def test_a_connection_that_has_died_meanwhile_is_made_anew(self):
        for how in ("close", "cut", "reset"):
            with self.subTest(how), self.serve((OK, "keep"), (b"", how), (OK, "close")) as server:
                result = self.twice(server, "-v")
                self.assertEqual(result.stdout, b"hellohello")
                self.assertIn(b"sent again, on another connection", result.stderr)
                self.assertEqual((server.num_connections, len(server.heads)), (2, 3))

    def test_a_post_is_not_sent_twice_on_a_guess(self):
        with self.serve((OK, "keep"), (b"", "close")) as server:
            self.twice(server, "-d", "pay=1", code=52)
            self.assertEqual(len(server.heads), 2)

    def test_a_new_connection_without_an_answer_is_a_failure(self):
        with self.serve((OK, "keep"), (b"", "close")) as server:
            self.twice(server, code=52)
            self.assertEqual(len(server.heads), 3)

    def test_other_ports_are_other_connections(self):
        with self.serve((OK, "keep")) as one, self.serve((OK, "keep")) as other:
            urls = [f"https://localhost:{port}/" for port in (one.port, other.port, one.port)]
            result = self.fetch("-sS", "-w", "%{num_connects}", *urls)
            self.assertEqual(result.stdout, b"hello1hello1hello0")

    def test_a_failure_ends_the_connection(self):
        bad = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"
        with self.serve((bad, "keep"), (OK, "keep")) as server:
            result = self.twice(server, "-f")
            self.assertEqual(result.stdout, b"hello")
            self.assertEqual(server.num_connections, 2)


class Redirects(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def serve(self, steps):
        """steps: path -> (status, location) or None for the end."""
        def script(tls, head):
            step = steps.get(head.split()[1])
            if step is None:
                tls.sendall(OK)
            else:
                tls.sendall(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nbody"
                            % (step[0], step[1].encode()))
            return "close"
        return Scripted(self.cert, self.key, script)

    def test_redirects_are_followed_only_with_location(self):
        with self.serve({"/a": (302, "/b"), "/b": (301, "c?x")}) as server:
            url = f"https://localhost:{server.port}/a"
            self.assertEqual(self.fetch("-sS", url).stdout, b"body")
            facts = self.facts("-L", url)
        self.assertEqual(facts["num_redirects"], 2)
        self.assertEqual(facts["url_effective"], f"https://localhost:{server.port}/c?x")
        self.assertEqual(facts["http_code"], 200)
        self.assertEqual((self.folder / "body").read_bytes(), b"hello")

    def test_the_redirect_that_is_not_followed_is_told(self):
        with self.serve({"/a": (302, "/b")}) as server:
            facts = self.facts(f"https://localhost:{server.port}/a")
        self.assertEqual(facts["redirect_url"], f"https://localhost:{server.port}/b")

    def test_post_becomes_get_except_with_307_and_308(self):
        for status, method in ((301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"),
                               (308, "POST")):
            with self.subTest(status), self.serve({"/a": (status, "/b")}) as server:
                self.fetch("-sSL", "-d", "x=1", f"https://localhost:{server.port}/a")
                self.assertTrue(server.heads[1].startswith(f"{method} /b "), server.heads[1])
                self.assertEqual(server.bodies, [b"x=1", b"x=1" if method == "POST" else b""])

    def test_loops_end_with_47(self):
        with self.serve({"/a": (302, "/a")}) as server:
            self.fetch("-sSL", "--max-redirs", "3", f"https://localhost:{server.port}/a", code=47)
            self.assertEqual(len(server.heads), 4)

    def test_clear_text_is_not_followed(self):
        with self.serve({"/a": (302, "http://localhost/")}) as server:
            result = self.fetch("-sSL", f"https://localhost:{server.port}/a", code=1)
        self.assertIn(b"http://", result.stderr)

    def test_credentials_stay_with_the_first_host(self):
        with self.serve({}) as other:
            with self.serve({"/a": (302, f"https://127.0.0.1:{other.port}/x"),
                             "/same": (302, "/y")}) as first:
                login = ["-u", "user:secret", "-H", "Cookie: id=secret", "-H", "X-Mine: yes"]
                self.fetch("-sSL", *login, f"https://localhost:{first.port}/a")
                self.fetch("-sSL", *login, f"https://localhost:{first.port}/same")
            stranger = other.heads[0]
            self.assertNotIn("Authorization", stranger)
            self.assertNotIn("Cookie", stranger)
            self.assertIn("X-Mine: yes", stranger)
            self.assertIn("Authorization", first.heads[0])
            self.assertIn("Authorization", first.heads[2])
            self.assertIn("Cookie", first.heads[2])


class Failures(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def refused(self, cert, key, words, url="https://localhost:{}/", args=()):
        with Scripted(cert, key, answer(OK)) as server:
            result = self.fetch("-sS", *args, url.format(server.port), code=60)
            self.assertEqual(result.stdout, b"")
            self.assertEqual(server.heads, [], "a request went to a server that was not verified")
            facts = json.loads(get("-ks", "-o", "/dev/null", "-w", "%{json}", "--cacert",
                                   self.ca.cert, url.format(server.port)).stdout)
        self.assertEqual(facts["exitcode"], 0)
        self.assertNotEqual(facts["ssl_verify_result"], 0)
        for word in words:
            self.assertIn(word, result.stderr.decode())
        return facts

    def test_an_expired_certificate(self):
        cert, key = self.ca.leaf("expired", dates=("20240101000000Z", "20250101000000Z"))
        words = ["expired", "CERT_EXPIRED", "RFC 5280", "certificate_expired"]
        facts = self.refused(cert, key, words)
        self.assertEqual(facts["ssl_verify_result"], 10)

    def test_a_certificate_of_the_future(self):
        cert, key = self.ca.leaf("future", dates=("20400101000000Z", "20410101000000Z"))
        self.assertEqual(self.refused(cert, key, ["CERT_NOT_YET_VALID"])["ssl_verify_result"], 9)

    def test_a_certificate_for_another_host(self):
        cert, key = self.ca.leaf("other", sans="DNS:other.example")
        facts = self.refused(cert, key, ["NAME_MISMATCH", "localhost", "other.example"])
        self.assertEqual(facts["ssl_verify_result"], 62)

    def test_a_certificate_with_a_name_in_the_subject_only(self):
        cert, key = self.ca.leaf("localhost", sans=None)
        self.refused(cert, key, ["NAME_MISMATCH"])

    def test_a_certificate_for_clients(self):
        cert, key = self.ca.leaf("client", usage="clientAuth")
        self.refused(cert, key, ["BAD_KEY_USAGE"])

    def test_a_self_signed_certificate(self):
        cert, key = self_signed(self.folder)
        self.assertIn(self.refused(cert, key, ["SELF_SIGNED"])["ssl_verify_result"], (18, 19))

    def test_a_ca_that_is_not_known(self):
        cert, key = Authority(self.folder / "stranger", "Stranger").leaf()
        self.assertEqual(self.refused(cert, key, ["UNKNOWN_ISSUER"])["ssl_verify_result"], 20)

    def test_bad_urls(self):
        for url, code in (("https://", 3), ("https://a b/", 3), ("http://localhost/", 1),
                          ("gopher://localhost/", 1), ("https://localhost:0x1/", 3)):
            with self.subTest(url):
                self.fetch("-sS", url, code=code)

    def test_usage_errors(self):
        url = "https://localhost/"
        for args in ([], ["--no-such-flag", url], ["-m", "x", url]):
            self.assertEqual(get(*args).returncode, 2)

    def test_a_host_without_address(self):
        result = self.fetch("-sS", "-6", "https://127.0.0.1/", code=6)
        self.assertIn(b"resolve", result.stderr)

    def test_a_host_that_does_not_exist(self):
        result = self.fetch("-sS", "https://no-such-host.invalid/", code=6)
        self.assertIn(b"could not resolve host no-such-host.invalid: ", result.stderr)
        self.assertIn(b"\n  hint: ", result.stderr)

    def test_a_port_where_nobody_listens(self):
        result = self.fetch("-sS", f"https://localhost:{free_port()}/", code=7)
        self.assertIn(b"refused", result.stderr)

    def test_a_server_that_never_answers_the_hello(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
            for option in ("--connect-timeout", "--max-time"):
                result = self.fetch("-sS", option, "1", url, code=28)
                self.assertRegex(result.stderr, rb"timed out after \d+ ms, in the TLS handshake")

    def plain(self, reply, code):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def run():
                peer, _ = listener.accept()
                peer.recv(4096)
                peer.sendall(reply)
                peer.close()
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
            result = self.fetch("-sS", url, code=code)
            thread.join(PATIENCE)
        return result

    def test_servers_that_do_not_speak_tls(self):
        for reply, words in ((b"HTTP/1.1 400 Bad Request\r\n\r\n", ["plain HTTP", "use http://"]),
                             (b"SSH-2.0-OpenSSH_9.2\r\n", ['("SSH-")', "check host and port"]),
                             (b"", ["closed the connection in the TLS handshake", "firewall"])):
            with self.subTest(reply):
                text = self.plain(reply, 35).stderr.decode()
                self.assertEqual(text.count("cleat: (35) "), 1, text)
                for word in [*words, "\n  hint: "]:
                    self.assertIn(word, text)

    def test_files_that_are_missing_or_wrong(self):
        url = "https://localhost/"
        (self.folder / "junk.pem").write_text("junk")
        for args, code in ((["--cacert", "/no/such/file"], 77),
                           (["--cacert", self.folder / "junk.pem"], 77),
                           (["--capath", "/no/such/folder"], 77),
                           (["-E", "/no/such/file"], 58),
                           (["-E", self.folder / "junk.pem"], 58),
                           (["-E", self.cert, "--key", self.ca.key], 58),
                           (["--ciphers", "NO_SUCH_CIPHER"], 59)):
            with self.subTest(args):
                result = get("-sS", *args, url)
                self.assertEqual(result.returncode, code, result.stderr)
                self.assertTrue(result.stderr)

    def test_silence(self):
        url = f"https://localhost:{free_port()}/"
        self.assertEqual(self.fetch("-s", url, code=7).stderr, b"")
        self.assertNotEqual(self.fetch(url, code=7).stderr, b"")


class Finding(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf(sans="DNS:shop.example,DNS:*.wild.example,"
                                        "DNS:xn--bcher-kva.example,DNS:localhost")

    def test_resolve_and_connect_to(self):
        with Scripted(self.cert, self.key, answer(OK)) as server:
            there = f"127.0.0.1:{server.port}"
            self.fetch("-sS", "--resolve", f"shop.example:{server.port}:127.0.0.1",
                       f"https://shop.example:{server.port}/")
            self.fetch("-sS", "--connect-to", f"a.wild.example:443:{there}",
                       "https://a.wild.example/")
            self.fetch("-sS", "--connect-to", f"::{there}", "https://shop.example/")
            self.fetch("-sS", "--connect-to", f"::{there}", "https://b\u00fccher.example/")
            self.fetch("-sS", "--connect-to", f"::{there}", "https://a.b.wild.example/", code=60)
        self.assertIn("\r\nHost: shop.example\r\n", server.heads[2])
        self.assertIn("\r\nHost: xn--bcher-kva.example\r\n", server.heads[3])

    def test_the_second_address_is_tried(self):
        with Scripted(self.cert, self.key, answer(OK)) as server:
            facts = self.facts("--resolve", f"shop.example:{server.port}:::1,127.0.0.1",
                               f"https://shop.example:{server.port}/")
        self.assertEqual(facts["remote_ip"], "127.0.0.1")
        self.assertLess(facts["time_connect"], 5)

    def test_an_address_that_does_not_answer_is_passed_by(self):
        """A listener whose queue is full does not answer: the race goes on after 250 ms."""
        with Scripted(self.cert, self.key, answer(OK)) as server, socket.socket() as full:
            full.bind(("127.0.0.2", server.port))
            full.listen(0)
            callers = [socket.socket() for _ in range(3)]
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.2", server.port))
            facts = self.facts("--resolve", f"shop.example:{server.port}:127.0.0.2,127.0.0.1",
                               f"https://shop.example:{server.port}/")
            for caller in callers:
                caller.close()
        self.assertEqual(facts["remote_ip"], "127.0.0.1")
        self.assertGreater(facts["time_connect"], 0.24)

    def test_capath_and_environment_name_other_cas(self):
        with Scripted(self.cert, self.key, answer(OK)) as server:
            url = f"https://localhost:{server.port}/"
            self.assertEqual(get("-sS", url).returncode, 60)
            self.assertEqual(get("-sS", "--capath", self.ca.folder, url).returncode, 0)
            for name, value in (("SSL_CERT_FILE", self.ca.cert), ("SSL_CERT_DIR", self.ca.folder)):
                result = get("-sS", url, env={name: str(value)})
                self.assertEqual(result.returncode, 0, result.stderr)

    def test_times_are_in_order(self):
        with Scripted(self.cert, self.key, answer(OK)) as server:
            facts = self.facts(f"https://localhost:{server.port}/")
        order = [facts["time_" + n] for n in ("namelookup", "connect", "appconnect", "pretransfer",
                                              "starttransfer", "total")]
        self.assertEqual(order, sorted(order))
        self.assertGreater(order[0], 0)


if __name__ == "__main__":
    main()
