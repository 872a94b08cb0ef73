#!/usr/bin/env python3
"""`cleat ws` on a terminal: lines typed, messages in colours and harmless, times, how it ends."""
import os
import pty
import re
import subprocess
import termios
import unittest

import support
from support import CLEAT, PATIENCE
from ws_command import Scripted, close_frame, ended, environment, frame
from ws_support import BINARY, TEXT


class Terminal:
    """A terminal with `cleat ws` on it, whose echo of what is typed is off."""

    def __init__(self, *args, env=None):
        self.master, slave = pty.openpty()
        modes = termios.tcgetattr(slave)
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        self.text = ""
        self.process = subprocess.Popen([CLEAT, "ws", *map(str, args)], stdin=slave, stdout=slave,
                                        stderr=slave, env=environment({"TERM": "xterm",
                                                                       **(env or {})}))
        os.close(slave)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read(self, pattern=None):
        """Reads until the pattern is there, or to the end; returns everything so far."""
        while pattern is None or not re.search(pattern, self.text):
            try:
                part = os.read(self.master, 65536)
            except OSError:  # EIO: closed
                part = b""
            if not part:
                break
            self.text += part.decode()
        return self.text


class TerminalTest(unittest.TestCase):
    def on_terminal(self, script, *args, code=0, keys="\x04", **more):
        """Types the keys once it is connected, and returns what was written."""
        with Scripted(script) as server:
            terminal = Terminal(*args, server.url, **more)
            with ended(terminal.process):
                terminal.read("connected to .*\n")
                terminal.type(keys)
                text = terminal.read()
                os.close(terminal.master)
                self.assertEqual(terminal.process.wait(PATIENCE), code, text)
        return text

    @staticmethod
    def saying(*frames):
        def script(connection):
            connection.accept()
            for data in frames:
                connection.send(data)
            connection.receive_close()
            connection.send(close_frame(1000))
        return script

    def test_a_typed_line_is_a_message_and_ctrl_d_closes(self):
        got = []

        def script(connection):
            connection.accept()
            got.append(connection.receive())
            connection.send(frame(TEXT, "answer"))
            got.append(connection.receive_close())
            connection.send(close_frame(1000, "come again"))
        text = self.on_terminal(script, "--no-deflate", keys="question\n\x04")
        self.assertEqual(got, [(TEXT, True, b"question"), 1000])
        self.assertRegex(text, r"connected to ws://127.0.0.1:\d+/, in clear; Ctrl-D closes\r\n")
        self.assertIn("\x1b[35m< answer\x1b[0m\r\n", text)
        self.assertRegex(text, r"closed by us: 1000, normal closure.*: come again\r\n")

    def test_a_message_cannot_control_the_terminal(self):
        hostile = "a\x1b[2Jb\x07c\rd\x7f\u009b31me\tf\nsecond €"
        text = self.on_terminal(self.saying(frame(TEXT, hostile)))
        self.assertIn("< a?[2Jb?c?d??31me\tf\r\n  second €", text)

    def test_bytes_are_shown_as_digits(self):
        text = self.on_terminal(self.saying(frame(BINARY, bytes([0, 27, 255])),
                                            frame(BINARY, bytes(1000))))
        self.assertIn("< 3 bytes: 001bff\x1b[0m", text)
        self.assertIn("< 1000 bytes: " + "00" * 256 + "...", text)

    def test_no_color_and_dumb_terminals_get_no_colour(self):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            text = self.on_terminal(self.saying(frame(TEXT, "plain")), env=env)
            self.assertIn("< plain\r\n", text)
            self.assertNotIn("\x1b", text)

    def test_timestamps_stand_before_messages(self):
        text = self.on_terminal(self.saying(frame(TEXT, "now")), "--timestamps",
                                env={"NO_COLOR": "1"})
        self.assertRegex(text, r"\n\d\d:\d\d:\d\d\.\d\d\d < now\r\n")

    def test_what_execute_sends_is_shown(self):
        def script(connection):
            connection.accept()
            connection.receive()
            connection.finish(1001, "restart")
        text = self.on_terminal(script, "-x", "by itself", keys="", code=1,
                                env={"NO_COLOR": "1"})
        self.assertIn("> by itself\r\n", text)
        self.assertRegex(text, r"closed by the server: 1001, .*: restart\r\n")

    def test_ctrl_c_closes_with_1000(self):
        codes = []

        def script(connection):
            connection.accept()
            codes.append(connection.receive_close())
            connection.send(close_frame(1000))
        with Scripted(script) as server:
            terminal = Terminal(server.url)
            with ended(terminal.process):
                terminal.read("connected to .*\n")
                terminal.process.send_signal(2)  # what the terminal's driver does
                terminal.read()
                os.close(terminal.master)
                self.assertEqual(terminal.process.wait(PATIENCE), 0)
        self.assertEqual(codes, [1000])


if __name__ == "__main__":
    support.main()
