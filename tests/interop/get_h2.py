#!/usr/bin/env python3
"""`cleat get` over HTTP/2: against nghttpd, nginx and Node.js, and servers that misbehave."""
import json
import struct

import h2_support
from get_support import GetTest, Peer, free_port, nginx
from h2_support import Server, frame
from support import CLEAT, PATIENCE, main, need, on_terminal

NODE = """
const http2 = require('http2'), fs = require('fs');
const server = http2.createSecureServer({
    key: fs.readFileSync(process.argv[3]), cert: fs.readFileSync(process.argv[4]),
    allowHTTP1: true,
});
server.on('stream', (stream, headers) => {
    const path = headers[':path'];
    stream.on('error', () => {});
    if (path === '/early-hints') stream.additionalHeaders({':status': 103, link: '</a.css>'});
    if (path === '/trailers') {
        stream.respond({':status': 200}, {waitForTrailers: true});
        stream.on('wantTrailers', () => stream.sendTrailers({'x-sum': '42'}));
        stream.end('with trailers');
        return;
    }
    if (path === '/reset') { stream.respond({':status': 200}); stream.write('half');
        setTimeout(() => stream.destroy(new Error('reset')), 50); return; }
    if (path === '/moved') { stream.respond({':status': 302, location: '/'});
        stream.end(); return; }
    if (path === '/push') stream.pushStream({':path': '/x'}, () => {});
    let bytes = 0;
    stream.on('data', piece => { bytes += piece.length; });
    stream.on('end', () => { stream.respond({':status': 200, 'content-type': 'text/plain'});
        stream.end(`${headers[':method']} ${bytes} ${headers['te'] || ''}`); });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
"""


