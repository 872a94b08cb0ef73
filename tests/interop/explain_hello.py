#!/usr/bin/env python3
"""`cleat explain-hello`: what it says of a ClientHello is what `cleat serve` does with it. Each
client goes through a recorder to a server; then the capture is asked about, under the same options.
"""
import json
import os
import pathlib
import re
import subprocess
import unittest

import support
from support import CLEAT, Server

support.need("openssl", "gnutls-cli", "curl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "ecdsa", hosts=("localhost",))
RSA = support.make_leaf(CA, "rsa", "rsa", hosts=("localhost",))
OTHER = support.make_leaf(CA, "other", "rsa", hosts=("other.test",))
CLIENT_CA = support.make_ca("clients")
TICKETS = support.folder() / "tickets"
TICKETS.write_bytes(os.urandom(80))
TICKETS.chmod(0o600)
READY = re.compile(r"cleat: \S+: (?P<version>TLSv1\.\d), (?P<cipher>\S+), (?P<group>[^,]+), "
                   r"(?P<how>[^,]+)(?P<more>.*), ALPN (?P<alpn>\S+), SNI (?P<name>[^,\s]+)"
                   r"(, JA4 \S*)?$", re.M)
FAILED = re.compile(r"cleat: \S+: handshake failed: (?P<code>[A-Z0-9_]+): (?P<text>.*)$", re.M)


def openssl(*more):
    return ["openssl", "s_client", "-connect", "127.0.0.1:PORT", *more]


def gnutls(*more):
    return ["gnutls-cli", "--insecure", "-p", "PORT", *more, "localhost"]


def curl(*more):
    return ["curl", "-sk", "-o", "/dev/null", *more, "https://localhost:PORT/"]


def get(*more):
    return [CLEAT, "get", "-sk", "-o", "/dev/null", *more, "https://localhost:PORT/"]


# Name, the server's options beside its certificate, the client.
ROWS = [
    ("agreed with openssl", [], openssl("-servername", "localhost", "-alpn", "http/1.1")),
    ("agreed with gnutls", [], gnutls()),
    ("agreed with curl", [], curl()),
    ("agreed with ourselves", [], get()),
    ("TLS 1.2", ["--tls-max", "1.2"], openssl("-servername", "localhost")),
    ("TLS 1.2 with gnutls", [], gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")),
    ("a retry", ["--curves", "P-384:P-256"], openssl("-groups", "X25519:P-384")),
    ("a retry with gnutls", ["--curves", "P-521"], gnutls()),
    ("a retry of ourselves", ["--curves", "P-384"], get("--curves", "X25519:P-384")),
    ("no common suite", ["--tls13-ciphers", "TLS_AES_256_GCM_SHA384", "--tls-min", "1.3"],
     openssl("-ciphersuites", "TLS_AES_128_GCM_SHA256")),
    ("no common suite of TLS 1.2",
     ["--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384", "--tls-max", "1.2"],
     openssl("-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")),
    ("no common group", ["--curves", "P-384"], openssl("-groups", "P-256")),
    ("no common group of TLS 1.2", ["--curves", "P-384"],
     openssl("-tls1_2", "-groups", "P-256", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")),
    ("no common signature algorithm", [], openssl("-sigalgs", "rsa_pss_rsae_sha256")),
    ("no common signature algorithm by option", ["--sigalgs", "ecdsa_secp384r1_sha384"],
     openssl("-sigalgs", "ecdsa_secp256r1_sha256:ed25519")),
    ("a version too old", ["--tls-min", "1.3"], openssl("-tls1_2")),
    ("a version that is not spoken", [], openssl("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")),
    ("a version too new", ["--tls-max", "1.2"], openssl("-tls1_3")),
    ("no common protocol", [], openssl("-alpn", "h2,imap")),
    ("an unknown name", [], openssl("-servername", "nowhere.test")),
    ("a name of another certificate", [*OTHER.args()], openssl("-servername", "other.test")),
    ("RSA key exchange alone", [], openssl("-tls1_2", "-cipher", "AES128-GCM-SHA256")),
    ("RSA key exchange on request", ["--profile", "legacy", "--ciphers", "AES128-GCM-SHA256",
                                     *RSA.args()],
     openssl("-tls1_2", "-cipher", "AES128-GCM-SHA256")),
    ("DHE alone", RSA.args(), openssl("-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256")),
    ("two at once", ["--tls-min", "1.3", "--alpn", "http/1.1"],
     openssl("-tls1_2", "-alpn", "imap")),
    ("high security", ["--profile", "high-security"], openssl("-groups", "X25519:P-384")),
    ("internal", ["--profile", "internal"], openssl("-tls1_2")),
]


def options(args):
    return [*PAIR.args(), *args]


class Session:
    """One client through a recorder to a real server."""

    def __init__(self, args, command, name="hello"):
        self.path = support.folder() / f"{name}.pcap"
        with Server(*options(args), "-v", "--access-log", "off") as server:
            recorder = support.Recorder(server.port)
            try:
                words = [str(w).replace("PORT", str(recorder.port)) for w in command]
                done = subprocess.run(words, input=b"", capture_output=True, check=False,
                                      timeout=support.PATIENCE)
                self.said = done.stdout.decode(errors="replace")
                server.errors.wait_for(READY.pattern.split("(?P")[0] + r"TLSv1|handshake failed")
            finally:
                recorder.close()
            text = server.errors.text()
        recorder.write(self.path)
        self.ready, self.failed = READY.search(text), FAILED.search(text)


def explain(path, args, code=None):
    done = support.run([CLEAT, "explain-hello", "--json", *options(args), path], check=False)
    if code is not None and done.returncode != code:
        raise AssertionError(f"exit {done.returncode}: {done.stderr.decode()}")
    return json.loads(done.stdout)["hellos"][0] if done.stdout else None


class AsTheServer(unittest.TestCase):
    def same(self, says, session):
        if session.ready is None:
            self.assertEqual(says["outcome"], "refused", session.said)
            self.assertIsNotNone(session.failed)
            self.assertEqual(says["obstacle"]["code"], session.failed["code"])
            self.assertTrue(session.failed["text"].startswith(says["obstacle"]["text"]),
                            (session.failed["text"], says["obstacle"]["text"]))
            return
        real = session.ready
        self.assertEqual(says["outcome"], "agreed", session.said)
        self.assertEqual(says["version"].replace("TLS ", "TLSv"), real["version"])
        self.assertEqual(says["cipher_suite"], real["cipher"])
        self.assertEqual(says["group"] or "no (EC)DHE", real["group"])
        how = "resumed" if says["resumed"] else says["signature_scheme"] or "full"
        self.assertEqual(how, real["how"])
        self.assertEqual(says["retry"] is not None, "after a HelloRetryRequest" in real["more"])
        packed = re.search(r"certificate in (\w+)", real["more"])
        self.assertEqual(says["certificate_compression"], packed and packed[1])
        self.assertEqual(says["alpn"] or "-", real["alpn"])
        self.assertEqual(says["server_name"] or "-", real["name"])

    def helps(self, advice, args, command):
        """The client is let in by a server that is changed as advised."""
        changed = list(args)
        for change in advice["changes"]:
            made = change["option"] == "cert"
            changed += RSA.args() if made else [f"--{change['option']}", change["value"]]
        again = Session(changed, command)
        self.assertIsNotNone(again.ready, (advice, again.failed))
        version = again.ready["version"].replace("TLSv", "TLS ")
        self.assertTrue(advice["outcome"].startswith(f"{version}, {again.ready['cipher']}"))

    def test_what_it_says_happens_and_what_it_advises_helps(self):
        agreed = helped = 0
        for name, args, command in ROWS:
            with self.subTest(name):
                session = Session(args, command)
                says = explain(session.path, args, 1 if session.ready is None else 0)
                self.same(says, session)
                if session.ready is not None:
                    agreed += 1
                elif says["obstacle"]["advice"] is None:
                    self.assertEqual(name, "a version that is not spoken")
                else:
                    self.helps(says["obstacle"]["advice"], args, command)
                    helped += 1
        self.assertGreater(min(agreed, helped), 8)

    def test_a_ticket_opens_with_the_servers_keys_alone(self):
        session = support.folder() / "session"
        args = ["--ticket-key", TICKETS]
        for version in ("-tls1_3", "-tls1_2"):
            with self.subTest(version):
                command = ["sh", "-c", "sleep 1 | openssl s_client -connect 127.0.0.1:PORT "
                                       f"{version} -sess_out {session}"]
                self.assertIsNotNone(Session(args, command).ready)
                second = Session(args, openssl(version, "-sess_in", str(session)))
                self.assertEqual(second.ready["how"], "resumed")
                says = explain(second.path, args, 0)
                self.same(says, second)
                self.assertTrue(says["resumed"])
                without = explain(second.path, [], 0)
                self.assertFalse(without["resumed"])
                self.assertIn("ticket", [n["what"] for n in without["notes"]])

    def test_clients_are_asked_for_certificates(self):
        args = ["--client-ca", CLIENT_CA.cert]
        leaf = support.make_leaf(CLIENT_CA, "client", purpose="clientAuth")
        session = Session(args, openssl("-cert", str(leaf.cert), "-key", str(leaf.key)))
        says = explain(session.path, args, 0)
        self.same(says, session)
        self.assertEqual(says["client_certificate"], "required")
        self.assertIn("client_certificate", [n["what"] for n in says["notes"]])
        self.assertEqual(explain(session.path, [*args, "--client-auth", "optional"], 0)
                         ["client_certificate"], "optional")
        self.assertEqual(explain(session.path, [], 0)["client_certificate"], "none")

    def test_an_encrypted_hello_is_opened_with_its_key(self):
        key = support.folder() / "ech.pem"
        support.run([CLEAT, "ech", "keygen", "-o", key, "public.test"])
        args = ["--ech-key", key]
        session = Session(args, get("--ech", f"@{key}"))
        self.assertIsNotNone(session.ready, session.said)
        says = explain(session.path, args, 0)
        self.same(says, session)
        self.assertEqual((says["ech"], says["server_name"]), ("accepted", "localhost"))
        outer = explain(session.path, [], 0)
        self.assertEqual((outer["ech"], outer["server_name"]), (None, "public.test"))
        self.assertIn("ech", [n["what"] for n in outer["notes"]])

    def test_who_is_kept_out_by_fingerprint_is_told_so(self):
        session = Session(["--deny-ja4", "t13*"], openssl())
        says = explain(session.path, ["--deny-ja4", "t13*"], 1)
        self.same(says, session)
        self.assertEqual(says["obstacle"]["alert_name"], "access_denied")
        self.assertIn(says["ja4"], says["obstacle"]["text"])
        self.assertEqual(explain(session.path, ["--allow-ja4", says["ja4"]], 0)["outcome"],
                         "agreed")

    def test_a_configuration_file_says_the_same(self):
        session = Session(["--curves", "P-384"], openssl("-groups", "P-256"))
        path = support.folder() / "web.conf"
        path.write_text(f"listen = 127.0.0.1:0\ncurves = P-384\nroot = /nowhere\n"
                        f"certificate {{ cert = {PAIR.cert} key = {PAIR.key} }}\n")
        done = support.run([CLEAT, "explain-hello", "--json", "--config", path, session.path],
                           check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.same(json.loads(done.stdout)["hellos"][0], session)


class Told(unittest.TestCase):
    """What people and programs are given, and what goes wrong before."""

    @classmethod
    def setUpClass(cls):
        cls.session = Session([], openssl("-servername", "nowhere.test"), "told")
        cls.hello = support.folder() / "hello.bin"

    def run_it(self, *args, **more):
        return support.run([CLEAT, "explain-hello", *args], check=False, **more)

    def message(self):
        """The handshake message of the capture, with its records taken off."""
        data = b"".join(p for _, outwards, p in self.packets() if outwards)
        return data[5:5 + int.from_bytes(data[3:5], "big")]

    def packets(self):
        with Server(*PAIR.args()) as server:
            recorder = support.Recorder(server.port)
            subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{recorder.port}"],
                           input=b"", capture_output=True, check=False, timeout=support.PATIENCE)
            recorder.close()
            return list(recorder.packets)

    def test_text_names_the_choices_and_what_is_worth_knowing(self):
        done = self.run_it(*PAIR.args(), self.session.path)
        text = re.sub(r"\s+", " ", done.stdout.decode())
        for part in ("WOULD BE AGREED TLS 1.3", "ClientHello of", "for nowhere.test",
                     f"certificate {PAIR.cert}, ECDSA P-256",
                     "no certificate is for nowhere.test", "group X25519"):
            self.assertIn(part, text)

    def test_an_obstacle_is_told_with_both_lists_and_what_to_change(self):
        session = Session(["--curves", "P-384"], openssl("-groups", "P-256:P-521"), "obstacle")
        done = self.run_it(*PAIR.args(), "--curves", "P-384", session.path)
        self.assertEqual(done.returncode, 1)
        text = re.sub(r"\s+", " ", done.stdout.decode())
        for part in ("REFUSED the client supports none of the groups enabled here",
                     "the client offers P-256, P-521", "you allow P-384",
                     "what to change --curves P-384:P-256", "alert handshake_failure (40)",
                     "then TLS 1.3, TLS_AES_128_GCM_SHA256, P-256"):
            self.assertIn(part, text)

    def test_several_hellos_are_summed_up(self):
        done = self.run_it(*PAIR.args(), self.session.path, self.session.path)
        self.assertIn(b"2 ClientHellos: 2 would be agreed, 0 refused", done.stdout)
        both = self.run_it("--json", *PAIR.args(), self.session.path, self.session.path)
        self.assertEqual(json.loads(both.stdout)["summary"],
                         {"agreed": 2, "refused": 0, "reasons": {}})
        third = Session(["--tls-min", "1.3"], openssl("-tls1_2"), "third")
        mixed = self.run_it(*PAIR.args(), "--tls-min", "1.3", self.session.path, third.path)
        self.assertIn(b"2 ClientHellos: 1 would be agreed, 1 refused: 1 PROTOCOL_VERSION",
                      mixed.stdout)

    def test_a_message_its_records_and_a_capture_are_the_same(self):
        message = self.message()
        records = b"".join(b"\x16\x03\x01" + len(p).to_bytes(2, "big") + p
                           for p in (message[:7], message[7:50], message[50:]))
        said = set()
        for data in (message, records):
            done = self.run_it("--json", *PAIR.args(), "-", stdin=None, input=data)
            self.assertEqual(done.returncode, 0, done.stderr)
            said.add(done.stdout)
        self.assertEqual(len(said), 1)

    def ask_each(self, messages):
        """All of them at once, a file each."""
        paths = []
        for i, message in enumerate(messages):
            paths.append(support.folder() / f"each-{i:03}.bin")
            paths[-1].write_bytes(message)
        for at in range(0, len(paths), 200):
            part = paths[at:at + 200]
            yield part, self.run_it("--json", *PAIR.args(), *part)

    def test_what_is_cut_off_anywhere_is_unreadable(self):
        message = self.message()
        for paths, done in self.ask_each([message[:n] for n in range(len(message))]):
            self.assertEqual(done.returncode, 3, done.stderr)
            for path in paths:
                self.assertIn(path.name.encode(), done.stderr)

    def test_what_is_cut_off_inside_is_refused(self):
        body = self.message()[4:]
        whole = [b"\x01" + n.to_bytes(3, "big") + body[:n] for n in range(36, len(body))]
        num = 0
        for paths, done in self.ask_each(whole):
            says = json.loads(done.stdout)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertEqual(len(says["hellos"]), len(paths))
            num += says["summary"]["refused"]
        self.assertGreater(num, len(whole) - 4)  # without any extension it is one of TLS 1.2

    def test_what_is_no_hello_is_unreadable(self):
        for data in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 64, b"\x16\x03\x01\x00\x00"):
            self.hello.write_bytes(data)
            done = self.run_it(*PAIR.args(), self.hello)
            self.assertEqual(done.returncode, 3, (data, done.stdout))
        self.assertEqual(self.run_it(*PAIR.args(), "/nonexistent").returncode, 3)

    def test_usage(self):
        self.assertEqual(self.run_it(*PAIR.args()).returncode, 2)
        self.assertEqual(self.run_it(self.session.path).returncode, 2)
        bad = self.run_it("--curves", "x", *PAIR.args(), self.session.path)
        self.assertEqual(bad.returncode, 2)
        self.assertEqual(self.run_it("--curve", "x", self.session.path).returncode, 2)
        self.assertEqual(self.run_it("--insecure-listen", "127.0.0.1:0",
                                     self.session.path).returncode, 2)

    def test_each_vector_has_an_answer(self):
        data = os.environ.get("CLEAT_TEST_DATA", "../shared/data") + "/ja4/vectors.json"
        if not os.path.exists(data):
            self.skipTest("no vectors of JA4 here")
        vectors = json.loads(pathlib.Path(data).read_text())
        self.assertEqual(len(vectors), 64)
        paths = []
        for i, vector in enumerate(vectors):
            paths.append(support.folder() / f"vector-{i:02}.hex")
            paths[-1].write_text(vector["handshake_hex"])
        for args in ([], ["--profile", "high-security"], RSA.args()):
            done = self.run_it("--json", *PAIR.args(), *args, *paths)
            says = json.loads(done.stdout)
            self.assertEqual(len(says["hellos"]), 64, done.stderr)
            self.assertEqual(done.returncode, 1 if says["summary"]["refused"] else 0)
            for hello, vector in zip(says["hellos"], vectors):
                self.assertEqual(hello["ja4"], vector["ja4"], hello["file"])
                answer = hello.get("cipher_suite") or hello["obstacle"]["text"]
                self.assertTrue(answer, hello["file"])


if __name__ == "__main__":
    support.main()
