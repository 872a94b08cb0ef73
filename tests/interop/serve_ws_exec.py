"""`cleat serve --ws-exec`: a process for each WebSocket: lines, environment, limits, its end."""
import os
import signal
import sys
import time
import unittest

import abuse_support
import support
import ws_support as ws
from ws_support import BINARY, PING, TEXT, frame

support.need("openssl", "sh", "cat")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "page.txt").write_text("page")

# What the commands below do; Python, because it is there.
PROGRAMS = {
    "env": "import os\nfor k in sorted(os.environ): print(k + '=' + os.environ[k], flush=True)",
    "args": "import sys\nprint(repr(sys.argv[1:]), flush=True)",
    "status": "import sys\nprint('last', end='', flush=True)\n"
              "print('oops\\x1b[31m', file=sys.stderr)\n"
              "sys.exit(3)",
    "stubborn": "import signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                "print('ready', flush=True)\ntime.sleep(600)",
    "reader": "import sys, time\nprint('ready', flush=True)\ntime.sleep(600)",
    "flood": "import sys\nwhile True: sys.stdout.write('x' * 1000 + '\\n')",
    "noise": "import sys\nwhile True: sys.stderr.write('y' * 3000 + '\\n')",
    "long": "import sys\nsys.stdout.write('a' * 200000 + '\\r\\n' + 'b\\n\\nc')\n"
            "sys.stdout.flush()",
    "bytes": "import sys\nsys.stdout.buffer.write(bytes([255, 254, 10]))",
    "parent": "import os, sys, time\npid = os.fork()\n"
              "if pid == 0:\n    time.sleep(600)\nprint(pid, flush=True)\nsys.stdin.read()",
    "slow": "import sys, time\n"
            "for line in sys.stdin:\n    time.sleep(0.01)\n    print(len(line), flush=True)",
}


def program(name):
    path = support.folder() / f"{name}.py"
    path.write_text(PROGRAMS[name] + "\n")
    return f"{sys.executable} {path}"


def args(*more):
    given = [*PAIR.args(), "--root", ROOT, "--ws-exec", "/cat=cat"]
    for name in PROGRAMS:
        given += ["--ws-exec", f"/{name}={program(name)}"]
    return [*given, "--ws-exec", f"/quoted={program('args')} 'a b' \"c'd\" e\\ f '' $HOME *",
            "--ws-exec", "/absent=/nonexistent/program", *more]


def setUpModule():
    global server
    server = support.Server(*args(), env={"SECRET_OF_OURS": "secret"})


def tearDownModule():
    server.__exit__(None, None, None)


def client(path, *fields, at=None):
    return ws.tls_client(at or server, CA, path, *fields)


def lines_of(path, *fields):
    """All messages until the server closes, and the code."""
    got = []
    with client(path, *fields) as c:
        while True:
            _, _, opcode, data = c.receive()
            if opcode == ws.CLOSE:
                return got, int.from_bytes(data[:2], "big")
            got.append(data.decode())


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def children(at=None):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == (at or server).process.pid:
                    found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def until(condition, what):
    abuse_support.wait_until(lambda: what, condition)


