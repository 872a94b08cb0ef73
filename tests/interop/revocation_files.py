#!/usr/bin/env python3
"""Revocation from files: lists of `openssl ca -gencrl` and responses of `openssl ocsp`, for `cleat
cert verify` and `cleat get`; and staples of `openssl s_server -status_file` for --cert-status."""
import datetime
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from get_support import PROGRAM, Authority, Peer, free_port, need, openssl
from support import main, run

need("openssl")
GOOD, LISTED, OTHER, STAPLING = "good", "listed", "other", "stapling"


def stamp(days):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return then.strftime("%y%m%d%H%M%SZ")


class Revoking(Authority):
    """A CA that keeps an index as `openssl ca` does: one leaf is revoked, the others are not."""

    def __init__(self, folder, name, leaves):
        super().__init__(folder, name)
        self.index = self.folder / "index.txt"
        self.config = self.folder / "revoking.cnf"
        self.config.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.index}\ndefault_md=sha256\n"
            "crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n")
        self.leaves = {}
        rows = []
        for leaf in leaves:
            cert, key = self.leaf(leaf) if leaf != STAPLING else self.must_staple(leaf)
            self.leaves[leaf] = cert, key
            text = openssl("x509", "-in", cert, "-noout", "-serial").stdout.decode()
            serial = text.strip().split("=")[1]
            state = "R" if leaf == LISTED else "V"
            since = stamp(-1) + ",keyCompromise" if leaf == LISTED else ""
            if leaf != OTHER:
                rows.append(f"{state}\t{stamp(9)}\t{since}\t{serial}\tunknown\t/CN={leaf}\n")
        self.index.write_text("".join(rows))

    def must_staple(self, name):
        """As Authority.leaf, with the TLS feature (RFC 7633)."""
        cert, key = self.leaf(name)
        extensions = self.folder / f"{name}.cnf"
        extensions.write_text(extensions.read_text() + "tlsfeature=status_request\n"
                              "subjectAltName=DNS:localhost\n")
        openssl("x509", "-req", "-in", self.folder / f"{name}.csr", "-CA", self.cert, "-CAkey",
                self.key, "-days", 9, "-CAcreateserial", "-extfile", extensions, "-out", cert)
        return cert, key

    def crl(self, name, *more, days=7):
        pem, der = self.folder / f"{name}.crl.pem", self.folder / f"{name}.crl"
        openssl("ca", "-config", self.config, "-gencrl", "-cert", self.cert, "-keyfile", self.key,
                *(more or ("-crldays", days)), "-out", pem)
        openssl("crl", "-in", pem, "-outform", "DER", "-out", der)
        return pem, der

    def ocsp(self, leaf, name=None, signer=None):
        """The response about a leaf, good for an hour; signer: other than the CA."""
        out = self.folder / f"{name or leaf}.ocsp"
        request = self.folder / "request.ocsp"
        cert, key = signer or (self.cert, self.key)
        openssl("ocsp", "-issuer", self.cert, "-cert", self.leaves[leaf][0], "-no_nonce", "-reqout",
                request)
        openssl("ocsp", "-index", self.index, "-CA", self.cert, "-rsigner", cert, "-rkey", key,
                "-reqin", request, "-nmin", 60, "-respout", out, "-noverify")
        return out


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cleat-revocation-"))
        cls.ca = Revoking(cls.folder / "ca", "Revoking CA", [GOOD, LISTED, OTHER, STAPLING])
        cls.stranger = Revoking(cls.folder / "stranger", "Another CA", [GOOD])
        cls.pem, cls.der = cls.ca.crl("current")
        cls.old = cls.ca.crl("old", "-crl_lastupdate", "20250101000000Z", "-crl_nextupdate",
                             "20250201000000Z")[1]
        cls.foreign = cls.stranger.crl("foreign")[1]
        cls.responses = {leaf: cls.ca.ocsp(leaf) for leaf in (GOOD, LISTED, OTHER, STAPLING)}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def program(self, *args, code):
        done = run([PROGRAM, *args], check=False)
        text = done.stdout.decode() + done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{args}: {text}")
        return text


