#!/usr/bin/env python3
"""`cleat serve` fetches OCSP responses for its certificates: from `openssl ocsp`, and from a
responder that is down, slow, wrong or lying; what clients get is looked at by `openssl s_client
-status` and `cleat get --cert-status`."""
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import ocsp_support as ocsp
import support
from get_support import free_port

support.need("openssl")
CA = support.make_ca("staples ca")
STRANGER = support.make_ca("stranger")
RESPONDER = None


def setUpModule():
    global RESPONDER
    RESPONDER = ocsp.Responder()


def tearDownModule():
    RESPONDER.close()


def says(path, key=CA.key, **how):
    """From now on, the responder's answer at that path."""
    RESPONDER.says[path] = lambda cert_id: ocsp.answer(cert_id, key, **how)


def wait_until(what, condition, patience=20):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what() if callable(what) else what)
        time.sleep(0.05)


def name_in_store(pair):
    der = support.run(["openssl", "x509", "-in", pair.cert, "-outform", "DER"]).stdout
    return hashlib.sha256(der).hexdigest() + ".ocsp"


def get(server, host, *args):
    """The exit code of `cleat get --cert-status`: 0 stapled and good, 60 revoked, 91 no staple."""
    return support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, "--cert-status",
                        "--resolve", f"{host}:{server.port}:127.0.0.1", "-o", os.devnull, *args,
                        f"https://{host}:{server.port}/"], check=False).returncode


def stapled(server, host):
    """What `openssl s_client -status` prints of the staple."""
    done = support.run(["openssl", "s_client", "-status", "-connect", f"127.0.0.1:{server.port}",
                        "-servername", host, "-CAfile", CA.cert], check=False)
    return done.stdout.decode(errors="replace")


class Stapling(unittest.TestCase):
    def setUp(self):
        self.store = ocsp.fresh_folder("store")

    def server(self, *pairs, more=(), **kwargs):
        args = [a for pair in pairs for a in pair.args()]
        return support.Server(*args, "--staple-dir", self.store, "-v", *more, **kwargs)

    def files(self):
        return sorted(self.store.iterdir()) if self.store.exists() else []


