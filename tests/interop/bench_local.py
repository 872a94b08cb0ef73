#!/usr/bin/env python3
"""`cleat bench crypto`, `cleat bench handshake` and `cleat bench rtt`: every figure is there and
makes sense, whatever the machine; and an interrupt leaves what was measured."""
import json
import re
import signal
import subprocess
import time
import unittest

import support

BENCH = [support.CLEAT, "bench"]


def bench(*args):
    return support.run([*BENCH, *args])


def fails(*args):
    return support.run([*BENCH, *args], check=False)


def interrupted(*args):
    """Runs for a second, until SIGINT comes; what it printed, and its exit code."""
    with subprocess.Popen([*BENCH, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        support.until_caught(process, signal.SIGINT)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=support.PATIENCE)
    return out.decode(), err.decode(), process.returncode


class Crypto(unittest.TestCase):
    def measured(self, only):
        report = json.loads(bench("crypto", "--json", "--seconds", "0.002", "--only", only).stdout)
        self.assertFalse(report["interrupted"])
        self.assertTrue(report["primitives"])
        return report

    def test_the_list_has_what_tls_is_made_of(self):
        names = [line.split()[0] for line in bench("crypto", "--list").stdout.decode().splitlines()]
        self.assertEqual(len(names), len(set(names)))
        for name in ("x25519-keygen", "secp256r1-agree", "secp384r1-server", "ecdsa-p256-sign",
                     "ecdsa-p384-verify", "rsa-2048-sign", "rsa-3072-sign", "rsa-4096-verify",
                     "ed25519-sign", "aes-128-gcm-seal-16384", "aes-256-gcm-open-1400",
                     "chacha20-poly1305-seal-100", "sha-256-16384", "sha-384-100",
                     "hkdf-expand-label-sha-256", "x25519mlkem768-server"):
            self.assertIn(name, names)

    def test_jobs_are_measured_alone_and_in_every_batch(self):
        for only in ("x25519", "ecdsa-p256", "rsa-2048"):
            with self.subTest(only):
                for row in self.measured(only)["primitives"]:
                    self.assertEqual(set(row["us"]), {"alone", "batch_1", "batch_8", "batch_64"})
                    for way, us in row["us"].items():
                        self.assertGreater(us, 0)
                        self.assertAlmostEqual(us * row["per_second"][way], 1e6, delta=100)

    def test_what_works_on_bytes_tells_its_rate(self):
        for only in ("gcm", "chacha20", "sha-256"):
            with self.subTest(only):
                for row in self.measured(only)["primitives"]:
                    self.assertEqual(set(row["us"]), {"alone"})
                    if "hkdf" not in row["id"]:
                        self.assertAlmostEqual(row["bytes_per_second"] / row["bytes"],
                                               row["per_second"]["alone"],
                                               delta=row["per_second"]["alone"] / 1000)

    def test_verifying_rsa_is_faster_than_signing(self):
        rows = {row["id"]: row["us"]["alone"] for row in self.measured("rsa-2048")["primitives"]}
        self.assertLess(rows["rsa-2048-verify"], rows["rsa-2048-sign"])

    def test_the_kernels_are_those_that_the_program_names(self):
        says = support.run([support.CLEAT, "--version", "-v"]).stdout.decode()
        report = self.measured("ed25519")
        self.assertIn("handshakes: " + report["handshakes"], says)
        self.assertIn("ML-KEM: " + report["ml_kem"], says)
        self.assertIn("records: " + report["records"], says)
        text = bench("crypto", "--only", "ed25519", "--seconds", "0.001").stdout.decode()
        self.assertIn("handshakes: " + report["handshakes"], text)
        self.assertRegex(text, "records: +" + re.escape(report["records"]))

    def test_the_table_has_a_row_for_each(self):
        text = bench("crypto", "--only", "ed25519", "--seconds", "0.002").stdout.decode()
        self.assertRegex(text, r"Ed25519 sign( +[0-9.]+){4} +[0-9,]+\n")
        self.assertRegex(text, r"Ed25519 verify( +[0-9.]+){4} +[0-9,]+\n")

    def test_an_interrupt_leaves_what_was_measured(self):
        out, err, code = interrupted("crypto", "--only", "gcm", "--seconds", "0.3", "--json")
        self.assertEqual(code, 130, err)
        report = json.loads(out)
        self.assertTrue(report["interrupted"])
        self.assertLess(len(report["primitives"]), 12)
        self.assertIn("interrupted", err)

    def test_what_is_not_understood_is_a_usage_error(self):
        for args, text in ((["--only", "rot13"], b"nothing has 'rot13' in its name"),
                           (["--seconds", "0"], b"takes a number of seconds"),
                           (["--seconds", "nan"], b"takes a number of seconds"),
                           (["x25519"], b"unexpected 'x25519'")):
            with self.subTest(args):
                done = fails("crypto", *args)
                self.assertEqual(done.returncode, 2)
                self.assertIn(text, done.stderr)


class Handshake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        report = json.loads(bench("handshake", "--json", "--seconds", "0.01").stdout)
        cls.rows = {(row["id"], row["in_flight"]): row for row in report["handshakes"]}

    def test_every_kind_is_measured_at_1_8_and_64_in_flight(self):
        for kind in ("1.3-full-ecdsa", "1.3-full-rsa", "1.3-full-mlkem", "1.3-resumed",
                     "1.3-mutual", "1.2-full-ecdsa", "1.2-resumed"):
            for in_flight in (1, 8, 64):
                row = self.rows[kind, in_flight]
                for side in (row["server"], row["client"]):
                    self.assertGreater(side["us"], 0)
                    self.assertAlmostEqual(side["us"] * side["per_second"], 1e6, delta=100)
                    self.assertLessEqual(side["asymmetric_us"], side["us"])
                    self.assertAlmostEqual(side["asymmetric_share"],
                                           side["asymmetric_us"] / side["us"], places=3)

    def test_only_a_tls12_resumption_does_without_asymmetric_cryptography(self):
        for (kind, _), row in self.rows.items():
            for side in (row["server"], row["client"]):
                if kind == "1.2-resumed":
                    self.assertEqual(side["asymmetric_us"], 0)
                else:
                    self.assertGreater(side["asymmetric_us"], 0)

    def test_a_client_certificate_costs_the_server_more(self):
        self.assertGreater(self.rows["1.3-mutual", 1]["server"]["asymmetric_us"],
                           self.rows["1.3-full-ecdsa", 1]["server"]["asymmetric_us"])

    def test_the_table_has_three_rows_for_a_kind(self):
        text = bench("handshake", "--only", "1.2-resumed", "--seconds", "0.01").stdout.decode()
        self.assertRegex(text, r"TLS 1\.2 resumed +1 .*\n +8 .*\n +64 ")

    def test_an_interrupt_leaves_what_was_measured(self):
        out, err, code = interrupted("handshake", "--seconds", "0.5", "--json")
        self.assertEqual(code, 130, err)
        self.assertTrue(json.loads(out)["interrupted"])

    def test_a_pattern_that_fits_nothing(self):
        done = fails("handshake", "--only", "SSLv3")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no handshake has 'SSLv3' in its name", done.stderr)


class RoundTrips(unittest.TestCase):
    def measured(self, *args):
        report = json.loads(bench("rtt", "--json", *args).stdout)
        return {row["id"]: row for row in report["handshakes"]}

    def test_each_handshake_takes_the_round_trips_that_its_standard_says(self):
        trips = {name: (row["ready"]["round_trips"], row["first_byte"]["round_trips"])
                 for name, row in self.measured("--delay", "100").items()}
        self.assertEqual(trips, {"1.2-full": (3, 4), "1.2-false-start": (2, 3),
                                 "1.2-resumed": (2, 3), "1.3-full": (2, 3), "1.3-retry": (3, 4),
                                 "1.3-resumed": (2, 3), "1.3-early": (2, 2)})

    def test_the_line_is_as_long_as_it_should_be(self):
        for delay in (20, 150):
            row = self.measured("--delay", str(delay), "--only", "1.3-full")["1.3-full"]
            self.assertEqual(row["first_byte"]["expected_round_trips"], 3)
            self.assertGreaterEqual(row["first_byte"]["ms"], 3 * delay - 3)
            self.assertGreaterEqual(row["ready"]["ms"], 2 * delay - 2)
            self.assertLess(row["first_byte"]["computing_ms"], row["first_byte"]["ms"])

    def test_the_table_has_a_row_for_each(self):
        text = bench("rtt", "--delay", "40", "--runs", "1").stdout.decode()
        self.assertRegex(text, r"TLS 1\.3 resumed, 0-RTT +[0-9.]+ +2 +[0-9.]+ +2 ")
        self.assertEqual(len(re.findall(r"^TLS 1\.[23] ", text, re.M)), 7)

    def test_an_interrupt_leaves_what_was_measured(self):
        out, err, code = interrupted("rtt", "--delay", "150", "--json")
        self.assertEqual(code, 130, err)
        self.assertTrue(json.loads(out)["interrupted"])

    def test_what_is_not_understood_is_a_usage_error(self):
        for args, text in ((["--delay", "1"], b"takes a number from 10 to 2000"),
                           (["--runs", "0"], b"takes a number from 1 to 99"),
                           (["--only", "SSLv3"], b"no handshake has 'SSLv3'"),
                           (["localhost"], b"unexpected 'localhost'")):
            with self.subTest(args):
                done = fails("rtt", *args)
                self.assertEqual(done.returncode, 2)
                self.assertIn(text, done.stderr)


class Commands(unittest.TestCase):
    def test_a_command_that_is_none(self):
        done = fails("crypt0")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"did you mean 'crypto'?", done.stderr)


if __name__ == "__main__":
    support.main()