class Verify(Files):
    def verify(self, leaf, *args, code=0):
        return self.program("cert", "verify", "--ca", self.ca.cert, *args,
                            self.ca.leaves[leaf][0], code=code)

    def test_a_list_says_good_and_revoked_in_both_forms(self):
        for path in (self.pem, self.der):
            for option in ("--crlfile", "--crl"):
                text = self.verify(GOOD, option, path, "--explain", "--hard-fail")
                self.assertRegex(text, r"ok +0 revocation +it is not on the CRL of 20")
                text = self.verify(LISTED, option, path, code=60)
                self.assertRegex(text, r"NOT verified: .*it was revoked on .*keyCompromise.* a CRL")
                self.assertIn("REVOKED (OpenSSL: CERT_REVOKED)", text)

    def test_a_response_says_good_and_revoked(self):
        text = self.verify(GOOD, "--ocsp-response", self.responses[GOOD], "--explain",
                           "--hard-fail")
        self.assertRegex(text, r"ok +0 revocation +good, says the OCSP response of 20")
        text = self.verify(LISTED, "--ocsp-response", self.responses[LISTED], code=60)
        self.assertRegex(text, r"NOT verified: .*it was revoked on .*keyCompromise.*OCSP response")
        told = json.loads(self.verify(LISTED, "--json", "--ocsp-response", self.responses[LISTED],
                                      code=60))
        self.assertEqual((told["verified"], told["error"]["code"], told["openssl"]),
                         (False, "REVOKED", "CERT_REVOKED"))
        check = told["tries"][0]["checks"][-1]
        self.assertEqual((check["name"], check["result"]), ("revocation", "failed"))

    def test_what_is_of_no_use_is_accepted_softly_and_refused_hard(self):
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=2)
        later = f"@{int(later.timestamp())}"
        forged = self.ca.ocsp(GOOD, "forged", signer=self.stranger.leaves[GOOD])
        rows = (
            ("none", LISTED, (), "there is no CRL for it and no OCSP response"),
            ("old list", LISTED, ("--crlfile", self.old), "there is a CRL, but it is out of date"),
            ("list of another CA", LISTED, ("--crlfile", self.foreign), "there is no CRL for it"),
            ("old response", GOOD, ("--ocsp-response", self.responses[GOOD], "--at", later),
             "there is an OCSP response, but it is out of date"),
            ("of another serial number", LISTED, ("--ocsp-response", self.responses[GOOD]),
             "there is no CRL for it and no OCSP response"),
            ("signed by a stranger", GOOD, ("--ocsp-response", forged),
             "there is an OCSP response, but "),
            ("unknown", OTHER, ("--ocsp-response", self.responses[OTHER]),
             "there is an OCSP response, but "),
        )
        for name, leaf, files, why in rows:
            with self.subTest(name):
                text = self.verify(leaf, "--revocation", "crl,ocsp", "--explain", *files)
                self.assertRegex(text, r"ok +0 revocation +not known, which is accepted: ")
                text = self.verify(leaf, "--hard-fail", *files, code=60)
                self.assertIn("REVOCATION_UNKNOWN (OpenSSL: UNABLE_TO_GET_CRL)", text)
                self.assertIn(why, text)

    def test_several_files_count_together_and_only_of_the_sources_named(self):
        both = ("--crlfile", self.foreign, "--crlfile", self.der,
                "--ocsp-response", self.responses[GOOD], "--ocsp-response", self.responses[LISTED])
        self.verify(GOOD, "--hard-fail", *both)
        self.verify(LISTED, *both, code=60)
        # a good response does not outweigh a list that names it
        self.verify(LISTED, "--crlfile", self.der, "--ocsp-response", self.responses[GOOD], code=60)
        self.verify(LISTED, "--revocation", "off")
        text = self.verify(GOOD, "--revocation", "off", "--explain")
        self.assertRegex(text, r"skipped 0 revocation +switched off")
        text = self.verify(GOOD, "--revocation", "crl", "--hard-fail", code=60)
        self.assertIn("there is no CRL for it", text)

    def test_time_of_the_verification_is_that_of_the_lists(self):
        self.verify(GOOD, "--at", "2025-01-15", "--crlfile", self.old, code=60)  # not valid yet
        later = (datetime.date.today() + datetime.timedelta(days=8)).isoformat()
        text = self.verify(GOOD, "--at", later, "--hard-fail", "--crlfile", self.der, code=60)
        self.assertIn("it is out of date", text)

    def test_nonsense_is_refused_with_what_to_do(self):
        empty = self.folder / "empty"
        empty.write_bytes(b"")
        broken = self.folder / "broken.crl"
        broken.write_bytes(self.der.read_bytes()[:-1])
        files = (
            ("--crlfile", "/nonexistent", "cannot load the revocation list of /nonexistent: No su"),
            ("--crlfile", self.folder, "Is a directory"),
            ("--crlfile", empty, "there is no X509 CRL block"),
            ("--crlfile", self.ca.cert, "there is no X509 CRL block"),
            ("--crlfile", broken, "cannot load the revocation list"),
            ("--ocsp-response", "/nonexistent", "cannot load the OCSP response of /nonexistent"),
            ("--ocsp-response", self.pem, "it is not DER"),
            ("--ocsp-response", self.der, "cannot load the OCSP response"),
            ("--ocsp-response", empty, "it is not DER"),
        )
        for option, path, why in files:
            with self.subTest(option=option, path=path):
                self.assertIn(why, self.verify(GOOD, option, path, code=82))
        for words in ("", "crl,", "CRL", "crl,off", "ocsp;crl", "all"):
            self.assertIn("--revocation takes crl, ocsp", self.verify(
                GOOD, "--revocation", words, code=2))
        for args, why in (
                (("--revocation", "off", "--hard-fail"), "--hard-fail is of no use"),
                (("--revocation", "ocsp", "--crlfile", self.der), "--crlfile is of no use"),
                (("--revocation", "crl", "--ocsp-response", self.responses[GOOD]),
                 "--ocsp-response is of no use with --revocation crl")):
            self.assertIn(why, self.verify(GOOD, *args, code=2))