class Lines(unittest.TestCase):
    def test_messages_are_lines_and_lines_are_messages(self):
        with client("/cat") as c:
            for text in ("one", "", "zwei ü", "x" * 30000, "y" * 300000):
                c.send(frame(TEXT, text.encode()))
                self.assertEqual(c.message(), (TEXT, text.encode()))
            c.send(frame(TEXT, b"two\nlines"))
            self.assertEqual([c.message()[1], c.message()[1]], [b"two", b"lines"])
            c.send(frame(TEXT, b"frag", fin=False), frame(PING, b"p"), frame(0, b"ments"))
            self.assertEqual(c.receive()[2:], (ws.PONG, b"p"))
            self.assertEqual(c.message(), (TEXT, b"fragments"))

    def test_a_line_longer_than_a_buffer_and_one_without_an_end(self):
        with client("/long") as c:
            self.assertEqual(c.message(), (TEXT, b"a" * 200000))
            self.assertEqual([c.message()[1] for _ in range(3)], [b"b", b"", b"c"])
            self.assertEqual(c.closing()[0], 1000)

    def test_binary(self):
        data = os.urandom(100000)
        with support.Server(*args("--ws-binary")) as s, client("/cat", at=s) as c:
            c.send(frame(BINARY, data))
            got = b""
            while len(got) < len(data):
                kind, part = c.message()
                self.assertEqual(kind, BINARY)
                got += part
            self.assertEqual(got, data)

    def test_output_that_is_no_text_ends_with_1011(self):
        with client("/bytes") as c:
            code, reason = c.closing()
            self.assertEqual(code, 1011)
            self.assertIn("not UTF-8", reason)


