#!/usr/bin/env python3
"""`cleat get` against servers that others wrote: OpenSSL, GnuTLS, nginx, NSS, with every suite,
group and kind of certificate that both sides know; full, after a retry, resumed; with a client
certificate.
"""
import json
import os
import subprocess

from get_support import KEYS, GetTest, Peer, Scripted, free_port, need, nginx
from support import PATIENCE, Recorder, allow_short_tags, main

allow_short_tags()

SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
CCM = ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]
GROUPS = ["X25519", "P-256", "P-384", "P-521"]
# kind of key -> signature that a TLS 1.3 server makes with it
SIGNATURES = {
    "ecdsa-p256": "ecdsa_secp256r1_sha256",
    "ecdsa-p384": "ecdsa_secp384r1_sha384",
    "ecdsa-p521": "ecdsa_secp521r1_sha512",
    "rsa": "rsa_pss_rsae_",
    "rsa-pss": "rsa_pss_pss_",
    "ed25519": "ed25519",
}


class PeerTest:
    """What every peer is put through; GetTests that start theirs in peer() mix it in."""

    kinds = list(SIGNATURES)
    suites = SUITES
    programs = []

    @classmethod
    def setUpClass(cls):
        need(*cls.programs)
        super().setUpClass()
        cls.leaves = {kind: cls.ca.leaf(kind, kind) for kind in cls.kinds}

    def url(self, peer):
        return f"https://localhost:{peer.port}/"

    def check(self, facts, **want):
        self.assertEqual(facts["http_code"], 200)
        self.assertEqual(facts["tls_version"], "TLSv1.3")
        self.assertEqual(facts["ssl_verify_result"], 0)
        self.assertGreater(facts["size_download"], 0)
        for name, value in want.items():
            self.assertEqual(facts[name], value, name)

    def test_every_kind_of_certificate(self):
        for kind, (cert, key) in self.leaves.items():
            with self.subTest(kind), self.peer(cert, key) as peer:
                facts = self.facts(self.url(peer))
                self.check(facts)
                self.assertTrue(facts["tls_signature"].startswith(SIGNATURES[kind]), facts)

    def test_every_suite(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            for suite in self.suites:
                with self.subTest(suite):
                    facts = self.facts("--tls13-ciphers", suite, self.url(peer))
                    self.check(facts, tls_cipher=suite)

    def test_every_group(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            for group in GROUPS:
                with self.subTest(group):
                    self.check(self.facts("--curves", group, self.url(peer)), tls_group=group,
                               tls_hello_retry=False)

    def test_resumption(self):
        with self.peer(*self.leaves["rsa"]) as peer:
            result = self.fetch("-sS", "-H", "Connection: close", "-o", "/dev/null", "-o",
                                "/dev/null", "-w", "%{json}\n", self.url(peer), self.url(peer))
        first, second = map(json.loads, result.stdout.splitlines())
        self.check(first, tls_resumed=False)
        self.check(second, tls_resumed=True)

    def test_a_group_that_is_not_shared_is_a_handshake_failure(self):
        with self.peer(*self.leaves["ecdsa-p256"], groups="P-384") as peer:
            result = self.fetch("-sS", "--curves", "X25519", self.url(peer), code=35)
            self.assertIn("alert", result.stderr.decode())

    def test_a_retry_for_another_group(self):
        with self.peer(*self.leaves["ecdsa-p256"], groups="P-384") as peer:
            for suite in self.suites:
                with self.subTest(suite):
                    facts = self.facts("--tls13-ciphers", suite, self.url(peer))
                    self.check(facts, tls_group="P-384", tls_hello_retry=True)


class OpenSSL(PeerTest, GetTest):
    programs = ["openssl"]

    def peer(self, cert, key, groups=None, extra=()):
        port = free_port()
        argv = ["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-www",
                "-quiet", "-ciphersuites", ":".join(SUITES + CCM), *extra]
        if groups:
            argv += ["-groups", groups]
        return Peer(argv, port, self.folder)

    def test_ccm_when_it_is_asked_for(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            for suite in CCM:
                with self.subTest(suite):
                    facts = self.facts("--tls13-ciphers", suite, self.url(peer))
                    self.check(facts, tls_cipher=suite)

    def test_every_signature_scheme(self):
        schemes = {"ecdsa-p256": ["ecdsa_secp256r1_sha256"], "ed25519": ["ed25519"],
                   "rsa": [f"rsa_pss_rsae_sha{n}" for n in (256, 384, 512)],
                   "rsa-pss": [f"rsa_pss_pss_sha{n}" for n in (256, 384, 512)]}
        for kind, names in schemes.items():
            with self.peer(*self.leaves[kind]) as peer:
                for name in names:
                    with self.subTest(name):
                        # The chain is signed with ecdsa_secp256r1_sha256.
                        offered = f"{name}:ecdsa_secp256r1_sha256"
                        facts = self.facts("--sigalgs", offered, self.url(peer))
                        self.check(facts, tls_signature=name)

    def test_a_retry_that_resumes(self):
        with self.peer(*self.leaves["ecdsa-p256"], groups="P-521") as peer:
            result = self.fetch("-sS", "-o", "/dev/null", "-o", "/dev/null", "-w", "%{json}\n",
                                self.url(peer), self.url(peer))
        second = json.loads(result.stdout.splitlines()[1])
        self.check(second, tls_resumed=True, tls_group="P-521")

    def test_client_certificates(self):
        extra = ["-Verify", "2", "-CAfile", self.ca.cert, "-verify_return_error"]
        with self.peer(*self.leaves["ecdsa-p256"], extra=extra) as peer:
            for kind in KEYS:
                with self.subTest(kind):
                    cert, key = self.ca.leaf(f"client-{kind}", kind, usage="clientAuth")
                    self.check(self.facts("-E", cert, "--key", key, self.url(peer)))
                    both = self.folder / f"both-{kind}.pem"
                    both.write_bytes(cert.read_bytes() + key.read_bytes())
                    self.check(self.facts("-E", both, self.url(peer)))
            text = self.fetch("-sS", self.url(peer), code=56).stderr.decode()
            self.assertIn("ended the connection with the alert certificate_required", text)
            self.assertIn("-E FILE", text)

    def test_large_files_arrive_whole(self):
        data = os.urandom(3_000_000)
        (self.folder / "large.bin").write_bytes(data)
        port = free_port()
        cert, key = self.leaves["ecdsa-p256"]
        argv = ["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-WWW",
                "-quiet"]
        with Peer(argv, port, self.folder, cwd=self.folder) as peer:
            for suite in SUITES:
                self.facts("--tls13-ciphers", suite, self.url(peer) + "large.bin")
                self.assertEqual((self.folder / "body").read_bytes(), data)

    def test_servers_of_older_versions_are_refused_clearly(self):
        low = ["-cipher", "ALL:@SECLEVEL=0"]
        for extra, args, hint in ((["-tls1_2"], ["--tlsv1.3"], "--tls-min 1.2 offers"),
                                  (["-tls1_1", *low], ["--tlsv1.2"], "older than TLS 1.2"),
                                  (["-tls1", *low], [], "older than TLS 1.2"),
                                  (["-tls1_2"], ["--profile", "internal"], "profile show"),
                                  (["-tls1_3"], ["--tls-max", "1.2"], "leave out --tls-max")):
            with self.subTest(extra), self.peer(*self.leaves["ecdsa-p256"], extra=extra) as peer:
                text = self.fetch("-sS", *args, self.url(peer), code=35).stderr.decode()
                self.assertIn("ended the TLS handshake with the alert protocol_version\n", text)
                self.assertRegex(text, rf"\n  hint: .*{hint}")

    def test_alpn(self):
        with self.peer(*self.leaves["ecdsa-p256"], extra=["-alpn", "http/1.1"]) as peer:
            self.check(self.facts(self.url(peer)), tls_alpn="http/1.1")
            self.check(self.facts("--no-alpn", self.url(peer)), tls_alpn=None)
            result = self.fetch("-sS", "--alpn", "h9", self.url(peer), code=35)
            self.assertIn("no_application_protocol", result.stderr.decode())
            self.assertIn("see --alpn", result.stderr.decode())

    def test_the_trace_is_json_lines_without_secrets(self):
        trace, keys = self.folder / "trace.json", self.folder / "keys.log"
        with self.peer(*self.leaves["ecdsa-p256"], groups="P-256") as peer:
            self.fetch("-sS", "-o", "/dev/null", "--trace-json", trace, "-u", "user:hunter2",
                       self.url(peer), env={"SSLKEYLOGFILE": str(keys)})
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        self.assertTrue(all(line["schema"] == 1 for line in lines))
        times = [line["t"] for line in lines]
        self.assertEqual(times, sorted(times))
        events = [line["event"] for line in lines]
        for event in ("dns.ask", "dns.answer", "tcp.try", "tcp.connected", "tls.message",
                      "tls.choice", "tls.key", "tls.ready", "tls.verdict", "http.request",
                      "http.response", "http.body"):
            self.assertIn(event, events)
        hellos = [m["sent"] for m in lines
                  if m["event"] == "tls.message" and m["name"] == "ClientHello"]
        self.assertEqual(hellos, [True, True])
        verdict = lines[events.index("tls.verdict")]
        self.assertGreater(verdict["us"], verdict["signatures_us"])
        self.assertGreater(verdict["signatures_us"], 0)
        text = trace.read_text()
        self.assertNotIn("aHVudGVyMg", text)
        self.assertNotIn("dXNlcjpodW50ZXIy", text)
        for line in keys.read_text().splitlines():
            if not line.startswith("#"):
                self.assertNotIn(line.split()[2], text)

    def test_a_server_that_is_met_again_is_remembered(self):
        trace = self.folder / "again.jsonl"
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            url = self.url(peer)
            story = self.fetch("-v", "--no-sessionid", "--trace-json", trace, "-o", "/dev/null",
                               "-o", "/dev/null", url, url).stderr.decode()
        self.assertRegex(story, r"remembered: made \d+ s ago for the same chain")
        verdicts = [line for line in map(json.loads, trace.read_text().splitlines())
                    if line.get("event") == "tls.verdict"]
        self.assertNotIn("remembered_since", verdicts[0])
        self.assertGreater(verdicts[1]["remembered_since"], 1700000000)

    def test_the_key_log_has_the_five_secrets(self):
        keys = self.folder / "keys2.log"
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            self.fetch("-sS", "-o", "/dev/null", self.url(peer), env={"SSLKEYLOGFILE": str(keys)})
        labels = {line.split()[0] for line in keys.read_text().splitlines()}
        self.assertLessEqual({"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                              "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
                              "EXPORTER_SECRET"}, labels)
        self.assertEqual(keys.stat().st_mode & 0o777, 0o600)

    def test_the_story_names_every_step(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            story = self.fetch("-v", "-o", "/dev/null", self.url(peer)).stderr.decode()
        for words in ("looking up", "connecting to", "connected to", "ClientHello", "ServerHello",
                      "cipher suite: TLS_AES_128_GCM_SHA256", "group: X25519", "CertificateVerify",
                      "verified: a path of 2 certificates", " us (signatures ",
                      "> GET / HTTP/1.1", "< HTTP/1.0 200"):
            self.assertIn(words, story)
        self.assertNotIn("\033", story)


class GnuTLS(PeerTest, GetTest):
    programs = ["gnutls-serv"]
    kinds = ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa", "rsa-pss", "ed25519"]
    names = {"X25519": "X25519", "P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}

    def peer(self, cert, key, groups=None):
        port = free_port()
        priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+AES-128-CCM:+AES-128-CCM-8"
        if groups:
            priority += f":-GROUP-ALL:+GROUP-{self.names[groups]}"
        return Peer(["gnutls-serv", "--http", "--quiet", "--port", port, "--priority", priority,
                     "--x509certfile", cert, "--x509keyfile", key, "--disable-client-cert"],
                    port, self.folder)

    def test_ccm_when_it_is_asked_for(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            for suite in CCM:
                with self.subTest(suite):
                    facts = self.facts("--tls13-ciphers", suite, self.url(peer))
                    self.check(facts, tls_cipher=suite)


class Nginx(PeerTest, GetTest):
    programs = ["nginx"]
    names = {"X25519": "X25519", "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}

    def peer(self, cert, key, groups=None):
        curves = self.names[groups] if groups else ":".join(self.names.values())
        return nginx(self.folder, cert, key, "ssl_protocols TLSv1.3;", f"ssl_ecdh_curve {curves};",
                     "ssl_session_tickets on;", "location = /moved { return 302 /index.html; }",
                     page="hello from nginx\n" * 100)

    def test_a_redirect_stays_on_the_connection(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            facts = self.facts("-L", self.url(peer) + "moved")
            self.check(facts, num_redirects=1, num_connects=1, tls_resumed=False)
            facts = self.facts("-L", "-H", "Connection: close", self.url(peer) + "moved")
            self.check(facts, num_redirects=1, num_connects=2, tls_resumed=True)

    def test_further_urls_use_the_connection_again(self):
        with self.peer(*self.leaves["ecdsa-p256"]) as peer:
            result = self.fetch("-sS", "-w", "%{num_connects} %{time_connect} %{remote_port}\n",
                                *["-o", "/dev/null"] * 3, *[self.url(peer)] * 3)
        first, *others = [line.split() for line in result.stdout.decode().splitlines()]
        self.assertEqual([first[0], first[2]], ["1", str(peer.port)])
        self.assertEqual(others, [["0", "0.000000", str(peer.port)]] * 2)


class NSS(GetTest):
    """selfserv is not in every package of NSS: skipped where it is missing."""

    @classmethod
    def setUpClass(cls):
        need("selfserv", "certutil", "pk12util")
        super().setUpClass()
        cls.cert, cls.key = cls.ca.leaf()

    def test_selfserv(self):
        db, p12, port = self.folder / "nss", self.folder / "leaf.p12", free_port()
        db.mkdir()
        run = {"check": True, "capture_output": True, "timeout": PATIENCE}
        subprocess.run(["certutil", "-N", "-d", f"sql:{db}", "--empty-password"], **run)
        subprocess.run(["openssl", "pkcs12", "-export", "-in", self.cert, "-inkey", self.key,
                        "-name", "leaf", "-passout", "pass:", "-out", p12], **run)
        subprocess.run(["pk12util", "-i", p12, "-d", f"sql:{db}", "-W", ""], **run)
        argv = ["selfserv", "-d", f"sql:{db}", "-n", "leaf", "-p", port, "-V", "tls1.3:tls1.3"]
        with Peer(argv, port, self.folder) as peer:
            facts = self.facts(f"https://localhost:{peer.port}/")
        self.assertEqual(facts["tls_version"], "TLSv1.3")


class KeyLog(GetTest):
    """tshark reads what went over the wire, with the secrets that we logged."""

    def test_wireshark_decrypts_a_capture(self):
        need("tshark")
        cert, key = self.ca.leaf()
        keys, capture = self.folder / "keys.log", self.folder / "wire.pcap"

        def script(tls, head):
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            return "close"
        with Scripted(cert, key, script) as peer:
            recorder = Recorder(peer.port)
            port = recorder.port
            self.fetch("-sS", "-4", "-o", "/dev/null", f"https://localhost:{port}/",
                       env={"SSLKEYLOGFILE": str(keys)})
        recorder.close()
        recorder.write(capture)
        read = subprocess.run(["tshark", "-r", capture, "-o", f"tls.keylog_file:{keys}", "-d",
                               f"tcp.port=={port},tls", "-Y", "http", "-T", "fields", "-e",
                               "http.request.method", "-e", "http.response.code"],
                              capture_output=True, timeout=PATIENCE)
        self.assertIn(b"GET", read.stdout, read.stderr)
        self.assertIn(b"200", read.stdout)


if __name__ == "__main__":
    main()
