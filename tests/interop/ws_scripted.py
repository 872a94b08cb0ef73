#!/usr/bin/env python3
"""`cleat ws` against servers that break the rules, close in every way, or do not answer: exit
codes, and what is said."""
import json
import signal
import socket
import time
import unittest

import support
from support import PATIENCE
from ws_command import Scripted, close_frame, frame, header, start, ws
from ws_support import BINARY, CLOSE, PING, PONG, TEXT
from ws_support import frame as client_frame

RSV1, RSV2, RSV3 = 4, 2, 1

# What the server sends after the upgrade; what the message has to name.
VIOLATIONS = {
    "a masked frame": (client_frame(TEXT, b"X"), "frame 1", "masked", "RFC 6455 5.1"),
    "RSV1 without compression": (frame(TEXT, "x", rsv=RSV1), "frame 1", "reserved bits 4",
                                 "RFC 6455 5.2"),
    "RSV2": (frame(TEXT, "x", rsv=RSV2), "frame 1", "reserved bits 2", "RFC 6455 5.2"),
    "RSV3": (frame(TEXT, "x", rsv=RSV3), "frame 1", "reserved bits 1", "RFC 6455 5.2"),
    "opcode 3": (frame(3, "x"), "frame 1", "opcode 3 is reserved", "RFC 6455 5.2"),
    "opcode 11": (frame(11), "frame 1", "opcode 11 is reserved", "RFC 6455 5.2"),
    "a ping in fragments": (frame(PING, "x", fin=False), "frame 1", "without FIN", "RFC 6455 5.5"),
    "a long ping": (frame(PING, "x" * 126), "frame 1", "more than 125 bytes", "RFC 6455 5.5"),
    "a continuation of nothing": (frame(0, "x"), "frame 1", "no message has begun",
                                  "RFC 6455 5.4"),
    "a message inside a message": (frame(TEXT, "x", fin=False) + frame(TEXT, "y"), "frame 2",
                                   "inside a fragmented one", "RFC 6455 5.4"),
    "a length in 2 bytes that fits 1": (b"\x81\x7e\x00\x05hello", "frame 1", "shortest form",
                                        "RFC 6455 5.2"),
    "a length in 8 bytes that fits 2": (b"\x81\x7f" + (200).to_bytes(8, "big") + b"x" * 200,
                                        "frame 1", "shortest form", "RFC 6455 5.2"),
    "a negative length": (b"\x82\x7f\xff" + bytes(7), "frame 1", "first bit is set",
                          "RFC 6455 5.2"),
    "a close code in one byte": (frame(CLOSE, b"\x03"), "frame 1", "one byte", "RFC 6455 5.5.1"),
    "close code 1005": (close_frame(1005), "frame 1", "close code 1005", "RFC 6455 7.4"),
    "close code 999": (close_frame(999), "frame 1", "close code 999", "RFC 6455 7.4"),
    "a reason that is no text": (frame(CLOSE, b"\x03\xe8\xff"), "frame 1", "not UTF-8",
                                 "RFC 6455 5.5.1"),
    "text that is no UTF-8": (frame(TEXT, "ok") + frame(TEXT, b"a\xc0\xafb"), "frame 2",
                              "byte 0xc0 at position 1", "RFC 6455 8.1"),
    "text that ends inside a character": (frame(TEXT, b"\xe2\x82"), "frame 1",
                                          "ends inside a character", "RFC 6455 8.1"),
}

# Changes of the 101; what the message has to name.
BAD_UPGRADES = {
    "no Accept": ({"Sec-WebSocket-Accept": None}, "Sec-WebSocket-Accept"),
    "somebody else's Accept": ({"Sec-WebSocket-Accept": "dGhlIHNhbXBsZSBub25jZQ=="},
                               "Sec-WebSocket-Accept: not the answer to our key"),
    "no Upgrade": ({"Upgrade": None}, "Upgrade"),
    "another protocol": ({"Upgrade": "h2c"}, "Upgrade"),
    "no Connection": ({"Connection": "keep-alive"}, "Connection"),
    "a subprotocol nobody asked for": ({"Sec-WebSocket-Protocol": "chat"},
                                       "Sec-WebSocket-Protocol"),
    "an extension nobody offered": ({"Sec-WebSocket-Extensions": "x-wonder"},
                                    "Sec-WebSocket-Extensions"),
}


