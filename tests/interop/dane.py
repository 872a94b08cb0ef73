#!/usr/bin/env python3
"""TLSA records (DANE): `cleat cert verify` beside the client of OpenSSL, on the same chains and
records; then `cleat get` and `cleat ws` against servers, and `cleat cert tlsa` beside digests of
OpenSSL's."""
import hashlib
import itertools
import json
import random
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import support
from get_support import Authority, Peer, free_port, need, openssl
from support import CLEAT as PROGRAM
from support import run

need("openssl")
#: usage, selector, matching type, and what the record is about
COMBINATIONS = list(itertools.product(range(4), range(2), range(3), ("leaf", "middle", "root",
                                                                     "other")))


def der(cert):
    return openssl("x509", "-in", cert, "-outform", "DER").stdout


def spki(cert):
    pem = openssl("x509", "-in", cert, "-noout", "-pubkey").stdout
    return openssl("pkey", "-pubin", "-outform", "DER", input=pem).stdout


def record(cert, usage=3, selector=1, matching=1):
    data = (der, spki)[selector](cert)
    data = (data, hashlib.sha256(data).digest(), hashlib.sha512(data).digest())[matching]
    return f"{usage} {selector} {matching} {data.hex()}"


class World:
    """A root, an intermediate, a leaf for localhost, and somebody else's CA."""

    def __init__(self, folder):
        self.root, self.other = Authority(folder / "root", "Root"), Authority(folder / "other", "O")
        self.middle = Authority(folder / "middle", "Middle")  # its certificate is made anew
        request = folder / "middle.csr"
        openssl("req", "-new", "-key", self.middle.key, "-subj", "/CN=Middle", "-out", request)
        extensions = folder / "middle.cnf"
        extensions.write_text("basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
                              "keyUsage=critical,keyCertSign,cRLSign\n")
        openssl("x509", "-req", "-in", request, "-CA", self.root.cert, "-CAkey", self.root.key,
                "-days", 9, "-CAcreateserial", "-extfile", extensions, "-out", self.middle.cert)
        self.leaf, self.key = self.middle.leaf("leaf")
        self.certs = {"leaf": self.leaf, "middle": self.middle.cert, "root": self.root.cert,
                      "other": self.other.cert}
        self.chains = {}
        for name, parts in {"usual": ("leaf", "middle"), "with root": ("leaf", "middle", "root"),
                            "leaf alone": ("leaf",)}.items():
            path = folder / f"{name.replace(' ', '-')}.pem"
            path.write_text("".join(self.certs[part].read_text() for part in parts))
            self.chains[name] = path


FOLDER = support.folder() / "dane"
FOLDER.mkdir()
WORLD = World(FOLDER)


def server(chain, key=None):
    """openssl s_server with a chain."""
    port = free_port()
    return Peer(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", chain,
                 "-cert_chain", chain, "-key", key or WORLD.key, "-www", "-quiet"], port, FOLDER)


