#!/usr/bin/env python3
"""`cleat serve` over HTTP/2: curl, nghttp, h2load and node as clients; the rules that differ from
HTTP/1.1; and whoever oversteps a limit gets GOAWAY, a line in the log, and nobody else notices."""
import contextlib
import json
import os
import signal
import unittest

import abuse_support
import h2_frames as h2
import support
from h2_frames import Connection
from support import Server

support.need("curl", "openssl", "nghttp", "h2load", "node")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "server")
CLIENT = support.make_leaf(CA, "client", purpose="clientAuth")
ROOT = support.folder() / "root"
BIG = 3000000
# Connections with windows that stay closed, their streams, and what they may cost: 4 KiB a stream.
HELD, STREAMS, HELD_MOST = 100, 100, 40 << 20
(ROOT / "secret").mkdir(parents=True)
(ROOT / "index.html").write_text("served\n")
(ROOT / "secret" / "a.txt").write_text("secret\n")
(ROOT / "big.bin").write_bytes(bytes(range(256)) * (BIG // 256 + 1))

NODE = """
const http2 = require('http2'), fs = require('fs');
const [url, ca] = process.argv.slice(1);
const session = http2.connect(url, { ca: fs.readFileSync(ca) });
const ask = (path) => new Promise((done) => {
  const stream = session.request({ ':path': path });
  let status, size = 0;
  stream.on('response', (head) => { status = head[':status']; });
  stream.on('data', (d) => { size += d.length; });
  stream.on('end', () => done([status, size]));
  stream.on('error', (e) => done([e.message]));
});
const paths = process.argv.slice(3);
Promise.all(paths.map(ask)).then((all) => {
  console.log(JSON.stringify(all)); session.close();
});
"""

# Downloads that are left, uploads that the server does not want: frames cross resets.
NODE_LEAVES = """
const http2 = require('http2'), fs = require('fs');
const [url, ca] = process.argv.slice(1);
const session = http2.connect(url, { ca: fs.readFileSync(ca) });
const ends = {};
let goaways = 0;
session.on('goaway', () => { goaways++; });
const count = (what) => { ends[what] = (ends[what] || 0) + 1; };
const leave = () => new Promise((done) => {
  const stream = session.request({ ':path': '/big.bin' });
  stream.once('data', () => { stream.close(http2.constants.NGHTTP2_CANCEL); });
  stream.on('close', () => { count('left'); done(); });
  stream.on('error', () => {});
});
const upload = () => new Promise((done) => {
  const stream = session.request({ ':path': '/', ':method': 'POST' });
  stream.on('response', (head) => { count(head[':status']); });
  stream.on('close', done);
  stream.on('error', () => {});
  stream.resume();
  for (let i = 0; i < 20; i++) stream.write(Buffer.alloc(16384));
  stream.end();
});
(async () => {
  for (let i = 0; i < 3; i++) {
    const all = [];
    for (let j = 0; j < 40; j++) all.push(leave(), upload());
    await Promise.all(all);
  }
  const last = session.request({ ':path': '/' });
  last.on('response', (head) => { count(head[':status']); });
  last.resume();
  last.on('close', () => { console.log(JSON.stringify([ends, goaways])); session.close(); });
})();
"""


def curl(*args, check=True):
    return support.run(["curl", "-sS", "--http2", "--cacert", CA.cert, *args], check=check)


def node(server, *paths):
    """Status and size of each answer, asked for at once on one connection; or what went wrong."""
    return json.loads(support.run(["node", "-e", NODE, server.url, CA.cert, *paths]).stdout)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(*PAIR.args(), "--root", ROOT).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def test_curl_gets_files_heads_ranges_and_errors(self):
        what = "%{http_version} %{http_code} %{size_download}\n"
        url = self.server.url
        for args, want in ((("/",), "2 200 7"), (("/", "-I"), "2 200 0"),
                           (("/big.bin", "-r", "5-9"), "2 206 5"),
                           (("/nothing",), "2 404 14"), (("/secret",), "2 301 22"),
                           (("/", "--data-binary", f"@{ROOT}/big.bin"), "2 405 "),
                           (("/", "-X", "BREW"), "2 501 "),
                           (("/", "-X", "OPTIONS", "--request-target", "*"), "2 204 0")):
            with self.subTest(args[1:] or args):
                done = curl("-o", "/dev/null", "-w", what, url + args[0], *args[1:])
                self.assertIn(want, done.stdout.decode())

    def test_twenty_downloads_at_once_are_whole(self):
        folder = support.folder() / "downloads"
        folder.mkdir()
        words = ["-Z"]
        for i in range(20):
            words += [f"{self.server.url}/big.bin?{i}", "-o", folder / str(i)]
        curl(*words)
        want = (ROOT / "big.bin").read_bytes()
        for i in range(20):
            self.assertEqual((folder / str(i)).read_bytes(), want)

    def test_the_access_log_has_a_line_for_each(self):
        curl(self.server.url + "/?logged")
        line = self.server.access.wait_for(r'"GET /\?logged HTTP/2\.0" 200 7 "-" "curl')
        self.assertIn(" h2 localhost ", line)

    def test_nghttp_gets_several_over_one_connection(self):
        done = support.run(["nghttp", "-ns", f"{self.server.url}/big.bin", f"{self.server.url}/"])
        self.assertRegex(done.stdout.decode(), r" 200 +\S+ /big\.bin")
        self.assertRegex(done.stdout.decode(), r" 200 +7 /\n")

    def test_h2load_gets_all_it_asks_for(self):
        done = support.run(["h2load", "-n", "2000", "-c", "10", "-m", "20", f"{self.server.url}/"])
        self.assertIn("2000 succeeded, 0 failed", done.stdout.decode())

    def test_node(self):
        size = (ROOT / "big.bin").stat().st_size
        self.assertEqual(node(self.server, "/", "/big.bin", "/nothing"),
                         [[200, 7], [200, size], [404, 14]])

    def test_resets_on_both_sides_cost_nobody_the_connection(self):
        done = support.run(["node", "-e", NODE_LEAVES, self.server.url, CA.cert])
        self.assertEqual(json.loads(done.stdout), [{"200": 1, "405": 120, "left": 120}, 0])

    def test_what_is_more_urgent_goes_first(self):
        """RFC 9218: asked for second, and there before the other's end."""
        wide = (1 << 24).to_bytes(4, "big")
        with Connection(self.server, CA, h2.settings(window=1 << 24)) as c:
            c.send(h2.frame(h2.WINDOW_UPDATE, 0, wide) +
                   h2.headers(1, h2.request("/big.bin", more=[("priority", "u=7")])) +
                   h2.headers(3, h2.request("/", more=[("priority", "u=0")])))
            self.assertEqual(c.wait_for(h2.DATA, 3)[3], b"served\n")
            while not c.wait_for(h2.DATA, 1)[1] & h2.END_STREAM:
                pass


class Rules(unittest.TestCase):
    def test_no_http2_leaves_it_out(self):
        with Server(*PAIR.args(), "--root", ROOT, "--no-http2") as server:
            done = curl("-o", "/dev/null", "-w", "%{http_version}", server.url)
            self.assertEqual(done.stdout, b"1.1")

    def test_a_protected_path_is_asked_for_again_over_http_1_1(self):
        """RFC 9113 9.2.3: nobody is asked for a certificate after the handshake."""
        with Server(*PAIR.args(), "--root", ROOT, "--client-ca", CA.cert,
                    "--client-auth-path", "/secret") as server:
            done = curl("--cert", CLIENT.cert, "--key", CLIENT.key, f"{server.url}/secret/a.txt",
                        f"{server.url}/")
            self.assertEqual(done.stdout, b"secret\nserved\n")
            server.access.wait_for(r'"GET /secret/a\.txt HTTP/1\.1" 200 ')
            with Connection(server, CA) as c:
                c.send(h2.headers(1, h2.request("/secret/a.txt")) + h2.headers(3, h2.request()))
                reset = c.wait_for(h2.RST_STREAM, 1)
                self.assertEqual(int.from_bytes(reset[3], "big"), h2.HTTP_1_1_REQUIRED)
                self.assertEqual(c.status(3), 200)
            refused, open_to_all = node(server, "/secret/a.txt", "/")
            self.assertRegex(refused[0], "NGHTTP2_HTTP_1_1_REQUIRED")
            self.assertEqual(open_to_all, [200, 7])

    def test_a_stopping_server_says_goaway_and_answers_what_is_on_its_way(self):
        with Server(*PAIR.args(), "--root", ROOT) as server:
            with Connection(server, CA) as c:
                c.send(h2.headers(1, h2.request("/big.bin")))
                self.assertEqual(c.status(1), 200)
                server.signal(signal.SIGTERM)
                self.assertEqual(c.wait_for(h2.GOAWAY)[3][4:8], bytes(4))
                c.send(h2.frame(h2.WINDOW_UPDATE, 0, (1 << 24).to_bytes(4, "big")) +
                       h2.frame(h2.WINDOW_UPDATE, 1, (1 << 24).to_bytes(4, "big")))
                while not c.wait_for(h2.DATA, 1)[1] & h2.END_STREAM:
                    pass
            self.assertEqual(server.wait(), 0)

    def test_a_head_beyond_the_limits_is_431_and_the_connection_lives(self):
        with Server(*PAIR.args(), "--root", ROOT) as server, Connection(server, CA) as c:
            c.send(h2.headers(1, h2.request(more=[(f"x-{i}", "y") for i in range(101)])))
            self.assertEqual(c.status(1), 431)
            c.send(h2.headers(3, h2.request(more=[(f"x-{i}", "y" * 7000) for i in range(2)])))
            self.assertEqual(c.status(3), 200)


def on_streams(num, each):
    return b"".join(each(1 + 2 * i) for i in range(num))


def get(stream):
    return h2.headers(stream, h2.request())


def bomb():
    """An index of one byte stands for a field of 4,000."""
    entry = b"\x40" + h2.text("x") + h2.text("y" * 4000)
    fields = h2.block(h2.request()) + entry + b"\xbe" * 12000
    return h2.frame(h2.HEADERS, 1, fields, h2.END_HEADERS | h2.END_STREAM)


def continuations(num):
    return (h2.frame(h2.HEADERS, 1, h2.block(h2.request()), h2.END_STREAM) +
            h2.frame(h2.CONTINUATION, 1, h2.block([("x", "y")])) * num)


# What is sent, and what the log says about it.
ATTACKS = {
    "rapid reset": (on_streams(500, lambda s: get(s) + h2.frame(h2.RST_STREAM, s, bytes(4))),
                    r"reset"),
    "made you reset": (on_streams(500, lambda s: h2.headers(s, h2.request(), end=False) +
                                  h2.frame(h2.WINDOW_UPDATE, s, b"\x7f\xff\xff\xff")),
                       r"reset"),
    "continuations": (continuations(50), r"CONTINUATION"),
    "pings": (h2.frame(h2.PING, payload=bytes(8)) * 1000, r"PING"),
    "settings": (h2.settings(window=70000) * 200, r"SETTINGS"),
    "empty frames": (h2.headers(1, h2.request(method="POST"), end=False) +
                     h2.frame(h2.DATA, 1) * 1000, r"empty"),
    "window updates": (h2.frame(h2.WINDOW_UPDATE, 0, (1).to_bytes(4, "big")) * 8000,
                       r"WINDOW_UPDATE"),
    "priorities": (h2.frame(h2.PRIORITY, 3, bytes([0, 0, 0, 0, 9])) * 8000, r"priority"),
    "unknown frames": (h2.frame(0x42, 0, b"?") * 1000, r"nobody knows"),
    "a bomb of HPACK": (bomb(), r"head"),
}


class Closed(unittest.TestCase):
    def test_what_is_late_for_a_stream_that_was_reset_is_ignored_until_it_ends(self):
        late = h2.frame(h2.DATA, 1, bytes(16384))
        with Server(*PAIR.args(), "--root", ROOT) as server, Connection(server, CA) as c:
            c.send(h2.headers(1, h2.request(method="POST"), end=False) +
                   h2.frame(h2.WINDOW_UPDATE, 1, b"\x7f\xff\xff\xff"))  # too wide, RFC 9113 6.9.1
            self.assertIsNotNone(c.wait_for(h2.RST_STREAM, 1))
            for _ in range(100):  # more than the connection's window, which must open again
                c.send(late)
            c.send(h2.frame(h2.DATA, 1, b"last", h2.END_STREAM) + get(3))
            self.assertEqual(c.status(3), 200)
            c.send(late)
            self.assertEqual(c.goaway(), h2.STREAM_CLOSED)
            server.errors.wait_for(r"HTTP/2 failed: .*goes on with stream 1, which it had ended")


class Attacks(unittest.TestCase):
    def test_whoever_oversteps_a_limit_gets_goaway_and_a_line(self):
        with Server(*PAIR.args(), "--root", ROOT) as server, Connection(server, CA) as other:
            for number, (name, (data, why)) in enumerate(ATTACKS.items()):
                with self.subTest(name), Connection(server, CA, timeout=6) as c:
                    peer = "%s:%d" % c.sock.getsockname()[:2]
                    try:
                        c.send(data)
                    except OSError:
                        pass  # it had enough
                    self.assertIn(c.goaway(), (h2.ENHANCE_YOUR_CALM, None))
                    server.errors.wait_for(rf"{peer}: HTTP/2 failed: \w+: .*{why}")
                    other.send(get(1 + 2 * number))
                    self.assertEqual(other.status(1 + 2 * number), 200)


class ClosedWindows(unittest.TestCase):
    def test_who_opens_no_window_costs_little_and_holds_nobody_up(self):
        """Answers of 16 MiB on 100 streams of each of 100 connections, none of which may be sent:
        what the server keeps of them is bounded. (That such a stream is reset after 30 seconds is
        tested with a clock of its own: tests/server/test_time.c.)"""
        (ROOT / "held.bin").write_bytes(b"")
        os.truncate(ROOT / "held.bin", 16 << 20)
        asks = on_streams(STREAMS, lambda s: h2.headers(s, h2.request("/held.bin")))
        with Server(*PAIR.args(), "--root", ROOT, "--threads", "1",
                    env=abuse_support.ENV) as server, contextlib.ExitStack() as held:
            self.assertEqual(node(server, "/"), [[200, 7]])
            gauge = abuse_support.Gauge(server)
            before = gauge.rss()
            for _ in range(HELD):
                c = held.enter_context(Connection(server, CA, h2.settings(window=0)))
                c.send(asks)
                for i in range(STREAMS):
                    self.assertEqual(c.status(1 + 2 * i), 200)
            self.assertLess(gauge.most() - before, HELD_MOST + abuse_support.QUARANTINE)
            self.assertEqual(node(server, "/"), [[200, 7]])
            c.send(h2.frame(h2.WINDOW_UPDATE, 1, (7).to_bytes(4, "big")))
            self.assertEqual(c.wait_for(h2.DATA, 1)[3], bytes(7))


if __name__ == "__main__":
    support.main()
