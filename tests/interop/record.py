#!/usr/bin/env python3
"""`cleat get --record` and `cleat replay`: what was recorded against real servers runs again byte
for byte, on other CPU features too; a recording without secrets has none; every change is found.
"""
import json
import os
import pathlib
import re
import stat
import unittest

import record_cases
import support

support.need("openssl")
WORLD = record_cases.World()
# The others take longer, and are in tests/replay.
QUICK = ("13-retry", "13-resumed", "13-secrets", "12-rsa", "13-client-certificate", "13-psk",
         "ech-accepted", "expired", "bad-record")
# What says nothing about application data (docs/recordings.md).
ALLOWED = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "ECH_SECRET",
           "ECH_CONFIG"}
# libcrypto without AVX, AVX2, AVX-512 and ADX
SIMPLE_CPU = {"OPENSSL_ia32cap": "~0x1000000000000000:~0xffffffff"}


def make(name, env=None):
    path = support.folder() / f"{name}.rec"
    record_cases.CASES[name][1](WORLD, path, env=env)
    return path


def replay(*args, code=0, env=None):
    done = support.run([support.CLEAT, "replay", *map(str, args)], check=False,
                       env={**os.environ, **(env or {})})
    if code is not None and done.returncode != code:
        raise AssertionError(f"{args}: {done.returncode}: {done.stdout.decode()}"
                             + done.stderr.decode(errors="replace"))
    return done


def private_scalar(key):
    text = support.run(["openssl", "pkey", "-in", key, "-noout", "-text"]).stdout.decode()
    return re.sub(r"[\s:]", "", re.search(r"priv:([\s0-9a-f:]+)pub:", text).group(1))