class H2Test(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def lines(self, result):
        return result.stdout.decode().splitlines()


class Nghttpd(H2Test):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("nghttpd")
        cls.www = cls.folder / "www"
        cls.www.mkdir()
        for i in range(10):
            (cls.www / str(i)).write_text(f"file {i}\n")
        (cls.www / "big").write_bytes(bytes(range(256)) * 20000)
        cls.peer = Peer(["nghttpd", "-a", "127.0.0.1", "-d", cls.www, port := free_port(), cls.key,
                         cls.cert], port, cls.folder).__enter__()
        cls.url = f"https://localhost:{port}"

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        super().tearDownClass()

    def test_what_was_agreed_is_told(self):
        facts = self.facts(f"{self.url}/1")
        self.assertEqual([facts[k] for k in ("http_version", "tls_alpn", "http_code",
                                             "num_connects")], ["2", "h2", 200, 1])

    def test_the_head_is_spelled_as_curl_does(self):
        head, body = self.fetch("-sSi", f"{self.url}/1").stdout.split(b"\r\n\r\n")
        self.assertEqual(body, b"file 1\n")
        status, *fields = head.decode().split("\r\n")
        self.assertEqual(status, "HTTP/2 200 ")
        self.assertIn("content-length: 7", fields)
        self.assertEqual([f for f in fields if f.split(":")[0] != f.split(":")[0].lower()], [])
        facts = self.facts(f"{self.url}/1")
        self.assertGreater(facts["size_header"], 100)

    def test_head_requests_have_no_body(self):
        self.assertRegex(self.fetch("-sSI", f"{self.url}/big").stdout,
                         rb"^HTTP/2 200 \r\n(?s:.*)content-length: 5120000\r\n(?s:.*)\r\n\r\n$")

    def test_urls_one_after_the_other_share_the_connection(self):
        result = self.fetch("-sS", "-w", "%{num_connects}\n",
                            *[f"{self.url}/{i}" for i in range(4)])
        self.assertEqual(self.lines(result), ["file 0", "1", "file 1", "0", "file 2", "0", "file 3",
                                              "0"])

    def test_urls_in_parallel_share_the_connection(self):
        outputs = [word for i in range(10) for word in ("-o", self.folder / f"out{i}")]
        result = self.fetch("-sS", "--parallel", *outputs, "-w", "%{urlnum} %{num_connects}\n",
                            *[f"{self.url}/{i}" for i in range(10)])
        found = sorted(tuple(map(int, line.split())) for line in self.lines(result))
        self.assertEqual([number for number, _ in found], list(range(10)))
        self.assertEqual(sum(connects for _, connects in found), 1)
        for i in range(10):
            self.assertEqual((self.folder / f"out{i}").read_text(), f"file {i}\n")

    def test_more_than_the_server_takes_at_a_time(self):
        result = self.fetch("-sS", "-Z", "--parallel-max", "300", "-w", "%{num_connects}",
                            *["-o", "/dev/null"] * 250, *[f"{self.url}/{i % 10}"
                                                          for i in range(250)])
        self.assertEqual(sorted(result.stdout.decode()), ["0"] * 249 + ["1"])

    def test_large_files_in_parallel_arrive_whole(self):
        outputs = [self.folder / name for name in ("a", "b", "c")]
        self.fetch("-sSZ", *[w for o in outputs for w in ("-o", o)], *[f"{self.url}/big"] * 3)
        for output in outputs:
            self.assertEqual(output.read_bytes(), (self.www / "big").read_bytes())

    def test_the_bar_of_several_is_one_line(self):
        dead = f"https://localhost:{free_port()}/"
        shown, code = on_terminal(
            [CLEAT, "get", "--cacert", self.ca.cert, "-Z", "-o", "/dev/null", f"{self.url}/big",
             "-o", "/dev/null", dead])
        self.assertEqual(code, 7, shown)
        self.assertIn(b" of 2  ", shown)
        self.assertRegex(shown, rb"\r\x1b\[Kcleat: \(7\) ")
        self.assertTrue(shown.endswith(b"\n") or shown.endswith(b"\r\x1b[K"), shown)

    def test_a_failure_in_parallel_is_the_exit_code(self):
        dead = f"https://localhost:{free_port()}/"
        result = self.fetch("-sSZ", f"{self.url}/1", dead, f"{self.url}/2", code=7)
        self.assertEqual(sorted(self.lines(result)), ["file 1", "file 2"])
        self.assertEqual(result.stderr.count(b"cleat: (7)"), 1)

    def test_older_http_is_spoken_when_asked_for(self):
        need("nginx")
        with nginx(self.folder, self.cert, self.key) as peer:  # which has HTTP/1.1 alone
            facts = self.facts(f"https://localhost:{peer.port}/")
            self.assertEqual((facts["http_version"], facts["tls_alpn"]), ("1.1", "http/1.1"))

    def test_the_story_names_streams(self):
        trace = self.folder / "trace.jsonl"
        story = self.fetch("-v", "--trace-json", trace, "-o", "/dev/null",
                           f"{self.url}/1").stderr.decode()
        for words in ("the server's SETTINGS: 100 streams at a time", "> GET /1 HTTP/2\n",
                      "stream 1: request", "< HTTP/2 200", "stream 1: body of 7 bytes received"):
            self.assertIn(words, story)
        events = [json.loads(line) for line in trace.read_text().splitlines()]
        found = [(e["event"], e.get("stream")) for e in events if e["event"].startswith("http.")]
        self.assertEqual(found, [("http.request", 1), ("http.response", 1), ("http.body", 1)])


class Nginx(H2Test):
    def serve(self, *directives):
        need("nginx")
        peer = nginx(self.folder, self.cert, self.key, *directives)
        conf = self.folder / f"nginx-{peer.port}" / "nginx.conf"
        peer.stop()
        conf.write_text(conf.read_text().replace(" ssl;", " ssl http2;", 1))
        root = conf.parent
        return Peer(["nginx", "-c", conf, "-p", root, "-e", root / "error.log"], peer.port,
                    self.folder)

    def test_redirects_uploads_and_the_older_way(self):
        with self.serve("location = /moved { return 302 /index.html; }",
                        "location = /up { client_max_body_size 10m; return 200 ok; }") as peer:
            url = f"https://localhost:{peer.port}"
            facts = self.facts("-L", f"{url}/moved")
            self.assertEqual([facts[k] for k in ("http_version", "num_redirects", "num_connects")],
                             ["2", 1, 1])
            data = self.folder / "up"
            data.write_bytes(b"x" * 3000000)
            facts = self.facts("--data-binary", f"@{data}", f"{url}/up")
            self.assertEqual((facts["http_code"], facts["http_version"]), (200, "2"))
            facts = self.facts("--http1.1", f"{url}/")
            self.assertEqual((facts["http_version"], facts["tls_alpn"]), ("1.1", "http/1.1"))

    def test_a_server_that_ends_connections_is_followed(self):
        with self.serve("keepalive_requests 3;") as peer:
            result = self.fetch("-sS", "-w", "%{num_connects}", *["-o", "/dev/null"] * 8,
                                *[f"https://localhost:{peer.port}/"] * 8)
        self.assertEqual(len(result.stdout), 8)
        self.assertIn(result.stdout.count(b"1"), (2, 3))


class Node(H2Test):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        need("node")
        script = cls.folder / "server.js"
        script.write_text(NODE)
        port = free_port()
        cls.peer = Peer(["node", script, port, cls.key, cls.cert], port, cls.folder).__enter__()
        cls.url = f"https://localhost:{port}"

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        super().tearDownClass()

    def test_requests_with_and_without_a_body(self):
        self.assertEqual(self.fetch("-sS", f"{self.url}/").stdout, b"GET 0 ")
        self.assertEqual(self.fetch("-sS", "-d", "", f"{self.url}/").stdout, b"POST 0 ")
        data = self.folder / "data"
        data.write_bytes(bytes(1000003))
        result = self.fetch("-sS", "--data-binary", f"@{data}", f"{self.url}/")
        self.assertEqual(result.stdout, b"POST 1000003 ")

    def test_interim_heads_come_first(self):
        out = self.fetch("-sSi", f"{self.url}/early-hints").stdout
        self.assertRegex(out, rb"^HTTP/2 103 \r\nlink: </a.css>\r\n\r\nHTTP/2 200 \r\n")
        self.assertTrue(out.endswith(b"GET 0 "))

    def test_trailers_are_told_and_not_written(self):
        result = self.fetch("-v", f"{self.url}/trailers")
        self.assertEqual(result.stdout, b"with trailers")
        self.assertIn(b"x-sum: 42", result.stderr)

    def test_a_reset_is_92(self):
        result = self.fetch("-sS", f"{self.url}/reset", code=92)
        self.assertIn(b"the server reset stream 1 (INTERNAL_ERROR), after 4 bytes of the body",
                      result.stderr)

    def test_a_redirect_is_a_stream_of_the_connection(self):
        facts = self.facts("-L", f"{self.url}/moved")
        self.assertEqual((facts["num_redirects"], facts["num_connects"]), (1, 1))


class Hostile(H2Test):
    def serve(self, script, **kwargs):
        return Server(self.cert, self.key, script, **kwargs)

    def one(self, script, *args, code=0, **kwargs):
        with self.serve(script, **kwargs) as server:
            return self.fetch("-sS", "-m", str(PATIENCE), *args, f"{server.url}/", code=code)

    def test_a_plain_answer(self):
        self.assertEqual(self.one(lambda c: c.answer(c.request())).stdout, b"hello")

    def test_padding_is_taken_off(self):
        def script(c):
            stream = c.request()
            c.send(frame(h2_support.HEADERS, 4 | 8, stream,
                         b"\3" + h2_support.response() + b"\0" * 3))
            c.send(frame(h2_support.DATA, 1 | 8, stream, b"\5hello" + b"\0" * 5))
            c.drain()
        self.assertEqual(self.one(script).stdout, b"hello")

    def test_a_head_in_pieces(self):
        def script(c):
            stream = c.request()
            whole = h2_support.response(200, ("x-a", "b" * 100))
            c.send(frame(h2_support.HEADERS, 0, stream, whole[:5]),
                   frame(h2_support.CONTINUATION, 0, stream, whole[5:9]),
                   frame(h2_support.CONTINUATION, 4, stream, whole[9:]))
            c.data(stream, b"hello")
            c.drain()
        self.assertEqual(self.one(script).stdout, b"hello")

    def test_pings_are_answered(self):
        seen = []

        def script(c):
            stream = c.request()
            c.send(frame(h2_support.PING, 0, 0, b"12345678"))
            seen.append(c.wait(h2_support.PING))
            c.answer(stream)
            c.drain()
        self.one(script)
        self.assertEqual(seen, [(h2_support.PING, h2_support.ACK, 0, b"12345678")])

    def test_a_request_is_what_it_should_be(self):
        seen = []

        def script(c):
            seen.append(c.wait(h2_support.HEADERS))
            c.answer(seen[0][2])
            c.drain()
            seen.extend(c.seen)
        self.one(script)
        self.assertEqual(seen[0][1:3], (h2_support.END_STREAM | h2_support.END_HEADERS, 1))
        ours = [payload for kind, flags, _, payload in seen
                if kind == h2_support.SETTINGS and not flags]
        self.assertIn(struct.pack(">HI", 2, 0), ours[0])  # ENABLE_PUSH 0
        self.assertEqual([struct.unpack(">II", p[:8])[1] for kind, _, _, p in seen
                          if kind == h2_support.GOAWAY], [0])

    def test_a_goaway_lets_streams_end(self):
        def script(c):
            stream = c.request()
            c.goaway(stream)
            c.answer(stream)
            c.drain()
        self.assertEqual(self.one(script).stdout, b"hello")

    def test_what_a_goaway_leaves_out_is_sent_again(self):
        def script(c):
            if len(server.connections) == 1:
                c.request()
                c.goaway(0)
                c.drain()
            else:
                c.answer(c.request())
                c.drain()
        with self.serve(script) as server:
            result = self.fetch("-v", f"{server.url}/")
            self.assertEqual(result.stdout, b"hello")
            self.assertEqual(len(server.connections), 2)
        self.assertIn(b"sent again, on another connection", result.stderr)

    def test_a_post_that_was_refused_is_sent_again(self):
        def script(c):
            stream = c.request()
            if len(server.connections) == 1:
                c.reset(stream, h2_support.REFUSED_STREAM)
            else:
                c.wait(h2_support.DATA)
                c.answer(stream)
            c.drain()
        with self.serve(script) as server:
            self.assertEqual(self.fetch("-sS", "-d", "a=1", f"{server.url}/").stdout, b"hello")
            self.assertEqual(len(server.connections), 2)

    def test_who_wants_the_older_way_gets_it(self):
        def script(c):
            c.reset(c.request(), h2_support.HTTP_1_1_REQUIRED)
            c.drain()

        def older(tls):
            while b"\r\n\r\n" not in tls.recv(65536):
                pass
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nolder")
        with self.serve(script, alpn=("h2", "http/1.1"), older=older) as server:
            result = self.fetch("-sS", "-w", "%{http_version} %{num_connects}", f"{server.url}/")
            self.assertEqual((result.stdout, len(server.connections)), (b"older1.1 2", 1))

    def test_who_always_refuses_is_given_up(self):
        def script(c):
            c.reset(c.request(), h2_support.REFUSED_STREAM)
            c.drain()
        with self.serve(script) as server:
            result = self.fetch("-sS", f"{server.url}/", code=92)
            self.assertEqual(len(server.connections), 6)
        self.assertIn(b"REFUSED_STREAM", result.stderr)

    def test_a_goaway_with_an_error_and_the_end_is_16(self):
        def script(c):
            stream = c.request()
            c.head(stream)
            c.goaway(stream, h2_support.ENHANCE_YOUR_CALM)
            return "cut"
        self.assertIn(b"GOAWAY, ENHANCE_YOUR_CALM", self.one(script, code=16).stderr)

    def test_an_end_without_an_answer_is_52(self):
        for how in (None, "cut"):
            with self.subTest(how):
                def script(c):
                    c.request()
                    return how
                self.assertIn(b"empty reply", self.one(script, code=52).stderr)

    def test_an_end_in_the_middle_is_92(self):
        def script(c):
            stream = c.request()
            c.head(stream, ("content-length", 50))
            c.data(stream, b"hello", end=False)
            return "cut"
        result = self.one(script, code=92)
        self.assertIn(b"after 5 of 50 bytes of the body", result.stderr)

    def test_a_kept_connection_that_died_is_made_anew(self):
        def script(c):
            c.answer(c.request())
            if len(server.connections) == 1:
                c.request()
                return "cut"
            c.drain()
        with self.serve(script) as server:
            result = self.fetch("-sS", f"{server.url}/", f"{server.url}/")
            self.assertEqual((result.stdout, len(server.connections)), (b"hellohello", 2))

    def test_lengths_that_are_wrong(self):
        for length, body in ((50, b"hello"), (3, b"hello")):
            with self.subTest(length):
                def script(c):
                    c.answer(c.request(), body, ("content-length", length))
                    c.drain()
                self.assertIn(b"breaks HTTP/2 (PROTOCOL_ERROR)", self.one(script, code=92).stderr)

    def test_heads_that_are_wrong(self):
        upper = h2_support.block((":status", 200), ("X-Upper", "1"))
        for wrong in (upper, h2_support.block(("x-a", "b")),
                      h2_support.block((":status", 200), ("connection", "close")),
                      h2_support.block((":status", "2oo")),
                      h2_support.block((":status", 101))):
            with self.subTest(wrong):
                def script(c):
                    c.send(frame(h2_support.HEADERS, 5, c.request(), wrong))
                    c.drain()
                self.one(script, code=92)

    def test_a_head_that_is_too_large_is_8(self):
        def script(c):
            stream = c.request()
            whole = h2_support.response(200, *[(f"x-{i}", "v" * 200) for i in range(99)] * 2)
            c.send(frame(h2_support.HEADERS, 0, stream, whole[:16384]),
                   frame(h2_support.CONTINUATION, 0, stream, whole[16384:32768]),
                   frame(h2_support.CONTINUATION, 5, stream, whole[32768:]))
            c.drain()
        self.one(script, code=8)

    def test_interim_heads_without_end_are_8(self):
        def script(c):
            stream = c.request()
            for _ in range(40):
                c.head(stream, status=103)
            c.drain()
        self.assertIn(b"interim responses", self.one(script, code=8).stderr)

    def test_what_breaks_the_protocol_is_16_and_told_to_the_server(self):
        codes = []
        for wrong in (frame(h2_support.DATA, 0, 0, b"x"), frame(h2_support.PING, 0, 0, b"short"),
                      frame(h2_support.PRIORITY, 0, 0, bytes(5)),
                      frame(h2_support.PUSH_PROMISE, 4, 1, struct.pack(">I", 2)
                            + h2_support.block((":method", "GET"), (":scheme", "https"),
                                               (":path", "/"), (":authority", "localhost"))),
                      frame(h2_support.WINDOW_UPDATE, 0, 0, bytes(4)),
                      frame(h2_support.HEADERS, 5, 1, b"\xff\xff\xff\xff\xff\xff")):
            with self.subTest(wrong):
                def script(c):
                    c.request()
                    c.send(wrong)
                    codes.append(c.code_of_goaway())
                self.one(script, code=16)
        self.assertEqual(codes, [1, 6, 1, 1, 1, 9])

    def test_floods_end_the_connection(self):
        for flood in (frame(h2_support.PING, 0, 0, bytes(8)), frame(h2_support.SETTINGS, 0, 0),
                      frame(h2_support.DATA, 0, 1)):
            with self.subTest(flood):
                def script(c):
                    c.head(c.request())
                    c.send(flood * 3000)
                    c.drain()
                self.one(script, code=16)

    def test_a_window_that_never_opens_ends_with_max_time(self):
        def script(c):
            c.drain()
        data = self.folder / "much"
        data.write_bytes(bytes(300000))
        with self.serve(script, settings={h2_support.INITIAL_WINDOW: 10}) as server:
            result = self.fetch("-sS", "-m", "2", "--data-binary", f"@{data}", f"{server.url}/",
                                code=28)
        self.assertIn(b"sending the request", result.stderr)

    def test_an_answer_before_the_end_of_the_upload(self):
        def script(c):
            stream = c.request()
            c.head(stream, status=413)
            c.data(stream, b"too much")
            c.wait(h2_support.RST_STREAM, stream)
            c.drain()
        data = self.folder / "more"
        data.write_bytes(bytes(3000000))
        result = self.one(script, "--data-binary", f"@{data}")
        self.assertEqual(result.stdout, b"too much")

    def test_more_streams_than_the_server_allows_wait(self):
        most = []

        def script(c):
            waiting = []
            for _ in range(6):
                waiting.append(c.request())
                most.append(len(waiting))
                if len(waiting) == 2:
                    for stream in waiting:
                        c.answer(stream)
                    waiting = []
            c.drain()
        with self.serve(script, settings={h2_support.MAX_STREAMS: 2}) as server:
            result = self.fetch("-sSZ", "-m", str(PATIENCE), *[f"{server.url}/{i}"
                                                               for i in range(6)])
            self.assertEqual(len(server.connections), 1)
        self.assertEqual((result.stdout, max(most)), (b"hello" * 6, 2))

    def test_one_that_is_reset_leaves_the_others(self):
        def script(c):
            streams = [c.request() for _ in range(3)]
            c.reset(streams[1], h2_support.CANCEL)
            for stream in (streams[0], streams[2]):
                c.answer(stream)
            c.drain()
        with self.serve(script) as server:
            result = self.fetch("-sSZ", *[f"{server.url}/{i}" for i in range(3)], code=92)
        self.assertEqual(result.stdout, b"hellohello")

    def test_a_write_that_fails_resets_its_stream(self):
        codes = []

        def script(c):
            first, second = c.request(), c.request()
            c.answer(first, b"x" * 100)
            codes.append(struct.unpack(">I", c.wait(h2_support.RST_STREAM, first)[3])[0])
            c.answer(second)
            c.drain()
        with self.serve(script) as server:
            self.fetch("-sSZ", "-o", "/dev/full", "-o", "/dev/null", f"{server.url}/1",
                       f"{server.url}/2", code=23)
        self.assertEqual(codes, [h2_support.CANCEL])


if __name__ == "__main__":
    main()
