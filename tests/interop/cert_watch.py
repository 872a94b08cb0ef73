#!/usr/bin/env python3
"""`cleat cert watch` against `cleat serve` and `openssl s_server`: what is fine, what is found,
what could not be looked at; hooks; series for Prometheus in a file and over HTTP; JSON; rounds."""
import contextlib
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from get_support import PROGRAM, Authority, Peer, free_port, need, openssl, self_signed
from revocation_fetch import Fetching
from revocation_files import GOOD, LISTED, STAPLING, Revoking
from support import PATIENCE, Lines, Server, main, run, until_caught

need("openssl")

SERIES = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.]+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(,|$)')


def parse_series(text):
    """A strict reader of the exposition format: {(name, labels): value}; families in one piece,
    with HELP and TYPE in front, nothing twice."""
    if not text.endswith("\n"):
        raise AssertionError("the last line has no end")
    series, closed, family, typed = {}, set(), None, False
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            closed.add(family)
            family, typed = line.split(" ")[2], False
            if family in closed:
                raise AssertionError(f"{family} is in two pieces")
            continue
        if line.startswith("# TYPE "):
            if line != f"# TYPE {family} gauge":
                raise AssertionError(line)
            typed = True
            continue
        found = SERIES.match(line)
        if not found or found.group(1) != family or not typed:
            raise AssertionError(f"not a series of {family}: {line}")
        labels, rest = {}, found.group(2) or ""
        while rest:
            label = LABEL.match(rest)
            if not label or label.group(1) in labels:
                raise AssertionError(f"bad labels: {line}")
            labels[label.group(1)] = re.sub(
                r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), label.group(2))
            rest = rest[label.end():]
        key = (family, tuple(sorted(labels.items())))
        if key in series:
            raise AssertionError(f"twice: {line}")
        series[key] = float(found.group(3))
    return series


def values(series, name, **labels):
    return [value for (family, pairs), value in series.items()
            if family == name and set(labels.items()) <= set(pairs)]


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cleat-watch-"))
        cls.ca = Revoking(cls.folder / "ca", "Watch CA", [GOOD, LISTED, STAPLING])
        cls.cert, cls.key = cls.ca.leaf("fine")
        index = cls.ca.index.read_bytes()  # which a leaf with dates empties
        cls.expired = cls.ca.leaf("expired", dates=("20250101000000Z", "20250401000000Z"))
        cls.ca.index.write_bytes(index)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def watch(self, *args, code=0, ca=True, **more):
        trust = ("--cacert", self.ca.cert) if ca else ()
        done = run([PROGRAM, "cert", "watch", *trust, *args], check=False, **more)
        text = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{args}: {text}")
        return text

    def json(self, *args, code=0):
        return json.loads(self.watch("--json", *args, code=code))

    def ids(self, *args, code=1):
        """The findings of the one target, without notes."""
        told = self.json(*args, code=code)["targets"][0]
        return [f["finding"] for f in told["findings"] if f["severity"] != "note"]

    @contextlib.contextmanager
    def serve(self, cert=None, key=None):
        with Server("--cert", cert or self.cert, "--key", key or self.key, "--root",
                    self.folder) as server:
            yield f"localhost:{server.port}"

    @contextlib.contextmanager
    def s_server(self, cert, key, *more):
        port = free_port()
        with Peer(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key",
                   key, "-quiet", *more], port, self.folder):
            yield f"localhost:{port}"


