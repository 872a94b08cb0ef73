#!/usr/bin/env python3
"""`cleat ws` against the WebSocket servers of others: Python's websockets, the `ws` package of
Node.js, libwebsockets; through nginx as a proxy; and against `cleat serve --ws-echo`. Over TLS and
in clear.

The `ws` package is installed with npm into CLEAT_NPM_DIR (in the build tree) at the version that
npm/package-lock.json pins. A peer that is not installed skips its tests.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

import support
from get_support import Peer, free_port, nginx
from support import PATIENCE
from ws_command import ended, start, ws

support.need("openssl")
HERE = pathlib.Path(__file__).resolve().parent
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")

PYTHON_ECHO = """
import asyncio, ssl, sys, websockets
async def echo(socket, path=None):
    async for message in socket:
        if message == "bye":
            await socket.close(4001, "you said bye")
            return
        await socket.send(message)
def choose(first, second):
    offered = first if isinstance(first, (list, tuple)) else second  # from 14 on the second
    return "chat" if "chat" in offered else None
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:3])
    async with websockets.serve(echo, "127.0.0.1", 0, ssl=context, subprotocols=["chat"],
                                select_subprotocol=choose, max_size=1 << 26) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
"""


def debian_python():
    """A Python that has the module websockets; Debian's package is for its own."""
    for program in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([program, "-c", "import websockets"], capture_output=True,
                              check=False)
        if done.returncode == 0:
            return program
    raise unittest.SkipTest("python3-websockets is not installed")