def openssl_says(port, trust, records, host, *flags):
    """Whether s_client accepts the server."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", host,
             "-verify_return_error", "-CAfile", trust, "-dane_tlsa_domain", host,
             "-dane_ee_no_namechecks", *flags]
    for line in records:
        words += ["-dane_tlsa_rrdata", line]
    return run(words, check=False, stdin=subprocess.DEVNULL).returncode == 0


def cleat_says(chain, trust, records, host, *flags):
    """Whether `cert verify` does; anything else than yes and no is a failure of the test."""
    words = [PROGRAM, "cert", "verify", "--cacert", trust, "--host", host, *flags]
    for line in records:
        words += ["--tlsa", line]
    done = run([*words, chain], check=False)
    assert done.returncode in (0, 60), done.stderr.decode()
    return done.returncode == 0


class Differential(unittest.TestCase):
    """The same verdicts as OpenSSL's, over every usage, selector and matching type."""

    def compare(self, chain, cases):
        def judge(case, peer):
            trust, records, host = case
            return (cleat_says(WORLD.chains[chain], WORLD.certs[trust], records, host),
                    openssl_says(peer.port, WORLD.certs[trust], records, host))

        # s_server serves one after another and waits half a second between
        with ExitStack() as stack, ThreadPoolExecutor(8) as pool:
            peers = [stack.enter_context(server(WORLD.chains[chain])) for _ in range(8)]
            answers = pool.map(judge, cases, itertools.cycle(peers))
            for case, (ours, theirs) in zip(cases, answers):
                self.assertEqual(ours, theirs, (chain, case))
                self.accepted += ours
                self.judged += 1

    def setUp(self):
        self.accepted = self.judged = 0

    def test_single_records(self):
        draw = random.Random(8)
        cases = {chain: [] for chain in WORLD.chains}
        for usage, selector, matching, about in COMBINATIONS:
            chain = draw.choice(list(cases))
            host = draw.choice(["localhost", "localhost", "elsewhere.test"])
            cases[chain].append((draw.choice(["root", "root", "other"]),
                                 [record(WORLD.certs[about], usage, selector, matching)], host))
        for chain, rows in cases.items():
            self.compare(chain, rows)
        self.assertEqual(self.judged, 96)
        self.assertGreater(self.accepted, 10)

    def test_sets_of_records(self):
        draw = random.Random(9)
        cases = {chain: [] for chain in WORLD.chains}
        for _ in range(40):
            records = []
            for usage, selector, matching, about in draw.sample(COMBINATIONS, draw.randint(2, 4)):
                records.append(record(WORLD.certs[about], usage, selector, matching))
            cases[draw.choice(list(cases))].append(
                (draw.choice(["root", "other"]), records,
                 draw.choice(["localhost", "localhost", "elsewhere.test"])))
        for chain, rows in cases.items():
            self.compare(chain, rows)
        self.assertGreater(self.accepted, 5)
        self.assertLess(self.accepted, self.judged)

    def test_names_of_dane_ee_are_no_matter_here_and_one_by_default_there(self):
        """RFC 7671 5.1 asks for no check; OpenSSL makes it unless it is told not to."""
        ee = [record(WORLD.leaf)]
        with server(WORLD.chains["usual"]) as peer:
            self.assertTrue(openssl_says(peer.port, WORLD.other.cert, ee, "elsewhere.test"))
        self.assertTrue(cleat_says(WORLD.chains["usual"], WORLD.other.cert, ee, "elsewhere.test"))

    def test_dates(self):
        """Of DANE-EE they do not matter, of the others they do."""
        cert, key = WORLD.middle.leaf("old", dates=("20200101000000Z", "20200201000000Z"))
        chain = FOLDER / "old-chain.pem"
        chain.write_text(cert.read_text() + WORLD.middle.cert.read_text())
        with server(chain, key) as peer:
            for usage, about in ((3, cert), (2, WORLD.middle.cert), (1, cert),
                                 (0, WORLD.root.cert)):
                records = [record(about, usage)]
                theirs = openssl_says(peer.port, WORLD.root.cert, records, "localhost")
                ours = cleat_says(chain, WORLD.root.cert, records, "localhost")
                self.assertEqual((ours, theirs), (usage == 3, usage == 3))


