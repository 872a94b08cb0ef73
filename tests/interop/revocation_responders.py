#!/usr/bin/env python3
"""Lists and responses that others make - `openssl ca`, `openssl ocsp`, GnuTLS's certtool, NSS's
crlutil - judged by `cleat cert verify`; and long lists that change while they are looked at."""
import datetime
import os
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from get_support import PROGRAM, Peer, free_port, need, openssl
from revocation_files import Revoking, stamp
from support import PATIENCE, main, run

need("openssl")
LEAVES = ["good", "listed", "valid", "held"]
REASONS = ["unspecified", "keyCompromise", "CACompromise", "affiliationChanged", "superseded",
           "cessationOfOperation", "certificateHold"]
LISTED_REASON = "keyCompromise"


def serial(cert):
    text = openssl("x509", "-in", cert, "-noout", "-serial").stdout.decode()
    return text.strip().split("=")[1]


def stamp_later(hours):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return f"@{int(then.timestamp())}"


class Judged(unittest.TestCase):
    """A CA with leaves, of which Revoking's index says that `listed` is revoked."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cleat-responders-"))
        cls.ca = Revoking(cls.folder / "ca", "Responding CA", LEAVES)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def verify(self, leaf, *args, code=0, says="."):
        """Every certificate needs a good list or response."""
        cert = leaf if isinstance(leaf, Path) else self.ca.leaves[leaf][0]
        done = run([PROGRAM, "cert", "verify", "--ca", self.ca.cert, "--hard-fail", "--explain",
                    *args, cert], check=False)
        text = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{args}: {text}")
        self.assertRegex(text, says)


class Responses(Judged):
    """`openssl ocsp` as the responder."""

    def respond(self, leaves, name, ask=(), answer=(), signer=None):
        request, out = self.folder / "request", self.folder / f"{name}.ocsp"
        named = [word for leaf in leaves for word in ("-cert", self.ca.leaves[leaf][0])]
        cert, key = signer or (self.ca.cert, self.ca.key)
        openssl("ocsp", *ask, "-issuer", self.ca.cert, *named, "-reqout", request)
        openssl("ocsp", "-index", self.ca.index, "-CA", self.ca.cert, "-rsigner", cert, "-rkey",
                key, "-reqin", request, "-respout", out, "-noverify", *answer)
        return "--ocsp-response", out

    def responder(self, name, usage="OCSPSigning", ca=None, **more):
        return (ca or self.ca).leaf(name, sans=None, usage=usage, **more)

    def test_good_revoked_and_unknown(self):
        for answer in ((), ("-nmin", 5), ("-ndays", 7), ("-resp_key_id",), ("-rmd", "sha384"),
                       ("-rmd", "sha512")):
            with self.subTest(answer=answer):
                self.verify("good", *self.respond(["good"], "g", answer=answer), says="good, says")
                self.verify("listed", *self.respond(["listed"], "l", answer=answer), code=60,
                            says=f"revoked on .*{LISTED_REASON}.*an OCSP response")
                self.verify("valid", *self.respond(["valid"], "o", answer=answer))
        (self.ca.index).write_text("".join(
            line for line in self.ca.index.read_text().splitlines(True) if "/CN=held" not in line))
        self.verify("held", *self.respond(["held"], "h"), code=60, says="does not know the cert")

    def test_nonce_and_hashes_that_the_request_chose(self):
        for ask in (("-nonce",), ("-no_nonce",), ("-sha256",), ("-sha384",), ("-sha1",)):
            with self.subTest(ask=ask):
                self.verify("good", *self.respond(["good"], "g", ask=ask))
                self.verify("listed", *self.respond(["listed"], "l", ask=ask), code=60,
                            says="REVOKED")

    def test_one_response_about_several_certificates(self):
        several = self.respond(["good", "listed", "valid"], "several")
        self.verify("good", *several)
        self.verify("valid", *several)
        self.verify("listed", *several, code=60, says="REVOKED")
        # asked about one only, it says nothing about the other
        self.verify("valid", *self.respond(["good"], "one"), code=60, says="no OCSP response")

    def test_a_responder_whom_the_ca_appointed(self):
        signer = self.responder("responder")
        for answer in ((), ("-resp_key_id",)):
            self.verify("good", *self.respond(["good"], "d", answer=answer, signer=signer))
            self.verify("listed", *self.respond(["listed"], "d", answer=answer, signer=signer),
                        code=60, says="REVOKED")
        self.verify("good", *self.respond(["good"], "n", answer=("-resp_no_certs",),
                                          signer=signer), code=60, says="not signed by the issuer")
        # the CA's own answer needs no certificate with it
        self.verify("good", *self.respond(["good"], "c", answer=("-resp_no_certs",)))
        rsa = self.responder("rsa", kind="rsa")
        self.verify("good", *self.respond(["good"], "r", signer=rsa))
        self.verify("good", *self.respond(["good"], "p", signer=rsa, answer=(
            "-rsigopt", "rsa_padding_mode:pss", "-rsigopt", "rsa_pss_saltlen:digest")))

    def test_responders_whom_nobody_appointed(self):
        stranger = Revoking(self.folder / "stranger", "Stranger", ["good"])
        namesake = Revoking(self.folder / "namesake", "Responding CA", ["good"])
        late = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        rows = (
            ("a server", self.ca.leaves["valid"]),
            ("another CA", (stranger.cert, stranger.key)),
            ("appointed by another CA", self.responder("theirs", ca=stranger)),
            ("another key of that name", (namesake.cert, namesake.key)),
            ("appointed by a namesake", self.responder("ours", ca=namesake)),
            ("expired", self.responder("late", dates=(stamp(-9), late.strftime("%y%m%d%H%M%SZ")))),
        )
        for name, signer in rows:
            with self.subTest(name):
                self.verify("good", *self.respond(["good"], "x", signer=signer), code=60,
                            says="not signed by the issuer")

    def test_a_responder_that_a_list_names_has_no_say(self):
        cert, key = self.responder("gone")
        response = self.respond(["good"], "gone", signer=(cert, key))
        self.verify("good", *response)
        index = self.ca.index.read_text()
        self.ca.index.write_text(index + f"R\t{stamp(9)}\t{stamp(-1)},superseded\t{serial(cert)}\t"
                                 "unknown\t/CN=gone\n")
        crl = self.ca.crl("gone")[1]
        self.ca.index.write_text(index)
        self.verify("good", *response, "--revocation", "ocsp")
        done = run([PROGRAM, "cert", "verify", "--ca", self.ca.cert, "--explain", "--crlfile", crl,
                    *response, self.ca.leaves["good"][0]])
        self.assertIn("it is not on the CRL", done.stdout.decode())

    def test_what_is_weak_broken_or_late_is_not_believed(self):
        rows = (
            (("-rmd", "sha1"), (), "signature algorithm is too weak"),
            ((), ("--at", stamp_later(hours=200)), "older than is allowed"),
            (("-nmin", 5), ("--at", stamp_later(hours=1)), "out of date"),
            (("-nmin", 5), ("--at", stamp_later(hours=-0.5)), "from the future|not valid yet"),
        )
        for answer, args, says in rows:
            with self.subTest(says):
                self.verify("good", *self.respond(["good"], "w", answer=answer), *args, code=60,
                            says=says)
        option, path = self.respond(["good"], "w")
        broken = bytearray(path.read_bytes())
        broken[-1] ^= 1
        path.write_bytes(broken)
        self.verify("good", option, path, code=60, says="not signed by the issuer|malformed|OCSP")


class Lists(Judged):
    """`openssl ca -gencrl`, certtool and crlutil."""

    def index(self, **rows):
        """leaf=reason; the others are valid."""
        text = ""
        for leaf in LEAVES:
            reason = rows.get(leaf)
            text += (f"R\t{stamp(9)}\t{stamp(-1)},{reason}" if reason else f"V\t{stamp(9)}\t")
            text += f"\t{serial(self.ca.leaves[leaf][0])}\tunknown\t/CN={leaf}\n"
        self.ca.index.write_text(text)

    def configure(self, extensions):
        """crl_extensions of openssl's configuration."""
        more = f"crl_extensions=e\n[e]\n{extensions}\n"
        self.ca.config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.ca.index}\n"
                                  f"crlnumber={self.folder / 'number'}\ndefault_md=sha256\n{more}")
        (self.folder / "number").write_text("2A\n")

    def test_every_reason_is_told(self):
        self.configure("authorityKeyIdentifier=keyid")
        for reason in REASONS:
            with self.subTest(reason):
                self.index(listed=reason)
                _, der = self.ca.crl("reason")
                self.verify("listed", "--crlfile", der, code=60,
                            says=f"(?i)revoked on .*\\({reason}\\), says a CRL")
                self.verify("good", "--crlfile", der)

    def test_what_is_taken_off_the_list_is_good_again(self):
        self.configure("authorityKeyIdentifier=keyid")
        self.index(held="certificateHold")
        held = self.ca.crl("held")[1]
        self.index()
        empty = self.ca.crl("empty")[1]
        self.verify("held", "--crlfile", held, code=60, says="certificateHold")
        self.verify("held", "--crlfile", empty)
        # who gives both believes the one that names it
        for order in ((held, empty), (empty, held)):
            self.verify("held", *(w for path in order for w in ("--crlfile", path)), code=60)

    def test_lists_of_version_one_and_with_crl_numbers(self):
        self.index(listed=LISTED_REASON)
        self.configure("authorityKeyIdentifier=keyid")
        text = openssl("crl", "-in", self.ca.crl("numbered")[0], "-noout", "-crlnumber").stdout
        self.assertIn(b"2A", text)
        self.verify("listed", "--crlfile", self.folder / "ca/numbered.crl", code=60)
        self.verify("good", "--crlfile", self.folder / "ca/numbered.crl")
        # openssl writes version 1 when there is neither a number nor a reason to be told
        self.index(listed=" ")
        self.ca.index.write_text(self.ca.index.read_text().replace(", \t", "\t"))
        (self.folder / "number").unlink()
        self.ca.config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.ca.index}\n"
                                  "default_md=sha256\n")
        pem, der = self.ca.crl("v1")
        self.assertIn(b"Version 1", openssl("crl", "-in", pem, "-noout", "-text").stdout)
        self.verify("good", "--crlfile", der)
        self.verify("listed", "--crlfile", der, code=60, says="revoked on .*unspecified")

    def test_partitioned_lists_are_matched_with_every_distribution_point(self):
        self.index(listed=LISTED_REASON)
        pointed = self.pointed("pointed", "URI:http://a/1,URI:http://a/2")
        rows = (
            ("fullname=URI:http://a/1", 0),
            ("fullname=URI:http://a/2", 0),
            ("fullname=URI:http://x/,URI:http://a/2", 0),
            ("fullname=URI:http://a/3", 60),
            ("fullname=URI:http://a/1\nonlyuser=TRUE", 0),
            ("fullname=URI:http://a/1\nonlyCA=TRUE", 60),
            ("fullname=URI:http://a/1\nonlyAA=TRUE", 60),
            ("fullname=URI:http://a/1\nonlysomereasons=keyCompromise,superseded", 60),
            ("onlyuser=TRUE", 0),
        )
        for text, code in rows:
            with self.subTest(text):
                self.configure(f"issuingDistributionPoint=critical,@p\n[p]\n{text}")
                self.verify(pointed, "--crlfile", self.ca.crl("part")[1], code=code)
        # its own partition names it
        self.ca.index.write_text(
            self.ca.index.read_text() +
            f"R\t{stamp(9)}\t{stamp(-1)},superseded\t{serial(pointed)}\tunknown\t/CN=pointed\n")
        self.configure("issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://a/2")
        self.verify(pointed, "--crlfile", self.ca.crl("part")[1], code=60, says="REVOKED")

    def pointed(self, name, points):
        cert, _ = self.ca.leaf(name)
        extensions = self.ca.folder / f"{name}.cnf"
        extensions.write_text(f"{extensions.read_text()}crlDistributionPoints={points}\n")
        openssl("x509", "-req", "-in", self.ca.folder / f"{name}.csr", "-CA", self.ca.cert,
                "-CAkey", self.ca.key, "-days", 9, "-CAcreateserial", "-extfile", extensions,
                "-out", cert)
        return cert

    def test_lists_of_gnutls(self):
        if shutil.which("certtool") is None:
            self.skipTest("no certtool")
        template = self.folder / "template"
        template.write_text("crl_next_update = 7\ncrl_number = 5\n")
        out = self.folder / "gnutls.pem"
        run(["certtool", "--generate-crl", "--load-ca-privkey", self.ca.key,
             "--load-ca-certificate", self.ca.cert, "--load-certificate",
             self.ca.leaves["listed"][0], "--template", template, "--outfile", out])
        self.verify("listed", "--crlfile", out, code=60, says="REVOKED")
        self.verify("good", "--crlfile", out)

    def test_lists_of_nss(self):
        if any(shutil.which(tool) is None for tool in ("crlutil", "certutil", "pk12util")):
            self.skipTest("no crlutil")
        db, p12 = self.folder / "nss", self.folder / "ca.p12"
        db.mkdir()
        openssl("pkcs12", "-export", "-in", self.ca.cert, "-inkey", self.ca.key, "-name", "ca",
                "-passout", "pass:x", "-out", p12)
        run(["certutil", "-N", "-d", db, "--empty-password"])
        run(["pk12util", "-i", p12, "-d", db, "-W", "x", "-K", ""])
        run(["certutil", "-M", "-d", db, "-n", "ca", "-t", "CT,C,C"])
        small = self.ca.leaf("small")[0]  # crlutil knows numbers of up to 63 bits
        openssl("x509", "-req", "-in", self.ca.folder / "small.csr", "-CA", self.ca.cert, "-CAkey",
                self.ca.key, "-days", 9, "-set_serial", 4711, "-out", small)
        out = self.folder / "nss.crl"
        self.crlutil(db, out, "")
        self.verify(small, "--crlfile", out, code=60, says="REVOKED")
        self.verify("good", "--crlfile", out)
        # it writes the values of extensions without their DER around them: RFC 5280 5.2.3
        run(["crlutil", "-D", "-n", "ca", "-d", db])
        self.crlutil(db, out, "addext crlNumber 0 17\n")
        self.verify("good", "--crlfile", out, code=82, says="malformed certificate revocation list")

    def crlutil(self, db, out, more):
        now = datetime.datetime.now(datetime.timezone.utc)
        script = self.folder / "script"
        script.write_text(
            f"update={now - datetime.timedelta(hours=1):%Y%m%d%H%M%SZ}\n"
            f"nextupdate={now + datetime.timedelta(days=7):%Y%m%d%H%M%SZ}\n{more}"
            f"addcert 4711 {now - datetime.timedelta(days=1):%Y%m%d%H%M%SZ}\n")
        run(["crlutil", "-G", "-d", db, "-n", "ca", "-c", script, "-o", out, "-Z", "SHA256", "-B"])


