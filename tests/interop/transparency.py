#!/usr/bin/env python3
"""Certificate Transparency on the command line: --ct and --ct-logs of `cleat get`, `cleat ws` and
`cleat cert verify`, with logs of our own (keys of OpenSSL, which signs the timestamps), embedded in
the certificate, in TLS and in OCSP responses; and the chains of real servers, where there are
any."""
import base64
import copy
import hashlib
import json
import os
import pathlib
import struct
import time
import unittest

import ocsp_support as ocsp
import support
from support import CLEAT, Server, run

support.need("openssl")
CA = support.make_ca()
NOW = int(time.time())
DAY = 86400
DATA = pathlib.Path(os.environ.get("CLEAT_TEST_DATA", pathlib.Path(__file__).parents[3] /
                                   "shared/data"))


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Log:
    def __init__(self, name, operator, kind="ecdsa", state="usable", since=NOW - 400 * DAY):
        self.name, self.operator, self.state, self.since = name, operator, state, since
        self.private = support.make_key(name, kind)
        self.key = run(["openssl", "pkey", "-in", self.private, "-pubout", "-outform",
                        "DER"]).stdout
        self.id = hashlib.sha256(self.key).digest()
        self.algorithm = bytes([4, 1 if kind == "rsa" else 3])

    def row(self, **more):
        row = {"description": f"the log {self.name}", "log_id": base64.b64encode(self.id).decode(),
               "key": base64.b64encode(self.key).decode(), "mmd": 86400,
               "url": f"https://{self.name}.test/",
               "state": {self.state: {"timestamp": iso(self.since)}},
               "temporal_interval": {"start_inclusive": iso(NOW - 100 * DAY),
                                     "end_exclusive": iso(NOW + 400 * DAY)}}
        row.update(more)
        return {k: v for k, v in row.items() if v is not None}

    def timestamp(self, entry, at=None, spoil=False):
        """An SCT about an entry (RFC 6962 3.2)."""
        at = NOW - 3600 if at is None else at
        stamp = struct.pack(">Q", at * 1000)
        signature = run(["openssl", "dgst", "-sha256", "-sign", self.private], stdin=None,
                        input=bytes(2) + stamp + entry + bytes(2)).stdout
        if spoil:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return (bytes(1) + self.id + stamp + bytes(2) + self.algorithm +
                struct.pack(">H", len(signature)) + signature)


def sct_list(*timestamps):
    body = b"".join(struct.pack(">H", len(t)) + t for t in timestamps)
    return struct.pack(">H", len(body)) + body


def certificate(name):
    """The same request signed with the same dates and number: but for what is added."""
    key = support.make_key(name, "ecdsa")
    request = support.folder() / f"{name}.csr"
    run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request])

    def sign(*extensions, days=30):
        folder = support.folder() / f"{name}-ca"
        folder.mkdir(exist_ok=True)
        (folder / "index").write_text("")
        (folder / "serial").write_text("4711\n")
        config, cert = folder / "config", support.folder() / f"{name}.pem"
        lines = ["subjectAltName=DNS:localhost", "basicConstraints=CA:FALSE",
                 "keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth", *extensions]
        config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\n"
                          f"serial={folder}/serial\nnew_certs_dir={folder}\ndefault_md=sha256\n"
                          "policy=p\n[p]\ncommonName=supplied\n[x]\n" + "\n".join(lines) + "\n")
        dates = [time.strftime("%y%m%d%H%M%SZ", time.gmtime(NOW + d * DAY)) for d in (-1, days - 1)]
        run(["openssl", "ca", "-batch", "-notext", "-config", config, "-extensions", "x", "-cert",
             CA.cert, "-keyfile", CA.key, "-in", request, "-startdate", dates[0], "-enddate",
             dates[1], "-out", cert])
        return support.Pair(cert, key)

    return sign


def der(cert):
    return run(["openssl", "x509", "-in", cert, "-outform", "DER"]).stdout


def x509_entry(cert):
    whole = der(cert)
    return bytes([0, 0]) + struct.pack(">I", len(whole))[1:] + whole


