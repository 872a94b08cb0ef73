#!/usr/bin/env python3
"""`cleat get` and `cleat ws` through proxies: right ones, wrong ones, tinyproxy; beside curl."""
import base64
import json
import re
import shutil
import socket
import subprocess
import time

from get_support import PROGRAM, GetTest, Peer, Scripted, free_port, get, need
from proxy_support import ESTABLISHED, Proxy, Socks
import support
from support import PATIENCE, main

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello"
NAME = "origin.test"  # no name server knows it: only the proxy does


def say(data, then="end"):
    """A proxy that answers this, whatever it is asked."""
    def script(conn, head, tunnel):
        conn.sendall(data)
        if then == "wait":
            conn.recv(1)
    return script


class ProxyTest(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf(sans=f"DNS:localhost,DNS:{NAME},IP:127.0.0.1")
        cls.proxy_pair = cls.ca.leaf("proxy", sans="DNS:localhost")
        cls.origin = Scripted(cls.cert, cls.key, lambda tls, head: tls.sendall(OK) or "close")
        cls.origin.__enter__()
        cls.url = f"https://{NAME}:{cls.origin.port}/"

    @classmethod
    def tearDownClass(cls):
        cls.origin.__exit__()
        super().tearDownClass()

    def proxy(self, script=None, **more):
        return Proxy(script, hosts={NAME: "127.0.0.1"}, **more)


class Ways(ProxyTest):
    def test_the_proxy_looks_the_name_up(self):
        with self.proxy() as p:
            result = self.fetch("-sS", "-x", f"http://localhost:{p.port}", self.url)
            self.assertEqual(result.stdout, b"hello")
            self.assertEqual(p.names, [NAME])
            self.assertIn(f"CONNECT {NAME}:{self.origin.port} HTTP/1.1\r\n", p.heads[0])
            self.assertIn(f"\r\nHost: {NAME}:{self.origin.port}\r\n", p.heads[0])
            self.assertIn("\r\nUser-Agent: cleat/", p.heads[0])

    def test_a_name_that_nobody_knows_fails_without_a_proxy(self):
        self.fetch("-sS", self.url, code=6)

    def test_tls_runs_inside_tls_with_the_proxy(self):
        with self.proxy(tls=self.proxy_pair) as p:
            where = f"https://localhost:{p.port}"
            result = self.fetch("-sS", "-x", where, "--proxy-cacert", self.ca.cert, self.url)
            self.assertEqual(result.stdout, b"hello")
            result = self.fetch("-sS", "-x", where, "--proxy-insecure", self.url)
            self.assertEqual(result.stdout, b"hello")

    def test_the_certificate_of_an_https_proxy_is_verified_for_itself(self):
        with self.proxy(tls=self.proxy_pair) as p:
            where = f"https://localhost:{p.port}"
            # --cacert and -k are about the server, as with curl.
            result = self.fetch("-sS", "-x", where, self.url, code=60)
            self.assertIn(b"TLS with the proxy localhost", result.stderr)
            self.assertIn(b"hint: --proxy-cacert FILE", result.stderr)
            self.assertNotIn(b" --cacert FILE", result.stderr)
            self.fetch("-sS", "-k", "-x", where, self.url, code=60)
            self.fetch("-sS", "-x", f"https://127.0.0.1:{p.port}", "--proxy-cacert", self.ca.cert,
                       self.url, code=60)
            self.assertEqual(p.heads, [])

    def test_a_plain_proxy_is_no_https_proxy(self):
        with self.proxy() as p:
            self.fetch("-sS", "-m", "1", "-x", f"https://localhost:{p.port}", "--proxy-insecure",
                       self.url, code=28)
        with self.proxy(tls=self.proxy_pair) as p:
            result = self.fetch("-sS", "-x", f"http://localhost:{p.port}", self.url, code=56)
            self.assertIn(b"then write https://", result.stderr)

    def test_large_bodies_go_both_ways_through_two_layers(self):
        # Longer than all buffers on the way together.
        body = bytes(range(256)) * 20000
        sent = self.folder / "large"
        sent.write_bytes(body)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)

        def script(tls, request):
            tls.sendall(head + body)
            return "close"
        for pair in (None, self.proxy_pair):
            with Scripted(self.cert, self.key, script) as origin, self.proxy(tls=pair) as p:
                scheme = "https" if pair else "http"
                result = self.fetch("-sS", "-x", f"{scheme}://localhost:{p.port}",
                                    "--proxy-cacert", self.ca.cert, "--data-binary", f"@{sent}",
                                    f"https://{NAME}:{origin.port}/")
                self.assertEqual(result.stdout, body)
                self.assertEqual(origin.bodies, [body])

    def test_a_slow_proxy_is_waited_for(self):
        def script(conn, head, tunnel):
            for at in range(0, len(ESTABLISHED) - 1):
                conn.sendall(ESTABLISHED[at:at + 1])
                time.sleep(0.002)
            tunnel(ESTABLISHED[-1:])
        with self.proxy(script) as p:
            result = self.fetch("-sS", "-x", f"http://localhost:{p.port}", self.url)
        self.assertEqual(result.stdout, b"hello")

    def test_other_answers_that_are_right(self):
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        for answer in (b"HTTP/1.0 200 OK\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nX: y\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       b"HTTP/1.1 204 No Content\r\n\r\n", interim + ESTABLISHED):
            with self.proxy(lambda c, h, t, a=answer: t(a)) as p:
                result = self.fetch("-sS", "-x", f"http://localhost:{p.port}", self.url)
                self.assertEqual(result.stdout, b"hello")

    def test_facts_are_told(self):
        with self.proxy() as p:
            facts = self.facts("-x", f"localhost:{p.port}", self.url)
            self.assertEqual((facts["http_connect"], facts["proxy_used"], facts["http_code"]),
                             (200, True, 200))
            self.assertEqual((facts["remote_port"], facts["num_connects"]), (p.port, 1))
            self.assertGreater(facts["time_appconnect"], facts["time_connect"])
        facts = self.facts("--connect-to", f"::127.0.0.1:{self.origin.port}", self.url)
        self.assertEqual((facts["http_connect"], facts["proxy_used"]), (0, False))

    def test_connect_to_says_what_the_proxy_is_asked_for(self):
        with self.proxy() as p:
            self.fetch("-sS", "-x", f"localhost:{p.port}", "--connect-to", "::127.0.0.1:", self.url)
            self.assertEqual(p.names, ["127.0.0.1"])

    def test_an_address_in_the_url_is_asked_for_as_it_is(self):
        with Proxy(hosts={"::1": "127.0.0.1"}) as p:
            self.fetch("-sS", "-k", "-x", f"localhost:{p.port}",
                       f"https://[::1]:{self.origin.port}/")
            self.assertIn(f"CONNECT [::1]:{self.origin.port} HTTP/1.1", p.heads[0])

    def test_websockets_talk_through_it(self):
        with support.Server("--cert", self.cert, "--key", self.key, "--ws-echo", "/echo",
                            "--insecure-listen", "127.0.0.1:0") as server:
            clear = int(re.search(r":(\d+) \(", server.errors.wait_for(r"http://")).group(1))
            for url in (f"wss://{NAME}:{server.port}/echo",
                        f"ws://{NAME}:{clear}/echo"):
                for pair, scheme in ((None, "http"), (self.proxy_pair, "https")):
                    with self.proxy(tls=pair) as p:
                        done = subprocess.run(
                            [PROGRAM, "ws", "--cacert", str(self.ca.cert), "--proxy",
                             f"{scheme}://localhost:{p.port}", "--proxy-cacert", str(self.ca.cert),
                             "-1", "-x", "hello", url], capture_output=True, timeout=PATIENCE,
                            stdin=subprocess.DEVNULL, check=False)
                        self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"),
                                         done.stderr)
                        self.assertEqual(p.names, [NAME])

    def test_websockets_go_through_it_too(self):
        with self.proxy(say(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")) as p:
            for scheme, variable in (("wss", "https_proxy"), ("ws", "http_proxy")):
                done = subprocess.run([PROGRAM, "ws", f"{scheme}://{NAME}/"], capture_output=True,
                                      timeout=PATIENCE, stdin=subprocess.DEVNULL,
                                      env={variable: f"http://localhost:{p.port}"}, check=False)
                self.assertEqual(done.returncode, 3)
                self.assertIn(b"502 Bad Gateway", done.stderr)
            self.assertEqual([h.split(" ")[1] for h in p.heads], [f"{NAME}:443", f"{NAME}:80"])


class Choice(ProxyTest):
    """Which proxy: side by side with curl, through one that says so in its refusal."""

    def uses(self, env, *args, host=NAME, programs=("cleat", "curl")):
        """Whether each of the programs asked the proxy."""
        with self.proxy(say(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")) as p:
            env = {k: v.format(port=p.port) for k, v in env.items()}
            args = [a.format(port=p.port) for a in args]
            asked = []
            for program in programs:
                del p.heads[:]
                command = [PROGRAM, "get"] if program == "cleat" else ["curl"]
                subprocess.run([*command, "-sS", "-m", "10", *args, f"https://{host}/"],
                               capture_output=True, timeout=PATIENCE, env=env, check=False)
                asked.append(len(p.heads) == 1)
            self.assertEqual(len(set(asked)), 1, f"{env} {args} {host}: {programs} {asked}")
            return asked[0]

    def test_variables_as_curl_takes_them(self):
        need("curl")
        url = "http://127.0.0.1:{port}"
        for env, used in (({"https_proxy": url}, True), ({"HTTPS_PROXY": url}, True),
                          ({"all_proxy": url}, True), ({"ALL_PROXY": url}, True),
                          ({"http_proxy": url}, False), ({"HTTP_PROXY": url}, False),
                          ({"https_proxy": "", "all_proxy": url}, True),
                          ({"https_proxy": "127.0.0.1:{port}"}, True),
                          ({"https_proxy": "http://127.0.0.1:1", "no_proxy": "a", "NO_PROXY": NAME},
                           False)):
            self.assertEqual(self.uses(env), used, env)
        self.assertTrue(self.uses({}, "-x", url))
        self.assertTrue(self.uses({"no_proxy": NAME}, "--noproxy", "", "-x", url))
        self.assertFalse(self.uses({"https_proxy": url}, "-x", ""))
        self.assertFalse(self.uses({"https_proxy": url}, "--noproxy", "*"))
        self.assertTrue(self.uses({"https_proxy": "http://127.0.0.1:1"}, "-x", url))

    def test_no_proxy_as_curl_takes_it(self):
        need("curl")
        rows = ((NAME, NAME, False), (NAME, "test", False), (NAME, ".test", False),
                (NAME, "rigin.test", True), (NAME, "x,origin.test", False),
                (NAME, "a, .origin.test ,b", False), (NAME, "ORIGIN.TEST.", False),
                (NAME, "*", False), (NAME, "www.origin.test", True), (NAME, "192.0.2.1", True),
                ("127.0.0.1", "127.0.0.1", False), ("127.0.0.1", "127.0.0.0/8", False),
                ("127.0.0.1", "127.0.0.2/31", True), ("127.0.0.1", "127.1.0.0/16", True),
                ("127.0.0.1", "0.0.1", True), ("127.0.0.1", "10.0.0.0/8,127.0.0.0/30", False),
                ("[::1]", "::1", False), ("[::1]", "::2/128", True))
        for host, listed, used in rows:
            env = {"https_proxy": "http://127.0.0.1:{port}", "no_proxy": listed}
            self.assertEqual(self.uses(env, host=host), used, (host, listed))
        # curl 7.88 does not see that a host in brackets is an address.
        env["no_proxy"] = "::/64"
        self.assertFalse(self.uses(env, host="[::1]", programs=("cleat",)))

    def test_variables_reach_other_commands(self):
        with self.proxy() as p:
            env = {"https_proxy": f"http://localhost:{p.port}"}
            done = subprocess.run([PROGRAM, "cert", "show", self.url], capture_output=True,
                                  timeout=PATIENCE, env=env, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(NAME.encode(), done.stdout)
            self.assertEqual(p.names, [NAME])


class Credentials(ProxyTest):
    def ask(self, *args, login=b"user:pa ss%", url=None):
        seen = "Proxy-Authorization: Basic " + base64.b64encode(login).decode() + "\r\n"

        def script(conn, head, tunnel):
            if seen in head:
                tunnel()
            else:
                conn.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                             b"Proxy-Authenticate: Basic realm=\"the office\"\r\n"
                             b"Content-Length: 2\r\n\r\nno")
        with self.proxy(script) as p:
            args = [str(a).replace("PORT", str(p.port)) for a in args]
            return get("-sS", "--cacert", self.ca.cert, "-v", *args, url or self.url), p

    def test_they_come_from_the_url_or_the_option(self):
        for args in (["-x", "http://user:pa%20ss%25@localhost:PORT"],
                     ["-x", "localhost:PORT", "-U", "user:pa ss%"],
                     ["-x", "http://else:one@localhost:PORT", "-U", "user:pa ss%"],
                     ["-x", "localhost:PORT", "--proxy-header",
                      "Proxy-Authorization: Basic dXNlcjpwYSBzcyU="]):
            result, p = self.ask(*args)
            self.assertEqual(result.stdout, b"hello", result.stderr)
            self.assertEqual(p.heads[0].count("Proxy-Authorization"), 1)

    def test_nobody_else_gets_to_see_them(self):
        trace = self.folder / "trace.json"
        del self.origin.heads[:]
        result, _ = self.ask("-x", "http://user:pa%20ss%25@localhost:PORT", "--trace-json", trace,
                             "-w", "%{json}")
        secret = base64.b64encode(b"user:pa ss%")
        for place in (result.stderr, result.stdout, trace.read_bytes(),
                      self.origin.heads[0].encode()):
            for word in (secret, b"pa%20ss", b"pa ss", b"user:"):
                self.assertNotIn(word, place)
        self.assertIn(b"Proxy-Authorization: (", result.stderr)
        self.assertNotIn("Proxy-", self.origin.heads[0])

    def test_without_them_407_is_explained(self):
        result, _ = self.ask("-x", "localhost:PORT")
        self.assertEqual(result.returncode, 56)
        self.assertIn(b"407 Proxy Authentication Required", result.stderr)
        self.assertIn(b'Basic realm="the office"', result.stderr)
        self.assertIn(b"-U USER:PASSWORD", result.stderr)
        result, _ = self.ask("-x", "localhost:PORT", "-U", "user:wrong")
        self.assertEqual(result.returncode, 56)
        self.assertIn(b"the user name or the password is wrong", result.stderr)

    def test_fields_of_the_users(self):
        more = self.folder / "fields"
        more.write_text("X-A: b\n\nX-C:d\n")
        with self.proxy() as p:
            self.fetch("-sS", "-x", f"localhost:{p.port}", "--proxy-header", f"@{more}",
                       "--proxy-header", "User-Agent: me", self.url)
            self.assertIn("\r\nX-A: b\r\nX-C: d\r\nUser-Agent: me\r\n", p.heads[0])
            self.assertNotIn("cleat/", p.heads[0])
            for bad in ("nothing", "a b: c", ": x", "A: b\r\nC: d", "@/no/such/file"):
                self.fetch("-sS", "-x", f"localhost:{p.port}", "--proxy-header", bad, self.url,
                           code=2)
            self.assertEqual(len(p.heads), 1)


class Failures(ProxyTest):
    def check(self, data, code, *texts, then="end", args=()):
        with self.proxy(say(data, then)) as p:
            result = self.fetch("-sS", "-x", f"http://localhost:{p.port}", *args, self.url,
                                code=code)
        for text in texts:
            self.assertIn(text, result.stderr)
        return result

    def test_refusals_are_exit_56_with_the_reason(self):
        self.check(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 56, b"502 Bad Gateway",
                   b"it says so, not the server")
        self.check(b"HTTP/1.1 403 Filtered\r\n\r\n", 56, b"403 Forbidden", b"--noproxy")
        self.check(b"HTTP/1.1 302 Found\r\nLocation: https://evil.test/\r\n\r\n", 56, b"302")
        self.check(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
                   56, b"101")

    def test_what_is_not_http_is_refused(self):
        self.check(b"220 smtp.example ESMTP\r\n", 56)
        self.check(b"HTTP/1.1 200 OK\nX: y\n\n", 56)
        self.check(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 56)
        self.check(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000 + b"\r\n\r\n", 56)
        self.check(b"HTTP/1.1 100 Continue\r\n\r\n" * 40 + ESTABLISHED, 56, b"interim")
        self.check(b"HTTP/2.0 200 OK\r\n\r\n", 56)

    def test_bytes_behind_the_answer_are_refused(self):
        self.check(ESTABLISHED + b"\x16\x03\x01", 56, b"sends 3 bytes behind its answer",
                   then="wait")

    def test_an_end_in_place_of_an_answer(self):
        self.check(b"", 56, b"ends the connection without an answer")
        self.check(b"HTTP/1.1 200 Conn", 56, b"ends the connection inside its answer")

    def test_an_end_behind_the_answer_is_a_failed_handshake(self):
        self.check(ESTABLISHED, 35)

    def test_silence_is_a_time_out(self):
        result = self.check(b"HTTP/1.1 200 OK\r\n", 28, b"waiting for the proxy's answer",
                            then="wait", args=["--connect-timeout", "1"])
        self.assertIn(b"timed out after 1000 ms", result.stderr)

    def test_a_proxy_that_is_not_there(self):
        port = free_port()
        result = self.fetch("-sS", "-x", f"http://127.0.0.1:{port}", self.url, code=7)
        self.assertIn(f"could not connect to the proxy 127.0.0.1 port {port}".encode(),
                      result.stderr)
        result = self.fetch("-sS", "-x", "http://nowhere.invalid:1", self.url, code=5)
        self.assertIn(b"could not resolve the proxy nowhere.invalid", result.stderr)

    def test_urls_that_are_none(self):
        for url in ("http://", "http://a b:1", "http://localhost:99999", "ftp://localhost:1",
                    "socks4://localhost:1", "http://us%0aer:x@localhost:1", "http://u%zz@h"):
            self.fetch("-sS", "-x", url, self.url, code=5)
        result = get("-sS", "-x", "http://secret:word@ bad", self.url)
        self.assertNotIn(b"word", result.stderr)

    def test_a_wrong_certificate_behind_the_proxy_is_still_wrong(self):
        with self.proxy() as p:
            p.hosts["other.test"] = "127.0.0.1"
            self.fetch("-sS", "-x", f"localhost:{p.port}",
                       f"https://other.test:{self.origin.port}/", code=60)


class SocksProxies(ProxyTest):
    def ask(self, scheme, code=0, args=(), url=None, **more):
        with Socks(hosts={NAME: "127.0.0.1"}, **more) as p:
            result = self.fetch("-sS", "-x", f"{scheme}://localhost:{p.port}", *args,
                                url or self.url, code=code)
            return result, p

    def test_names_go_to_the_proxy_or_are_looked_up_here(self):
        result, p = self.ask("socks5h")
        self.assertEqual((result.stdout, p.names, p.kinds), (b"hello", [NAME], [3]))
        self.ask("socks5", code=97)
        result, p = self.ask("socks5", args=["--resolve", f"{NAME}:{self.origin.port}:127.0.0.1"])
        self.assertEqual((result.stdout, p.names, p.kinds), (b"hello", ["127.0.0.1"], [1]))
        _, p = self.ask("socks5h", url=f"https://127.0.0.1:{self.origin.port}/")
        self.assertEqual(p.kinds, [1])

    def test_passwords(self):
        result, _ = self.ask("socks5h", login=("me", "you"), args=["-U", "me:you"])
        self.assertEqual(result.stdout, b"hello")
        result, _ = self.ask("socks5h", login=("me", "you"), args=["-U", "me:no"], code=97)
        self.assertIn(b"the user name or the password is wrong", result.stderr)
        result, _ = self.ask("socks5h", login=("me", "you"), code=97)
        self.assertIn(b"-U USER:PASSWORD", result.stderr)
        self.ask("socks5h", login=("me", "you"), args=["-U", "me:" + "x" * 256], code=97)

    def test_refusals(self):
        result, _ = self.ask("socks5h", reply=5, code=97)
        self.assertIn(b"refused by the server (5)", result.stderr)
        self.ask("socks5h", reply=77, code=97)
        result, _ = self.ask("socks5h", behind=b"x", code=97)
        self.assertIn(b"sends 1 bytes behind its answer", result.stderr)

    def test_a_proxy_of_http_is_no_proxy_of_socks(self):
        with self.proxy(handle=lambda c: (c.recv(3), c.sendall(b"HTTP/1.1 400 \r\n\r\n"))) as p:
            result = self.fetch("-sS", "-x", f"socks5h://localhost:{p.port}", self.url, code=97)
            self.assertIn(b"does not answer as SOCKS 5", result.stderr)


class Stories(ProxyTest):
    def test_the_story_has_the_proxy_in_it(self):
        trace = self.folder / "story.json"
        with self.proxy(tls=self.proxy_pair) as p:
            result = self.fetch("-sS", "-v", "-x", f"https://localhost:{p.port}", "--proxy-cacert",
                                self.ca.cert, "--trace-json", trace, self.url)
        for text in (f"through https://localhost:{p.port} (--proxy)", "TLS with the proxy: TLSv1.3",
                     f"> CONNECT {NAME}:", "< HTTP/1.1 200 Connection established", "> GET / HTTP"):
            self.assertIn(text.encode(), result.stderr)
        events = [json.loads(line)["event"] for line in trace.read_text().splitlines()]
        self.assertLess(events.index("tcp.connected"), events.index("proxy.request"))
        self.assertLess(events.index("proxy.request"), events.index("proxy.response"))
        self.assertLess(events.index("proxy.response"), events.index("http.request"))

    def test_a_failure_is_told_at_its_stage(self):
        trace = self.folder / "failure.json"
        with self.proxy(say(b"HTTP/1.1 502 No\r\n\r\n")) as p:
            self.fetch("-sS", "-x", f"localhost:{p.port}", "--trace-json", trace, self.url, code=56)
        last = json.loads(trace.read_text().splitlines()[-1])
        self.assertEqual((last["event"], last["stage"]), ("error", "proxy"))

    def test_captures_open_what_is_inside(self):
        need("tshark")
        for pair, arguments in ((None, []), (self.proxy_pair, ["--proxy-insecure"])):
            capture = self.folder / f"{'tls' if pair else 'clear'}.pcapng"
            with self.proxy(tls=pair) as p:
                scheme = "https" if pair else "http"
                self.fetch("-sS", "-x", f"{scheme}://localhost:{p.port}", *arguments, "--pcap",
                           capture, self.url)
            # Ports that Wireshark knows a proxy by, so that it looks into CONNECT.
            kind = "tls.port" if pair else "tcp.port"
            done = subprocess.run(
                ["tshark", "-r", capture, "-d", f"{kind}=={p.port},http", "-Y", "http", "-T",
                 "fields", "-e", "http.request.method", "-e", "http.response.code"],
                capture_output=True, timeout=PATIENCE, check=True, text=True)
            seen = done.stdout.split()
            self.assertEqual(seen[:2], ["CONNECT", "200"], done.stdout)
            if pair is None:
                self.assertEqual(seen, ["CONNECT", "200", "GET", "200"])

    def test_a_recording_is_of_the_connection_to_the_server(self):
        record = self.folder / "one.rec"
        with self.proxy() as p:
            self.fetch("-sS", "-x", f"localhost:{p.port}", "--record", record, self.url)
        done = subprocess.run([PROGRAM, "replay", record], capture_output=True, timeout=PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Tinyproxy(ProxyTest):
    """A proxy that others wrote."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.program = shutil.which("tinyproxy")

    def start(self, *lines):
        if self.program is None:
            self.skipTest("tinyproxy is not installed")
        port = free_port()
        config = self.folder / f"tinyproxy-{port}.conf"
        config.write_text("\n".join([f"Port {port}", "Listen 127.0.0.1", "Timeout 30",
                                     "MaxClients 20", f'LogFile "{self.folder}/tinyproxy.log"',
                                     *lines]) + "\n")
        return Peer([self.program, "-d", "-c", config], port, self.folder)

    def both(self, *args, code):
        """Runs cleat and curl alike; their exit codes are the same."""
        mine = get("-sS", "--cacert", self.ca.cert, *args)
        self.assertEqual(mine.returncode, code, mine.stderr)
        if shutil.which("curl"):
            theirs = subprocess.run(["curl", "-sS", "--cacert", str(self.ca.cert), *args],
                                    capture_output=True, timeout=PATIENCE, check=False)
            self.assertEqual(theirs.returncode, code, theirs.stderr)
            self.assertEqual(mine.stdout, theirs.stdout)
        return mine

    def test_it_connects(self):
        local = f"https://localhost:{self.origin.port}/"
        with self.start() as p:
            self.assertEqual(self.both("-x", f"http://127.0.0.1:{p.port}", local, code=0).stdout,
                             b"hello")
            self.both("-x", f"http://127.0.0.1:{p.port}", "https://nowhere.invalid/", code=56)
            self.both("-x", f"http://127.0.0.1:{p.port}", f"https://localhost:{free_port()}/",
                      code=56)

    def test_it_wants_a_password(self):
        local = f"https://localhost:{self.origin.port}/"
        with self.start("BasicAuth me you") as p:
            where = f"http://127.0.0.1:{p.port}"
            self.both("-x", where, local, code=56)
            self.both("-x", where, "-U", "me:no", local, code=56)
            self.assertEqual(self.both("-x", where, "-U", "me:you", local, code=0).stdout, b"hello")

    def test_it_allows_some_ports(self):
        with self.start("ConnectPort 443") as p:
            self.both("-x", f"http://127.0.0.1:{p.port}",
                      f"https://localhost:{self.origin.port}/", code=56)


if __name__ == "__main__":
    main()