class Get(unittest.TestCase):
    """Connections, where records of one name and port are for that one alone."""

    def get(self, port, *flags, host="localhost"):
        return run([PROGRAM, "get", "-sS", "--resolve", f"{host}:{port}:127.0.0.1", *flags,
                    f"https://{host}:{port}/"], check=False)

    def test_a_record_lets_in_and_keeps_out(self):
        with server(WORLD.chains["usual"]) as peer:
            for version in ("--tlsv1.3", "--tls-max=1.2"):
                self.assertEqual(self.get(peer.port, version, "--tlsa",
                                          record(WORLD.leaf)).returncode, 0)
                self.assertEqual(self.get(peer.port, version, "--tlsa",
                                          record(WORLD.middle.cert, 2)).returncode, 0)
                done = self.get(peer.port, version, "--tlsa", record(WORLD.other.cert))
                self.assertEqual(done.returncode, 60)
                self.assertIn(b"no TLSA record", done.stderr)
            self.assertEqual(self.get(peer.port).returncode, 60)  # nobody trusts its root

    def test_records_are_chosen_by_name_and_port(self):
        with server(WORLD.chains["usual"]) as peer:
            right, wrong = record(WORLD.leaf), record(WORLD.other.cert)
            zone = FOLDER / "zone"
            zone.write_text(f"; a zone\n_{peer.port}._tcp.localhost. 60 IN TLSA {right}\n"
                            f"_1._tcp.localhost. 60 IN TLSA {wrong}\n"
                            f"_{peer.port}._tcp.elsewhere.test. 60 IN TLSA {wrong}\n")
            self.assertEqual(self.get(peer.port, "--tlsa", f"@{zone}").returncode, 0)
            done = self.get(peer.port, "--tlsa", f"@{zone}", host="elsewhere.test")
            self.assertEqual(done.returncode, 60)
            done = self.get(peer.port, "--tlsa", f"_1._tcp.localhost. IN TLSA {right}")
            self.assertEqual(done.returncode, 60)
            self.assertIn(b"no TLSA record is for", done.stderr)

    def test_nonsense_is_refused_before_anybody_is_asked(self):
        for words, said in ((["--tlsa", "3 1 1 xyz"], b"hexadecimal"),
                            (["--tlsa", "3 1 1 00"], b"1 bytes instead of 32"),
                            (["--tlsa", "9 9 9 00"], b"none of 1 records is usable"),
                            (["--tlsa", ""], b"no record"),
                            (["-k", "--tlsa", record(WORLD.leaf)], b"-k accepts any"),
                            (["--record", "x", "--tlsa", record(WORLD.leaf)], b"--record")):
            done = self.get(1, *words)
            self.assertEqual((done.returncode, said in done.stderr), (2, True), done.stderr)
        self.assertEqual(self.get(1, "--tlsa", f"@{FOLDER}/absent").returncode, 26)

    def test_a_raw_key_is_taken_when_all_records_name_keys(self):
        key = support.make_key("dane-raw", "ecdsa")
        public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER").stdout
        named = f"3 1 1 {hashlib.sha256(public).hexdigest()}"
        (FOLDER / "root-dir").mkdir()
        with support.Server("--raw-public-key", key, "--root", FOLDER / "root-dir") as ours:
            done = self.get(ours.port, "--tlsa", named)
            self.assertIn(done.returncode, (0, 22), done.stderr)
            done = self.get(ours.port, "--tlsa", named, "--tlsa", record(WORLD.leaf, 3, 0))
            self.assertNotEqual(done.returncode, 0)


class Tlsa(unittest.TestCase):
    def test_records_are_those_of_openssls_digests(self):
        for usage, selector, matching in itertools.product((1, 3), range(2), range(3)):
            done = run([PROGRAM, "cert", "tlsa", "--usage", usage, "--selector", selector,
                        "--matching", matching, WORLD.chains["usual"]])
            self.assertEqual(done.stdout.decode().strip(),
                             record(WORLD.leaf, usage, selector, matching))
        done = run([PROGRAM, "cert", "tlsa", "--usage", "DANE-TA", "--host", "localhost", "--port",
                    "25", WORLD.chains["usual"]])
        self.assertEqual(done.stdout.decode().strip(),
                         f"_25._tcp.localhost. IN TLSA {record(WORLD.middle.cert, 2)}")

    def test_what_a_server_shows_is_what_lets_it_in(self):
        with server(WORLD.chains["usual"]) as peer:
            url = f"https://localhost:{peer.port}"
            line = run([PROGRAM, "cert", "tlsa", url]).stdout.decode().strip()
            self.assertEqual(line, f"_{peer.port}._tcp.localhost. IN TLSA {record(WORLD.leaf)}")
            self.assertEqual(run([PROGRAM, "cert", "verify", "--tlsa", line, url],
                                 check=False).returncode, 0)
            told = json.loads(run([PROGRAM, "cert", "verify", "--json", "--tlsa", line,
                                   url]).stdout)
            self.assertEqual([(r["result"], r["certificate"]) for r in told["tlsa"]],
                             [("counted", 1)])


if __name__ == "__main__":
    support.main()
