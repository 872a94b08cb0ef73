#!/usr/bin/env python3
"""`cleat ws --http2`: WebSocket over HTTP/2 (RFC 8441), against `cleat serve`, Node.js, and servers
that do not take it, or take it badly."""
import os
import struct
import subprocess

import h2_support
from get_support import GetTest, Peer, free_port
from h2_support import Server, frame
from support import CLEAT, PATIENCE, main, need

# Frames of a WebSocket by hand: one echo for each, and what closes.
NODE = """
const http2 = require('http2'), fs = require('fs');
const server = http2.createSecureServer({
    key: fs.readFileSync(process.argv[3]), cert: fs.readFileSync(process.argv[4]),
    settings: {enableConnectProtocol: true},
});
server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    if (headers[':method'] !== 'CONNECT' || headers[':protocol'] !== 'websocket') {
        stream.respond({':status': 400}); stream.end(); return;
    }
    stream.respond({':status': 200});
    let have = Buffer.alloc(0);
    stream.on('data', piece => {
        have = Buffer.concat([have, piece]);
        while (have.length >= 6) {
            const len = have[1] & 0x7f;
            if (have.length < 6 + len) return;
            const payload = Buffer.from(have.subarray(6, 6 + len));
            for (let i = 0; i < len; i++) payload[i] ^= have[2 + i % 4];
            stream.write(Buffer.concat([Buffer.from([have[0], len]), payload]));
            if ((have[0] & 15) === 8) stream.end();
            have = have.subarray(6 + len);
        }
    });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
"""


class WsTest(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def ws(self, *args, code=0, stdin=b"", timeout=PATIENCE):
        done = subprocess.run([CLEAT, "ws", "--http2", "--cacert", str(self.ca.cert),
                               *map(str, args)], input=stdin, capture_output=True, timeout=timeout,
                              env={k: v for k, v in os.environ.items() if k != "SSLKEYLOGFILE"})
        self.assertEqual(done.returncode, code, done.stderr.decode(errors="replace")[-3000:])
        return done


class Ourselves(WsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        port = free_port()
        cls.peer = Peer([CLEAT, "serve", "--listen", f"127.0.0.1:{port}", "--cert", cls.cert,
                         "--key", cls.key, "--ws-echo", "/ws", "--ws-max-message", "20000000"],
                        port, cls.folder).__enter__()
        cls.url = f"wss://localhost:{port}/ws"

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        super().tearDownClass()

    def test_messages_come_back_over_a_stream(self):
        done = self.ws("-v", "-x", "hello", "-1", self.url)
        self.assertEqual(done.stdout, b"hello\n")
        for words in (b"CONNECT, :protocol websocket", b"< HTTP/2 200", b"ALPN h2"):
            self.assertIn(words, done.stderr)
        self.assertNotIn(b"Sec-WebSocket-Key", done.stderr)

    def test_many_lines_keep_their_order(self):
        lines = b"".join(b"line %d\n" % i for i in range(3000))
        self.assertEqual(self.ws(self.url, stdin=lines).stdout, lines)

    def test_messages_that_are_larger_than_windows(self):
        data = os.urandom(3_000_000).hex().encode()
        for extra in ([], ["--no-deflate"]):
            with self.subTest(extra):
                done = self.ws("-1", *extra, self.url, stdin=data + b"\n")
                self.assertEqual(done.stdout, data + b"\n")

    def test_another_path_is_no_websocket(self):
        done = self.ws("-x", "hello", self.url + "/not", code=3)
        self.assertIn(b"404", done.stderr)


class Node(WsTest):
    def test_an_echo_that_others_wrote(self):
        need("node")
        script = self.folder / "ws.js"
        script.write_text(NODE)
        port = free_port()
        with Peer(["node", script, port, self.key, self.cert], port, self.folder):
            done = self.ws("--no-deflate", "-x", "one", "-x", "two", "-w", "1",
                           f"wss://localhost:{port}/")
        self.assertEqual(done.stdout, b"one\ntwo\n")


class Scripts(WsTest):
    ALLOWED = {h2_support.CONNECT_PROTOCOL: 1}

    def one(self, script, *args, code=0, **kwargs):
        kwargs.setdefault("settings", self.ALLOWED)
        with Server(self.cert, self.key, script, **kwargs) as server:
            done = self.ws(*args, "-x", "hello", "-1", f"wss://localhost:{server.port}/", code=code)
            self.connections = len(server.connections)
        return done

    def test_a_server_without_it_is_asked_in_the_older_way(self):
        asked = []

        def older(tls):
            asked.append(tls.recv(65536))
            tls.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        done = self.one(lambda c: c.drain(), "-v", settings={}, alpn=("h2", "http/1.1"),
                        older=older, code=3)
        self.assertIn(b"no WebSocket over HTTP/2 here", done.stderr)
        self.assertIn(b"\r\nUpgrade: websocket\r\n", asked[0])

    def test_refusals_and_ends(self):
        def refuse(c):
            c.head(c.request(), status=403, end=True)
            c.drain()

        def reset(c):
            c.reset(c.request(), h2_support.PROTOCOL_ERROR)
            c.drain()

        def vanish(c):
            c.request()
            return "cut"

        def break_it(c):
            c.request()
            c.send(frame(h2_support.DATA, 0, 0, b"x"))
            c.drain()
        for script, words in ((refuse, b"answered 403"), (reset, b"reset the stream"),
                              (vanish, b""), (break_it, b"breaks HTTP/2")):
            with self.subTest(script.__name__):
                self.assertIn(words, self.one(script, code=3).stderr)

    def test_a_stream_that_is_cut_later(self):
        def reset(c):
            stream = c.request()
            c.head(stream)
            c.wait(h2_support.DATA)
            c.reset(stream, h2_support.CANCEL)
            c.drain()

        def finish(c):
            stream = c.request()
            c.head(stream)
            c.wait(h2_support.DATA)
            c.data(stream, b"")
            c.drain()
        for script in (reset, finish):
            with self.subTest(script.__name__):
                self.one(script, code=1)

    def test_what_is_agreed_must_have_been_offered(self):
        def script(c):
            c.head(c.request(), ("sec-websocket-protocol", "never"))
            c.drain()
        self.assertIn(b"Sec-WebSocket-Protocol", self.one(script, code=3).stderr)

    def test_a_message_in_the_smallest_pieces(self):
        def script(c):
            stream = c.request()
            c.head(stream)
            c.wait(h2_support.DATA)
            for byte in b"\x81\x05hello":
                c.data(stream, bytes([byte]), end=False)
            c.wait(h2_support.DATA)
            c.data(stream, b"\x88\x02" + struct.pack(">H", 1000))
            c.drain()
        self.assertEqual(self.one(script).stdout, b"hello\n")


if __name__ == "__main__":
    main()
