#!/usr/bin/env python3
"""`cleat serve` as gnutls-cli sees it: every suite, group and kind of certificate; full,
after a retry, resumed; client certificates, KeyUpdate, ALPN."""
import re
import subprocess
import time
import unittest

import matrix
import support
from matrix import GROUPS, SIGNATURES, SUITES, ServeTest

support.need("gnutls-cli", "openssl")
CA = support.make_ca()
CIPHER = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
          "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305",
          "TLS_AES_128_CCM_SHA256": "AES-128-CCM", "TLS_AES_128_CCM_8_SHA256": "AES-128-CCM-8"}
GROUP = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}


def priority(suites=SUITES, groups=GROUPS):
    words = ["NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:-GROUP-ALL"]
    return ":+".join(words + [CIPHER[s] for s in suites] + ["GROUP-" + GROUP[g] for g in groups])


class GnuTLSTest(ServeTest):
    def command(self, server, *args, suites=SUITES, groups=GROUPS):
        return ["gnutls-cli", "--x509cafile", CA.cert, "--sni-hostname", "localhost",
                "--verify-hostname", "localhost", "--priority", priority(suites, groups),
                "--port", server.port, *args, "127.0.0.1"]

    def ask(self, server, *args, check=True, **lists):
        self.asked = self.path()
        done = support.run(self.command(server, *args, **lists), check=False, stdin=None,
                           input=matrix.last_request(self.asked))
        text = (done.stdout + done.stderr).decode(errors="replace")
        if check:
            self.assertEqual(done.returncode, 0, text)
            self.assertIn("\nserved\n", text)
        return text


class Matrix(GnuTLSTest):
    def test_every_suite_group_and_kind_of_certificate(self):
        for kind in SIGNATURES:
            with matrix.serve([matrix.leaf(CA, kind)]) as server:
                for suite, group in matrix.cases():
                    with self.subTest(kind=kind, suite=suite, group=group):
                        text = self.ask(server, suites=[suite], groups=[group])
                        self.assertIn("- Status: The certificate is trusted.", text)
                        self.assertIn(f"-({CIPHER[suite]})\n", text)
                        self.agreed(server, self.asked, suite, group, kind)

    def test_a_retry_for_every_group(self):
        for group in GROUPS:
            # gnutls-cli sends a share of its first group only, if told so
            other = next(g for g in GROUPS if g != group)
            with matrix.serve([matrix.leaf(CA, "ecdsa")],
                              offer=["--ciphers", ":".join(SUITES), "--curves", group]) as server:
                for suite in SUITES:
                    with self.subTest(group=group, suite=suite):
                        self.ask(server, "--single-key-share", suites=[suite],
                                 groups=[other, group])
                        self.agreed(server, self.asked, suite, group, "ecdsa", retry=True)

    def test_resumption_with_every_suite_and_group(self):
        for kind in ("ecdsa", "rsa"):
            with matrix.serve([matrix.leaf(CA, kind)]) as server:
                for suite, group in matrix.cases():
                    with self.subTest(kind=kind, suite=suite, group=group):
                        text = self.ask(server, "--resume", "--waitresumption", suites=[suite],
                                        groups=[group])
                        self.assertIn("This is a resumed session", text)
                        self.agreed(server, self.asked, suite, group, resumed=True)

    def test_resumption_after_a_retry(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")],
                          offer=["--ciphers", ":".join(SUITES), "--curves", "X25519"]) as server:
            for suite in SUITES:
                with self.subTest(suite):
                    self.ask(server, "--resume", "--waitresumption", "--single-key-share",
                             suites=[suite], groups=["P-256", "X25519"])
                    self.agreed(server, self.asked, suite, "X25519", resumed=True, retry=True)

    def test_key_updates(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            for suite in SUITES:
                with self.subTest(suite):
                    paths = [self.path() for _ in range(3)]
                    self.talk(server, suite, paths)
                    for path in paths:
                        self.agreed(server, path, suite)

    def talk(self, server, suite, paths):
        """Requests on one connection; before each but the first a command to re-key."""
        client = subprocess.Popen(
            [str(w) for w in self.command(server, "--inline-commands", suites=[suite])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = support.Lines(client.stdout)
        try:
            said.wait_for("Simple Client Mode")
            # the first asks the server to update too, the second does not
            for path, command in zip(paths, (b"", b"^rekey^\n", b"^rekey1^\n")):
                client.stdin.write(command)
                client.stdin.flush()
                time.sleep(0.05)  # a command is seen as such only in a read of its own
                client.stdin.write(matrix.request(path))
                client.stdin.flush()
                server.access.wait_for(re.escape(path) + " ")
            client.stdin.write(matrix.last_request("/"))
            client.stdin.flush()
            said.wait_for("Peer has closed")
        finally:
            client.kill()
            client.wait()
            client.stdin.close()
        text = said.text()
        self.assertEqual(text.count("Rekey was completed"), 2, text)
        self.assertEqual(text.count("\nserved"), 4, text)

class Choice(GnuTLSTest):
    def test_alpn(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            self.assertIn("Application protocol: http/1.1", self.ask(server, "--alpn=http/1.1"))
            self.agreed(server, self.asked, alpn="http/1.1")
            self.assertIn("Application protocol: h2",
                          self.ask(server, "--alpn=http/1.1", "--alpn=h2", check=False))
            self.assertIn("alert [120]", self.ask(server, "--alpn=h9", check=False))

    def test_nothing_in_common_is_a_handshake_failure(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")],
                          offer=["--ciphers", SUITES[0], "--curves", "X25519"]) as server:
            self.assertIn("alert [40]", self.ask(server, suites=[SUITES[1]], check=False))
            self.assertIn("alert [40]", self.ask(server, groups=["P-384"], check=False))

    def test_client_certificates_of_every_kind(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert) as server:
            for kind in SIGNATURES:
                with self.subTest(kind):
                    mine = support.make_leaf(CA, f"client-{kind}", kind, ["client.example"],
                                             purpose="clientAuth")
                    self.ask(server, "--x509certfile", mine.cert, "--x509keyfile", mine.key)
                    self.agreed(server, self.asked, client=True)
            self.assertIn("alert [116]", self.ask(server, check=False))


if __name__ == "__main__":
    support.main()
