#!/usr/bin/env python3
"""`cleat serve` as OpenSSL's s_client sees it: every suite, group and kind of certificate; full,
after a retry, resumed; client certificates, KeyUpdate, ALPN, server names, key log."""
import subprocess
import time
import unittest

import matrix
import support
from matrix import GROUPS, SIGNATURES, SUITES, ServeTest

support.need("openssl")
support.allow_short_tags()
CA = support.make_ca()
# s_client's words for what the server signed with, before 3.5 and since
PEER_SIGNATURE = {"ecdsa": "ECDSA", "ecdsa384": "ECDSA", "ecdsa521": "ECDSA", "rsa": "RSA-PSS",
                  "rsapss": "RSA-PSS", "ed25519": "ed25519"}


class Client:
    """A running s_client: what it says is collected, and it is ended with the `with` block."""

    def __init__(self, port, *args, name="localhost"):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(CA.cert),
             "-servername", name, "-verify_hostname", name, "-verify_return_error",
             *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.said = support.Lines(self.process.stdout)

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class OpenSSLTest(ServeTest):
    def ask(self, server, *args, name="localhost", check=True, path=None):
        """One request through s_client, which prints all that it knows."""
        self.asked = path or self.path()
        done = support.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", CA.cert,
             "-servername", name, "-verify_hostname", name, "-verify_return_error", "-ign_eof",
             *args], check=False, stdin=None, input=matrix.last_request(self.asked))
        text = (done.stdout + done.stderr).decode(errors="replace")
        if check:
            self.assertEqual(done.returncode, 0, text)
            self.assertIn("\nserved\n", text)
        return text