def after_upgrade(*parts, patient=True):
    """A script: the upgrade, these bytes, then what the client says until it goes."""
    def script(connection):
        connection.accept()
        for part in parts:
            connection.send(part)
        while patient:
            try:
                connection.receive()
            except (EOFError, ConnectionError):
                return
    return script


class RunTest(unittest.TestCase):
    def run_against(self, script, *args, code=0, **more):
        with Scripted(script) as server:
            done = ws(*args, server.url, **more)
        self.assertEqual(done.returncode, code, done)
        return done


class ViolationTest(RunTest):
    def test_a_violation_exits_with_4_and_names_frame_rule_and_section(self):
        for name, (data, *words) in VIOLATIONS.items():
            with self.subTest(name):
                done = self.run_against(after_upgrade(data), "--no-deflate", "-n", code=4)
                for word in words:
                    self.assertIn(word, done.stderr.decode())

    def test_the_server_is_told_why_with_a_close_code(self):
        codes = []

        def script(connection):
            connection.accept()
            connection.send(frame(TEXT, b"\xff"))
            codes.append(connection.receive_close())
        self.run_against(script, "-n", code=4)
        self.assertEqual(codes, [1007])

    def test_bad_compression_is_a_violation(self):
        def script(connection):
            connection.accept(Sec_WebSocket_Extensions="permessage-deflate")
            connection.send(frame(TEXT, b"\xff\xff\xff\xff", rsv=RSV1))
            connection.receive_close()
        done = self.run_against(script, "-n", code=4)
        self.assertIn("RFC 7692 7.2.2", done.stderr.decode())

    def test_an_upgrade_done_wrongly_exits_with_4(self):
        for name, (changes, word) in BAD_UPGRADES.items():
            with self.subTest(name):
                done = self.run_against(lambda c, ch=changes: c.accept(**ch), "-n", code=4)
                self.assertIn(word, done.stderr.decode())
                self.assertIn("WS_HANDSHAKE, RFC", done.stderr.decode())

    def test_with_json_the_violation_is_an_object(self):
        done = self.run_against(after_upgrade(frame(3)), "-n", "--json", code=4)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([e["event"] for e in events], ["open", "error", "close"])
        self.assertEqual(events[1]["code"], "WS_PROTOCOL")
        self.assertEqual(events[1]["section"], "RFC 6455 5.2")
        self.assertEqual((events[2]["code"], events[2]["clean"]), (1006, False))