def precert_entry(cert):
    tbs = support.folder() / "tbs"
    run(["openssl", "asn1parse", "-in", cert, "-strparse", "4", "-noout", "-out", tbs])
    spki = run(["openssl", "pkey", "-in", CA.key, "-pubout", "-outform", "DER"]).stdout
    return (bytes([0, 1]) + hashlib.sha256(spki).digest() +
            struct.pack(">I", tbs.stat().st_size)[1:] + tbs.read_bytes())


ONE, ALSO_ONE = Log("one", "First"), Log("also-one", "First")
TWO, RSA = Log("two", "Second"), Log("rsa", "Third", "rsa")
RETIRED = Log("old", "Fourth", state="retired", since=NOW - DAY)
STRANGER = Log("stranger", "Nobody")


def logs_json(**more):
    return {"version": "3", "log_list_timestamp": iso(NOW - DAY), "operators": [
        {"name": "First", "email": ["a@first.test"], "logs": [ONE.row()],
         "tiled_logs": [ALSO_ONE.row()]},
        {"name": "Second", "logs": [TWO.row()], "tiled_logs": []},
        {"name": "Third", "logs": [RSA.row()]}, {"name": "Fourth", "logs": [RETIRED.row()]}],
        **more}


def write_list(name, value):
    file = support.folder() / name
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return file


LOGS = write_list("logs.json", logs_json())
PLAIN = certificate("plain")()


def logged(name, *logs, days=30, **more):
    """A certificate with embedded timestamps."""
    sign = certificate(name)
    entry = precert_entry(sign(days=days).cert)
    whole = sct_list(*(log.timestamp(entry, **more) for log in logs))
    size = len(whole).to_bytes(2, "big").lstrip(b"\0")
    size = size if size < b"\x80" and len(size) == 1 else bytes([0x80 + len(size)]) + size
    octets = b"\x04" + size + whole
    return sign(f"1.3.6.1.4.1.11129.2.4.2=DER:{octets.hex()}", days=days)


def verify(code, *args, source=PLAIN.cert):
    done = run([CLEAT, "cert", "verify", "--ca", CA.cert, *args, source], check=False)
    if done.returncode != code:
        raise AssertionError((done.returncode, done.stdout, done.stderr))
    return done.stdout.decode(), done.stderr.decode()


class Embedded(unittest.TestCase):
    def test_two_logs_of_two_operators_are_enough(self):
        cert = logged("good", ONE, TWO).cert
        text, _ = verify(0, "--ct", "--ct-logs", LOGS, "--explain", source=cert)
        when = iso(NOW - 3600)
        self.assertIn(f"  logged   valid: the log one (operated by First, usable), embedded, of "
                      f"{when}\n", text)
        self.assertIn("valid: the log two (operated by Second, usable)", text)
        self.assertRegex(text, "ok +0 transparency ")
        told = json.loads(verify(0, "--json", "--ct", "--ct-logs", LOGS, source=cert)[0])
        self.assertEqual(told["scts"][1], {
            "result": "valid", "source": "embedded", "time": when, "log": "the log two",
            "timestamp": (NOW - 3600) * 1000, "operator": "Second", "state": "usable",
            "log_id": base64.b64encode(TWO.id).decode(), "state_since": iso(TWO.since)})

    def test_what_is_not_enough(self):
        for code, more, text in (
                (0, {"logs": (ALSO_ONE, RSA)}, "valid: the log rsa"),
                (60, {"logs": (ONE,)}, "1 of its 1 certificate timestamps count"),
                (60, {"logs": (ONE, ALSO_ONE)}, "2 from 2 are needed"),
                (60, {"logs": (ONE, TWO), "days": 200}, "3 from 2 are needed"),
                (0, {"logs": (ONE, TWO, RSA), "days": 200}, "logged"),
                (60, {"logs": (ONE, STRANGER)}, "unknown log: "),
                (60, {"logs": (ONE, TWO), "spoil": True}, "bad signature: the log two"),
                (60, {"logs": (ONE, TWO), "at": NOW + DAY}, "from the future: the log two"),
                (0, {"logs": (ONE, RETIRED), "at": NOW - 2 * DAY},
                 f"retired since {iso(NOW - DAY)[:10]})"),
                (60, {"logs": (ONE, RETIRED)}, "log not accepted: the log old")):
            with self.subTest(code=code, text=text):
                more = dict(more)
                cert = logged("some", *more.pop("logs"), **more).cert
                out, _ = verify(code, "--ct", "--ct-logs", LOGS, source=cert)
                self.assertIn(text, out)
                self.assertEqual("NOT_TRANSPARENT" in out, code == 60)
                verify(0, "--ct-logs", LOGS, source=cert)  # told, not demanded

    def test_none_is_not_enough(self):
        self.assertIn("0 of its 0 certificate timestamps",
                      verify(60, "--ct", "--ct-logs", LOGS)[0])