class Findings(Watch):
    def test_what_is_fine(self):
        with self.serve() as host, self.s_server(self.cert, self.key) as other:
            text = self.watch(host, f"https://{other}/", self.cert, f"{self.cert},{self.key}",
                              f"{self.cert}={host}")
            self.assertEqual(text.count("fine "), 5, text)
            self.assertIn("8 of 9 days left, until ", text)
            self.assertIn("5 targets, 5 fine", text)
            self.assertEqual(self.watch("--quiet", host), "")

    def test_renewal_is_due_by_share_and_by_time(self):
        with self.serve() as host:
            self.assertEqual(self.ids("--warn", "100%", host), ["expires-soon"])
            self.assertEqual(self.ids("--warn", "30d", host), ["expires-soon"])
            self.assertEqual(self.ids("--act", "1/1", host), ["expires-now"])
            self.assertEqual(self.ids("--act", "1h", "--warn", "2d", host, code=0), [])

    def test_expired_untrusted_and_another_name_are_told_apart(self):
        with self.serve(*self.expired) as host:
            self.assertEqual(self.ids(host), ["expired"])
        with self.serve(*self_signed(self.folder)) as host:
            self.assertEqual(self.ids(host), ["untrusted"])
        with self.serve() as host:
            self.assertEqual(self.ids("--servername", "www.example.org", host), ["name-mismatch"])
            text = self.watch("--servername", "www.example.org", host, code=1)
            self.assertIn("it is not for www.example.org but for localhost, 127.0.0.1, ::1", text)

    def test_disk_and_server(self):
        disk = self.folder / "disk.pem"
        shutil.copy(self.cert, disk)
        with self.serve(disk) as host:
            self.assertEqual(self.ids(f"{disk}={host}", code=0), [])
            time.sleep(1.1)  # notBefore has seconds
            renewed, key = self.ca.leaf("renewed")
            shutil.copy(renewed, disk)
            self.assertEqual(self.ids(f"{disk},{key}={host}"), ["reload-needed"])
            self.assertIn("reload the server", self.watch(f"{disk}={host}", code=1))
        with self.serve(renewed, key) as host:
            self.assertEqual(self.ids(f"{self.cert}={host}"), ["disk-mismatch"])
        self.assertEqual(self.ids(f"{self.cert},{key}"), ["key-mismatch"])
        both = self.folder / "both.pem"
        both.write_bytes(self.cert.read_bytes() + self.key.read_bytes())
        self.assertEqual(self.json(both)["targets"][0]["key"], "matches")

    def test_staples(self):
        cert, key = self.ca.leaves[STAPLING]
        with self.s_server(cert, key) as host:
            self.assertEqual(self.ids(host), ["unstapled"])
        with self.s_server(cert, key, "-status_file", self.ca.ocsp(STAPLING)) as host:
            self.assertEqual(self.ids(host, code=0), [])
        with self.s_server(*self.ca.leaves[LISTED], "-status_file", self.ca.ocsp(LISTED)) as host:
            self.assertEqual(self.ids(host), ["revoked"])
        with self.s_server(*self.ca.leaves[GOOD], "-status_file", self.ca.ocsp(LISTED)) as host:
            self.assertEqual(self.ids(host), ["bad-staple"])
        with self.s_server(*self.ca.leaves[GOOD]) as host:
            self.assertEqual(self.ids(host, code=0), [])
            self.assertEqual(self.ids("--expect-staple", host), ["unstapled"])

    def test_revoked_by_a_list(self):
        crl = self.ca.crl("watched")[0]
        with self.serve(*self.ca.leaves[LISTED]) as host:
            self.assertEqual(self.ids("--crlfile", crl, host), ["revoked"])
            self.assertEqual(self.ids(host, code=0), [])
        self.assertEqual(self.ids("--crlfile", crl, self.ca.leaves[LISTED][0]), ["revoked"])
        self.assertEqual(self.ids("--crlfile", crl, self.ca.leaves[GOOD][0], code=0), [])

    def test_addresses_of_one_host_differ(self):
        other = self.ca.leaf("other", sans="DNS:localhost,DNS:two.test")
        first = self.ca.leaf("first", sans="DNS:localhost,DNS:two.test")
        with Server("--cert", first[0], "--key", first[1], "--root", self.folder) as server, \
                Server("--cert", other[0], "--key", other[1], "--root", self.folder,
                       listen=f"127.0.0.2:{server.port}"):
            both = ("--resolve", f"two.test:{server.port}:127.0.0.1,127.0.0.2")
            host = f"two.test:{server.port}"
            self.assertEqual(self.ids(*both, host, code=0), [])
            self.assertEqual(self.ids("--all-addresses", *both, host), ["addresses-differ"])
            told = self.json("--all-addresses", *both, host, code=1)["targets"][0]
            self.assertEqual(sorted(s["address"] for s in told["served"]),
                             [f"127.0.0.1:{server.port}", f"127.0.0.2:{server.port}"])