# ---- long lists ----

def der(tag, body):
    size = len(body)
    length = bytes([size]) if size < 128 else (
        lambda b: bytes([0x80 | len(b)]) + b)(size.to_bytes((size.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + length + body


class LongLists(Judged):
    """More than 16 MiB: mapped from the file, not read."""

    ENTRIES = 500000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.path = cls.folder / "long.crl"
        cls.path.write_bytes(cls.make(serial(cls.ca.leaves["listed"][0])))

    @classmethod
    def make(cls, listed):
        """A list of version 1 whose last entry is this serial number."""
        ecdsa_sha256 = bytes.fromhex("300a06082a8648ce3d040302")
        subject = openssl("x509", "-in", cls.ca.cert, "-outform", "DER").stdout
        name = der(0x30, der(0x31, der(0x30, bytes.fromhex("0603550403") +
                                       der(0x0c, b"Responding CA"))))
        assert name in subject
        since = der(0x17, stamp(-1).encode())
        entry = b"\x30\x23\x02\x12\x7f" + bytes(13)
        rows = [entry + n.to_bytes(4, "big") + since for n in range(cls.ENTRIES)]
        number = bytes.fromhex(listed)
        rows.append(der(0x30, der(0x02, b"\0" * (number[0] >> 7) + number) + since))
        tbs = der(0x30, ecdsa_sha256 + name + since + der(0x17, stamp(7).encode()) +
                  der(0x30, b"".join(rows)))
        (cls.folder / "tbs").write_bytes(tbs)
        signature = openssl("dgst", "-sha256", "-sign", cls.ca.key, cls.folder / "tbs").stdout
        return der(0x30, tbs + ecdsa_sha256 + der(0x03, b"\0" + signature))

    def test_a_long_list_says_good_and_revoked(self):
        self.assertGreater(self.path.stat().st_size, 16 << 20)
        self.verify("good", "--crlfile", self.path, says="it is not on the CRL")
        self.verify("listed", "--crlfile", self.path, code=60, says="REVOKED")

    def test_a_long_list_that_is_cut_off_while_it_is_in_use_is_told_and_nobody_let_in(self):
        copy = self.folder / "cut.crl"
        shutil.copy(self.path, copy)
        cert, key = self.ca.leaves["good"]
        inner = free_port()
        argv = ["openssl", "s_server", "-quiet", "-www", "-accept", f"127.0.0.1:{inner}",
                "-cert", cert, "-key", key]
        with Peer(argv, inner, self.folder), socket.create_server(("127.0.0.1", 0)) as door:
            port = door.getsockname()[1]
            door.settimeout(PATIENCE)
            client = subprocess.Popen(
                [PROGRAM, "get", "-sS", "--cacert", self.ca.cert, "--crlfile", copy,
                 "--hard-fail", "--resolve", f"localhost:{port}:127.0.0.1",
                 f"https://localhost:{port}/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                near, _ = door.accept()
                os.truncate(copy, 4096)  # the list is loaded by now
                relay(near, inner)
                out, err = client.communicate(timeout=PATIENCE)
            finally:
                client.kill()
        self.assertEqual((client.returncode, out), (82, b""), err)
        self.assertIn(b"cut.crl became shorter while it was in use", err)


def relay(near, port):
    """Bytes to and fro until both are done or nothing comes any more."""
    near.settimeout(1)
    for _ in range(100):
        try:
            far = socket.create_connection(("127.0.0.1", port), timeout=1)
            break
        except OSError:
            continue
    with near, far:
        far.settimeout(1)
        try:
            far.sendall(near.recv(65536))
            while data := far.recv(65536):
                near.sendall(data)
        except OSError:
            pass


if __name__ == "__main__":
    main()
