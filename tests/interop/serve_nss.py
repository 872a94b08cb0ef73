#!/usr/bin/env python3
"""`cleat serve` as NSS's tstclnt sees it: every suite, group and kind of certificate that NSS has;
full, after a retry, resumed; client certificates."""
import unittest

import matrix
import support
from matrix import SIGNATURES, ServeTest

support.need("tstclnt", "certutil", "pk12util", "openssl")
CA = support.make_ca()
SUITES = {"TLS_AES_128_GCM_SHA256": ":1301", "TLS_AES_256_GCM_SHA384": ":1302",
          "TLS_CHACHA20_POLY1305_SHA256": ":1303"}
GROUPS = {"X25519": "x25519", "P-256": "P256", "P-384": "P384", "P-521": "P521"}
# NSS has no Ed25519, and no RSA-PSS keys for clients
KINDS = [kind for kind in SIGNATURES if kind != "ed25519"]
CLIENT_KINDS = [kind for kind in KINDS if kind != "rsapss"]
# ... and does not offer these by itself; the CA's scheme must be among them
PSS = "rsa_pss_pss_sha256,rsa_pss_pss_sha384,rsa_pss_pss_sha512,ecdsa_secp256r1_sha256"


def leaf(kind):
    """tstclnt wants an RSA key to be good for key exchange, which TLS 1.3 does not have."""
    if kind == "rsa":
        return support.make_leaf(CA, "leaf-nss", kind, usage="digitalSignature,keyEncipherment")
    return matrix.leaf(CA, kind)


TRUSTING = support.nss_database("trusting", CA)


class NSSTest(ServeTest):
    versions = "tls1.3:tls1.3"

    def ask(self, server, *args, db=TRUSTING, check=True):
        self.asked = self.path()
        asking = support.folder() / "request"
        asking.write_bytes(matrix.last_request(self.asked))
        done = support.run(["tstclnt", "-4", "-h", "localhost", "-p", server.port, "-d", db, "-V",
                            self.versions, "-A", asking, *args], check=False)
        text = (done.stdout + done.stderr).decode(errors="replace")
        if check:
            self.assertEqual(done.returncode, 0, text)
            self.assertIn("\nserved\n", text)
        return text


class TLS13(NSSTest):
    def test_every_suite_group_and_kind_of_certificate(self):
        for kind in KINDS:
            with matrix.serve([leaf(kind)]) as server:
                for suite, group in matrix.cases(list(SUITES), list(GROUPS)):
                    with self.subTest(kind=kind, suite=suite, group=group):
                        self.ask(server, "-c", SUITES[suite], "-I", GROUPS[group],
                                 *(["-J", PSS] if kind == "rsapss" else []))
                        self.agreed(server, self.asked, suite, group, kind)

    def test_a_retry_for_every_group(self):
        for group in GROUPS:
            # tstclnt sends a share of its first group only
            other = next(g for g in GROUPS if g != group)
            with matrix.serve([matrix.leaf(CA, "ecdsa")], offer=["--curves", group]) as server:
                for suite in SUITES:
                    with self.subTest(group=group, suite=suite):
                        self.ask(server, "-c", SUITES[suite], "-I",
                                 f"{GROUPS[other]},{GROUPS[group]}")
                        self.agreed(server, self.asked, suite, group, "ecdsa", retry=True)

    def test_resumption_with_every_suite_and_group(self):
        # With -L 3, three connections, tstclnt takes no -c and no -I: the server decides.
        for suite, group in matrix.cases(list(SUITES), list(GROUPS)):
            with self.subTest(suite=suite, group=group), \
                    matrix.serve([leaf("ecdsa")],
                                 offer=["--ciphers", suite, "--curves", group]) as server:
                text = self.ask(server, "-L", "3")
                self.assertEqual(text.count("\nserved\n"), 3, text)
                server.end()
                seen = [line.split(" TLSv1.3 ")[1].split()[:3]
                        for line in server.access.text().split("\n")]
                self.assertEqual(seen, [[suite, group, "full"]] + [[suite, group, "resumed"]] * 2)

    def test_client_certificates(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert) as server:
            for kind in CLIENT_KINDS:
                with self.subTest(kind):
                    mine = support.make_leaf(CA, f"client-{kind}", kind, ["client.example"],
                                             purpose="clientAuth")
                    db = support.nss_database(f"client-{kind}", CA, mine)
                    self.ask(server, "-n", "mine", db=db)
                    self.agreed(server, self.asked, client=True)
            self.assertIn("SSL_ERROR_RX_CERTIFICATE_REQUIRED_ALERT", self.ask(server, check=False))

    def test_an_unknown_ca_is_not_trusted(self):
        stranger = support.make_leaf(support.make_ca("stranger"), "strange")
        with matrix.serve([stranger]) as server:
            self.assertIn("SEC_ERROR_UNKNOWN_ISSUER", self.ask(server, check=False))
            server.errors.wait_for("unknown_ca")


class TLS12(NSSTest):
    versions = "tls1.2:tls1.2"
    version = "TLSv1.2"
    suites = {"ecdsa": {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": ":C02B",
                        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": ":C02C",
                        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": ":CCA9"},
              "rsa": {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": ":C02F",
                      "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": ":C030",
                      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": ":CCA8"}}

    def test_every_suite_and_group(self):
        for kind, suites in self.suites.items():
            with matrix.serve([leaf(kind)]) as server:
                for suite, group in matrix.cases(list(suites), list(GROUPS)):
                    # the curve of the certificate must be on offer, too (RFC 8422 5.3)
                    curves = [GROUPS[group]] + (["P256"] if kind == "ecdsa" else [])
                    with self.subTest(kind=kind, suite=suite, group=group):
                        self.ask(server, "-c", suites[suite], "-I", ",".join(dict.fromkeys(curves)))
                        self.agreed(server, self.asked, suite)

    def test_resumption_with_every_suite(self):
        for kind, suites in self.suites.items():
            for suite in suites:
                with self.subTest(suite), \
                        matrix.serve([leaf(kind)], offer=["--ciphers", suite]) as server:
                    text = self.ask(server, "-L", "3")
                    self.assertEqual(text.count("\nserved\n"), 3, text)
                    server.end()
                    seen = [line.split(" TLSv1.2 ")[1].split() for line in
                            server.access.text().split("\n")]
                    self.assertEqual([words[0] for words in seen], [suite] * 3)
                    self.assertEqual([words[2] for words in seen], ["full"] + ["resumed"] * 2)


if __name__ == "__main__":
    support.main()