class Fetched(Fetching):
    """What certificates point at, asked for after the handshake."""

    def ids(self, leaf, *args, root=None, code=1):
        cert, key = self.ca.leaves[leaf]
        with Server("--cert", cert, "--key", key, "--root", self.folder) as server:
            told = json.loads(self.program(
                "cert", "watch", "--json", "--cacert", root or self.ca.cert, "--revocation-cache",
                self.cache, *args, f"localhost:{server.port}", code=code))["targets"][0]
        self.target = told
        return [f["finding"] for f in told["findings"]]

    def test_responders_and_lists(self):
        self.assertEqual(self.ids(LISTED, code=0), [])
        self.assertEqual(self.kinds_seen(), [])
        for sources in ("ocsp", "crl"):
            self.assertEqual(self.ids(GOOD, "--revocation", sources, "--hard-fail", code=0), [])
            self.assertEqual(self.ids(LISTED, "--revocation", sources), ["revoked"])
        self.assertEqual(set(self.kinds_seen()), {"ocsp", "crl"})
        told = json.loads(self.program(
            "cert", "watch", "--json", "--cacert", self.ca.cert, "--revocation", "crl",
            "--revocation-cache", "none", self.ca.leaves[LISTED][0], code=1))
        self.assertEqual(told["targets"][0]["findings"][0]["finding"], "revoked")

    def test_what_does_not_come_is_told(self):
        type(self).how = {"ocsp": "missing", "crl": "missing"}
        self.assertEqual(self.ids(GOOD, "--revocation", "ocsp", code=0), ["not-fetched"])
        self.assertIn("404", self.target["findings"][0]["text"])
        self.assertEqual(self.ids(GOOD, "--revocation", "crl,ocsp", "--hard-fail"),
                         ["status-unknown", "not-fetched"])

    def test_a_missing_intermediate_is_told_also_when_it_could_be_fetched(self):
        self.assertEqual(self.ids(GOOD, root=self.root.cert), ["incomplete-chain"])
        self.assertFalse(self.target["served"][0]["trusted"])
        self.assertEqual(self.ids(GOOD, "--aia", root=self.root.cert), ["incomplete-chain"])
        self.assertTrue(self.target["served"][0]["trusted"])
        self.assertEqual(self.ids(LISTED, "--aia", "--revocation", "ocsp", root=self.root.cert),
                         ["incomplete-chain", "revoked"])


class Unchecked(Watch):
    def test_what_cannot_be_looked_at_is_3_and_findings_are_1(self):
        port = free_port()
        closed = f"localhost:{port}"
        self.assertEqual(self.ids(closed, code=3), ["no-connection"])
        self.assertEqual(self.ids("nowhere.invalid", code=3), ["no-address"])
        self.assertEqual(self.ids("missing.pem", code=3), ["unreadable"])
        junk = self.folder / "junk"
        junk.write_text("no certificate\n")
        self.assertEqual(self.ids(junk, code=3), ["unreadable"])
        self.watch(closed, self.expired[0], code=1)
        self.watch(closed, self.cert, code=3)

    def test_silence_and_something_else_than_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            host = f"127.0.0.1:{deaf.getsockname()[1]}"
            start = time.monotonic()
            self.assertEqual(self.ids("--connect-timeout", "1", host, code=3), ["no-handshake"])
            self.assertLess(time.monotonic() - start, PATIENCE / 2)

    def test_usage(self):
        for args, words in (((), "nothing to look at"), (("a.test", "a.test"), "twice"),
                            (("--warn", "soon", "a.test"), "--warn takes"),
                            (("--interval", "0", "a.test"), "--interval takes"),
                            (("--hook-on", "nothing", "a.test"), "no finding 'nothing'"),
                            (("--listen", "here:1", "a.test"), "--listen takes"),
                            (("--listen", "70000", "a.test"), "70000"),
                            (("http://a.test",), "http"), (("=a.test",), "empty"),
                            (("--cacert", "/nowhere", "a.test"), "/nowhere"),
                            (("--nonsense",), "nonsense")):
            with self.subTest(args):
                self.assertIn(words, self.watch(*args, code=2, ca=False))


