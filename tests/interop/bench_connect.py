#!/usr/bin/env python3
"""`cleat bench connect` against `cleat serve`, `openssl s_server`, closed ports and what is no TLS:
counts and times make sense, failures are told as `cleat get` tells them, bounds hold."""
import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import support

support.need("openssl")
CONNECT = [support.CLEAT, "bench", "connect"]
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf", hosts=("localhost", "127.0.0.1", "bench.test"))
TRUST = ["--cacert", CA.cert]


def connect(*args, code=0):
    done = support.run([*CONNECT, *args], check=False)
    if done.returncode != code:
        raise AssertionError(f"exit {done.returncode}, not {code}\n{done.stderr.decode()}")
    return done


def measure(*args, code=0):
    return json.loads(connect("--json", *args, code=code).stdout)


@contextlib.contextmanager
def s_server(*args):
    """`openssl s_server` on a free port, which it prints."""
    with subprocess.Popen(["openssl", "s_server", "-accept", "0", "-cert", LEAF.cert, "-key",
                           LEAF.key, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        lines = support.Lines(process.stdout)
        try:
            yield re.search(r":(\d+)", lines.wait_for(r"ACCEPT.*:\d+")).group(1)
        finally:
            process.kill()


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.server = cls.stack.enter_context(
            support.Server(*LEAF.args(), "--root", str(support.folder())))
        cls.target = f"localhost:{cls.server.port}"

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def check_times(self, report):
        for name in ("tcp_ms", "tls_ms", "total_ms"):
            times = report[name]
            order = [times[key] for key in ("min", "p50", "p90", "p99", "max")]
            self.assertEqual(order, sorted(order))
            bars = times["histogram"]
            self.assertEqual(sum(bar["num"] for bar in bars), report["succeeded"])
            self.assertLessEqual(bars[0]["from"], times["min"])
            self.assertGreater(bars[-1]["to"], times["max"])
        self.assertGreaterEqual(report["total_ms"]["max"], report["tls_ms"]["max"])

    def test_every_connection_is_counted_and_timed(self):
        report = measure(*TRUST, "-n", "40", "-c", "5", self.target)
        self.assertEqual(report["target"], self.target)
        self.assertEqual((report["succeeded"], report["failed"], report["resumed"]), (40, 0, 0))
        self.assertEqual((report["number"], report["concurrency"], report["rate"]), (40, 5, 0))
        self.assertEqual(report["first"]["version"], "TLSv1.3")
        self.assertEqual(report["failures"], [])
        self.assertGreater(report["client_cpu_seconds"], 0)
        self.check_times(report)

    def test_with_resume_all_but_the_first_resume(self):
        for version in ("1.2", "1.3"):
            with self.subTest(version):
                report = measure(*TRUST, "-n", "30", "--resume", "--tls-max", version, self.target)
                self.assertEqual((report["succeeded"], report["resumed"]), (30, 30))

    def test_the_options_of_get_choose_what_is_offered(self):
        first = measure(*TRUST, "-n", "1", "--tls-max", "1.2", "--curves", "P-256", "--ciphers",
                        "ECDHE-ECDSA-AES256-GCM-SHA384", self.target)["first"]
        self.assertEqual(first["version"], "TLSv1.2")
        self.assertIn("AES256-GCM", first["cipher"].replace("_", "").replace("AES256GCM",
                                                                             "AES256-GCM"))
        self.assertEqual(first["group"], "P-256")

    def test_resolve_leads_to_another_address_and_connect_to_to_another_port(self):
        port = self.server.port
        for args in (["--resolve", f"bench.test:{port}:127.0.0.1", f"bench.test:{port}"],
                     ["--connect-to", f"bench.test:443:127.0.0.1:{port}", "bench.test"],
                     ["-4", self.target]):
            with self.subTest(args):
                report = measure(*TRUST, "-n", "2", *args)
                self.assertEqual(report["first"]["address"], f"127.0.0.1:{port}")
                self.assertEqual(report["succeeded"], 2)

    def test_a_rate_is_kept(self):
        report = measure(*TRUST, "-n", "11", "--rate", "20", self.target)
        self.assertGreaterEqual(report["seconds"], 0.5)
        self.assertEqual(report["rate"], 20)

    def test_the_time_ends_it(self):
        report = measure(*TRUST, "-n", "1000", "--rate", "20", "--seconds", "0.5", self.target)
        self.assertLess(report["succeeded"] + report["unfinished"], 15)
        self.assertLess(report["seconds"], 10)

    def test_the_text_has_the_plan_the_times_and_bars(self):
        text = connect(*TRUST, "-n", "20", self.target).stdout.decode()
        self.assertIn(f"{self.target} is 127.0.0.1:{self.server.port}: TLS 1.3, ", text)
        self.assertIn("20 new connections, 8 at a time, as fast as they go (loopback)", text)
        self.assertIn("20 of 20 succeeded", text)
        self.assertRegex(text, r"TLS handshake( +[0-9.]+){6}\n")
        self.assertRegex(text, r" - [0-9.]+ +#+ +\d+\n")

    def test_the_story_is_that_of_the_first_connection(self):
        story = connect(*TRUST, "-v", "-n", "3", self.target).stderr.decode()
        self.assertEqual(story.count("ClientHello,"), 1)

    def test_a_certificate_that_is_not_trusted_is_60_and_k_accepts_it(self):
        done = connect("-n", "3", self.target, code=60)
        self.assertIn(b"UNKNOWN_ISSUER", done.stderr)
        self.assertEqual(measure("-k", "-n", "3", self.target)["succeeded"], 3)

    def test_another_machine_gets_a_rate_and_bounds(self):
        # 0.0.0.0 leads here, but is no loopback address
        there = [*TRUST, "--resolve", f"bench.test:{self.server.port}:0.0.0.0"]
        target = f"bench.test:{self.server.port}"
        report = measure(*there, "-n", "6", target)
        self.assertEqual(report["rate"], 50)
        self.assertGreaterEqual(report["seconds"], 0.1)
        for args, text in ((["-n", "10001"], b"-n: at most 10000"),
                           (["-c", "65"], b"-c: at most 64"),
                           (["--rate", "201"], b"--rate: at most 200")):
            with self.subTest(args):
                self.assertIn(text, connect(*there, *args, target, code=2).stderr)

    def test_an_interrupt_leaves_what_was_measured(self):
        with subprocess.Popen([*CONNECT, *map(str, TRUST), "--json", "-n", "100000", "--rate", "20",
                               self.target], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            support.until_caught(process, signal.SIGINT)
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=support.PATIENCE)
        report = json.loads(out)
        self.assertEqual(process.returncode, 130, err)
        self.assertTrue(report["interrupted"])
        self.assertGreater(report["succeeded"], 0)
        self.assertLess(report["succeeded"], 200)


class OpenSsl(unittest.TestCase):
    def test_both_versions_full_and_resumed(self):
        for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            for resume in ([], ["--resume"]):
                with self.subTest(version=version, resume=resume), s_server(version) as port:
                    report = measure(*TRUST, "-n", "10", "-c", "2", *resume, f"localhost:{port}")
                    self.assertEqual(report["first"]["version"], name)
                    self.assertEqual((report["succeeded"], report["failed"]), (10, 0))
                    self.assertEqual(report["resumed"], 10 if resume else 0)

    def test_a_server_that_goes_away_is_given_up(self):
        with s_server("-naccept", "5") as port:
            report = measure(*TRUST, "-n", "200", "-c", "1", f"localhost:{port}", code=7)
        self.assertEqual(report["succeeded"], 4)
        self.assertTrue(report["gave_up"])
        self.assertEqual(report["failed"], 20)
        # one may have been in the queue of the socket that was closed
        self.assertEqual(report["failures"][-1]["stage"], "tcp")
        self.assertEqual(sum(f["num"] for f in report["failures"]), 20)

    def test_a_server_that_wants_our_certificate_refuses_us_without(self):
        client = support.make_leaf(CA, "client", purpose="clientAuth")
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version), s_server(version, "-Verify", "1", "-CAfile", CA.cert,
                                                 "-verify_return_error") as port:
                done = connect(*TRUST, "-n", "2", f"localhost:{port}", code=35)
                self.assertIn(b"the server wants a certificate of ours" if version == "-tls1_3"
                              else b"alert", done.stderr)
                self.assertEqual(measure(*TRUST, "-n", "2", "--cert", client.cert, "--key",
                                         client.key, f"localhost:{port}")["succeeded"], 2)

    def test_a_group_that_the_server_lacks_is_told(self):
        with s_server("-tls1_3", "-groups", "P-384") as port:
            done = connect(*TRUST, "--curves", "X25519", f"localhost:{port}", code=35)
        self.assertIn(b"alert", done.stderr)


class NoTls(unittest.TestCase):
    def test_a_closed_port_is_7_in_words_and_in_json(self):
        port = closed_port()
        self.assertIn(b"connection refused", connect(f"127.0.0.1:{port}", code=7).stderr)
        report = measure(f"127.0.0.1:{port}", code=7)
        self.assertEqual(report["first"]["stage"], "tcp")
        self.assertNotIn("succeeded", report)

    def test_plain_http_is_called_no_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def answer():
                peer, _ = listener.accept()
                with peer:
                    peer.recv(4096)
                    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            thread = threading.Thread(target=answer)
            thread.start()
            done = connect("-k", f"127.0.0.1:{listener.getsockname()[1]}", code=35)
            thread.join()
        self.assertIn(b"the peer speaks plain HTTP", done.stderr)

    def test_a_server_that_says_nothing_times_out(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            done = connect("-k", "--connect-timeout", "0.3",
                           f"127.0.0.1:{listener.getsockname()[1]}", code=28)
        self.assertIn(b"timed out", done.stderr)

    def test_an_unknown_host_is_6(self):
        connect("no-such-host.invalid", code=6)


class CommandLine(unittest.TestCase):
    def test_what_is_not_understood_is_a_usage_error(self):
        for args, text in (([], b"no server given"),
                           (["a", "b"], b"one server at a time"),
                           (["-n", "0", "a"], b"takes a number from 1 to 1000000"),
                           (["-c", "1001", "a"], b"takes a number from 1 to 1000"),
                           (["--rate", "0", "a"], b"takes a number from 1"),
                           (["--seconds", "x", "a"], b"takes a number of seconds"),
                           (["--key", "k", "a"], b"--key is of no use without --cert")):
            with self.subTest(args):
                self.assertIn(text, connect(*args, code=2).stderr)

    def test_only_https_is_spoken(self):
        connect("http://localhost/", code=1)


if __name__ == "__main__":
    support.main()