class CloseTest(RunTest):
    def closed_with(self, *args, code, **more):
        return self.run_against(lambda c: (c.accept(), c.finish(*args)), "-n", code=code, **more)

    def test_a_normal_close_exits_with_0_and_says_nothing(self):
        done = self.closed_with(1000, "bye", code=0)
        self.assertEqual(done.stderr, b"")

    def test_a_close_without_a_code_is_normal(self):
        self.closed_with(None, code=0)

    def test_another_code_exits_with_1_and_is_explained(self):
        done = self.closed_with(1008, "not today", code=1)
        self.assertRegex(done.stderr.decode(),
                         r"closed by the server: 1008, .*policy.*: not today\n")

    def test_a_code_of_the_application_exits_with_1(self):
        done = self.closed_with(4321, code=1)
        self.assertIn("4321", done.stderr.decode())

    def test_a_reason_cannot_control_the_terminal(self):
        done = self.closed_with(1011, "\x1b[2J\x07", code=1)
        self.assertIn("?[2J?", done.stderr.decode())

    def test_no_close_frame_exits_with_1(self):
        done = self.run_against(after_upgrade(frame(TEXT, "x"), patient=False), "-n", code=1)
        self.assertEqual(done.stdout, b"x\n")
        self.assertIn("without a close frame (1006)", done.stderr.decode())

    def test_a_message_beyond_the_limit_exits_with_1_and_1009(self):
        codes = []

        def script(connection):
            connection.accept()
            connection.send(header(BINARY, 5000))
            codes.append(connection.receive_close())
        done = self.run_against(script, "-n", "--max-message", "4K", code=1)
        self.assertIn("limit 4096", done.stderr.decode())
        self.assertEqual(codes, [1009])

    def test_the_end_of_the_input_closes_with_1000(self):
        codes = []

        def script(connection):
            connection.accept()
            codes.append(connection.receive())
            codes.append(connection.receive_close())
            connection.send(close_frame(1000))
        self.run_against(script, "-w", "0", "--no-deflate", stdin=b"last line without end")
        self.assertEqual(codes, [(TEXT, True, b"last line without end"), 1000])

    def test_the_first_sigint_closes_with_1000(self):
        codes = []

        def script(connection):
            connection.accept()
            connection.send(frame(TEXT, "ready"))
            codes.append(connection.receive_close())
            connection.send(close_frame(1000))
        with Scripted(script) as server, start("-n", server.url) as process:
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(codes, [1000])

    def test_messages_may_come_after_a_sigint_while_the_wait_runs(self):
        def script(connection):
            connection.accept()
            connection.send(frame(TEXT, "ready"))
            code = connection.receive_close()
            connection.send(frame(TEXT, "late") + close_frame(code))
        with Scripted(script) as server, start("-w", "50", server.url) as process:
            process.stdin.close()
            process.stdin = None
            self.assertEqual(process.stdout.readline(), b"ready\n")
            time.sleep(0.3)  # the end of the input has been seen
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.stdout.read(), b"late\n")
            self.assertEqual(process.wait(PATIENCE), 0)

    def test_the_second_sigint_does_not_wait_for_the_server(self):
        def script(connection):
            connection.accept()
            connection.send(frame(TEXT, "ready"))
            connection.receive_close()
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)
        with Scripted(script) as server, start("-n", server.url) as process:
            self.assertEqual(process.stdout.readline(), b"ready\n")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE), 1)
            self.assertIn(b"interrupted", process.stderr.read())


