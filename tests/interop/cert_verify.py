#!/usr/bin/env python3
"""`cleat cert verify`: verdict, proof, exit codes, on chains that OpenSSL made."""
import json
import re

from get_support import PROGRAM, GetTest, Peer, free_port, openssl, self_signed
from support import main, run


class Verify(GetTest):
    def verify(self, *args, code=0, **more):
        done = run([PROGRAM, "cert", "verify", *args], check=False, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout.decode() + done.stderr.decode()

    def verify_json(self, *args, code=0):
        return json.loads(self.verify("--json", *args, code=code))

    def intermediate(self):
        """(intermediate's file, leaf's file), the leaf with an AIA URL."""
        key, cert = self.folder / "sub-key.pem", self.folder / "sub.pem"
        if cert.exists():
            return cert, self.folder / "below.pem"
        leaf_key, leaf = self.folder / "below-key.pem", self.folder / "below.pem"
        ca = ("basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"
              "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        own = ("subjectAltName=DNS:below.test\nextendedKeyUsage=serverAuth\n"
               "keyUsage=critical,digitalSignature\nauthorityKeyIdentifier=keyid\n"
               "authorityInfoAccess=caIssuers;URI:http://ca.test/sub.der\n")
        for name, kp, out, issuer, issuer_key, text in (
                ("Sub CA", key, cert, self.ca.cert, self.ca.key, ca),
                ("below", leaf_key, leaf, cert, key, own)):
            request, ext = self.folder / "r.csr", self.folder / "r.cnf"
            ext.write_text(text)
            openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                    "-keyout", kp, "-out", request)
            openssl("x509", "-req", "-in", request, "-CA", issuer, "-CAkey", issuer_key,
                    "-CAcreateserial", "-days", 9, "-extfile", ext, "-out", out)
        return cert, leaf

    def join(self, name, *files):
        out = self.folder / name
        out.write_bytes(b"".join(f.read_bytes() for f in files))
        return out

    def test_an_accepted_chain_is_told_with_its_path(self):
        sub, leaf = self.intermediate()
        chain = self.join("good.pem", leaf, sub)
        out = self.verify("--ca", self.ca.cert, "--host", "below.test", chain)
        self.assertRegex(out, r"^verified: a path of 3 certificates to a trust anchor passes \d+")
        for words in ("0 CN=below (RSA, until", "certificate 1 of 2)", "certificate 2 of 2)",
                      "trust store)", "host below.test, purpose server, policy default, at 20",
                      "1 path tried, 2 signatures checked"):
            self.assertIn(words, out)
        self.assertNotIn("note:", out)
        with open(chain, "rb") as f:
            self.verify("--cacert", self.ca.cert, "-", stdin=f)

    def test_explain_lists_every_check_with_section_and_values(self):
        sub, leaf = self.intermediate()
        out = self.verify("--ca", self.ca.cert, "--host", "below.test", "--explain",
                          self.join("good.pem", leaf, sub))
        self.assertIn("Path 1 of 1: accepted", out)
        for words in (r"ok      0 host name +it is for below.test  \[RFC 9525 6\]",
                      r"ok      1 path length +at most 0 intermediates below it  \[RFC 5280 6.1.4",
                      r"ok      0 signature +made with the key of CN=Sub CA  \[.*\] \d+ us",
                      r"skipped 0 revocation +switched off"):
            self.assertRegex(out, words)
        out = self.verify("--ca", self.ca.cert, "--host", "x.test", "--explain", leaf, code=60)
        self.assertRegex(out, r"FAILED  0 host name .*it is not for x.test but for below.test")
        self.assertEqual(len(re.findall("FAILED", out)), 1)

    def test_json_has_all_of_it(self):
        sub, leaf = self.intermediate()
        told = self.verify_json("--ca", self.ca.cert, "--host", "below.test",
                                self.join("good.pem", leaf, sub))
        self.assertEqual((told["schema"], told["verified"], told["error"], told["openssl"]),
                         (1, True, None, "OK"))
        self.assertEqual([c["subject"] for c in told["path"]],
                         ["CN=below", "CN=Sub CA", "CN=Interop CA"])
        self.assertEqual({c["result"] for c in told["tries"][0]["checks"]}, {"passed", "skipped"})
        self.assertEqual(told["work"]["signatures"], 2)
        self.assertGreater(told["work"]["us"], told["work"]["signatures_us"])
        told = self.verify_json("--ca", self.ca.cert, leaf, code=60)
        self.assertEqual(told["error"]["code"], "UNKNOWN_ISSUER")
        self.assertEqual(told["openssl"], "UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
        self.assertEqual(told["path"], [])

    def test_a_missing_intermediate_is_named_with_the_place_where_it_is(self):
        _, leaf = self.intermediate()
        out = self.verify("--ca", self.ca.cert, leaf, code=60)
        self.assertIn("the server does not send the intermediate CN=Sub CA; it is published at "
                      "http://ca.test/sub.der; the server should send it", out)
        self.assertIn("UNKNOWN_ISSUER (OpenSSL: UNABLE_TO_GET_ISSUER_CERT_LOCALLY)", out)
        self.assertIn("the chain is incomplete", out)

    def test_wrong_order_and_the_root_are_noted_on_a_chain_that_is_accepted(self):
        sub, leaf = self.intermediate()
        out = self.verify("--ca", self.ca.cert, self.join("order.pem", leaf, self.ca.cert, sub))
        self.assertIn("note: certificate 2 of 3, CN=Interop CA, did not issue the one before it: "
                      "the chain is in the wrong order", out)
        out = self.verify("--ca", self.ca.cert, self.join("root.pem", leaf, sub, self.ca.cert))
        self.assertIn("note: certificate 3 of 3, CN=Interop CA, is the root", out)
        out = self.verify("--ca", self.ca.cert, "--host", "below.test",
                          self.join("upside.pem", sub, leaf), code=60)
        self.assertIn("warning: certificate 1 of 2, CN=Sub CA, is a CA's: the chain is in the "
                      "wrong order", out)

    def test_time_purpose_and_policy_are_those_that_are_asked_for(self):
        cert, _ = self.ca.leaf("timed", dates=("20300101000000Z", "20310101000000Z"))
        ca = ("--ca", self.ca.cert)
        self.assertIn("CERT_NOT_YET_VALID (OpenSSL: CERT_NOT_YET_VALID)",
                      self.verify(*ca, cert, code=60))
        self.assertIn("CERT_EXPIRED (OpenSSL: CERT_HAS_EXPIRED)",
                      self.verify(*ca, "--at", "2032-01-01", cert, code=60))
        client, _ = self.ca.leaf("user", usage="clientAuth", sans="email:user@example.test")
        self.assertIn("BAD_KEY_USAGE", self.verify(*ca, client, code=60))
        self.verify(*ca, "--purpose", "client", "--email", "user@example.test", client)
        self.verify(*ca, "--purpose", "any", client)
        for at in ("2026-13-01", "now", "@", "@1x", "2026-01-01T00:00:00"):
            self.assertIn("--at takes", self.verify(*ca, "--at", at, client, code=2))
        # openssl's own CA has no key usage that CABF rules would have; the leaf's mailbox is none
        self.verify(*ca, "--purpose", "client", "--policy", "webpki", client, code=60)

    def test_a_self_signed_certificate_is_accepted_when_pinned(self):
        cert, _ = self_signed(self.folder)
        out = self.verify("--ca", self.ca.cert, "--host", "localhost", cert, code=60)
        self.assertIn("SELF_SIGNED (OpenSSL: DEPTH_ZERO_SELF_SIGNED_CERT)", out)
        self.assertIn("add it to the trust store (--cacert FILE)", out)
        self.verify("--ca", cert, "--host", "localhost", cert)

    def test_a_malformed_certificate_is_a_verdict(self):
        sub, leaf = self.intermediate()
        broken = self.folder / "broken.pem"
        broken.write_text("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
        out = self.verify("--ca", self.ca.cert, broken, code=60)
        self.assertIn("BAD_CERTIFICATE", out)
        out = self.verify("--ca", self.ca.cert, self.join("half.pem", leaf, broken), code=60)
        self.assertIn("certificate 2 of 2 could not be read", out)
        self.verify("--ca", self.ca.cert, self.join("spare.pem", leaf, broken, sub))

    def test_failures_that_are_no_verdict(self):
        cert, _ = self.ca.leaf("plain")
        self.verify("--ca", "/nonexistent", cert, code=77)
        self.verify("--ca", self.ca.cert, "/nonexistent", code=1)
        self.verify("--ca", self.ca.cert, self.ca.key, code=1)
        self.verify("--ca", self.ca.cert, code=2)
        self.verify("--ca", self.ca.cert, "--policy", "lax", cert, code=2)
        self.assertIn("Exit code: 0 verified", self.verify("--help"))

    def test_a_revoked_certificate_is_refused(self):
        cert, _ = self.ca.leaf("gone", dates=("20260101000000Z", "20350101000000Z"))
        config = self.ca.folder / "ca.cnf"
        crl = self.folder / "crl.pem"
        openssl("ca", "-config", config, "-cert", self.ca.cert, "-keyfile", self.ca.key, "-revoke",
                cert)
        openssl("ca", "-config", config, "-cert", self.ca.cert, "-keyfile", self.ca.key, "-gencrl",
                "-crldays", 2, "-out", crl)
        self.verify("--ca", self.ca.cert, cert)
        self.assertIn("REVOKED (OpenSSL: CERT_REVOKED)",
                      self.verify("--ca", self.ca.cert, "--crl", crl, cert, code=60))

    def test_a_server_is_verified_under_its_own_name(self):
        cert, key = self.ca.leaf("served")
        port = free_port()
        argv = ["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-quiet"]
        with Peer(argv, port, self.folder):
            url = f"https://localhost:{port}"
            out = self.verify("--ca", self.ca.cert, url)
            self.assertIn("host localhost", out)
            out = self.verify("--ca", self.ca.cert, "--host", "other.test", url, code=60)
            self.assertIn("it is not for other.test but for localhost", out)
        self.verify("--ca", self.ca.cert, f"https://localhost:{port}", code=7)


if __name__ == "__main__":
    main()