class Get(Files):
    def serve(self, leaf, staple=None, *more):
        cert, key = self.ca.leaves[leaf]
        port = free_port()
        args = ["-status_file", staple] if staple else []
        return Peer(["openssl", "s_server", "-quiet", "-www", "-accept", f"127.0.0.1:{port}",
                     "-cert", cert, "-key", key, *args, *more], port, self.folder)

    def get(self, peer, *args, code=0):
        return self.program("get", "-sS", "--cacert", self.ca.cert, "--resolve",
                            f"localhost:{peer.port}:127.0.0.1", "-o", self.folder / "body", *args,
                            f"https://localhost:{peer.port}/", code=code)

    def test_lists_and_responses_decide_about_servers(self):
        with self.serve(LISTED) as peer:
            self.get(peer)
            for path in (self.pem, self.der):
                self.assertIn("REVOKED", self.get(peer, "--crlfile", path, code=60))
            self.get(peer, "--ocsp-response", self.responses[LISTED], code=60)
            self.get(peer, "--crlfile", self.old)
            self.assertIn("REVOCATION_UNKNOWN",
                          self.get(peer, "--crlfile", self.old, "--hard-fail", code=60))
            self.assertIn("revoked", self.get(peer, "-k", "-v", "--crlfile", self.der))
            self.get(peer, "--crlfile", "/nonexistent", code=82)
        with self.serve(GOOD) as peer:
            self.get(peer, "--crlfile", self.der, "--hard-fail")
            self.get(peer, "--ocsp-response", self.responses[GOOD], "--hard-fail")
            self.get(peer, "--hard-fail", code=60)

    def test_cert_status_demands_a_good_staple(self):
        for version in ("-tls1_3", "-tls1_2"):
            with self.serve(GOOD, self.responses[GOOD], version) as peer:
                self.get(peer, "--cert-status")
                self.get(peer, "--hard-fail")
            with self.serve(GOOD, None, version) as peer:
                self.get(peer)
                text = self.get(peer, "--cert-status", code=91)
                self.assertIn("a stapled OCSP response is demanded, and there is none", text)
                # a response from a file is not a staple
                self.get(peer, "--cert-status", "--ocsp-response", self.responses[GOOD], code=91)
                for other in ("-k", "--record=/dev/null"):
                    self.get(peer, "--cert-status", other, code=2)
                self.get(peer, "--cert-status", "--revocation", "crl", code=2)
            with self.serve(LISTED, self.responses[LISTED], version) as peer:
                self.get(peer, "--cert-status", code=91)
                self.get(peer, code=60)
                self.get(peer, "--revocation", "off")
        with self.serve(OTHER, self.responses[GOOD]) as peer:
            self.get(peer, "--cert-status", code=91)

    def test_a_certificate_that_demands_a_staple_gets_none(self):
        with self.serve(STAPLING) as peer:
            self.assertIn("must-staple", self.get(peer, code=60))
            self.get(peer, "--cert-status", code=91)
            self.get(peer, "--revocation", "crl", "--crlfile", self.der)
            self.get(peer, "--revocation", "off")
            text = self.program("cert", "verify", "--ca", self.ca.cert,
                                f"https://localhost:{peer.port}/", code=60)
            self.assertIn("must-staple", text)
        with self.serve(STAPLING, self.responses[STAPLING]) as peer:
            self.get(peer, "--cert-status")
            text = self.program("cert", "verify", "--ca", self.ca.cert, "--explain", "--hard-fail",
                                f"https://localhost:{peer.port}/", code=0)
            self.assertRegex(text, r"ok +0 revocation +good, says the OCSP response that the peer")

    def test_a_session_made_without_looking_is_not_resumed_by_who_looks(self):
        sessions = self.folder / "sessions"
        resumed = ("--ssl-sessions", sessions, "-w", "%{tls_resumed}")
        with self.serve(LISTED) as peer:
            self.get(peer, *resumed)
            self.assertIn("1", self.get(peer, *resumed))
            self.get(peer, *resumed, "--crlfile", self.der, code=60)
            self.assertIn("0", self.get(peer, *resumed, "--ocsp-response", self.responses[GOOD]))
            self.get(peer, *resumed, "--ocsp-response", self.responses[LISTED], code=60)
            self.get(peer, *resumed, "--cert-status", code=91)


if __name__ == "__main__":
    main()
