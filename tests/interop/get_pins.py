#!/usr/bin/env python3
"""--pinnedpubkey of `cleat get`, `cleat ws` and `cleat cert verify`, beside curl's: the same pins,
the same files and the same servers give the same exit codes."""
import base64
import json
import re
import unittest

import support
from support import CLEAT, Server, run

support.need("openssl", "curl")
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf")
OTHER = support.make_leaf(CA, "other", "rsa")
RAW = support.make_key("raw", "ecdsa")
WRONG = "sha256//" + base64.b64encode(bytes(32)).decode()


def public(private, form="PEM"):
    file = support.folder() / f"{private.stem}.pub.{form.lower()}"
    run(["openssl", "pkey", "-in", private, "-pubout", "-outform", form, "-out", file])
    return file


def pin_of(private):
    """As people make it, by pkey -pubin -outform der, dgst -sha256 -binary, and base64."""
    der = run(["openssl", "pkey", "-pubin", "-in", public(private), "-pubout", "-outform",
               "der"]).stdout
    digest = run(["openssl", "dgst", "-sha256", "-binary"], stdin=None, input=der).stdout
    return "sha256//" + base64.b64encode(digest).decode()


PIN, OTHER_PIN, RAW_PIN = pin_of(LEAF.key), pin_of(OTHER.key), pin_of(RAW)


def site():
    root = support.folder() / "site"
    root.mkdir(exist_ok=True)
    (root / "index.html").write_text("served\n")
    return root


class Get(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(*LEAF.args(), "--root", site())
        cls.addClassCleanup(cls.server.end)

    def get(self, *args, server=None):
        url = f"{(server or self.server).url}/"
        return run([CLEAT, "get", "-sS", "--cacert", CA.cert, *args, url], check=False)

    def both(self, code, *args):
        """The same from curl and from us."""
        done = self.get(*args)
        self.assertEqual(done.returncode, code, (args, done.stderr))
        curl = run(["curl", "-sS", "--cacert", CA.cert, *args, f"{self.server.url}/"], check=False)
        self.assertEqual(curl.returncode, code, (args, curl.stderr))
        self.assertEqual(done.stdout, curl.stdout)
        return done

    def test_the_same_pins_as_curl(self):
        for code, value in ((0, PIN), (90, WRONG), (90, OTHER_PIN), (0, f"{WRONG};{PIN}"),
                            (0, f"{PIN};{WRONG}"), (90, f"{WRONG};{OTHER_PIN}"),
                            (90, pin_of(CA.key))):
            for more in ((), ("--tls-max", "1.2"), ("-k",)):
                with self.subTest(value=value, more=more):
                    self.both(code, "--pinnedpubkey", value, *more)

    def test_the_same_files_as_curl(self):
        for code, file in ((0, public(LEAF.key)), (0, public(LEAF.key, "DER")),
                           (90, public(OTHER.key)), (90, public(OTHER.key, "DER")),
                           (90, support.folder() / "missing"), (90, LEAF.cert), (90, "/dev/null"),
                           (90, support.folder())):
            with self.subTest(file):
                self.both(code, "--pinnedpubkey", file)

    def test_a_bad_chain_stays_bad(self):
        done = run([CLEAT, "get", "-sS", "--pinnedpubkey", PIN, f"{self.server.url}/"], check=False)
        self.assertEqual(done.returncode, 60, done.stderr)

    def test_the_message_tells_both_keys_and_what_to_do(self):
        text = self.get("--pinnedpubkey", WRONG).stderr.decode()
        for part in (PIN, WRONG, "PIN_MISMATCH, RFC 7469 2.6, alert certificate_unknown sent",
                     "pin it beside the old one"):
            self.assertIn(part, text)
        self.assertNotIn("-k accepts any", text)
        self.server.errors.wait_for("certificate_unknown")

    def test_the_story_has_the_pin(self):
        trace = support.folder() / "pins.json"
        text = self.get("-v", "--trace-json", trace, "--pinnedpubkey",
                        f"{WRONG};{PIN}").stderr.decode()
        self.assertRegex(text, re.escape(PIN) + " .it is pin 2 of 2")
        events = [json.loads(line) for line in trace.read_text().splitlines()]
        self.assertTrue(any(PIN in e.values() for e in events), events)

    def test_what_is_no_pin_is_a_usage_error(self):
        for value in ("sha256//", "sha256//abc", PIN + ";", f"{PIN};;{PIN}", PIN[:-1], PIN + "=",
                      f"{PIN};md5//abc", f"{PIN};{LEAF.cert}", ";".join([PIN] * 65),
                      "sha256//" + "A" * 4000):
            with self.subTest(value[:200]):
                done = self.get("--pinnedpubkey", value)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(b"--pinnedpubkey: ", done.stderr)
        self.assertEqual(self.get("--pinnedpubkey", ";".join([PIN] * 64)).returncode, 0)

    def test_not_beside_pre_shared_keys(self):
        done = self.get("--pinnedpubkey", PIN, "--psk", "/dev/null")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b"--pinnedpubkey wants the server to show a key", done.stderr)

    def test_a_session_goes_around_no_pin(self):
        for version in ("1.3", "1.2"):
            with self.subTest(version):
                store = support.folder() / f"sessions-{version}"
                args = ("--ssl-sessions", store, "--tls-max", version, "-o", "/dev/null", "-w",
                        "%{tls_resumed}")
                seen = [self.get(*args, *pins) for pins in
                        ((), (), ("--pinnedpubkey", PIN), ("--pinnedpubkey", PIN),
                         ("--pinnedpubkey", WRONG), ("--pinnedpubkey", f"{PIN};{WRONG}"))]
                self.assertEqual([(d.returncode, d.stdout) for d in seen],
                                 [(0, b"0"), (0, b"1"), (0, b"0"), (0, b"1"), (90, b"0"),
                                  (0, b"0")], seen)

    def test_raw_keys_have_pins_too(self):
        with Server("--raw-public-key", RAW, "--root", site()) as server:
            for code, pin in ((0, RAW_PIN), (90, PIN)):
                done = self.get("--raw-key-pin", RAW_PIN, "--pinnedpubkey", pin, server=server)
                self.assertEqual(done.returncode, code, done.stderr)

    def test_a_recording_keeps_the_pins(self):
        for code, pin in ((0, PIN), (90, WRONG)):
            file = support.folder() / f"pins-{code}.rec"
            self.assertEqual(self.get("--record", file, "--pinnedpubkey", pin).returncode, code)
            run([CLEAT, "replay", file])
            self.assertIn(base64.b64decode(pin[8:]).hex(), file.read_text())

    def test_bench_connect_has_them(self):
        for ok, pin in ((True, PIN), (False, WRONG)):
            done = run([CLEAT, "bench", "connect", "--cacert", CA.cert, "--pinnedpubkey", pin, "-n",
                        "2", f"{self.server.url}/"], check=False)
            self.assertEqual(done.returncode == 0, ok, done.stderr)


