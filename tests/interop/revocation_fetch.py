#!/usr/bin/env python3
"""Revocation and intermediates over the URLs in certificates: `cleat cert verify`, `get` and `ws`
with --revocation and --aia, against a server that answers as `openssl ocsp` and `openssl ca` would,
or is down, slow, lying, expired, too long, cut short, or nonsense."""
import base64
import datetime
import http.server
import json
import os
import pathlib
import shutil
import ssl
import tempfile
import threading
import time
import unittest
import urllib.parse
from pathlib import Path

from get_support import PROGRAM, Authority, Peer, free_port, need, openssl
from revocation_files import GOOD, LISTED, OTHER, Revoking, stamp
from support import main, run

need("openssl")
# More than what is taken of a response (64 KiB) and of a list (32 MiB).
HUGE = {"ocsp": 1 << 17, "crl": 33 << 20, "aia": 1 << 19}
MUTE, DEAD, LONG, SECURE = "mute", "dead", "long", "secure"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.answer(self.rfile.read(length))

    def do_GET(self):
        self.answer(None)

    def answer(self, body):
        owner = self.server.owner
        kind = self.path.split("/")[1]
        owner.seen.append((self.command, self.path))
        how = owner.how.get(kind, "right")
        if callable(how):
            return self.send(how())
        return getattr(self, "do_" + how)(kind, body)

    def send(self, content, status=200, kind="application/octet-stream", length=None, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def do_right(self, kind, body):
        self.send(self.server.owner.right(kind, self.path, body))

    def do_slow(self, kind, body):
        self.server.owner.released.wait(20)
        self.close_connection = True

    def do_missing(self, kind, body):
        self.send(b"no", 404)

    def do_page(self, kind, body):
        self.send(b"<html>Log in</html>", kind="text/html; charset=utf-8")

    def do_garbage(self, kind, body):
        self.send(os.urandom(300))

    def do_nothing(self, kind, body):
        self.send(b"")

    def do_cut(self, kind, body):
        content = self.server.owner.right(kind, self.path, body)
        self.send(content[:len(content) // 2], length=len(content))
        self.close_connection = True

    def do_half(self, kind, body):
        content = self.server.owner.right(kind, self.path, body)
        self.send(content[:len(content) // 2])

    def do_huge(self, kind, body):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(HUGE[kind] >> 16):
                self.wfile.write(bytes(1 << 16))
        except OSError:
            pass  # which is what a client does that has had enough

    def do_huge_announced(self, kind, body):
        self.send(b"", length=1 << 40)

    def do_chunked(self, kind, body):
        content = self.server.owner.right(kind, self.path, body)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i in range(0, len(content), 100):
            piece = content[i:i + 100]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_loop(self, kind, body):
        self.send(b"", 302, Location=self.path)

    def do_moved(self, kind, body):
        owner = self.server.owner
        if self.path.endswith("/moved"):
            return self.send(owner.right(kind, self.path[:-6], body))
        return self.send(b"", 302, Location=self.path + "/moved")

    def do_elsewhere(self, kind, body):
        self.send(b"", 302, Location="file:///etc/passwd")

    def do_nonsense(self, kind, body):
        self.wfile.write(b"220 smtp.example ESMTP\r\n")
        self.close_connection = True


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that hang up are part of it


class Issuing(Revoking):
    """A CA whose leaves say where its responder, its list and its certificate are; and the same CA
    below a root."""

    def __init__(self, folder, origin, root):
        self.origin = origin
        self.root = root
        super().__init__(folder, "Fetching CA", [GOOD, LISTED, OTHER])
        self.leaves[MUTE] = Authority.leaf(self, MUTE)
        self.leaves[DEAD] = self.signed(DEAD, "http://127.0.0.1:1")
        self.leaves[LONG] = self.signed(LONG, origin, "/" + 200 * "x")
        with self.index.open("a") as rows:
            for leaf in (DEAD, LONG):
                text = openssl("x509", "-in", self.leaves[leaf][0], "-noout", "-serial").stdout
                serial = text.decode().strip().split("=")[1]
                rows.write(f"V\t{stamp(9)}\t\t{serial}\tunknown\t/CN={leaf}\n")
        self.sub = self.folder / "sub.pem"
        request, ext = self.folder / "sub.csr", self.folder / "sub.cnf"
        openssl("req", "-new", "-key", self.key, "-subj", "/CN=Fetching CA", "-out", request)
        ext.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                       "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
                       f"crlDistributionPoints=URI:{origin}/rootcrl\n")
        openssl("x509", "-req", "-in", request, "-CA", root.cert, "-CAkey", root.key, "-days", 9,
                "-CAcreateserial", "-extfile", ext, "-out", self.sub)

    def leaf(self, name="leaf", **more):
        super().leaf(name, **more)
        return self.signed(name, self.origin)

    def signed(self, name, origin, more=""):
        if not (self.folder / f"{name}.cnf").exists():
            super().leaf(name)
        ext = self.folder / f"{name}-urls.cnf"
        ext.write_text((self.folder / f"{name}.cnf").read_text() +
                       f"authorityInfoAccess=OCSP;URI:{origin}/ocsp{more},"
                       f"caIssuers;URI:{origin}/aia\n"
                       f"crlDistributionPoints=URI:{origin}/crl\n")
        cert = self.folder / f"{name}.pem"
        openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.cert, "-CAkey",
                self.key, "-days", 9, "-CAcreateserial", "-extfile", ext, "-out", cert)
        return cert, self.folder / f"{name}-key.pem"

    def respond(self, request, signer=None, minutes=60):
        ask, out = self.folder / "asked.ocsp", self.folder / "answered.ocsp"
        ask.write_bytes(request)
        cert, key = signer or (self.cert, self.key)
        openssl("ocsp", "-index", self.index, "-CA", self.cert, "-rsigner", cert, "-rkey", key,
                "-reqin", ask, "-nmin", minutes, "-respout", out, "-noverify")
        return out.read_bytes()


def der_of(cert):
    return openssl("x509", "-in", cert, "-outform", "DER").stdout


class Fetching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cleat-fetch-"))
        cls.http = Quiet(("127.0.0.1", 0), Handler)
        cls.http.owner = cls
        cls.origin = f"http://127.0.0.1:{cls.http.server_address[1]}"
        threading.Thread(target=cls.http.serve_forever, args=(0.05,), daemon=True).start()
        cls.root = Revoking(cls.folder / "root", "Root of it", [])
        cls.ca = Issuing(cls.folder / "ca", cls.origin, cls.root)
        cls.stranger = Revoking(cls.folder / "stranger", "Fetching CA", [GOOD])
        cls.lists = {"crl": cls.ca.crl("current")[1].read_bytes(),
                     "rootcrl": cls.root.crl("current")[1].read_bytes()}
        cls.seen, cls.how, cls.released = [], {}, threading.Event()
        cls.request = None

    @classmethod
    def tearDownClass(cls):
        cls.released.set()
        cls.http.shutdown()
        cls.http.server_close()
        shutil.rmtree(cls.folder)

    def setUp(self):
        type(self).seen, type(self).how = [], {}
        type(self).released = threading.Event()
        self.cache = Path(tempfile.mkdtemp(dir=self.folder, prefix="cache-")) / "cleat"

    def tearDown(self):
        self.released.set()

    @classmethod
    def right(cls, kind, path, body):
        if kind == "ocsp":
            part = path.split("/", 2)[2] if body is None else ""
            body = body if body is not None else base64.b64decode(urllib.parse.unquote(part))
            cls.request = body
            return cls.ca.respond(body)
        return der_of(cls.ca.sub) if kind == "aia" else cls.lists[kind]

    def program(self, *args, code=0):
        done = run([PROGRAM, *args], check=False)
        text = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{args}: {text}")
        return text

    def verify(self, leaf, *args, code=0, root=None, chain=None):
        return self.program("cert", "verify", "--ca", root or self.ca.cert, "--revocation-cache",
                            self.cache, *args, chain or self.ca.leaves[leaf][0], code=code)

    def kinds_seen(self):
        return [path.split("/")[1] for _, path in self.seen]


class Verify(Fetching):
    def test_a_response_is_fetched_told_and_kept(self):
        url = self.origin + "/ocsp"
        text = self.verify(GOOD, "--revocation", "crl,ocsp", "--hard-fail", "--explain")
        self.assertRegex(text, r"ok +0 revocation +good, says the OCSP response of 20")
        self.assertRegex(text, rf"look-up +OCSP response for CN=good, fetched from {url}: \d+ byt")
        self.assertEqual([(how, path[:6]) for how, path in self.seen], [("GET", "/ocsp/")])
        text = self.verify(GOOD, "--revocation", "crl,ocsp", "--hard-fail", "--explain")
        self.assertRegex(text, rf"look-up +OCSP response for CN=good, kept from {url}: \d+ bytes")
        told = json.loads(self.verify(GOOD, "--revocation", "ocsp", "--json"))
        self.assertEqual([(row["kind"], row["source"], row["url"], row["failed"])
                          for row in told["lookups"]], [("ocsp", "cache", url, False)])
        self.assertEqual(len(self.seen), 1)
        self.assertEqual(self.cache.stat().st_mode & 0o777, 0o700)
        self.assertEqual([f.stat().st_mode & 0o777 for f in self.cache.iterdir()], [0o600])
        for number, word in enumerate(("none", "off"), 2):
            told = json.loads(self.verify(GOOD, "--revocation", "ocsp", "--json",
                                          "--revocation-cache", word))
            self.assertEqual([row["source"] for row in told["lookups"]], ["network"])
            self.assertEqual(len(self.seen), number)
        self.assertFalse(pathlib.Path("off").exists())

    def test_nothing_is_fetched_unless_it_is_asked_for_and_missing(self):
        response = self.ca.ocsp(GOOD)
        for args in ((), ("--revocation", "off"), ("--ocsp-response", response),
                     ("--revocation", "crl,ocsp", "--ocsp-response", response, "--hard-fail")):
            self.verify(GOOD, *args)
            self.assertEqual(self.seen, [])
        text = self.verify(GOOD, "--explain", "--ocsp-response", response)
        self.assertIn(f"look-up  OCSP response of the file {response}", text)
        # not for a chain that is no good: its URLs are nobody's
        self.verify(GOOD, "--revocation", "crl,ocsp", root=self.root.cert, code=60)
        self.verify(GOOD, "--revocation", "crl,ocsp", "--host", "other.test", code=60)
        self.assertEqual(self.seen, [])
        self.verify(GOOD, "--hard-fail")
        self.assertEqual(self.kinds_seen(), ["ocsp"])

    def test_what_was_revoked_is_found_by_either_source(self):
        for sources, kinds in (("ocsp", ["ocsp"]), ("crl", ["crl"]), ("crl,ocsp", ["ocsp"])):
            text = self.verify(LISTED, "--revocation", sources, code=60)
            self.assertIn("REVOKED (OpenSSL: CERT_REVOKED)", text)
            self.assertEqual(self.kinds_seen(), kinds)
            type(self).seen = []
        # a responder that is down does not hide what the list says
        type(self).how = {"ocsp": "missing"}
        text = self.verify(LISTED, "--revocation", "crl,ocsp", code=60)
        self.assertIn("says a CRL", text)
        self.assertIn("404 Not Found", text)

    def test_every_certificate_of_the_path_is_asked_about(self):
        chain = self.folder / "chain.pem"
        chain.write_bytes(self.ca.leaves[GOOD][0].read_bytes() + self.ca.sub.read_bytes())
        args = ("--revocation", "crl,ocsp", "--hard-fail", "--explain")
        text = self.verify(GOOD, *args, root=self.root.cert, chain=chain)
        self.assertRegex(text, r"ok +0 revocation +good, says the OCSP response")
        self.assertRegex(text, r"ok +1 revocation +it is not on the CRL")
        self.assertEqual(sorted(self.kinds_seen()), ["ocsp", "rootcrl"])
        text = self.verify(GOOD, *args, root=self.root.cert, chain=chain)
        self.assertEqual(len(self.seen), 2)
        self.assertIn(f"CRL for CN=Fetching CA, kept from {self.origin}/rootcrl", text)
        type(self).how = {"rootcrl": "missing"}
        self.verify(GOOD, *args, "--revocation-cache", "none", root=self.root.cert, chain=chain,
                    code=60)

    def test_a_responder_that_fails_is_told_softly_and_refused_hard(self):
        forged = lambda: self.ca.respond(self.about(GOOD), self.stranger.leaves[GOOD])
        rows = (
            ("missing", r"the server answers 404 Not Found"),
            ("page", r"the server answers with a page \(text/html; charset=utf-8\)"),
            ("garbage", r"OCSP"),
            ("nothing", r"OCSP"),
            ("cut", r"after \d+ bytes of the answer"),
            ("half", r"OCSP"),
            ("huge", r"the answer has more than the 65536 bytes that are taken"),
            ("huge_announced", r"the answer has more than the 65536 bytes that are taken"),
            ("loop", r"more than 3 redirects"),
            ("elsewhere", r"no URL of http|a redirect that is not followed"),
            ("nonsense", r"HTTP"),
            (lambda: self.ca.respond(self.about(OTHER)), r"no OCSP response"),
            (lambda: self.stranger.ocsp(GOOD).read_bytes(), r"no OCSP response"),
            (forged, r"there is an OCSP response, but "),
            (lambda: bytes.fromhex("30030a0103"), r"the responder answers tryLater"),
            (lambda: self.lists["crl"], r"OCSP"),
        )
        for how, why in rows:
            with self.subTest(how):
                type(self).how = {"ocsp": how}
                text = self.verify(GOOD, "--revocation", "ocsp", "--explain")
                self.assertRegex(text, r"ok +0 revocation +not known, which is accepted")
                self.assertIn("look-up", text)
                text = self.verify(GOOD, "--revocation", "ocsp", "--hard-fail", code=60)
                self.assertRegex(text, why)
                self.assertIn("REVOCATION_UNKNOWN", text)
                # what was of no use is not kept
                self.assertEqual(list(self.cache.iterdir()), [])

    def about(self, leaf):
        request = self.folder / "about.ocsp"
        openssl("ocsp", "-issuer", self.ca.cert, "-cert", self.ca.leaves[leaf][0], "-no_nonce",
                "-reqout", request)
        return request.read_bytes()

    def test_a_list_that_fails_is_told_softly_and_refused_hard(self):
        rows = (
            ("missing", r"the server answers 404 Not Found"),
            ("garbage", r"CRL for CN=good: FAILED: "),
            ("cut", r"after \d+ bytes of the answer"),
            ("half", r"CRL for CN=good: FAILED: "),
            ("huge", r"the answer has more than the 33554432 bytes that are taken"),
            (lambda: self.stranger.crl("foreign")[1].read_bytes(), r"there is a CRL, but "),
            (lambda: self.ca.crl("old", "-crl_lastupdate", "20250101000000Z", "-crl_nextupdate",
                                 "20250201000000Z")[1].read_bytes(), r"it is out of date"),
        )
        for how, why in rows:
            with self.subTest(how):
                type(self).how = {"crl": how}
                self.verify(LISTED, "--revocation", "crl")
                text = self.verify(GOOD, "--revocation", "crl", "--hard-fail", code=60)
                self.assertRegex(text, why)
                self.assertEqual(list(self.cache.iterdir()), [])
        for how in ("moved", "chunked", lambda: self.ca.crl("again")[0].read_bytes()):
            with self.subTest(how):
                type(self).how = {"crl": how}
                self.verify(GOOD, "--revocation", "crl", "--hard-fail", "--revocation-cache",
                            "none")

    def test_a_long_request_is_posted_and_no_redirect_is_followed_with_it(self):
        self.verify(LONG, "--revocation", "ocsp", "--hard-fail")
        self.assertEqual(self.seen, [("POST", "/ocsp/" + 200 * "x")])
        type(self).how = {"ocsp": "moved"}
        self.verify(GOOD, "--revocation", "ocsp", "--hard-fail")
        text = self.verify(LONG, "--revocation", "ocsp", "--hard-fail", "--revocation-cache",
                           "none", code=60)
        self.assertIn("answers 302 with a redirect that is not followed", text)

    def test_https_is_asked_when_its_server_is_trusted_too(self):
        for ca, code in ((self.ca, 0), (self.stranger, 60)):
            cert, key = Authority.leaf(ca, SECURE)
            server = Quiet(("127.0.0.1", 0), Handler)
            server.owner = type(self)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            try:
                origin = f"https://127.0.0.1:{server.server_address[1]}"
                self.ca.leaves[SECURE] = self.ca.signed("over-https", origin)
                text = self.verify(SECURE, "--revocation", "crl", "--hard-fail", "--explain",
                                   code=code)
                told = f"fetched from {origin}/crl" if code == 0 else "was not made with"
                self.assertIn(told, text)
            finally:
                server.shutdown()
                server.server_close()

    def test_who_is_down_or_slow_costs_no_more_than_the_time_out(self):
        began = time.monotonic()
        text = self.verify(DEAD, "--revocation", "crl,ocsp", "--explain")
        self.assertRegex(text, r"look-up +OCSP response for CN=dead: FAILED: http://127.0.0.1:1/ocs"
                         r".* could not connect to 127.0.0.1 port 1 .*connection refused")
        self.assertRegex(text, r"ok +0 revocation +not known, which is accepted")
        self.verify(DEAD, "--revocation", "crl,ocsp", "--hard-fail", code=60)
        type(self).how = {"ocsp": "slow", "crl": "slow"}
        text = self.verify(GOOD, "--revocation", "ocsp", "--revocation-timeout", "0.3", "--explain")
        self.assertIn("timed out after 300 ms, waiting for the answer", text)
        text = self.verify(GOOD, "--revocation", "crl,ocsp", "--revocation-timeout", "0.3",
                           "--hard-fail", code=60)
        self.assertIn("timed out after 300 ms", text)
        self.assertLess(time.monotonic() - began, 15)

    def test_what_is_kept_counts_until_it_expires_and_is_judged_again(self):
        args = ("--revocation", "crl", "--hard-fail")
        self.verify(GOOD, *args)
        kept, = self.cache.iterdir()
        self.assertRegex(kept.name, r"^crl-[0-9a-f]{64}$")
        self.assertAlmostEqual(kept.stat().st_mtime, time.time() + 7 * 86400, delta=600)
        self.verify(GOOD, *args)
        self.assertEqual(len(self.seen), 1)
        later = datetime.date.today() + datetime.timedelta(days=8)
        self.verify(GOOD, *args, "--at", later.isoformat(), code=60)
        self.assertEqual(len(self.seen), 2)
        # who can write there can at most make it ask again
        kept.write_bytes(self.stranger.crl("planted")[1].read_bytes())
        os.utime(kept, (time.time() + 9999, time.time() + 9999))
        self.verify(LISTED, *args, code=60)
        self.assertEqual(len(self.seen), 3)
        self.verify(GOOD, *args)
        os.utime(kept, (1, 1))
        before = len(self.seen)
        self.verify(GOOD, *args)
        self.assertEqual(len(self.seen), before + 1)

    def test_a_cache_that_cannot_be_used_is_no_failure(self):
        file = self.folder / "file"
        file.write_bytes(b"x")
        shared = self.folder / "shared"
        shared.mkdir(exist_ok=True)
        shared.chmod(0o777)
        for place in (file, file / "below", shared, "/proc/cleat", ""):
            with self.subTest(place):
                self.verify(GOOD, "--revocation", "ocsp", "--hard-fail", "--revocation-cache",
                            place)
        self.assertEqual(list(shared.iterdir()), [])
        env = {"XDG_CACHE_HOME": str(self.folder / "xdg"), "PATH": os.environ["PATH"]}
        args = [PROGRAM, "cert", "verify", "--ca", self.ca.cert, "--revocation", "ocsp",
                self.ca.leaves[GOOD][0]]
        run(args, env=env)
        self.assertEqual(len(list((self.folder / "xdg" / "cleat").iterdir())), 1)
        run(args, env={"HOME": str(self.folder / "home"), "PATH": os.environ["PATH"]})
        self.assertEqual(len(list((self.folder / "home" / ".cache" / "cleat").iterdir())), 1)
        run(args, env={"PATH": os.environ["PATH"]})

    def test_a_full_disk_loses_nothing(self):
        full = self.folder / "full"
        full.mkdir()
        done = run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=700", "tmpfs", full], check=False)
        if done.returncode != 0:
            self.skipTest("no file system can be made here")
        try:
            (full / "filler").write_bytes(bytes(4096))
            self.verify(GOOD, "--revocation", "ocsp", "--hard-fail", "--revocation-cache", full)
            self.assertEqual([f.name for f in full.iterdir()], ["filler"])
        finally:
            run(["umount", full])

    def test_nonsense_is_refused_with_what_to_do(self):
        for args, why in (
                (("--revocation-timeout", "soon"), "is not a number of seconds"),
                (("--revocation-timeout", "3", "--revocation", "off"), "when nothing is")):
            self.assertIn(why, self.verify(GOOD, *args, code=2))


class Aia(Fetching):
    def test_a_missing_intermediate_is_fetched_on_request_and_told(self):
        self.verify(GOOD, root=self.root.cert, code=60)
        self.assertEqual(self.seen, [])
        url = self.origin + "/aia"
        text = self.verify(GOOD, "--aia", "--explain", root=self.root.cert)
        self.assertIn(f"1 CN=Fetching CA (ECDSA P-256, until ", text)
        self.assertIn(f"; fetched from {url})", text)
        self.assertRegex(text, r"look-up +issuer's certificate for CN=good, fetched from ")
        told = json.loads(self.verify(GOOD, "--aia", "--json", root=self.root.cert))
        row, = told["lookups"]
        self.assertEqual((row["kind"], row["source"], row["url"], row["for"]),
                         ("aia", "cache", url, "CN=good"))
        self.assertEqual(row["fingerprint"], told["path"][1]["sha256"])
        self.assertEqual(len(self.seen), 1)
        # the certificates that were fetched are asked about as well
        text = self.verify(GOOD, "--aia", "--revocation", "crl,ocsp", "--hard-fail",
                           root=self.root.cert)
        self.assertEqual(sorted(self.kinds_seen()), ["aia", "ocsp", "rootcrl"])

    def test_issuers_come_in_every_usual_form(self):
        def pkcs7(form):
            return lambda: openssl("crl2pkcs7", "-nocrl", "-certfile", self.root.cert, "-certfile",
                                   self.ca.sub, "-outform", form).stdout
        for how in ("right", "moved", "chunked", pkcs7("DER"), pkcs7("PEM"),
                    self.ca.sub.read_bytes):
            with self.subTest(how):
                type(self).how = {"aia": how}
                self.verify(GOOD, "--aia", "--revocation-cache", "none", root=self.root.cert)

    def test_what_is_no_issuer_does_not_help(self):
        rows = (
            ("missing", "404 Not Found"), ("page", "answers with a page"),
            ("garbage", "no certificate in these 300 bytes"), ("nothing", "no certificate"),
            ("cut", "bytes of the answer"), ("huge", "more than the 262144 bytes"),
            ("loop", "more than 3 redirects"),
            (lambda: der_of(self.root.cert), "no certificate of CN=Fetching CA is among the 1"),
            (lambda: der_of(self.ca.leaves[GOOD][0]), "no certificate of CN=Fetching CA"),
            (lambda: der_of(self.stranger.cert), "fetched from"),  # the name, but another key
            (lambda: self.lists["crl"], "no certificate in these"),
        )
        for how, why in rows:
            with self.subTest(how):
                type(self).how = {"aia": how}
                text = self.verify(GOOD, "--aia", "--explain", root=self.root.cert, code=60)
                self.assertIn(why, text)
                shutil.rmtree(self.cache, ignore_errors=True)

    def test_a_certificate_without_urls_leads_to_no_request(self):
        self.verify(MUTE, "--aia", "--revocation", "crl,ocsp", root=self.root.cert, code=60)
        self.verify(MUTE, "--aia", "--revocation", "crl,ocsp")
        self.verify(MUTE, "--aia", "--hard-fail", code=60)
        self.assertEqual(self.seen, [])


class Handshakes(Fetching):
    def serve(self, leaf, *more, chain=True):
        cert, key = self.ca.leaves[leaf]
        port = free_port()
        args = ["-cert_chain", self.ca.sub] if chain else []
        return Peer(["openssl", "s_server", "-quiet", "-www", "-accept", f"127.0.0.1:{port}",
                     "-cert", cert, "-key", key, *args, *more], port, self.folder)

    def client(self, command, peer, *args, code=0):
        scheme = "https" if command == "get" else "wss"
        return self.program(command, "--cacert", self.root.cert, "--revocation-cache", self.cache,
                            "--resolve", f"localhost:{peer.port}:127.0.0.1", *args,
                            f"{scheme}://localhost:{peer.port}/", code=code)

    def get(self, peer, *args, code=0):
        return self.client("get", peer, "-sS", "-o", self.folder / "body", *args, code=code)

    def test_a_handshake_waits_for_what_is_fetched(self):
        for version in ("-tls1_3", "-tls1_2"):
            shutil.rmtree(self.cache, ignore_errors=True)
            type(self).seen = []
            with self.serve(GOOD, version) as peer:
                text = self.get(peer, "--revocation", "crl,ocsp", "--hard-fail", "-v")
                self.assertIn(f"OCSP response for CN=good: ", text)
                self.assertIn(f"CRL for CN=Fetching CA: ", text)
                self.assertEqual(sorted(self.kinds_seen()), ["ocsp", "rootcrl"])
                text = self.get(peer, "--revocation", "crl,ocsp", "--hard-fail", "-v")
                self.assertIn(f"kept from {self.origin}/ocsp", text)
                self.assertEqual(len(self.seen), 2)
            with self.serve(LISTED, version) as peer:
                self.get(peer, "--revocation", "off", "--aia")
                self.assertIn("REVOKED", self.get(peer, "--revocation", "ocsp", code=60))
                self.assertIn("REVOKED", self.get(peer, "--revocation", "crl", code=60))

    def test_soft_goes_on_and_hard_says_why_not(self):
        type(self).how = {"ocsp": "slow", "crl": "missing"}
        limit = ("--revocation-timeout", "0.4")
        with self.serve(GOOD) as peer:
            text = self.get(peer, "--revocation", "crl,ocsp", *limit, "-v")
            self.assertIn("timed out after 400 ms", text)
            self.assertIn("404 Not Found", text)
            text = self.get(peer, "--revocation", "crl,ocsp", "--hard-fail", *limit, code=60)
            self.assertRegex(text, r"hint: OCSP response for CN=good: http://.*: timed out after 4")
            began = time.monotonic()
            self.get(peer, "--revocation", "ocsp", "-m", "0.5", code=28)
            self.get(peer, "--revocation", "ocsp", "--connect-timeout", "0.5", code=28)
            self.assertLess(time.monotonic() - began, 4)

    def test_a_missing_intermediate_is_fetched_while_the_handshake_waits(self):
        for version in ("-tls1_3", "-tls1_2"):
            with self.serve(GOOD, version, chain=False) as peer:
                self.get(peer, code=60)
                text = self.get(peer, "--aia", "-v")
                self.assertRegex(text, r"issuer's certificate for CN=good: \d+ bytes: CN=Fetching")
                self.get(peer, "--aia", "--revocation", "crl,ocsp", "--hard-fail")
                type(self).how = {"aia": lambda: der_of(self.stranger.cert)}
                self.get(peer, "--aia", "--revocation-cache", "none", code=60)
                type(self).how = {}

    def test_websockets_have_the_same_options(self):
        with self.serve(LISTED) as peer:
            text = self.client("ws", peer, "--revocation", "crl,ocsp", code=3)
            self.assertIn("revoked", text)
        with self.serve(GOOD, chain=False) as peer:
            text = self.client("ws", peer, "--hard-fail", "--aia", code=3)
            self.assertIn("200", text)  # s_server is no WebSocket server, but it was trusted
            self.assertEqual(sorted(set(self.kinds_seen())), ["aia", "ocsp", "rootcrl"])
            text = self.client("ws", peer, "--aia", "--cert-status", code=3)
            self.assertIn("stapled OCSP response is demanded", text)

    def test_options_that_do_not_go_together_are_refused(self):
        with self.serve(GOOD) as peer:
            for args, why in ((("--aia", "-k"), "-k accepts any"),
                              (("--aia", "--record=x"), "--record knows nothing of"),
                              (("--revocation-timeout", "2"), "of no use when nothing is")):
                self.assertIn(why, self.get(peer, *args, code=2))
        self.assertEqual(self.seen, [])


if __name__ == "__main__":
    main()