class Delivered(unittest.TestCase):
    """About the certificate as it is, by the server."""

    def setUp(self):
        entry = x509_entry(PLAIN.cert)
        self.good = write_bytes("good.sct", sct_list(ONE.timestamp(entry), TWO.timestamp(entry)))
        self.few = write_bytes("few.sct", sct_list(ONE.timestamp(entry), STRANGER.timestamp(entry)))

    def test_from_a_file(self):
        self.assertIn(", TLS, of ",
                      verify(0, "--ct", "--ct-logs", LOGS, "--scts", self.good)[0])
        verify(60, "--ct", "--ct-logs", LOGS, "--scts", self.few)
        verify(60, "--ct", "--ct-logs", LOGS, "--scts", "/dev/null")
        verify(1, "--ct", "--ct-logs", LOGS, "--scts", "/nowhere")
        self.assertIn("--scts is of no use", verify(2, "--scts", self.good)[1])

    def test_from_our_server(self):
        for version in ("1.3", "1.2"):
            for code, file in ((0, self.good), (60, self.few)):
                with self.subTest(version=version, code=code), \
                        Server(*PLAIN.args(), "--sct", file, "--ws-echo", "/echo", "--root",
                               site()) as server:
                    done = run([CLEAT, "get", "-sSv", "--cacert", CA.cert, "--ct", "--ct-logs",
                                LOGS, "--tls-max", version, f"{server.url}/"], check=False)
                    text = done.stderr.decode()
                    self.assertEqual(done.returncode, code, text)
                    self.assertIn("timestamp valid: the log one (operated by First, usable), TLS",
                                  text)
                    self.assertEqual("NOT_TRANSPARENT" in text, code == 60)
                    done = run([CLEAT, "ws", "--cacert", CA.cert, "--ct", "--ct-logs", LOGS,
                                "--tls-max", version, "-1", "-x", "hi",
                                f"wss://localhost:{server.port}/echo"], check=False)
                    self.assertEqual(done.returncode, 3 if code else 0, done.stderr)
                    verify(code, "--ct", "--ct-logs", LOGS, source=server.url)

    def test_a_session_made_without_is_not_resumed_with(self):
        sessions = support.folder() / "sessions"
        with Server(*PLAIN.args(), "--sct", self.few, "--root", site()) as server:
            for code, args in ((0, ()), (0, ()), (60, ("--ct", "--ct-logs", LOGS))):
                done = run([CLEAT, "get", "-sS", "--cacert", CA.cert, "--ssl-sessions", sessions,
                            *args, f"{server.url}/"], check=False)
                self.assertEqual(done.returncode, code, done.stderr)

    def test_the_trace_has_them(self):
        trace = support.folder() / "ct.trace"
        with Server(*PLAIN.args(), "--sct", self.few, "--root", site()) as server:
            for args in (("--cacert", CA.cert), ("-k",)):
                done = run([CLEAT, "get", "-sS", *args, "--ct-logs", LOGS, "--trace-json", trace,
                            f"{server.url}/"])
                lines = [json.loads(line) for line in trace.read_text().splitlines()]
                told = [e for e in lines if e["event"] == "tls.verdict"][0]
                # without the CA there is no path, and nothing to be told
                if args[0] == "--cacert":
                    self.assertEqual([s["result"] for s in told["scts"]],
                                     ["valid", "unknown log"], done.stderr)