class Starting(unittest.TestCase):
    def test_the_environment_is_like_cgi_s_and_has_nothing_of_ours(self):
        got, code = lines_of("/env/more%20path?a=b&c", "X-Test-1: one", "X-Test-1: two",
                             "X_Test_1: forged", "Proxy: evil", "Authorization: Basic secret",
                             "Cookie: a=1", "Cookie: b=2", "Origin: https://localhost")
        env = dict(line.split("=", 1) for line in got)
        self.assertEqual(code, 1000)
        for name, value in (("GATEWAY_INTERFACE", "CGI/1.1"), ("REMOTE_ADDR", "127.0.0.1"),
                            ("REQUEST_URI", "/env/more%20path?a=b&c"), ("QUERY_STRING", "a=b&c"),
                            ("SCRIPT_NAME", "/env"), ("PATH_INFO", "/more path"), ("HTTPS", "on"),
                            ("SERVER_NAME", "localhost"), ("SERVER_PORT", str(server.port)),
                            ("SERVER_PROTOCOL", "HTTP/1.1"), ("REQUEST_METHOD", "GET"),
                            ("HTTP_X_TEST_1", "one, two"), ("HTTP_COOKIE", "a=1; b=2"),
                            ("HTTP_ORIGIN", "https://localhost"), ("HTTP_HOST", "localhost")):
            self.assertEqual(env.get(name), value, name)
        self.assertTrue(env["REMOTE_PORT"].isdigit())
        self.assertEqual(env["PATH"], os.environ["PATH"])
        for name in ("SECRET_OF_OURS", "HTTP_PROXY", "HTTP_AUTHORIZATION"):
            self.assertNotIn(name, env)

    def test_no_shell_is_asked(self):
        (line,), _ = lines_of("/quoted")
        self.assertEqual(line, repr(["a b", "c'd", "e f", "", "$HOME", "*"]))

    def test_a_file_below_the_path_is_still_a_file(self):
        with support.tls(server.port, CA) as s:
            s.sendall(b"GET /page.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(support.Responses(s).next()[2], b"page")

    def test_what_cannot_be_started_is_500_and_in_the_log_only(self):
        with support.tls(server.port, CA) as s:
            s.sendall(ws.request("/absent"))
            status, _, body = support.Responses(s).next()
        self.assertEqual(status, 500)
        self.assertNotIn(b"nonexistent", body)
        server.errors.wait_for(r"/absent: '/nonexistent/program' cannot be started: no such file")

    def test_more_processes_than_allowed_get_503(self):
        with support.Server(*args("--ws-max-processes", 2)) as s:
            with client("/cat", at=s), client("/cat", at=s):
                with support.tls(s.port, CA) as sock:
                    sock.sendall(ws.request("/cat"))
                    self.assertEqual(support.Responses(sock).head()[0], 503)
            until(lambda: not children(s), "processes are left")
            with client("/cat", at=s) as c:
                c.send(frame(TEXT, b"again"))
                self.assertEqual(c.message()[1], b"again")

    def test_bad_commands_are_refused_at_the_start(self):
        for bad in ("/x", "/x=", "/x='", "x=cat", "/cat=cat"):
            done = support.run([support.CLEAT, "serve", *args("--ws-exec", bad)], check=False)
            self.assertEqual(done.returncode, 2, bad)


class Ending(unittest.TestCase):
    def test_the_end_of_the_process_closes_with_1000_after_its_last_words(self):
        self.assertEqual(lines_of("/status"), (["last"], 1000))
        server.errors.wait_for(r"/status\[\d+\]: oops\?\[31m")
        server.errors.wait_for(r"/status\[\d+\]: exit status 3")

    def test_a_process_ends_with_its_connection(self):
        for end in (lambda c: c.send(ws.close_frame(1000)), lambda c: c.sock.close(),
                    lambda c: c.send(frame(TEXT, b"unmasked", key=None))):
            before = set(children())
            with client("/reader") as c:
                self.assertEqual(c.message()[1], b"ready")
                self.assertEqual(len(set(children()) - before), 1)
                end(c)
                until(lambda: not set(children()) - before, "the process is left")

    def test_who_ignores_sigterm_is_killed(self):
        before = set(children())
        with client("/stubborn") as c:
            self.assertEqual(c.message()[1], b"ready")
        until(lambda: not set(children()) - before, "the process is left")
        server.errors.wait_for(r"/stubborn\[\d+\]: did not end on SIGTERM: SIGKILL")

    def test_what_it_has_started_ends_too(self):
        with client("/parent") as c:
            pid = int(c.message()[1])
            self.assertTrue(alive(pid))
        until(lambda: not alive(pid), "the grandchild is left")

    def test_a_stopping_server_leaves_no_process(self):
        s = support.Server(*args())
        with client("/cat", at=s) as c, client("/stubborn", at=s) as d:
            self.assertEqual(d.message()[1], b"ready")
            pids = children(s)
            self.assertEqual(len(pids), 2)
            s.signal(signal.SIGTERM)
            self.assertEqual(c.closing()[0], 1001)
            c.send(ws.close_frame(1001))
            self.assertEqual(s.wait(support.AT_ONCE), 0)
        s.end()
        self.assertEqual([pid for pid in pids if alive(pid)], [])


class BackPressure(unittest.TestCase):
    def test_a_process_that_floods_is_not_read_faster_than_its_client_reads(self):
        gauge = abuse_support.Gauge(server)
        with client("/flood") as c:
            self.assertEqual(c.message()[1], b"x" * 1000)
            before = gauge.rss()
            time.sleep(3)
            self.assertLess(gauge.rss() - before, 8 << 20)
            for _ in range(20000):
                self.assertEqual(c.message()[1], b"x" * 1000)

    def test_a_process_that_floods_the_log_does_not_grow_the_server(self):
        gauge = abuse_support.Gauge(server)
        with client("/noise"):
            time.sleep(1)
            before = gauge.rss()
            time.sleep(2)
            self.assertLess(gauge.rss() - before, 8 << 20)

    def test_a_process_that_does_not_read_holds_its_client_up(self):
        gauge = abuse_support.Gauge(server)
        with client("/reader") as c:
            self.assertEqual(c.message()[1], b"ready")
            before, sent = gauge.rss(), 0
            c.sock.settimeout(2)
            data = frame(TEXT, b"z" * 65536)
            try:
                while sent < 256 << 20:
                    sent += c.sock.send(data)
            except TimeoutError:
                pass
            self.assertLess(sent, 64 << 20)
            self.assertLess(gauge.rss() - before, 8 << 20)

    def test_a_slow_reader_of_lines_gets_all_of_them(self):
        with client("/slow") as c:
            sizes = [1000 * (i % 60) + 1 for i in range(200)]
            c.send_meanwhile(*[frame(TEXT, b"s" * n) for n in sizes])
            self.assertEqual([int(c.message()[1]) for _ in sizes], [n + 1 for n in sizes])


if __name__ == "__main__":
    support.main()