class Hooks(Watch):
    def hook(self, name="hook", code=0):
        """A program that writes down how it was called."""
        path, out = self.folder / name, self.folder / f"{name}.out"
        path.write_text("#!/bin/sh\n"
                        f'{{ for a in "$@"; do printf "<%s>" "$a"; done; '
                        f'echo " $CLEAT_WATCH_FINDING $CLEAT_WATCH_TARGET $CLEAT_WATCH_NOT_AFTER"; '
                        f'}} >> "{out}"\nexit {code}\n')
        path.chmod(0o755)
        return path, out

    def test_argv_is_what_was_given(self):
        path, out = self.hook("a hook")
        odd = ["two words", "quo\"te's", "$HOME `id`; exit", "--help", "", "*"]
        text = self.watch(self.expired[0], "--", path, *odd, code=1)
        self.assertIn("exit code 0", text)
        self.assertEqual(out.read_text(), "".join(f"<{a}>" for a in odd) +
                         f" expired {self.expired[0]} 2025-04-01T00:00:00Z\n")

    def test_it_runs_for_what_was_asked_for_alone(self):
        path, out = self.hook("asked")
        self.watch("--hook-on", "key-mismatch", self.expired[0], "--", path, code=1)
        self.watch(self.cert, "--", path)
        self.assertFalse(out.exists())
        self.watch("--warn", "100%", "--hook-on", "expires-soon", self.cert, "--", path, code=1)
        self.assertIn("expires-soon", out.read_text())

    def test_how_it_ended_is_told(self):
        failing = self.hook("failing", code=7)[0]
        slow = self.folder / "slow"
        slow.write_text("#!/bin/sh\nsleep 60 & wait\n")
        slow.chmod(0o755)
        for hook, words in ((failing, "exit code 7"), ("/nowhere/hook", "no such file"),
                            (slow, "took too long, ended by signal 15")):
            told = self.json("--hook-timeout", "1", self.expired[0], "--", hook, code=1)["hooks"]
            self.assertEqual(len(told), 1)
            self.assertIn(words, told[0]["text"])

    def rounds(self, count, *args):
        """The JSON of so many rounds, ended by SIGTERM."""
        process = subprocess.Popen(
            [PROGRAM, "cert", "watch", "--json", "--cacert", self.ca.cert, "--interval", "1",
             *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        lines = [json.loads(process.stdout.readline()) for _ in range(count)]
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=PATIENCE)[1]
        self.assertEqual((process.returncode, errors), (0, b""))
        return lines

    def test_once_for_each_finding_until_it_changes(self):
        path, out = self.hook("once")
        told = self.rounds(3, self.expired[0], "--", path)
        self.assertEqual([len(line["hooks"]) for line in told], [1, 0, 0])
        self.assertEqual(len(out.read_text().splitlines()), 1)

    def test_the_end_ends_a_hook_as_well(self):
        hook, number = self.folder / "endless", self.folder / "endless.pid"
        hook.write_text(f'#!/bin/sh\necho $$ > "{number}.new"\n'
                        f'mv "{number}.new" "{number}"\nexec sleep 600\n')
        hook.chmod(0o755)
        process = subprocess.Popen([PROGRAM, "cert", "watch", "--interval", "1", self.expired[0],
                                    "--", hook], stdout=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not number.exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0)
        self.assertFalse(pathlib.Path(f"/proc/{number.read_text().strip()}").exists())

    def test_again_when_it_has_failed_on_request(self):
        path, out = self.hook("again", code=1)
        told = self.rounds(2, "--hook-retry", self.expired[0], "--", path)
        self.assertEqual([len(line["hooks"]) for line in told], [1, 1])
        self.assertEqual(len(out.read_text().splitlines()), 2)


class Series(Watch):
    def test_a_text_file_for_the_collector(self):
        path = self.folder / "watch.prom"
        odd = self.folder / 'o"d\\.pem'
        shutil.copy(self.expired[0], odd)
        until = 1743465600  # 2025-04-01
        with self.serve(*self.expired) as host, self.serve() as fine:
            self.watch("--textfile", path, host, fine, odd, f"localhost:{free_port()}", code=1)
        text = path.read_text()
        self.assertEqual(path.stat().st_mode & 0o777, 0o644)
        series = parse_series(text)
        self.assertEqual(values(series, "probe_ssl_earliest_cert_expiry", target=host), [until])
        self.assertEqual(values(series, "ssl_cert_not_after", target=host, cn="expired"), [until])
        self.assertEqual(values(series, "probe_success", target=host), [0])
        self.assertEqual(values(series, "probe_success", target=fine), [1])
        self.assertEqual(values(series, "ssl_probe_success"), [1, 1, 1, 0])
        self.assertEqual(values(series, "probe_tls_version_info", target=fine, version="TLS 1.3"),
                         [1])
        self.assertEqual(values(series, "x509_cert_not_after", filepath=str(odd)), [until])
        self.assertEqual(values(series, "x509_cert_expired", filename='o"d\\.pem'), [1])
        self.assertEqual(values(series, "cleat_watch_finding", target=host, finding="expired"), [1])
        self.assertEqual(len(values(series, "probe_ssl_last_chain_expiry_timestamp_seconds")), 1)
        serial = openssl("x509", "-in", self.cert, "-noout", "-serial").stdout.decode()
        number = int(serial.split("=")[1], 16)
        self.assertEqual(len(values(series, "ssl_cert_not_after", serial_no=str(number))), 1)
        self.assertEqual([p.name for p in self.folder.glob("watch.prom*")], ["watch.prom"])

    def test_a_file_that_cannot_be_written_is_told(self):
        text = self.watch("--textfile", "/nowhere/watch.prom", self.cert, code=3)
        self.assertIn("cannot write /nowhere/watch.prom", text)

    def request(self, port, method, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read().decode()

    def test_metrics_over_http(self):
        with self.serve() as host:
            process = subprocess.Popen([PROGRAM, "cert", "watch", "--cacert", self.ca.cert,
                                        "--listen", "0", "--interval", "1", host, self.expired[0]],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            table, errors = Lines(process.stdout), Lines(process.stderr)
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)/metrics",
                                 errors.wait_for("listening")).group(1))
            table.wait_for("2 targets, 1 fine, 1 critical")
            with socket.create_connection(("127.0.0.1", port)) as idle:
                idle.sendall(b"GET /metr")
                status, kind, text = self.request(port, "GET", "/metrics")
                self.assertEqual((status, kind),
                                 (200, "text/plain; version=0.0.4; charset=utf-8"))
                self.assertEqual(values(parse_series(text), "probe_success", target=host), [1])
                self.assertEqual(self.request(port, "HEAD", "/metrics")[::2], (200, ""))
                self.assertEqual(self.request(port, "GET", "/")[0], 200)
                self.assertEqual(self.request(port, "GET", "/other")[0], 404)
                self.assertEqual(self.request(port, "POST", "/metrics")[0], 405)
                with socket.create_connection(("127.0.0.1", port)) as rude:
                    rude.sendall(b"GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n")
                    self.assertTrue(rude.recv(100).startswith(b"HTTP/1.1 400 "))
                first = values(parse_series(text), "cleat_watch_last_check_timestamp_seconds")[0]
                end = time.monotonic() + PATIENCE
                while time.monotonic() < end:
                    text = self.request(port, "GET", "/metrics")[2]
                    if values(parse_series(text),
                              "cleat_watch_last_check_timestamp_seconds")[0] > first:
                        break
                    time.sleep(0.1)
                else:
                    self.fail("no second round")
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(PATIENCE), 0)
            for lines in (table, errors):
                lines.close()
            # nothing new: the table came once
            self.assertEqual(table.text().count("2 targets"), 1)

    def test_a_port_that_is_taken_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            text = self.watch("--listen", str(taken.getsockname()[1]), self.cert, code=3)
            self.assertIn("address already in use", text)


class Rounds(Watch):
    def test_hundreds_of_hosts(self):
        hosts = [f"h{i}.watch.test" for i in range(300)]
        cert, key = self.ca.leaf("many", sans="DNS:*.watch.test")
        with self.serve(cert, key) as host:
            port = host.split(":")[1]
            text = self.watch("--connect-to", f"::127.0.0.1:{port}", *hosts, "other.test", code=1)
            self.assertIn("301 targets, 300 fine, 1 critical", text)

    def test_a_change_is_printed_and_a_reload_seen(self):
        disk = self.folder / "rounds.pem"
        shutil.copy(self.cert, disk)
        process = subprocess.Popen([PROGRAM, "cert", "watch", "--cacert", self.ca.cert,
                                    "--interval", "1", disk], stdout=subprocess.PIPE)
        table = Lines(process.stdout)
        try:
            table.wait_for("^fine ")
            until_caught(process, signal.SIGTERM)
            shutil.copy(self.expired[0], disk)
            table.wait_for("^critical ")
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 0)
            table.close()
        self.assertEqual(table.text().count("fine "), 1)


if __name__ == "__main__":
    main()
