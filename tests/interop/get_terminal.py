#!/usr/bin/env python3
"""`cleat get` on a terminal: the progress bar, colours, binary data; and none of it in a pipe."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time

import support
from get_support import GetTest, Scripted, get
from support import CLEAT, PATIENCE

PARTS = 8
PART = os.urandom(250_000)
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (PARTS * len(PART))
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"


def slowly(head, how="close", parts=PARTS):
    """A body in parts, slowly enough for several drawings of the bar."""
    def script(tls, _):
        tls.sendall(head)
        for _ in range(parts):
            tls.sendall(PART)
            time.sleep(0.12)
        return how
    return script


def read_terminal(master):
    """What was written until everybody has closed the terminal."""
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # EIO: closed
            part = b""
        if not part:
            return b"".join(parts).decode()
        parts.append(part)


class TerminalTest(GetTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()
        cls.target = cls.folder / "body"

    def on_terminal(self, script, *args, columns=80, stdout=None, env=(), code=0):
        """Standard error, and standard output unless a file is given, are a terminal; returns what
        it was sent."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        whole = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "SSLKEYLOGFILE")}
        whole.update({"TERM": "xterm", **dict(env)})
        with Scripted(self.cert, self.key, script) as server:
            process = subprocess.Popen(
                [CLEAT, "get", "--cacert", self.ca.cert, *args, f"https://localhost:{server.port}"],
                stdin=slave, stdout=stdout or slave, stderr=slave, env=whole)
            os.close(slave)
            text = read_terminal(master)
            os.close(master)
            self.assertEqual(process.wait(PATIENCE), code, text)
        return text

    def drawings(self, text, columns):
        """The states of the bar: each replaces the one before, none wraps, the last one stays."""
        self.assertTrue(text.startswith("\r\033[K"), text)
        self.assertTrue(text.endswith("\r\n"), text)
        states = text[:-2].split("\r\033[K")[1:]
        self.assertGreaterEqual(len(states), 2)
        for state in states:
            self.assertLess(len(state), columns, state)
            self.assertNotIn("\n", state)
        return states


class Bar(TerminalTest):
    def test_it_grows_up_to_100_percent(self):
        text = self.on_terminal(slowly(LENGTH), "-o", self.target)
        states = self.drawings(text, 80)
        shape = r" *(\d+)% \[(=*) *\] [\d.]+ \w+ of 1\.9 MiB  [\d.]+ \w+/s  [\d:]+"
        seen = [re.fullmatch(shape + r"( left)?", state) for state in states]
        self.assertTrue(all(seen), states)
        percents = [int(match[1]) for match in seen]
        self.assertEqual(percents, sorted(percents))
        self.assertEqual(percents[-1], 100)
        boxes = [len(match[2]) for match in seen]
        self.assertEqual(boxes, sorted(boxes))
        self.assertRegex(states[-1], r"^100% \[=+\] 1\.9 MiB of 1\.9 MiB ")
        self.assertEqual(self.target.read_bytes(), PART * PARTS)

    def test_it_is_narrower_than_a_narrow_terminal(self):
        for columns in (50, 20):
            self.drawings(self.on_terminal(slowly(LENGTH), "-o", self.target, columns=columns),
                          columns)

    def test_a_body_of_unknown_length_has_no_percents(self):
        text = self.on_terminal(slowly(UNTIL_CLOSE), "-o", self.target)
        states = self.drawings(text, 80)
        self.assertNotIn("%", text)
        self.assertRegex(states[-1], r"^1\.9 MiB  [\d.]+ \w+/s  0:\d\d$")

    def test_a_failure_is_told_below_it(self):
        text = self.on_terminal(slowly(LENGTH, "close", 3), "-o", self.target, code=18)
        bar, message = text.split("\r\n", 1)
        self.assertRegex(bar, r" 37% \[=+ +\] 732\.4 KiB of 1\.9 MiB .* left$")
        self.assertTrue(message.startswith("cleat: (18) the connection ended after 750000 of "))

    def test_it_is_drawn_for_a_redirected_standard_output(self):
        with open(self.target, "wb") as file:
            self.drawings(self.on_terminal(slowly(LENGTH), stdout=file), 80)
        self.assertEqual(self.target.read_bytes(), PART * PARTS)

    def test_there_is_none_where_it_is_not_wanted(self):
        for args, env in ((["-s"], {}), (["--no-progress-meter"], {}), ([], {"TERM": "dumb"})):
            with self.subTest(args=args, env=env):
                text = self.on_terminal(slowly(LENGTH), "-o", self.target, *args, env=env)
                self.assertEqual(text, "")

    def test_there_is_none_in_a_pipe(self):
        with Scripted(self.cert, self.key, slowly(LENGTH)) as server:
            result = self.fetch("-o", self.target, f"https://localhost:{server.port}/")
        self.assertEqual(result.stderr, b"")


class Words(TerminalTest):
    def test_the_story_is_coloured_on_a_terminal_unless_told_otherwise(self):
        answer = slowly(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", parts=0)
        for env, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
            with self.subTest(env):
                text = self.on_terminal(answer, "-v", env=env)
                self.assertIn("HTTP/1.1 200 OK", text)
                self.assertEqual("\033[" in text, coloured)
                self.assertNotIn("\033[K", text)

    def test_binary_data_is_kept_from_the_terminal(self):
        def script(tls, _):
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na\0\1b")
            return "close"
        text = self.on_terminal(script, code=23)
        self.assertEqual(text, "cleat: (23) binary data would garble the terminal\r\n"
                               "  hint: use -o FILE to save it, or -o - to write it nevertheless"
                               "\r\n")
        self.assertIn("a\0\1b", self.on_terminal(script, "-o", "-"))
        with Scripted(self.cert, self.key, script) as server:
            done = get("--cacert", self.ca.cert, f"https://localhost:{server.port}/")
        self.assertEqual((done.returncode, done.stdout), (0, b"a\0\1b"))


if __name__ == "__main__":
    support.main()