class Matrix(OpenSSLTest):
    def full(self, server, suite, group, kind):
        text = self.ask(server, "-ciphersuites", suite, "-groups", group)
        self.assertIn(f"New, TLSv1.3, Cipher is {suite}", text)
        self.assertIn("Verify return code: 0 (ok)", text)
        self.assertRegex(text, "Peer signature type: "
                         rf"({PEER_SIGNATURE[kind]}|(?i:{SIGNATURES[kind]}))\n")
        self.agreed(server, self.asked, suite, group, kind)

    def test_every_suite_group_and_kind_of_certificate(self):
        for kind in SIGNATURES:
            with matrix.serve([matrix.leaf(CA, kind)]) as server:
                for suite, group in matrix.cases():
                    with self.subTest(kind=kind, suite=suite, group=group):
                        self.full(server, suite, group, kind)

    def test_key_files_of_every_form(self):
        forms = {"ecdsa": ["ec"], "ecdsa384": ["ec"], "rsa": ["rsa", "-traditional"]}
        heads = {"ec": "-----BEGIN EC PRIVATE KEY-----", "rsa": "-----BEGIN RSA PRIVATE KEY-----"}
        for kind, command in forms.items():
            with self.subTest(kind):
                pair = matrix.leaf(CA, kind)
                old = support.folder() / f"traditional-{kind}.key"
                support.run(["openssl", *command, "-in", pair.key, "-out", old])
                old.chmod(0o600)
                self.assertIn(heads[command[0]], old.read_text())
                self.assertIn("-----BEGIN PRIVATE KEY-----", pair.key.read_text())
                with matrix.serve([support.Pair(pair.cert, old)]) as server:
                    self.full(server, SUITES[0], GROUPS[0], kind)

    def test_every_signature_scheme(self):
        schemes = [("ecdsa", "ecdsa_secp256r1_sha256"), ("ecdsa384", "ecdsa_secp384r1_sha384"),
                   ("ecdsa521", "ecdsa_secp521r1_sha512"), ("ed25519", "ed25519")]
        schemes += [(k, f"rsa_pss_{s}_sha{n}") for k, s in (("rsa", "rsae"), ("rsapss", "pss"))
                    for n in (256, 384, 512)]
        for kind, scheme in schemes:
            with self.subTest(scheme), matrix.serve([matrix.leaf(CA, kind)]) as server:
                # The CA's signature must be among them too.
                words = dict.fromkeys([scheme, "ecdsa_secp256r1_sha256"])
                self.ask(server, "-sigalgs", ":".join(words))
                seen = self.agreed(server, self.asked, kind=kind)
                self.assertEqual(seen.words[3], scheme)

    def test_a_retry_for_every_group(self):
        for group in GROUPS:
            other = next(g for g in GROUPS if g != group)
            with matrix.serve([matrix.leaf(CA, "ecdsa")],
                              offer=["--ciphers", ":".join(SUITES), "--curves", group]) as server:
                for suite in SUITES:
                    with self.subTest(group=group, suite=suite):
                        # s_client sends a share of its first group only
                        self.ask(server, "-groups", f"{other}:{group}", "-ciphersuites", suite)
                        self.agreed(server, self.asked, suite, group, "ecdsa", retry=True)

    def resume(self, server, suite, group, kind, retry=False, args=()):
        ticket = support.folder() / f"{suite}-{group}-{kind}.session"
        args = ["-ciphersuites", suite, *args]
        self.ask(server, *args, "-sess_out", ticket)
        self.agreed(server, self.asked, suite, group, kind, retry=retry)
        for _ in range(2):
            text = self.ask(server, *args, "-sess_in", ticket, "-sess_out", ticket)
            self.assertIn(f"Reused, TLSv1.3, Cipher is {suite}", text)
            self.agreed(server, self.asked, suite, group, resumed=True, retry=retry)

    def test_resumption_with_every_suite_and_group(self):
        for kind in ("ecdsa", "rsa"):
            with matrix.serve([matrix.leaf(CA, kind)]) as server:
                for suite, group in matrix.cases():
                    with self.subTest(kind=kind, suite=suite, group=group):
                        self.resume(server, suite, group, kind, args=["-groups", group])

    def test_resumption_after_a_retry(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")],
                          offer=["--ciphers", ":".join(SUITES), "--curves", "X25519"]) as server:
            for suite in SUITES:
                with self.subTest(suite):
                    self.resume(server, suite, "X25519", "ecdsa", retry=True,
                                args=["-groups", "P-521:X25519"])

    def test_a_ticket_of_another_hash_leads_to_a_full_handshake(self):
        ticket = support.folder() / "hash.session"
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            self.ask(server, "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-sess_out", ticket)
            text = self.ask(server, "-ciphersuites", "TLS_AES_256_GCM_SHA384", "-sess_in", ticket)
            self.assertIn("\nNew, TLSv1.3", text)
            self.agreed(server, self.asked, "TLS_AES_256_GCM_SHA384", kind="ecdsa")

    def test_a_ticket_of_another_server_leads_to_a_full_handshake(self):
        ticket = support.folder() / "stranger.session"
        pair = matrix.leaf(CA, "ecdsa")
        with matrix.serve([pair]) as first, matrix.serve([pair]) as second:
            self.ask(first, "-sess_out", ticket)
            self.assertIn("\nNew, TLSv1.3", self.ask(second, "-sess_in", ticket))
            self.agreed(second, self.asked, kind="ecdsa")

    def test_key_updates(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            for suite in SUITES:
                with self.subTest(suite), \
                        Client(server.port, "-msg", "-ciphersuites", suite) as client:
                    client.said.wait_for("Verify return code: 0")
                    # k: ours only; K: ask the server to update too
                    for letter in (b"k", b"K", b"k", b"K"):
                        client.say(letter + b"\n")
                        client.said.wait_for("KEYUPDATE")
                        # s_client takes a command for one only in a read of its own
                        time.sleep(0.05)
                        path = self.path()
                        client.say(matrix.request(path))
                        self.agreed(server, path, suite)
                    end = self.path()
                    client.say(matrix.last_request(end))
                    self.agreed(server, end, suite)
                    client.said.wait_for("^closed$")
                    said = client.said.text()
                    self.assertEqual(said.count("\nserved"), 5, said)
                    update = "TLS 1.3, Handshake [length 0005], KeyUpdate"
                    self.assertEqual(said.count(">>> " + update), 4)
                    self.assertEqual(said.count("<<< " + update), 2)


class Choice(OpenSSLTest):
    """What the server picks, and what it refuses."""

    def test_alpn(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")]) as server:
            self.assertIn("ALPN protocol: h2",
                          self.ask(server, "-alpn", "http/1.1,h2", check=False))
            self.assertIn("ALPN protocol: http/1.1", self.ask(server, "-alpn", "http/1.1"))
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--no-http2") as server:
            self.assertIn("ALPN protocol: http/1.1", self.ask(server, "-alpn", "h2,http/1.1"))
            self.agreed(server, self.asked, alpn="http/1.1")
            self.assertIn("No ALPN negotiated", self.ask(server))
            self.assertIn("alert number 120", self.ask(server, "-alpn", "h9", check=False))

    def test_certificates_by_name(self):
        shop = support.make_leaf(CA, "shop", hosts=("shop.example", "*.shop.example"))
        with matrix.serve([matrix.leaf(CA, "ecdsa"), shop]) as server:
            for name, subject in (("shop.example", "shop"), ("SHOP.example", "shop"),
                                  ("a.shop.example", "shop"), ("localhost", "leaf-ecdsa")):
                with self.subTest(name):
                    self.assertRegex(self.ask(server, name=name), f"subject=CN ?= ?{subject}\n")
                    self.agreed(server, self.asked, name=name.lower())

    def test_certificates_by_signature_algorithm(self):
        schemes = {"ecdsa": "ecdsa_secp256r1_sha256", "ed25519": "ed25519",
                   "rsa": "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"}
        authorities = {kind: support.make_ca(f"{kind}-ca", kind) for kind in schemes}
        pairs = [support.make_leaf(ca, f"all-{kind}", kind) for kind, ca in authorities.items()]
        with matrix.serve(pairs) as server:
            for kind, words in schemes.items():
                with self.subTest(kind):
                    text = self.ask(server, "-CAfile", authorities[kind].cert, "-sigalgs", words)
                    self.assertRegex(text, f"subject=CN ?= ?all-{kind}\n")
                    self.agreed(server, self.asked, kind=kind)

    def test_nothing_in_common_is_a_handshake_failure(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")],
                          offer=["--ciphers", SUITES[0], "--curves", "X25519"]) as server:
            for args in (["-ciphersuites", SUITES[1]], ["-groups", "P-384"]):
                with self.subTest(args):
                    self.assertIn("alert number 40", self.ask(server, *args, check=False))
            server.errors.wait_for("handshake failed: .*NO_SHARED")

    def test_the_key_log_has_what_s_client_logs(self):
        ours, theirs = support.folder() / "ours.log", support.folder() / "theirs.log"
        with matrix.serve([matrix.leaf(CA, "ecdsa")], env={"SSLKEYLOGFILE": str(ours)}) as server:
            self.ask(server, "-keylogfile", theirs)
        labels = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                  "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET")
        here, there = (set(f.read_text().lower().splitlines()) for f in (ours, theirs))
        for label in labels:
            want = {line for line in there if line.startswith(label.lower() + " ")}
            self.assertEqual(len(want), 1, label)
            self.assertLessEqual(want, here, label)
        self.assertEqual(ours.stat().st_mode & 0o777, 0o600)


class ClientCertificates(OpenSSLTest):
    def test_every_kind_is_verified(self):
        for mode in ("required", "optional"):
            with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert, "--client-auth",
                              mode) as server:
                for kind in SIGNATURES:
                    with self.subTest(mode=mode, kind=kind):
                        mine = support.make_leaf(CA, f"client-{kind}", kind, ["client.example"],
                                                 purpose="clientAuth")
                        self.ask(server, "-cert", mine.cert, "-key", mine.key)
                        self.agreed(server, self.asked, client=True)

    def test_none_is_fine_where_it_is_optional(self):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert, "--client-auth",
                          "optional") as server:
            self.ask(server)
            self.agreed(server, self.asked, client=False)

    def refused(self, alert, reason, *args, mode="required"):
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert, "--client-auth",
                          mode) as server:
            text = self.ask(server, *args, check=False)
            self.assertIn(f"alert number {alert}", text)
            self.assertNotIn("\nserved", text)
            server.errors.wait_for(f"handshake failed: .*{reason}")
        self.assertEqual(server.access.text(), "")

    def test_none_where_it_is_required(self):
        self.refused(116, "")

    def test_one_of_an_unknown_ca_is_refused_in_both_modes(self):
        stranger = support.make_leaf(support.make_ca("stranger"), "mallory", hosts=["m.example"],
                                     purpose="clientAuth")
        for mode in ("required", "optional"):
            self.refused(48, "UNKNOWN_ISSUER", "-cert", stranger.cert, "-key", stranger.key,
                         mode=mode)

    def test_one_for_servers_is_refused(self):
        wrong = support.make_leaf(CA, "not-a-client", hosts=["s.example"])
        self.refused(43, "BAD_KEY_USAGE", "-cert", wrong.cert, "-key", wrong.key)

    def test_resumption_keeps_the_client_authenticated(self):
        mine = support.make_leaf(CA, "client-again", hosts=["again.example"], purpose="clientAuth")
        ticket = support.folder() / "client.session"
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert) as server:
            self.ask(server, "-cert", mine.cert, "-key", mine.key, "-sess_out", ticket)
            text = self.ask(server, "-cert", mine.cert, "-key", mine.key, "-sess_in", ticket)
            self.assertIn("\nReused, TLSv1.3", text)
            self.agreed(server, self.asked, resumed=True, client=True)

    def test_a_ticket_from_where_no_certificate_was_asked_for_is_worth_nothing_here(self):
        ticket = support.folder() / "anonymous.session"
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert, "--client-auth",
                          "optional") as server:
            self.ask(server, "-sess_out", ticket)
            self.agreed(server, self.asked, client=False)
        with matrix.serve([matrix.leaf(CA, "ecdsa")], "--client-ca", CA.cert) as server:
            self.assertIn("alert number 116", self.ask(server, "-sess_in", ticket, check=False))


if __name__ == "__main__":
    support.main()