class Ws(unittest.TestCase):
    def test_a_pinned_server_is_spoken_to(self):
        with Server(*LEAF.args(), "--ws-echo", "/echo") as server:
            for code, value in ((0, PIN), (3, WRONG), (3, public(OTHER.key)), (0, public(LEAF.key)),
                                (2, "sha256//abc")):
                with self.subTest(value=value):
                    done = run([CLEAT, "ws", "--cacert", CA.cert, "--pinnedpubkey", value, "-1",
                                "-x", "hello", f"wss://localhost:{server.port}/echo"], check=False)
                    self.assertEqual(done.returncode, code, done.stderr)
                    self.assertEqual(done.stdout, b"hello\n" if code == 0 else b"")


class CertVerify(unittest.TestCase):
    def verify(self, code, *args, source=LEAF.cert, ca=CA.cert):
        done = run([CLEAT, "cert", "verify", "--ca", ca, *args, source], check=False)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done.stdout.decode()

    def test_the_leafs_key_is_judged(self):
        text = self.verify(0, "--pinnedpubkey", f"{WRONG};{PIN}", "--explain")
        self.assertRegex(text, "(?m)^verified: [^$]*^  pin      " + re.escape(PIN))
        self.assertIn(f"{PIN} (this one)\n", text)
        text = self.verify(90, "--pinnedpubkey", WRONG)
        self.assertIn(f"NOT verified: the certificate's key is {PIN}", text)
        self.assertIn("PIN_MISMATCH (OpenSSL: -)", text)
        self.verify(90, "--pinnedpubkey", pin_of(CA.key))
        self.verify(0, "--pinnedpubkey", public(LEAF.key))
        self.verify(90, "--pinnedpubkey", support.folder() / "missing")
        self.verify(2, "--pinnedpubkey", "sha256//abc")

    def test_a_bad_chain_goes_first_and_the_pin_is_told(self):
        text = self.verify(60, "--pinnedpubkey", WRONG, ca=OTHER.cert)
        self.assertIn(f"  pin      {PIN}\n", text)

    def test_programs_read_it_too(self):
        told = json.loads(self.verify(0, "--json", "--pinnedpubkey", PIN))
        self.assertEqual(told["pin"], {"seen": PIN, "pinned": [PIN], "matches": True})
        told = json.loads(self.verify(90, "--json", "--pinnedpubkey", WRONG))
        self.assertEqual((told["verified"], told["error"]["code"], told["pin"]["matches"]),
                         (False, "PIN_MISMATCH", False))
        self.assertIsNone(json.loads(self.verify(0, "--json"))["pin"])

    def test_a_servers_key_is_judged(self):
        with Server(*LEAF.args(), "--root", site()) as server:
            self.verify(0, "--pinnedpubkey", PIN, source=server.url)
            self.verify(90, "--pinnedpubkey", WRONG, source=server.url)

    def test_what_show_prints_can_be_pinned(self):
        text = run([CLEAT, "cert", "show", LEAF.cert]).stdout.decode()
        self.assertIn(f"  SPKI pin     {PIN}\n", text)


if __name__ == "__main__":
    support.main()