class Record(unittest.TestCase):
    def test_what_was_recorded_runs_again(self):
        for name in QUICK:
            with self.subTest(name):
                path = make(name)
                found = json.loads(replay("--json", path).stdout)
                self.assertTrue(found["same"] and found["complete"] and found["intact"], found)
                self.assertGreater(found["bytes_compared"], 200)
                self.assertEqual(found["secrets"], "secrets" in name)
                if found["secrets"]:
                    self.assertEqual(found["lengths_compared"], 0)
                replay(path, env=SIMPLE_CPU)

    def test_the_file_is_its_owners_alone(self):
        path = support.folder() / "13-rsa.rec"
        path.write_text("was there before")
        path.chmod(0o644)
        make("13-rsa")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_a_link_is_not_followed(self):
        target, link = support.folder() / "target", support.folder() / "link.rec"
        target.write_text("precious")
        link.symlink_to(target)
        done = support.run([support.CLEAT, "get", "--record", link, "https://localhost:1/"],
                           check=False)
        self.assertEqual(done.returncode, 23)
        self.assertIn(b"it is a symbolic link", done.stderr)
        self.assertEqual(target.read_text(), "precious")

    def keep_secrets(self, name, env):
        """The secrets of the connection recorded last, by the key log's label."""
        log = pathlib.Path(env["SSLKEYLOGFILE"])
        words = [line.split() for line in log.read_text().splitlines() if line[:1] != "#"]
        self.assertTrue(words, name)
        return [(label, secret) for label, _, secret in words]

    def test_without_secrets_nothing_opens_application_data(self):
        for name in ("13-retry", "13-resumed", "12-rsa", "13-client-certificate", "13-psk",
                     "12-resumed", "12-legacy", "13-early-data-refused", "ech-accepted"):
            with self.subTest(name):
                env = {"SSLKEYLOGFILE": str(support.folder() / f"{name}.keys")}
                text = make(name, env).read_text()
                secrets = self.keep_secrets(name, env)
                seen = {label for label, secret in secrets if secret in text}
                self.assertLessEqual(seen, ALLOWED)
                self.assertTrue(all(len(secret) >= 64 for _, secret in secrets))
                for forbidden in (record_cases.PSK_HEX, private_scalar(WORLD.client.key),
                                  b"GET / HTTP".hex(), b"the application's own".hex()):
                    self.assertNotIn(forbidden, text)

    def test_a_sessions_key_is_not_in_the_recording(self):
        with record_cases.serve(WORLD) as port:
            path, sessions = support.folder() / "session.rec", support.folder() / "kept"
            offered = []
            for secrets in (False, False, True):
                record_cases.record(WORLD, path, port, "--ssl-sessions", sessions, secrets=secrets)
                offered.append(json.loads(path.read_text().splitlines()[2]).get("session"))
                replay(path)
        self.assertIsNone(offered[0])
        # cleat_tls_session_export: 66 bytes, the key's length, the key
        keys = [bytes.fromhex(text)[67:67 + 32] for text in offered[1:]]
        self.assertEqual(keys[0], bytes(32))
        self.assertNotEqual(keys[1], bytes(32))

    def test_with_secrets_there_is_a_warning_and_everything(self):
        path = support.folder() / "all.rec"
        with record_cases.serve(WORLD) as port:
            done = support.run([support.CLEAT, "get", "-sS", "--cacert", WORLD.ca.cert, "--http1.1",
                                "--record", path, "--record-secrets",
                                f"https://localhost:{port}/"])
        self.assertIn(b"can read all", done.stderr)
        self.assertIn(b"GET / HTTP".hex(), path.read_text())
        self.assertEqual(json.loads(replay("--json", path).stdout)["lengths_compared"], 0)

    def test_each_connection_has_a_file_of_its_own(self):
        path = support.folder() / "two.rec"
        with record_cases.serve(WORLD) as port:
            url = f"https://localhost:{port}/"
            support.run([support.CLEAT, "get", "-sS", "--cacert", WORLD.ca.cert, "--record", path,
                         "-H", "Connection: close", "-o", "/dev/null", "-o", "/dev/null", url, url])
        second = pathlib.Path(f"{path}.2")
        self.assertEqual(replay(path, second).stdout.count(b"the same"), 2)

    def test_a_file_that_cannot_be_written_ends_it_before_it_begins(self):
        done = support.run([support.CLEAT, "get", "--record", "/nowhere/x.rec",
                            "https://localhost:1/"], check=False)
        self.assertEqual(done.returncode, 23)
        self.assertIn(b"cannot write the recording /nowhere/x.rec", done.stderr)


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = make("13-ecdsa")
        cls.lines = cls.path.read_text().splitlines()

    def changed(self, lines):
        path = support.folder() / "changed.rec"
        path.write_text("\n".join(lines) + "\n")
        return path

    def test_a_digit_changed_anywhere_is_found(self):
        for at, line in enumerate(self.lines):
            for found in list(re.finditer(r'"[0-9a-f]{8,}"', line))[:4]:
                middle = (found.start() + found.end()) // 2
                digit = "1" if line[middle] == "0" else "0"
                path = self.changed([*self.lines[:at], line[:middle] + digit + line[middle + 1:],
                                     *self.lines[at + 1:]])
                self.assertIn(replay(path, code=None).returncode, (1, 3), (at, found.start()))

    def test_the_first_difference_is_told_with_its_place(self):
        at = next(i for i, line in enumerate(self.lines) if '"out":"' in line)
        op = json.loads(self.lines[at])
        op["out"] = op["out"][:100] + ("00" if op["out"][100:102] != "00" else "01") \
            + op["out"][102:]
        path = self.changed([*self.lines[:at], json.dumps(op), *self.lines[at + 1:]])
        text = replay(path, code=1).stdout.decode()
        self.assertIn(f"different, at line {at + 1}: byte 50 of what is written, in byte 45 of "
                      "ClientHello (record 1)", text)
        found = json.loads(replay("--json", path, code=1).stdout)
        self.assertEqual([found["same"], found["line"]], [False, at + 1])

    def test_the_story_is_told(self):
        text = replay("-v", self.path).stderr.decode()
        for words in ("ClientHello", "ServerHello", "CertificateVerify", "Finished", "TLS 1.3"):
            self.assertIn(words, text)
        trace = support.folder() / "trace.json"
        replay("--trace-json", trace, self.path)
        events = [json.loads(line) for line in trace.read_text().splitlines()]
        self.assertTrue(any(event["event"] == "tls_ready" or "ready" in event["event"]
                            for event in events))

    def test_a_recording_that_breaks_off_is_replayed_as_far_as_it_goes(self):
        path = self.changed(self.lines[:-3])
        self.assertIn(b"the recording breaks off", replay(path).stdout)

    def test_what_cannot_be_read_is_3_and_what_is_not_understood_is_2(self):
        bad = self.changed(["hello"])
        done = replay(bad, code=3)
        self.assertIn(b"line 1", done.stderr)
        replay("/nowhere/x.rec", code=3)
        replay(code=2)
        replay("--fast", self.path, code=2)
        replay("/dev/null", code=3)
        # the worst of several
        self.assertIn(b"the same", replay(bad, self.path, code=3).stdout)

    def test_record_secrets_alone_is_of_no_use(self):
        done = support.run([support.CLEAT, "get", "--record-secrets", "https://localhost:1/"],
                           check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    support.main()