class InResponses(unittest.TestCase):
    """About the certificate as it is, inside what its issuer's responder says."""

    def setUp(self):
        self.responder = ocsp.Responder()
        self.addCleanup(self.responder.close)
        self.pair = ocsp.leaf(CA, "localhost", self.responder.url("scts"), with_issuer=False)
        self.entry = x509_entry(self.pair.cert)
        request = support.folder() / "scts.req"
        run(["openssl", "ocsp", "-issuer", CA.cert, "-cert", self.pair.cert, "-reqout", request])
        self.cert_id = ocsp.cert_id_of(request.read_bytes())

    def rows(self):
        good = sct_list(ONE.timestamp(self.entry), TWO.timestamp(self.entry))
        few = sct_list(ONE.timestamp(self.entry), STRANGER.timestamp(self.entry))
        other = x509_entry(PLAIN.cert)
        for name, code, how in (
                ("good", 0, {"scts": good}), ("few", 60, {"scts": few}), ("none", 60, {}),
                ("about another", 60, {"scts": sct_list(ONE.timestamp(other),
                                                        TWO.timestamp(other))}),
                ("torn", 60, {"scts": good[:-1]}),
                # a timestamp proves itself, whoever hands it over, and when
                ("out of date", 0, {"scts": good, "since": -7200})):
            yield name, code, ocsp.answer(self.cert_id, CA.key, **how)

    def test_stapled(self):
        for name, code, response in self.rows():
            staple = write_bytes("scts.ocsp", response)
            with self.subTest(name), Server(*self.pair.args(), "--staple", staple, "--root",
                                            site()) as server:
                done = run([CLEAT, "get", "-sSv", "--cacert", CA.cert, "--ct", "--ct-logs", LOGS,
                            f"{server.url}/"], check=False)
                text = done.stderr.decode()
                self.assertEqual(done.returncode, code, text)
                self.assertEqual("timestamp valid: the log two (operated by Second, usable), OCSP"
                                 in text, code == 0, text)
                verify(code, "--ct", "--ct-logs", LOGS, source=server.url)

    def test_fetched_and_from_a_file(self):
        for name, code, response in self.rows():
            self.responder.says["scts"] = lambda _, response=response: response
            file = write_bytes("scts.ocsp", response)
            cache = ocsp.fresh_folder("scts-cache")
            for source in (("--revocation-cache", cache, "--revocation", "ocsp"),
                           ("--ocsp-response", file)):
                with self.subTest(name, source=source):
                    out, _ = verify(code, "--ct", "--ct-logs", LOGS, *source,
                                    source=self.pair.cert)
                    self.assertEqual("valid: the log two (operated by Second, usable), OCSP, of "
                                     in out, code == 0, out)
        self.assertGreaterEqual(self.responder.asked["scts"], len(list(self.rows())))


