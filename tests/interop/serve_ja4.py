#!/usr/bin/env python3
"""cleat serve --deny-ja4 and --allow-ja4: curl and openssl, denied and allowed; the access log."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

import support
from support import Server

support.need("openssl", "curl")
CA = support.make_ca()
LOCAL = support.make_leaf(CA, "local")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("0123456789")
JA4 = re.compile(r" (t1[23]d\d{4}(?:h1|h2|00)_[0-9a-f]{12}_[0-9a-f]{12}) ([0-9a-f]{32})$")


def serve(*args):
    return Server(*LOCAL.args(), "--root", ROOT, *args)


def curl(server, *args):
    """Its exit code."""
    return subprocess.run(
        ["curl", "-s", "--cacert", str(CA.cert), *args, "-o", "/dev/null",
         "--resolve", f"localhost:{server.port}:127.0.0.1",
         f"https://localhost:{server.port}/a.txt"], timeout=20, check=False).returncode


def openssl(server, *args):
    """What s_client says."""
    got = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "localhost",
         *args], input=b"GET /a.txt HTTP/1.0\r\n\r\n", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=20, check=False)
    return got.stdout.decode(errors="replace")


def ja4_of_curl(*args):
    with serve() as server:
        if curl(server, *args) != 0:
            raise AssertionError("curl was not served")
        return JA4.search(server.access.wait_for('"GET /a.txt').strip()).group(1)


class Lists(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.curl = ja4_of_curl()

    def test_the_denied_program_gets_access_denied_and_others_are_served(self):
        with serve("--deny-ja4", self.curl) as server:
            self.assertEqual(curl(server), 35)
            line = server.errors.wait_for("REFUSED")
            self.assertIn(f"the client's JA4 {self.curl} is denied by {self.curl} "
                          "of the command line", line)
            self.assertIn("New, TLSv1.2, Cipher is", openssl(server, "-tls1_2"))
            self.assertNotIn(self.curl, server.access.text())

    def test_the_alert_is_access_denied(self):
        with serve("--deny-ja4", "t13*,t12*") as server:
            self.assertIn("alert access denied", openssl(server))
            self.assertIn("alert access denied", openssl(server, "-tls1_2"))

    def test_only_the_allowed_program_is_served(self):
        with serve("--allow-ja4", self.curl[:10] + "_*") as server:
            self.assertEqual(curl(server), 0)
            self.assertIn("alert access denied", openssl(server, "-tls1_2"))
            self.assertIn("is none of the 1 of --allow-ja4", server.errors.wait_for("REFUSED"))

    def test_who_is_denied_is_not_let_in_by_the_other_list(self):
        with serve("--allow-ja4", "t13*", "--deny-ja4", self.curl) as server:
            self.assertEqual(curl(server), 35)

    def test_files_are_read_again(self):
        path = support.folder() / "deny.list"
        path.write_text("# nobody yet\n")
        with serve("--deny-ja4", path) as server:
            self.assertEqual(curl(server), 0)
            path.write_text(f"{self.curl} # not any more\n")
            server.signal(signal.SIGHUP)
            server.errors.wait_for("were read again")
            self.assertEqual(curl(server), 35)
            self.assertIn(f"of {path}", server.errors.wait_for("REFUSED"))
            path.write_text("nonsense\n")
            server.signal(signal.SIGHUP)
            line = server.errors.wait_for("nothing is changed")
            self.assertIn(f"{path}:1: 'nonsense' is not a JA4 fingerprint", line)
            self.assertEqual(curl(server), 35)

    def test_a_configuration_file_names_lists_beside_it(self):
        folder = support.folder() / "conf"
        folder.mkdir()
        (folder / "deny.list").write_text(self.curl + "\n")
        (folder / "cleat.conf").write_text('deny-ja4 = {"deny.list", "t10*"}\n')
        with serve("--config", folder / "cleat.conf") as server:
            self.assertEqual(curl(server), 35)

    def test_nonsense_is_refused_at_start(self):
        for word in ("blocklist", "*", "t13d1516h2", "/nowhere/list"):
            with self.subTest(word):
                got = subprocess.run(
                    [str(support.CLEAT), "serve", *map(str, LOCAL.args()), "--deny-ja4", word],
                    stderr=subprocess.PIPE, timeout=20, check=False)
                self.assertEqual(got.returncode, 1)
                self.assertIn(word, got.stderr.decode())


class Log(unittest.TestCase):
    def test_versions_and_protocols_show(self):
        for args, start in ((["--tls-max", "1.2"], "t12d"), (["--http1.1"], "t13d"), ([], "t13d")):
            with self.subTest(args):
                ja4 = ja4_of_curl(*args)
                self.assertTrue(ja4.startswith(start), ja4)
                self.assertEqual(ja4[8:10], "h1" if "--http1.1" in args else "h2")

    def test_a_capture_of_the_connection_says_the_same(self):
        if os.geteuid() != 0:
            self.skipTest("listening on an interface takes CAP_NET_RAW")
        with serve() as server:
            with subprocess.Popen(
                    [str(support.CLEAT), "fingerprint", "-i", "lo", "--json", "-c", "1",
                     "--seconds", "20", "--filter", f"tcp port {server.port}"],
                    stdout=subprocess.PIPE) as listening:
                time.sleep(1)
                self.assertEqual(curl(server), 0)
                seen = json.loads(listening.stdout.readline())
                self.assertEqual(listening.wait(20), 0)
            logged = JA4.search(server.access.wait_for('"GET /a.txt').strip())
            self.assertEqual((seen["ja4"], seen["ja3"]), logged.groups())
            self.assertEqual(seen["server_name"], "localhost")
            self.assertEqual(seen["to"]["port"], server.port)

    def test_our_client_tells_the_same_of_itself(self):
        with serve() as server:
            trace = support.folder() / "trace.json"
            subprocess.run(
                [str(support.CLEAT), "get", "-sS", "--cacert", str(CA.cert), "-o", "/dev/null",
                 "--trace-json", str(trace), f"https://localhost:{server.port}/a.txt"],
                timeout=20, check=True)
            lines = [json.loads(line) for line in trace.read_text().splitlines()]
            told = [line for line in lines if line.get("event") == "tls.fingerprint"]
            self.assertEqual(len(told), 1)
            logged = JA4.search(server.access.wait_for('"GET /a.txt').strip())
            self.assertEqual((told[0]["ja4"], told[0]["ja3"]), logged.groups())


if __name__ == "__main__":
    unittest.main()
