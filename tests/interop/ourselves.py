#!/usr/bin/env python3
"""`cleat get` from `cleat serve`: every suite, group and kind of certificate; full, after a retry,
resumed, with client certificates; and Wireshark reads a capture with the key log of either side."""
import json
import os
import shutil
import unittest

import matrix
import support
from matrix import GROUPS, SIGNATURES, SUITES, ServeTest

support.need("openssl")
CA = support.make_ca()


class Ourselves(ServeTest):
    def ask(self, server, *args, num=1, env=None, check=True):
        """Runs `cleat get` for so many pages; what it knows of each."""
        self.asked = [self.path() for _ in range(num)]
        words = [w for path in self.asked for w in ("-o", "/dev/null", server.url + path)]
        done = support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, "-w", "%{json}\n",
                            *args, *words], check=check, env={**os.environ, **(env or {})})
        self.error = done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_every_suite_group_and_kind_of_certificate(self):
        for kind in SIGNATURES:
            with matrix.serve([matrix.leaf(CA, kind)]) as server:
                for suite, group in matrix.cases():
                    with self.subTest(kind=kind, suite=suite, group=group):
                        facts, = self.ask(server, "--tls13-ciphers", suite, "--curves", group)
                        seen = self.agreed(server, self.asked[0], suite, group, kind,
                                           alpn="h2", name="localhost")
                        self.assertEqual([facts["tls_cipher"], facts["tls_group"],
                                          facts["tls_signature"]], [suite, group, seen.words[3]])

    def test_resumption_with_and_without_a_retry(self):
        for group in GROUPS:
            other = next(g for g in GROUPS if g != group)
            with matrix.serve([matrix.leaf(CA, "ecdsa")],
                              offer=["--ciphers", ":".join(SUITES), "--curves", group]) as server:
                for suite in SUITES:
                    for curves in (group, f"{other}:{group}"):
                        with self.subTest(suite=suite, curves=curves):
                            facts = self.ask(server, "--tls13-ciphers", suite, "--curves", curves,
                                             "-H", "Connection: close", num=3)
                            for i, path in enumerate(self.asked):
                                self.agreed(server, path, suite, group, resumed=i > 0,
                                            retry=facts[i]["tls_hello_retry"])
                            self.assertEqual(facts[0]["tls_hello_retry"], curves != group)

    def test_client_certificates_of_every_kind(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert) as server:
            for kind in SIGNATURES:
                with self.subTest(kind):
                    mine = support.make_leaf(CA, f"client-{kind}", kind, ["client.example"],
                                             purpose="clientAuth")
                    self.ask(server, *mine.args(), "-H", "Connection: close", num=2)
                    first, second = self.asked
                    self.agreed(server, first, kind="ecdsa", client=True)
                    self.agreed(server, second, resumed=True, client=True)
            self.ask(server, check=False)
            self.assertIn("certificate_required", self.error)

    def test_wireshark_reads_a_capture_with_the_log_of_either_side(self):
        if shutil.which("tshark") is None:
            self.skipTest("tshark is not installed")
        for suite in SUITES:
            with self.subTest(suite):
                logs = {side: support.folder() / f"{suite}.{side}" for side in ("server", "client")}
                with matrix.serve([matrix.leaf(CA, "ecdsa")],
                                  env={"SSLKEYLOGFILE": str(logs["server"])}) as server:
                    recorder = support.Recorder(server.port)
                    self.ask(server, "--http1.1", "--tls13-ciphers", suite, "--connect-to",
                             f"::127.0.0.1:{recorder.port}",
                             env={"SSLKEYLOGFILE": str(logs["client"])})
                    recorder.close()
                capture = support.folder() / f"{suite}.pcap"
                recorder.write(capture)
                for log in logs.values():
                    self.decrypted(capture, recorder.port, log)
                lines = [set(log.read_text().splitlines()) for log in logs.values()]
                self.assertEqual(*lines)

    def decrypted(self, capture, port, log):
        done = support.run(["tshark", "-r", capture, "-d", f"tcp.port=={port},tls", "-o",
                            f"tls.keylog_file:{log}", "-Y", "http", "-T", "fields", "-e",
                            "http.request.method", "-e", "http.request.uri", "-e",
                            "http.response.code", "-e", "http.file_data"])
        text = done.stdout.decode()
        self.assertIn(f"GET\t{self.asked[0]}\t", text, log)
        self.assertIn("\t200\t", text, log)


if __name__ == "__main__":
    support.main()