class Real(Stapling):
    def start_responder(self, port, index):
        process = subprocess.Popen(
            ["openssl", "ocsp", "-index", str(index), "-CA", str(CA.cert), "-rsigner", str(CA.cert),
             "-rkey", str(CA.key), "-port", str(port), "-nmin", "60", "-ignore_err"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        lines = support.Lines(process.stderr)
        self.addCleanup(lambda: (process.kill(), process.wait(), lines.close()))
        lines.wait_for("waiting for OCSP client connections")
        return process

    def test_a_response_of_openssl_is_stapled_and_survives_a_restart_without_it(self):
        port = free_port()
        pair = ocsp.leaf(CA, "real.test", f"http://127.0.0.1:{port}/")
        serial = support.run(["openssl", "x509", "-in", pair.cert, "-noout", "-serial"]).stdout
        index = support.folder() / "index.txt"
        index.write_text(f"V\t491231235959Z\t\t{serial.decode().strip().split('=')[1]}\tunknown\t"
                         "/CN=real.test\n")
        process = self.start_responder(port, index)
        with self.server(pair) as server:
            server.errors.wait_for(r"OCSP: \S+real.test.pem is good until 20\S+Z, says http://127")
            self.assertIn("asked again in", server.errors.text())
            wait_until("no staple", lambda: get(server, "real.test") == 0, 5)
            for version in ("--tls-max=1.2", "--tlsv1.3"):
                self.assertEqual(get(server, "real.test", version), 0)
            text = stapled(server, "real.test")
            self.assertIn("OCSP Response Status: successful", text)
            self.assertIn("Cert Status: good", text)
        process.kill()
        process.wait()
        file, = self.files()
        self.assertRegex(file.name, r"^[0-9a-f]{64}\.ocsp$")
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.store.stat().st_mode & 0o777, 0o700)
        support.run(["openssl", "ocsp", "-respin", file, "-CAfile", CA.cert, "-issuer", CA.cert])
        with self.server(pair) as server:
            self.assertEqual(get(server, "real.test"), 0)
            self.assertIn("says the response kept from earlier", server.errors.text())
        # and of no use to another server, which has its own certificate
        other = ocsp.leaf(CA, "other.test", f"http://127.0.0.1:{port}/")
        shutil.copy(file, file.with_name("0" * 64 + ".ocsp"))
        with self.server(other) as server:
            self.assertEqual(get(server, "other.test"), 91)
            server.errors.wait_for("warning: OCSP: .*other.test.pem: .*nothing is stapled; ask")


class Lying(Stapling):
    def test_what_is_no_good_is_not_stapled_and_the_log_says_why(self):
        rows = {
            "down": (None, r"refused"),
            "slow": (lambda _: None, r"timed out"),
            "huge": (lambda _: b"0" * (1 << 20), r"more than the 65536 bytes"),
            "garbage": (lambda _: b"garbage", r"malformed OCSP response"),
            "empty": (lambda _: b"", r"malformed OCSP response"),
            "error": (lambda _: 500, r"answers 500"),
            "later": (lambda _: ocsp.der(0x30, ocsp.der(0x0a, b"\3")),
                      r"the responder refuses to answer: tryLater \(3\)"),
            "forged": (lambda c: ocsp.answer(c, STRANGER.key), r"not signed by the issuer"),
            "another": (lambda c: ocsp.answer(c[:-1] + bytes([c[-1] ^ 1]), CA.key),
                        r"it is about another certificate"),
            "unknown": (lambda c: ocsp.answer(c, CA.key, ocsp.UNKNOWN), r"does not know the cert"),
            "old": (lambda c: ocsp.answer(c, CA.key, life=0), r"out of date"),
            "future": (lambda c: ocsp.answer(c, CA.key, since=7200), r"from the future"),
        }
        RESPONDER.says.update({k: v[0] for k, v in rows.items() if v[0]})
        says("fine")
        pairs = [ocsp.leaf(CA, f"{name}.test", RESPONDER.url(name)) for name in rows
                 if name != "down"]
        pairs += [ocsp.leaf(CA, "down.test", f"http://127.0.0.1:{free_port()}/down"),
                  ocsp.leaf(CA, "fine.test", RESPONDER.url("fine"))]
        with self.server(*pairs) as server:
            # one that hangs holds up nobody: neither handshakes nor other responders
            wait_until(server.errors.text, lambda: get(server, "fine.test") == 0)
            for name, (_, why) in rows.items():
                if name == "slow":
                    continue
                line = server.errors.wait_for(rf"warning: OCSP: \S+/{name}.test.pem: .*{why}")
                self.assertRegex(line, r"nothing is stapled; asked again in \d+ (s|min)", line)
                self.assertEqual(get(server, f"{name}.test"), 91, name)
            self.assertEqual(get(server, "slow.test"), 91)
            self.assertNotIn("Cert Status", stapled(server, "forged.test"))
        self.assertEqual(len(self.files()), 1)

    def test_revoked_is_told_to_clients_and_shouted_in_the_log(self):
        says("revoked", status=ocsp.REVOKED)
        pair = ocsp.leaf(CA, "revoked.test", RESPONDER.url("revoked"))
        with self.server(pair) as server:
            server.errors.wait_for(r"warning: OCSP: \S+ HAS BEEN REVOKED, says http")
            wait_until("it is not told", lambda: "Cert Status: revoked" in stapled(server,
                                                                                   "revoked.test"))
        with self.server(pair) as server:
            self.assertIn("HAS BEEN REVOKED, says the response kept", server.errors.text())
            self.assertIn("Cert Status: revoked", stapled(server, "revoked.test"))

    def test_good_gives_way_to_revoked_which_an_older_good_does_not_hide(self):
        says("turned", life=10)
        pair = ocsp.leaf(CA, "turned.test", RESPONDER.url("turned"))
        with self.server(pair) as server:
            wait_until("no staple", lambda: get(server, "turned.test") == 0)
            says("turned", status=ocsp.REVOKED, since=3, life=9)
            server.errors.wait_for(r"turned.test.pem HAS BEEN REVOKED, says http")
            wait_until("not told", lambda: "Cert Status: revoked" in stapled(server, "turned.test"))
            says("turned", since=-5)  # recorded earlier, and current
            server.errors.wait_for("older than the one before it; the last response stays until")
            self.assertIn("Cert Status: revoked", stapled(server, "turned.test"))
            self.assertNotEqual(get(server, "turned.test"), 0)


class Time(Stapling):
    def test_a_response_is_refreshed_at_half_of_its_life_and_withdrawn_at_its_end(self):
        says("short", life=12)
        pair = ocsp.leaf(CA, "short.test", RESPONDER.url("short"), must_staple=True)
        with self.server(pair) as server:
            wait_until("no staple", lambda: get(server, "short.test") == 0)
            begun = time.monotonic()
            server.errors.wait_for(r"short.test.pem is good until .*refreshed")
            self.assertGreater(time.monotonic() - begun, 3)
            self.assertEqual(get(server, "short.test"), 0)
            RESPONDER.says["short"] = lambda _: 503
            line = server.errors.wait_for("short.test.pem: .*503.*the last response stays until")
            self.assertEqual(get(server, "short.test"), 0)
            end = re.search(r"until (\S+)Z;", line).group(1)
            end = time.strptime(end, "%Y-%m-%dT%H:%M:%S")
            codes = []
            while 91 not in codes and 60 not in codes:
                codes.append(get(server, "short.test"))
                time.sleep(0.05)
            self.assertLess(time.time(), ocsp.datetime.datetime(
                *end[:6], tzinfo=ocsp.datetime.timezone.utc).timestamp())
            server.errors.wait_for(r"the last response has expired \(.*must-staple")
            self.assertIn(get(server, "short.test"), (60, 91))
            # a new one is there with the next answer
            says("short")
            server.signal(signal.SIGHUP)
            wait_until("it does not come back", lambda: get(server, "short.test") == 0)
        # what has expired on the disk is not served either
        for file in self.files():
            file.unlink()
        says("short", life=4)
        with self.server(pair) as server:
            server.errors.wait_for("stapled from now on")
        time.sleep(4)
        RESPONDER.says["short"] = lambda _: 503
        with self.server(pair) as server:
            self.assertIn("that was kept from earlier is not used: ", server.errors.text())
            self.assertNotEqual(get(server, "short.test"), 0)


class Disk(Stapling):
    def setUp(self):
        super().setUp()
        says("disk")
        self.pair = ocsp.leaf(CA, "disk.test", RESPONDER.url("disk"))

    def test_garbage_on_disk_is_ignored_with_a_line(self):
        with self.server(self.pair) as server:
            wait_until("no staple", lambda: get(server, "disk.test") == 0)
        file, = self.files()
        good = file.read_bytes()
        RESPONDER.says["disk"] = lambda _: 503
        other = ocsp.leaf(CA, "disk2.test", RESPONDER.url("disk"))
        for name, contents in (("truncated", good[:-1]), ("empty", b""), ("garbage", b"garbage"),
                               ("flipped", good[:-1] + bytes([good[-1] ^ 1])),
                               ("huge", b"0" * (1 << 20))):
            with self.subTest(name):
                file.write_bytes(contents)
                with self.server(self.pair) as server:
                    self.assertEqual(get(server, "disk.test"), 91)
                    if contents:
                        server.errors.wait_for("disk.test.pem: the response that was kept from ear")
        with self.subTest("another certificate's"):
            file.write_bytes(good)
            with self.server(other) as server:
                server.errors.wait_for("disk2.test.pem: .*503")
            file.rename(self.store / name_in_store(other))
            with self.server(other) as server:
                server.errors.wait_for("not used: it is about another certificate")
                self.assertEqual(get(server, "disk2.test"), 91)

    def test_a_full_disk_loses_nothing(self):
        """No file may be longer than zero blocks: what is there stays, and memory serves."""
        with self.server(self.pair) as server:
            wait_until("no staple", lambda: get(server, "disk.test") == 0)
        file, = self.files()
        before = file.read_bytes()
        file.write_bytes(b"")
        with self.server(self.pair, file_blocks=0) as server:
            line = server.errors.wait_for("cannot be saved: File too large; it is stapled all the")
            self.assertIn("hint: give a folder", line)
            wait_until("no staple", lambda: get(server, "disk.test") == 0)
        self.assertEqual(self.files(), [file])
        self.assertEqual(file.read_bytes(), b"")
        # what was good stays when its successor cannot be saved
        file.write_bytes(before)
        with self.server(self.pair, file_blocks=0) as server:
            self.assertEqual(get(server, "disk.test"), 0)
        self.assertEqual(file.read_bytes(), before)

    def test_a_folder_that_cannot_be_written_to_is_told_once(self):
        blocked = support.folder() / "a-file"
        blocked.write_text("")
        self.store = blocked / "store"
        with self.server(self.pair) as server:
            wait_until("no staple", lambda: get(server, "disk.test") == 0)
            line = server.errors.wait_for("cannot be saved: Not a directory")
            self.assertIn("hint: give a folder", line)
        self.assertEqual(server.errors.text().count("cannot be saved"), 1)

    def test_what_is_left_over_is_swept_away_and_the_rest_stays(self):
        self.store.mkdir()
        old = self.store / ("a" * 64 + ".ocsp")
        young = self.store / ("b" * 64 + ".ocsp")
        cert_id = None

        def remember(c):
            nonlocal cert_id
            cert_id = c
            return ocsp.answer(c, CA.key)
        RESPONDER.says["disk"] = remember
        with self.server(self.pair) as server:
            wait_until("no staple", lambda: get(server, "disk.test") == 0)
        old.write_bytes(ocsp.answer(cert_id, CA.key, since=-3 * 86400))
        young.write_bytes(ocsp.answer(cert_id, CA.key))
        torn = self.store / ("." + "c" * 64 + ".ocsp.1-2")
        torn.write_bytes(b"torn")
        os.utime(torn, (1, 1))
        mine = self.store / "notes.txt"
        mine.write_text("mine")
        with self.server(self.pair):
            pass
        names = {f.name for f in self.files()}
        self.assertLessEqual({young.name, mine.name}, names)
        self.assertFalse({old.name, torn.name} & names)


class Certificates(Stapling):
    def test_several_certificates_each_get_their_own(self):
        says("one")
        says("two")
        one = ocsp.leaf(CA, "one.test", RESPONDER.url("one"))
        two = ocsp.leaf(CA, "two.test", RESPONDER.url("two"))
        none = ocsp.leaf(CA, "none.test", None)
        with self.server(one, none, two, more=["--threads", "2"]) as server:
            for host in ("one.test", "two.test"):
                wait_until(host, lambda: get(server, host) == 0)
            self.assertEqual(get(server, "none.test"), 91)
            self.assertNotIn("none.test", server.errors.text().split("listening")[1])

    def test_a_reload_takes_the_new_certificates_and_keeps_the_old_ones_staples(self):
        says("first")
        says("second")
        first = ocsp.leaf(CA, "first.test", RESPONDER.url("first"))
        second = ocsp.leaf(CA, "second.test", RESPONDER.url("second"))
        now = support.Pair(support.folder() / "now.pem", support.folder() / "now.key")

        def put(pair):
            shutil.copy(pair.cert, now.cert)
            shutil.copy(pair.key, now.key)
        put(first)
        with self.server(now) as server:
            wait_until("no staple", lambda: get(server, "first.test") == 0)
            asked = RESPONDER.asked["first"]
            for _ in range(3): # the same one: stapled before, in between and after
                server.signal(signal.SIGHUP)
                self.assertEqual(get(server, "first.test"), 0)
            with support.tls(server.port, CA, name="first.test") as old:
                put(second)
                server.signal(signal.SIGHUP)
                wait_until("no staple", lambda: get(server, "second.test") == 0)
                old.sendall(b"GET / HTTP/1.1\r\nHost: first.test\r\n\r\n")
                self.assertIn(b"HTTP/1.1 ", old.recv(100))
            self.assertEqual(RESPONDER.asked["first"], asked)
            self.assertEqual(len(self.files()), 2)

    def test_who_names_no_responder_is_passed_over_in_silence(self):
        with self.server(ocsp.leaf(CA, "silent.test", None)) as server:
            self.assertEqual(get(server, "silent.test"), 91)
        self.assertNotIn("OCSP", server.errors.text())
        self.assertEqual(self.files(), [])

    def test_who_demands_a_staple_and_gets_none_is_warned(self):
        lost = ocsp.leaf(CA, "must.test", None, must_staple=True)
        with self.server(lost) as server:
            server.errors.wait_for("must.test.pem: the certificate demands a staple .*names no r")
        with support.Server(*lost.args(), "--no-stapling") as server:
            server.errors.wait_for("must.test.pem: the certificate demands a .*--no-stapling")
        says("instead")
        with self.server(lost, more=["--staple-responder", RESPONDER.url("instead")]) as server:
            wait_until("no staple", lambda: get(server, "must.test") == 0)

    def test_without_its_issuer_the_log_says_what_to_do(self):
        pair = ocsp.leaf(CA, "alone.test", RESPONDER.url("alone"), with_issuer=False)
        with self.server(pair) as server:
            server.errors.wait_for("alone.test.pem names a responder, but .* append the issuer")
            pair.cert.write_bytes(pair.cert.read_bytes() + CA.cert.read_bytes())
            says("alone")
            server.signal(signal.SIGHUP)
            wait_until("no staple", lambda: get(server, "alone.test") == 0)

    def test_no_stapling_asks_nobody_and_a_file_of_ones_own_comes_first(self):
        says("unasked")
        pair = ocsp.leaf(CA, "unasked.test", RESPONDER.url("unasked"))
        with support.Server(*pair.args(), "--no-stapling") as server:
            self.assertEqual(get(server, "unasked.test"), 91)
        says("file")
        with self.server(pair, more=["--staple-responder", RESPONDER.url("file")]) as server:
            wait_until("no staple", lambda: get(server, "unasked.test") == 0)
        file, = self.files()
        with support.Server(*pair.args(), "--staple", file) as server:
            self.assertEqual(get(server, "unasked.test"), 0)
        self.assertNotIn("unasked", RESPONDER.asked)

    def test_a_file_that_helps_nobody_is_sent_and_warned_about(self):
        """As nginx sends it; we say it. And a root in the chain stays where stapling needs it."""
        pair = ocsp.leaf(CA, "given.test", "http://127.0.0.1:1/")
        other = ocsp.leaf(CA, "another.test", None)
        request = support.folder() / "given.req"
        ids = []
        for cert in (pair.cert, other.cert):
            support.run(["openssl", "ocsp", "-no_nonce", "-issuer", CA.cert, "-cert", cert,
                         "-reqout", request])
            ids.append(ocsp.cert_id_of(request.read_bytes()))
        file = support.folder() / "given.ocsp"
        old, made = ocsp.answer(ids[0], CA.key, life=0), time.time()
        for said, response in (
                (None, ocsp.answer(ids[0], CA.key)),
                ("about another certificate", ocsp.answer(ids[1], CA.key)),
                ("HAS BEEN REVOKED", ocsp.answer(ids[0], CA.key, status=ocsp.REVOKED)),
                ("out of date", old)):
            with self.subTest(said):
                file.write_bytes(response)
                if response is old:
                    time.sleep(max(0.0, made + 1.1 - time.time()))
                with support.Server(*pair.args(), "--staple", file) as server:
                    text = stapled(server, "given.test")
                    self.assertIn("OCSP Response Status: successful", text)
                warned = [line for line in server.errors.text().splitlines() if str(file) in line]
                self.assertEqual(len(warned), 1 if said else 0, server.errors.text())
                if said:
                    self.assertRegex(warned[0], rf"^cleat: warning: .*{said}.*is sent all the same")
                self.assertEqual("put a new response there" in server.errors.text(),
                                 said is not None and said != "HAS BEEN REVOKED")
        self.assertIn("is the root", server.errors.text())
        self.assertIn("hint: stapling needs it, to ask the responder", server.errors.text())
        with support.Server(*other.args()) as server: # names no responder
            pass
        self.assertIn("hint: remove it from the file", server.errors.text())

    def test_the_folder_is_found_without_being_named(self):
        says("place")
        pair = ocsp.leaf(CA, "place.test", RESPONDER.url("place"))
        base = ocsp.fresh_folder("state")
        for env, where in (({"STATE_DIRECTORY": f"{base}/service:{base}/more"}, "service/staples"),
                           ({"STATE_DIRECTORY": "", "XDG_STATE_HOME": f"{base}/xdg"},
                            "xdg/cleat/staples"),
                           ({"STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": f"{base}/home"},
                            "home/.local/state/cleat/staples")):
            with support.Server(*pair.args(), env=env) as server:
                wait_until("no staple", lambda: get(server, "place.test") == 0)
            self.assertEqual(len(list((base / where).iterdir())), 1)
        env = {"STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": ""}
        with support.Server(*pair.args(), env=env) as server:
            server.errors.wait_for("there is no folder to keep responses .*--staple-dir")
            wait_until("no staple", lambda: get(server, "place.test") == 0)

    def test_nonsense_is_refused_with_what_to_do(self):
        pair = ocsp.leaf(CA, "words.test", None)
        for words, said in ((("--staple-responder", "https://x/"), "takes http://HOST"),
                            (("--staple-responder", "x"), "takes http://HOST"),
                            (("--no-stapling", "--staple-dir", "/tmp"), "give one of the two"),
                            (("--no-stapling", "--staple-responder", "http://x/"), "one of the")):
            done = support.run([support.CLEAT, "serve", *pair.args(), *words], check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr.decode())


if __name__ == "__main__":
    support.main()
