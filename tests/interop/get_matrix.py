#!/usr/bin/env python3
"""`cleat get` against OpenSSL, GnuTLS, nginx and NSS: every suite with every group and kind of
certificate that both know, full, after a retry, resumed. (What else matters with them, one by one,
is in get_peers.py.)"""
import json

import get_support
import support
from get_support import GetTest, Peer, free_port
from matrix import GROUPS, SUITES, cases

support.need("openssl")
support.allow_short_tags()
SIGNATURES = {
    "ecdsa-p256": r"^ecdsa_secp256r1_sha256$",
    "ecdsa-p384": r"^ecdsa_secp384r1_sha384$",
    "ecdsa-p521": r"^ecdsa_secp521r1_sha512$",
    "rsa": r"^rsa_pss_rsae_sha\d+$",
    "rsa-pss": r"^rsa_pss_pss_sha\d+$",
    "ed25519": r"^ed25519$",
}


class Pairs:
    """What every peer is put through; a GetTest mixes it in and starts its peer in peer()."""

    programs = []
    suites = SUITES
    kinds = list(SIGNATURES)
    resumed_kind = "ecdsa-p256"

    @classmethod
    def setUpClass(cls):
        get_support.need(*cls.programs)
        super().setUpClass()
        cls.leaves = {kind: cls.ca.leaf(kind, kind) for kind in cls.kinds}

    def agreed(self, facts, suite, group, retry=False, resumed=False, kind=None):
        got = [facts[name] for name in ("http_code", "tls_version", "tls_cipher", "tls_group",
                                        "tls_hello_retry", "tls_resumed", "ssl_verify_result")]
        self.assertEqual(got, [200, "TLSv1.3", suite, group, retry, resumed, 0])
        if kind:
            self.assertRegex(facts["tls_signature"], SIGNATURES[kind])

    def test_every_suite_group_and_kind_of_certificate(self):
        for kind in self.kinds:
            with self.peer(*self.leaves[kind], GROUPS) as peer:
                for suite, group in cases(self.suites):
                    with self.subTest(kind=kind, suite=suite, group=group):
                        facts = self.facts("--tls13-ciphers", suite, "--curves", group,
                                           f"https://localhost:{peer.port}/")
                        self.agreed(facts, suite, group, kind=kind)

    def twice(self, peer, suite, curves):
        """Two requests on two connections of one run: what is known of both."""
        url = f"https://localhost:{peer.port}/"
        done = self.fetch("-sS", "-H", "Connection: close", "--tls13-ciphers", suite, "--curves",
                          curves, "-o", "/dev/null", "-o", "/dev/null", "-w", "%{json}\n", url, url)
        return map(json.loads, done.stdout.splitlines())

    def test_resumption_with_every_suite_and_group(self):
        with self.peer(*self.leaves[self.resumed_kind], GROUPS) as peer:
            for suite, group in cases(self.suites):
                with self.subTest(suite=suite, group=group):
                    first, second = self.twice(peer, suite, group)
                    self.agreed(first, suite, group, kind=self.resumed_kind)
                    self.agreed(second, suite, group, resumed=True)

    def test_a_retry_for_every_group_and_suite_full_and_resumed(self):
        for group in GROUPS:
            other = next(g for g in GROUPS if g != group)
            with self.peer(*self.leaves[self.resumed_kind], [group]) as peer:
                for suite in self.suites:
                    with self.subTest(suite=suite, group=group):
                        # a share of the first group only is sent
                        first, second = self.twice(peer, suite, f"{other}:{group}")
                        self.agreed(first, suite, group, retry=True, kind=self.resumed_kind)
                        # it may remember the group that the server took the last time
                        self.agreed(second, suite, group, second["tls_hello_retry"], resumed=True)


class OpenSSL(Pairs, GetTest):
    programs = ["openssl"]

    def peer(self, cert, key, groups):
        port = free_port()
        return Peer(["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-www",
                     "-quiet", "-ciphersuites", ":".join(SUITES), "-groups", ":".join(groups)],
                    port, self.folder)


class GnuTLS(Pairs, GetTest):
    programs = ["gnutls-serv"]

    def peer(self, cert, key, groups):
        names = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1",
                 "P-521": "SECP521R1"}
        priority = ":".join(["NORMAL:-VERS-ALL:+VERS-TLS1.3:+AES-128-CCM:+AES-128-CCM-8:-GROUP-ALL",
                             *(f"+GROUP-{names[g]}" for g in groups)])
        port = free_port()
        return Peer(["gnutls-serv", "--http", "--quiet", "--port", port, "--priority", priority,
                     "--x509certfile", cert, "--x509keyfile", key, "--disable-client-cert"],
                    port, self.folder)


class Nginx(Pairs, GetTest):
    programs = ["nginx"]

    def peer(self, cert, key, groups):
        return get_support.nginx(self.folder, cert, key, "ssl_protocols TLSv1.3;",
                                 f"ssl_conf_command Ciphersuites {':'.join(SUITES)};",
                                 f"ssl_ecdh_curve {':'.join(groups)};")


class NSS(Pairs, GetTest):
    """selfserv; it has no CCM, no Ed25519, and no RSA-PSS keys."""

    programs = ["selfserv", "certutil", "pk12util"]
    suites = SUITES[:3]
    kinds = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa"]
    databases = {}

    def database(self, cert, key):
        if cert not in self.databases:
            self.databases[cert] = support.nss_database(f"get-{cert.stem}", self.ca,
                                                        support.Pair(cert, key))
        return self.databases[cert]

    def peer(self, cert, key, groups, extra=()):
        names = {"X25519": "x25519", "P-256": "P256", "P-384": "P384", "P-521": "P521"}
        port = free_port()
        return Peer(["selfserv", "-d", self.database(cert, key), "-n", "mine", "-p", port, "-u",
                     "-V", "tls1.3:tls1.3", "-c", ":1301:1302:1303",
                     "-I", ",".join(names[g] for g in groups), *extra], port, self.folder)

    def test_client_certificates(self):
        with self.peer(*self.leaves["ecdsa-p256"], GROUPS, ["-rr"]) as peer:
            for kind in self.kinds:
                with self.subTest(kind):
                    cert, key = self.ca.leaf(f"client-{kind}", kind, usage="clientAuth")
                    facts = self.facts("-E", cert, "--key", key, f"https://localhost:{peer.port}/")
                    self.assertEqual(facts["http_code"], 200)
            result = self.fetch("-sS", f"https://localhost:{peer.port}/", code=56)
            self.assertIn("certificate_required", result.stderr.decode())


if __name__ == "__main__":
    support.main()
