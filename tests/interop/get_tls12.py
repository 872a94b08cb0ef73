#!/usr/bin/env python3
"""`cleat get` at TLS 1.2 against OpenSSL, GnuTLS and nginx: every suite, group and kind of
certificate, full and resumed; by session ID too; sessions in a file."""
import json
import os
import stat

import get_support
import support
from get_support import GetTest, Peer, free_port
from matrix import GROUPS, SUITES_12, cases

support.need("openssl")
KINDS = {"ecdsa-p256": "ecdsa", "ecdsa-p384": "ecdsa384", "ecdsa-p521": "ecdsa521", "rsa": "rsa",
         "rsa-pss": "rsapss", "ed25519": "ed25519"}


class Pairs:
    """What every peer is put through; a GetTest mixes it in and starts its peer in peer()."""

    programs = []

    @classmethod
    def setUpClass(cls):
        get_support.need(*cls.programs)
        super().setUpClass()
        cls.leaves = {kind: cls.ca.leaf(kind, kind) for kind in KINDS}

    def agreed(self, facts, suite, group=None, resumed=False):
        got = [facts[name] for name in ("http_code", "tls_version", "tls_cipher", "tls_resumed",
                                        "ssl_verify_result")]
        self.assertEqual(got, [200, "TLSv1.2", SUITES_12[suite][0], resumed, 0])
        if group:
            self.assertEqual(facts["tls_group"], group)

    def twice(self, peer, *args):
        url = f"https://localhost:{peer.port}/"
        done = self.fetch("-sS", "-H", "Connection: close", "--tls-max", "1.2", *args, "-o",
                          "/dev/null", "-o", "/dev/null", "-w", "%{json}\n", url, url)
        return map(json.loads, done.stdout.splitlines())

    def test_every_suite_group_and_kind_of_certificate_full_and_resumed(self):
        for kind, word in KINDS.items():
            with self.peer(*self.leaves[kind]) as peer:
                for suite, group in cases(list(SUITES_12)):
                    if word not in SUITES_12[suite][2]:
                        continue
                    curves = [group] + [g for g in GROUPS if g != group]
                    with self.subTest(kind=kind, suite=suite, group=group):
                        first, second = self.twice(peer, "--ciphers", suite, "--curves",
                                                   ":".join(curves))
                        self.agreed(first, suite)
                        self.agreed(second, suite, resumed=True)

    def test_resumption_by_session_id(self):
        with self.peer(*self.leaves["ecdsa-p256"], tickets=False) as peer:
            first, second = self.twice(peer, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")
            self.agreed(first, "ECDHE-ECDSA-AES128-GCM-SHA256")
            self.agreed(second, "ECDHE-ECDSA-AES128-GCM-SHA256", resumed=True)

    def test_without_sessions_every_handshake_is_a_full_one(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            suite = "ECDHE-ECDSA-AES128-GCM-SHA256"
            for facts in self.twice(peer, "--no-sessionid", "--ciphers", suite):
                self.agreed(facts, suite)

    def test_false_start_sends_the_request_behind_our_finished(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            url = f"https://localhost:{peer.port}/"
            for args, expected in ((("--false-start",), True), ((), False)):
                with self.subTest(args=args):
                    done = self.fetch("-sS", "-v", "--tls-max", "1.2", *args, "-o", "/dev/null",
                                      url)
                    self.assertEqual(b"False Start" in done.stderr, expected)
            first, second = self.twice(peer, "--false-start", "--ciphers",
                                       "ECDHE-ECDSA-AES128-GCM-SHA256")
            self.agreed(first, "ECDHE-ECDSA-AES128-GCM-SHA256")
            self.agreed(second, "ECDHE-ECDSA-AES128-GCM-SHA256", resumed=True)

    def test_a_fallback_is_refused_by_a_server_of_13(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            url = f"https://localhost:{peer.port}/"
            done = self.fetch("-sS", "--fallback-scsv", "--tls-max", "1.2", url, code=35)
            self.assertIn(b"inappropriate_fallback", done.stderr)
            facts = self.facts("--fallback-scsv", url)
            self.assertEqual(facts["tls_version"], "TLSv1.3")

    def run_with(self, peer, file, *args):
        return self.facts("-H", "Connection: close", "--ssl-sessions", file, *args,
                          f"https://localhost:{peer.port}/")["tls_resumed"]

    def test_sessions_in_a_file_of_both_versions(self):
        for args in (("--tls-max", "1.2"), ("--tls-min", "1.3")):
            file = self.folder / f"sessions-{type(self).__name__}{args[1]}"
            with self.peer(*self.leaves["ecdsa-p256"]) as peer, self.subTest(args=args):
                self.assertFalse(self.run_with(peer, file, *args))
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
                self.assertTrue(self.run_with(peer, file, *args))
                # bound to the policy, too
                self.assertFalse(self.run_with(peer, file, *args, "--no-alpn"))
                self.assertTrue(self.run_with(peer, file, *args))
                self.assertEqual(list(self.folder.glob("sessions*.??????")), [])


class OpenSSL(Pairs, GetTest):
    programs = ["openssl"]

    def peer(self, cert, key, tickets=True):
        port = free_port()
        return Peer(["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-www",
                     "-quiet", "-cipher", "ALL:@SECLEVEL=0", *([] if tickets else ["-no_ticket"])],
                    port, self.folder)

    def test_a_file_that_others_may_read_or_that_is_none_is_not_used(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            file = self.folder / "wide"
            self.assertFalse(self.run_with(peer, file))
            file.chmod(0o644)
            done = self.fetch("-sS", "--ssl-sessions", file, "-o", "/dev/null", "-w",
                              "%{tls_resumed}", f"https://localhost:{peer.port}/")
            self.assertIn(b"can be read or written by others", done.stderr)
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
            self.assertTrue(self.run_with(peer, file))
            file.write_bytes(b"nothing of ours")
            done = self.fetch("-sS", "--ssl-sessions", file, "-o", "/dev/null",
                              f"https://localhost:{peer.port}/")
            self.assertIn(b"begun anew", done.stderr)
            self.assertTrue(self.run_with(peer, file))

    def test_runs_at_the_same_time_lose_nothing_of_each_other(self):
        file = self.folder / "shared"
        with self.peer(*self.leaves["ecdsa-p256"]) as a, \
                self.peer(*self.leaves["ecdsa-p256"]) as b:
            for _ in range(5):
                running = [get_support.subprocess.Popen(
                    [os.environ["CLEAT_PROGRAM"], "get", "-sS", "--cacert", self.ca.cert,
                     "--ssl-sessions", file, "-o", "/dev/null",
                     f"https://localhost:{peer.port}/"]) for peer in (a, b, a, b)]
                for process in running:
                    self.assertEqual(process.wait(support.PATIENCE), 0)
            self.assertTrue(self.run_with(a, file))
            self.assertTrue(self.run_with(b, file))

    def test_a_server_without_the_extended_master_secret_needs_the_legacy_profile(self):
        port = free_port()
        config = self.folder / "no-ems.cnf"
        config.write_text("openssl_conf = o\n[o]\nssl_conf = s\n[s]\nsystem_default = d\n"
                          "[d]\nOptions = -ExtendedMasterSecret\n")
        cert, key = self.leaves["ecdsa-p256"]
        with Peer(["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-www",
                   "-quiet", "-tls1_2"], port, self.folder,
                  env={**os.environ, "OPENSSL_CONF": str(config)}):
            url = f"https://localhost:{port}/"
            done = self.fetch("-sS", url, code=35)
            self.assertIn(b"extended_master_secret", done.stderr)
            self.assertEqual(self.facts("--profile", "legacy", url)["http_code"], 200)


class GnuTLS(Pairs, GetTest):
    programs = ["gnutls-serv"]

    def peer(self, cert, key, tickets=True):
        priority = "NORMAL:+AES-128-CCM:+AES-128-CCM-8:+AES-256-CCM:+AES-256-CCM-8:+GROUP-ALL"
        port = free_port()
        return Peer(["gnutls-serv", "--http", "--quiet", "--port", port, "--priority", priority,
                     "--x509certfile", cert, "--x509keyfile", key, "--disable-client-cert",
                     *([] if tickets else ["--noticket"])], port, self.folder)


class Nginx(Pairs, GetTest):
    programs = ["nginx"]

    def peer(self, cert, key, tickets=True):
        return get_support.nginx(self.folder, cert, key, "ssl_protocols TLSv1.2 TLSv1.3;",
                                 "ssl_ciphers ALL:@SECLEVEL=0;",
                                 f"ssl_ecdh_curve {':'.join(GROUPS)};",
                                 "ssl_session_cache shared:sessions:1m;",
                                 f"ssl_session_tickets {'on' if tickets else 'off'};")


if __name__ == "__main__":
    support.main()