def npm_folder():
    """The folder with the `ws` package in it; installs it when it is not there yet."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise unittest.SkipTest("node or npm is not installed")
    folder = pathlib.Path(os.environ.get("CLEAT_NPM_DIR", support.folder() / "npm"))
    stamp, lock = folder / "installed.json", HERE / "npm/package-lock.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "npm" / name, folder)
        done = support.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                           check=False, cwd=folder)
        if done.returncode != 0:
            raise unittest.SkipTest("npm cannot install ws: "
                                    + done.stderr.decode(errors="replace")[-300:])
        shutil.copy(lock, stamp)
    return folder


class Program:
    """A server that prints its port first."""

    def __init__(self, argv, **more):
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, **more)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(PATIENCE)
            raise AssertionError(f"{argv[0]} has not come up")
        self.port = int(line)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class EchoTests:
    """What every echo server has to do; setUpClass sets url."""

    secure = True

    def talk(self, *args, code=0, stdin=b""):
        trust = ["--cacert", CA.cert] if self.secure else []
        done = ws(*trust, *args, self.url, stdin=stdin)
        self.assertEqual(done.returncode, code, done)
        return done

    def test_lines_come_back(self):
        lines = "eins\nzwei €\n\n".encode() + b"x" * 70000 + b"\n"
        self.assertEqual(self.talk(stdin=lines).stdout, lines)

    def test_without_compression_too(self):
        self.assertEqual(self.talk("--no-deflate", stdin=b"abc\n" * 50).stdout, b"abc\n" * 50)

    def test_bytes_come_back(self):
        data = os.urandom(700_000)
        self.assertEqual(self.talk("-b", stdin=data).stdout, data)

    def test_compression_is_agreed_and_used(self):
        done = self.talk("-v", "-1", "-x", "compress me " * 1000)
        self.assertEqual(done.stdout, b"compress me " * 1000 + b"\n")
        self.assertRegex(done.stderr.decode(), r"> .*text \(1\), FIN, RSV1 \(compressed\), \d+ ")

    def test_a_large_message_comes_back(self):
        data = b"0123456789abcdef" * (1 << 15)  # 512 KiB
        self.assertEqual(self.talk("-1", stdin=data + b"\n").stdout, data + b"\n")

    def test_many_messages_come_back_in_order(self):
        lines = b"".join(b"%d\n" % i for i in range(5000))
        self.assertEqual(self.talk(stdin=lines).stdout, lines)

    def test_json_tells_a_whole_conversation(self):
        done = self.talk("--json", "-1", "-x", "grüße")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["open", "message", "message", "close"])
        self.assertEqual([e.get("direction") for e in events[1:3]], ["sent", "received"])
        self.assertEqual(events[2]["text"], "grüße")
        self.assertEqual((events[3]["code"], events[3]["clean"], events[3]["by"]),
                         (1000, True, "client"))
        self.assertTrue(all(e["schema"] == 1 for e in events))


class ByeTests(EchoTests):
    """And servers that close with 4001 and agree on a subprotocol."""

    def test_a_close_code_of_the_application_is_told(self):
        done = self.talk("-x", "bye", code=1)
        self.assertIn("closed by the server: 4001, ", done.stderr.decode())
        self.assertIn(": you said bye\n", done.stderr.decode())

    def test_the_subprotocol_is_agreed(self):
        done = self.talk("--json", "-s", "superchat", "-s", "chat", "-1", "-x", "a")
        self.assertEqual(json.loads(done.stdout.splitlines()[0])["subprotocol"], "chat")

    def test_a_recording_is_replayed_and_compared(self):
        record = support.folder() / "record.jsonl"
        lines = "a\nb €\n".encode()
        self.assertEqual(self.talk("--record", record, stdin=lines).stdout, lines)
        done = self.talk("--replay", record, "--compare")
        self.assertEqual(done.stdout, lines)
        changed = record.read_text().replace('"received","type":"text","bytes":1,"text":"a"',
                                             '"received","type":"text","bytes":1,"text":"x"')
        self.assertNotEqual(changed, record.read_text())
        record.write_text(changed)
        done = self.talk("--replay", record, "--compare", code=1)
        self.assertIn("message 1 ", done.stderr.decode())

    def test_a_replay_keeps_the_times(self):
        record = support.folder() / "timed.jsonl"
        rows = [{"t": 0, "event": "open"},
                {"t": 700, "event": "message", "direction": "sent", "type": "binary",
                 "base64": "AAE="}]
        record.write_text("".join(json.dumps({"schema": 1, **row}) + "\n" for row in rows))
        start = time.monotonic()
        done = self.talk("--replay", record, "--json", "-w", "0")
        self.assertGreaterEqual(time.monotonic() - start, 0.7)
        sent = [e for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "message"]
        self.assertEqual((sent[0]["direction"], sent[0]["base64"]), ("sent", "AAE="))
        self.assertGreaterEqual(sent[0]["t"], 700)


class PythonTest(ByeTests, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Program([debian_python(), "-c", PYTHON_ECHO, PAIR.cert, PAIR.key])
        cls.url = f"wss://localhost:{cls.server.port}/"

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()


class NodeTest(ByeTests, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = npm_folder()
        shutil.copy(HERE / "npm/echo.js", folder)
        cls.server = Program(["node", folder / "echo.js", PAIR.cert, PAIR.key])
        cls.url = f"wss://localhost:{cls.server.port}/"

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()


class OurselvesTest(EchoTests, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = support.Server(*PAIR.args(), "--ws-echo", "/echo")
        cls.url = f"wss://localhost:{cls.server.port}/echo"

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def test_our_certificate_is_told_when_it_is_not_accepted(self):
        done = ws("-x", "a", self.url)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr.decode(), r"UNKNOWN_ISSUER, RFC 5280(.|\n)*--cacert FILE")

    def test_insecure_accepts_it(self):
        self.assertEqual(ws("-k", "-1", "-x", "a", self.url).stdout, b"a\n")

    def test_the_path_has_to_be_right(self):
        done = ws("--cacert", CA.cert, "-x", "a", self.url + "/not")
        self.assertEqual(done.returncode, 3)
        self.assertIn("answered 404", done.stderr.decode())

    def test_a_page_of_another_origin_is_refused(self):
        done = ws("--cacert", CA.cert, "-o", "https://evil.example", "-x", "a", self.url)
        self.assertEqual(done.returncode, 3)
        self.assertIn("answered 403", done.stderr.decode())

    def test_resolve_takes_another_address(self):
        done = ws("--cacert", CA.cert, "--resolve", f"localhost:{self.server.port}:127.0.0.1",
                  "-v", "-1", "-x", "a", self.url)
        self.assertEqual(done.stdout, b"a\n")
        self.assertIn("(override", done.stderr.decode())


class NginxTest(EchoTests, unittest.TestCase):
    """nginx ends TLS, and speaks TLS to `cleat serve` behind it."""

    @classmethod
    def setUpClass(cls):
        if shutil.which("nginx") is None:
            raise unittest.SkipTest("nginx is not installed")
        cls.server = support.Server(*PAIR.args(), "--ws-echo", "/echo")
        pass_on = (f"location /echo {{ proxy_pass https://127.0.0.1:{cls.server.port};",
                   "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;",
                   'proxy_set_header Connection "upgrade"; proxy_set_header Host $http_host; }')
        cls.proxy = nginx(support.folder(), PAIR.cert, PAIR.key, *pass_on)
        cls.proxy.__enter__()
        cls.url = f"wss://localhost:{cls.proxy.port}/echo"

    @classmethod
    def tearDownClass(cls):
        cls.proxy.stop()
        cls.server.__exit__(None, None, None)


class LibwebsocketsTest(unittest.TestCase):
    """Its test server mirrors what any client says to all of them, and counts for whom wants it."""

    @classmethod
    def setUpClass(cls):
        if shutil.which("libwebsockets-test-server") is None:
            raise unittest.SkipTest("libwebsockets-test-server is not installed")
        port = free_port()
        cls.server = Peer(["libwebsockets-test-server", f"--port={port}"], port, support.folder())
        cls.server.__enter__()
        cls.url = f"ws://127.0.0.1:{port}/"

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_its_mirror_gives_back_what_is_said(self):
        done = ws("-s", "lws-mirror-protocol", "-1", "-x", "d #000000 1 2 3 4;", self.url)
        self.assertEqual((done.returncode, done.stdout), (0, b"d #000000 1 2 3 4;\n"), done)

    def test_its_counter_counts(self):
        with start("-n", "-s", "dumb-increment-protocol", self.url) as process:
            numbers = [int(process.stdout.readline()) for _ in range(5)]
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 5)))


class LibwebsocketsClientTest(unittest.TestCase):
    def test_its_client_talks_to_our_server(self):
        if shutil.which("libwebsockets-test-client") is None:
            raise unittest.SkipTest("libwebsockets-test-client is not installed")
        with support.Server(*PAIR.args(), "--ws-echo", "/", "--ws-origin", "http://localhost",
                            "--ws-subprotocol", "dumb-increment-protocol", "--ws-subprotocol",
                            "lws-mirror-protocol") as server:
            process = subprocess.Popen(
                ["libwebsockets-test-client", "localhost", "--port", str(server.port), "--ssl",
                 "-A", str(CA.cert)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            with ended(process):
                lines = support.Lines(process.stdout)
                lines.wait_for("mirror: LWS_CALLBACK_CLIENT_ESTABLISHED")
                time.sleep(1)  # it draws
            # Two messages or more came, and went back.
            server.end()
            self.assertRegex(server.access.text(), r'"GET / HTTP/1.1" 101 .* ws 1006 .*" [1-9]')


if __name__ == "__main__":
    support.main()