class Lists(unittest.TestCase):
    """What a list may look like."""

    def refuse(self, value, text, name="bad.json"):
        file = write_list(name, value)
        _, errors = verify(77, "--ct", "--ct-logs", file)
        self.assertIn("cannot use the list of logs in ", errors)
        self.assertIn(text, errors)
        self.assertIn("hint: the list of logs is that of https://", errors)

    def test_lists_that_are_none(self):
        other = copy.deepcopy(logs_json())
        other["operators"][0]["logs"][0]["key"] = TWO.row()["key"]
        twice = copy.deepcopy(logs_json())
        twice["operators"][1]["tiled_logs"] = [ONE.row()]
        for value, text in (("", "not JSON"), (json.dumps(logs_json())[:-20], "not JSON"),
                            ("[" * 100000, "not JSON"), ("{}", "no array \"operators\""),
                            ("[]", "no array \"operators\""), ({"operators": []}, "no log in it"),
                            ("{\"a\":1,\"a\":2}", "duplicate"), (other, "not the SHA-256 of its"),
                            (twice, "log 4 (the log one): not a log of certificates: it is there"),
                            ({"operators": [{"name": "x", "logs": [1]}]}, "it is not an object"),
                            (" " * (5 << 20), "")):
            with self.subTest(str(value)[:40]):
                self.refuse(value, text)
        _, errors = verify(77, "--ct", "--ct-logs", "/nowhere.json")
        self.assertIn("/nowhere.json: ", errors)

    def test_a_state_of_the_future_counts_for_nothing_and_is_told(self):
        value = logs_json()
        value["operators"][1]["logs"][0]["state"] = {"praised": {"timestamp": iso(NOW)}}
        cert = logged("future", ONE, TWO).cert
        _, errors = verify(60, "--ct", "--ct-logs", write_list("future.json", value), source=cert)
        self.assertIn(": 1 log of a state that is not known here: the log two; ", errors)

    def test_an_old_list_is_warned_about(self):
        value = logs_json(log_list_timestamp=iso(NOW - 71 * DAY))
        cert = logged("aged", ONE, TWO).cert
        _, errors = verify(0, "--ct", "--ct-logs", write_list("old.json", value), source=cert)
        self.assertIn("is 71 days old", errors)
        self.assertEqual(verify(0, "--ct", "--ct-logs", LOGS, source=cert)[1], "")

    def test_without_a_list_it_is_said_how_to_get_one(self):
        home = support.folder() / "home"
        (home / "cleat").mkdir(parents=True)
        env = {**os.environ, "XDG_DATA_HOME": str(home)}
        env.pop("CLEAT_CT_LOGS", None)
        words = [CLEAT, "cert", "verify", "--ct", "--ca", CA.cert, logged("home", ONE, TWO).cert]
        done = run(words, check=False, env=env)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"-o {home}/cleat/ct-logs.json https://".encode(), done.stderr)
        (home / "cleat/ct-logs.json").write_bytes(LOGS.read_bytes())
        run(words, env=env)
        (home / "cleat/ct-logs.json").unlink()
        run(words, env={**env, "CLEAT_CT_LOGS": str(LOGS)})

    def test_what_does_not_go_together(self):
        for args in (("-k", "--ct"), ("--raw-key-pin", "x", "--ct"), ("--psk", "x", "--ct"),
                     ("--record", "x", "--ct"), ("--record", "x", "--ct-logs", LOGS)):
            done = run([CLEAT, "get", *args, "--ct-logs", LOGS, "https://localhost:1/"],
                       check=False)
            self.assertEqual(done.returncode, 2, (args, done.stderr))


class Real(unittest.TestCase):
    """Servers of limbo's online:: cases, with the logs that a browser knew, in a flat list."""

    def test_their_timestamps_are_valid(self):
        logs, cases = DATA / "ct/logs.json", DATA / "limbo/core.json"
        if not logs.exists() or not cases.exists():
            self.skipTest(f"no test data in {DATA}")
        num_valid = num_cases = 0
        for case in json.loads(cases.read_text())["testcases"]:
            if not case["id"].startswith("online::"):
                continue
            chain = write_list("chain.pem", "\n".join([case["peer_certificate"],
                                                       *case["untrusted_intermediates"]]))
            ca = write_list("real-ca.pem", "\n".join(case["trusted_certs"]))
            at = time.strptime(case["validation_time"][:19], "%Y-%m-%dT%H:%M:%S")
            done = run([CLEAT, "cert", "verify", "--json", "--ca", ca, "--at",
                        time.strftime("%Y-%m-%d", time.gmtime(time.mktime(at) + 20 * DAY)),
                        "--ct-logs", logs, chain], check=False)
            told = json.loads(done.stdout)
            self.assertTrue(told["verified"], (case["id"], told["error"]))
            self.assertTrue(all(s["result"] in ("valid", "unknown log") for s in told["scts"]))
            num_cases += 1
            num_valid += any(s["result"] == "valid" for s in told["scts"])
        self.assertEqual(num_cases, 10)
        self.assertGreaterEqual(num_valid, 6)


def write_bytes(name, value):
    file = support.folder() / name
    file.write_bytes(value)
    return file


def site():
    root = support.folder() / "site"
    root.mkdir(exist_ok=True)
    (root / "index.html").write_text("served\n")
    return root


if __name__ == "__main__":
    support.main()