class ConnectTest(RunTest):
    def refused(self, answer, code=3):
        return self.run_against(lambda c: c.send(answer), "-n", code=code).stderr.decode()

    def test_an_answer_other_than_101_exits_with_3_and_is_told(self):
        text = self.refused(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        self.assertIn("answered 404 Not Found instead of 101", text)
        self.assertIn("hint: is it the right path", text)

    def test_another_version_is_told(self):
        text = self.refused(b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\n"
                            b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Content-Length: 0\r\n\r\n")
        self.assertIn("versions 8, not 13", text)

    def test_what_is_no_http_exits_with_3(self):
        self.refused(b"220 mail.example.com ESMTP\r\n\r\n")

    def test_no_answer_exits_with_3(self):
        text = self.run_against(lambda c: None, "-n", code=3).stderr.decode()
        self.assertIn("upgrade", text)

    def test_interim_responses_are_passed_over(self):
        def script(connection):
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            connection.accept()
            connection.finish()
        self.run_against(script, "-n")

    def test_a_frame_behind_the_101_in_one_piece_is_received(self):
        def script(connection):
            sent, connection.send = [], lambda data: sent.append(data)
            connection.accept()
            del connection.send
            connection.send(b"".join(sent) + frame(TEXT, "at once") + close_frame(1000))
            connection.receive_close()
        self.assertEqual(self.run_against(script, "-n").stdout, b"at once\n")

    def test_nobody_listening_exits_with_3(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        done = ws(f"ws://127.0.0.1:{port}/")
        self.assertEqual(done.returncode, 3)
        self.assertIn("refused", done.stderr.decode())

    def test_a_command_line_that_makes_no_sense_exits_with_2(self):
        rows = {"no URL": [], "two URLs": ["ws://a/", "ws://b/"], "a page": ["https://a/"],
                "-H without a colon": ["-H", "Name", "ws://127.0.0.1:1/"],
                "a field of the handshake": ["-H", "Upgrade: h2c", "ws://127.0.0.1:1/"],
                "a subprotocol twice": ["-s", "a", "-s", "a", "ws://127.0.0.1:1/"],
                "--compare alone": ["--compare", "ws://127.0.0.1:1/"],
                "a size": ["--max-message", "12X", "ws://127.0.0.1:1/"],
                "a file that is not there": ["--replay", "/nonexistent", "ws://127.0.0.1:1/"],
                "an option": ["--wonder", "ws://127.0.0.1:1/"]}
        for name, args in rows.items():
            with self.subTest(name):
                done = ws(*args)
                self.assertEqual(done.returncode, 2, done)
                self.assertNotEqual(done.stderr, b"")


class RequestTest(RunTest):
    def test_the_request_says_what_the_options_say(self):
        seen = []

        def script(connection):
            seen.append(connection)
            connection.accept(Sec_WebSocket_Protocol="b")
            connection.finish()
        self.run_against(script, "-n", "-H", "Cookie: a=b", "-H", "User-Agent: me", "-o",
                         "https://example.com", "-s", "a", "-s", "b")
        fields = seen[0].fields
        self.assertEqual(seen[0].request_line, "GET / HTTP/1.1")
        wanted = {"cookie": "a=b", "user-agent": "me", "origin": "https://example.com",
                  "sec-websocket-protocol": "a, b", "sec-websocket-version": "13"}
        for name, value in wanted.items():
            self.assertEqual(fields[name], value)
        self.assertIn("permessage-deflate", fields["sec-websocket-extensions"])

    def test_no_deflate_offers_no_extension(self):
        seen = []
        self.run_against(lambda c: (seen.append(c), c.accept(), c.finish()), "-n", "--no-deflate")
        self.assertNotIn("sec-websocket-extensions", seen[0].fields)


class MessageTest(RunTest):
    def test_lines_are_text_messages_and_the_other_way_round(self):
        got = []

        def script(connection):
            connection.accept()
            connection.send(frame(TEXT, "eins") + frame(TEXT, "zw", fin=False) + frame(0, "ei"))
            for _ in range(3):
                got.append(connection.receive())
            connection.receive_close()
            connection.send(close_frame(1000))
        done = self.run_against(script, "-w", "0.1", "--no-deflate", stdin="a\n\nü\n".encode())
        self.assertEqual(got, [(TEXT, True, b"a"), (TEXT, True, b""), (TEXT, True, "ü".encode())])
        self.assertEqual(done.stdout, b"eins\nzwei\n")

    def test_binary_mode_sends_and_writes_bytes(self):
        got = []

        def script(connection):
            connection.accept()
            connection.send(frame(BINARY, b"\x00\xff") + frame(TEXT, "t"))
            got.append(connection.receive())
            connection.receive_close()
            connection.send(close_frame(1000))
        done = self.run_against(script, "-b", "-w", "0.1", "--no-deflate", stdin=b"a\nb\x00\xfe")
        self.assertEqual(got, [(BINARY, True, b"a\nb\x00\xfe")])
        self.assertEqual(done.stdout, b"\x00\xfft")

    def test_text_that_is_no_utf8_is_not_sent_and_exits_with_2(self):
        def script(connection):
            connection.accept()
            self.assertEqual(connection.receive_close(), 1000)
            connection.send(close_frame(1000))
        done = self.run_against(script, stdin=b"\xff\xfe\n", code=2)
        self.assertIn("message 1 cannot be sent", done.stderr.decode())

    def test_one_message_sends_one_receives_one_and_closes(self):
        got = []

        def script(connection):
            connection.accept()
            got.append(connection.receive()[2])
            connection.send(frame(TEXT, "one") + frame(TEXT, "two"))
            got.append(connection.receive_close())
            connection.send(close_frame(1000))
        done = self.run_against(script, "-1", "--no-deflate", stdin=b"a\nb\nc\n")
        self.assertEqual(done.stdout, b"one\n")
        self.assertEqual(got, [b"a", 1000])

    def test_execute_sends_its_messages_and_reads_until_the_server_closes(self):
        got = []

        def script(connection):
            connection.accept()
            got.extend([connection.receive()[2], connection.receive()[2]])
            time.sleep(1.2)  # longer than the wait at the end of standard input
            connection.send(frame(TEXT, "late"))
            connection.finish()
        done = self.run_against(script, "-x", "a", "-x", "b", "--no-deflate", stdin=b"unread\n")
        self.assertEqual(got, [b"a", b"b"])
        self.assertEqual(done.stdout, b"late\n")

    def test_a_ping_is_answered(self):
        got = []

        def script(connection):
            connection.accept()
            connection.send(frame(PING, "are you there"))
            got.append(connection.receive())
            connection.finish()
        self.run_against(script, "-n")
        self.assertEqual(got, [(PONG, True, b"are you there")])

    def test_the_ping_interval_pings_and_tells_the_round_trip(self):
        def script(connection):
            connection.accept()
            opcode, _, payload = connection.receive()
            self.assertEqual(opcode, PING)
            connection.send(frame(PONG, payload))
            time.sleep(0.3)
            connection.finish()
        done = self.run_against(script, "-n", "--json", "--ping-interval", "0.2")
        pongs = [e for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "pong"]
        self.assertGreaterEqual(pongs[0]["rtt_ms"], 0)

    def test_the_narration_tells_each_frame_header(self):
        def script(connection):
            connection.accept()
            connection.receive()
            connection.send(frame(TEXT, "ab", fin=False) + frame(PING) + frame(0, "c"))
            connection.finish()
        done = self.run_against(script, "-v", "-x", "hello", "--no-deflate")
        text = done.stderr.decode()
        for line in (r"tcp +connected to 127", r"> GET / HTTP/1.1", r"< HTTP/1.1 101 Switching",
                     r"> .*frame 1: text \(1\), FIN, 5 bytes, masked",
                     r"< .*frame 1: text \(1\), 2 bytes", r"< .*frame 2: ping \(9\), FIN, 0 bytes",
                     r"< .*frame 3: continuation \(0\), FIN, 1 byte",
                     r"> .*frame 3: close \(8\), FIN, 2 bytes, masked"):
            self.assertRegex(text, line)


class PressureTest(RunTest):
    """Nothing grows without bound, nothing is lost."""

    def test_standard_input_waits_while_the_server_does_not_read(self):
        line = b"x" * 999 + b"\n"
        num = 20000  # 20 MB: far more than the sockets and the queue hold
        counted = []

        def script(connection):
            connection.accept()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            time.sleep(1)
            fed = fed_by_then[0]
            self.assertLess(fed, num * len(line) // 2)
            total = 0
            while True:
                opcode, _, payload = connection.receive()
                if opcode == CLOSE:
                    break
                total += len(payload) + 1
            counted.append(total)
            connection.send(close_frame(1000))
        fed_by_then = [0]
        with Scripted(script) as server:
            with start("--no-deflate", "-w", "0", server.url) as process:
                for _ in range(num):
                    process.stdin.write(line)
                    fed_by_then[0] += len(line)
                process.stdin.close()
                process.stdin = None
                self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(counted, [num * len(line)])

    def test_the_server_waits_while_standard_output_is_not_read(self):
        payload = b"y" * 9999
        num = 3000  # 30 MB
        sent = []

        def script(connection):
            connection.accept()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            data = frame(TEXT, payload)
            for _ in range(num):
                connection.send(data)
                sent.append(None)
            connection.finish()
        with Scripted(script) as server, start("-n", server.url) as process:
            time.sleep(1.5)
            self.assertLess(len(sent), num)
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                resident = int([x for x in status if x.startswith("VmHWM")][0].split()[1])
            self.assertLess(resident, 200_000 if "asan" in support.CLEAT else 40_000)
            total = 0
            while part := process.stdout.read(65536):
                total += len(part)
            self.assertEqual(process.wait(PATIENCE), 0)
        self.assertEqual(total, num * (len(payload) + 1))


if __name__ == "__main__":
    support.main()
