#!/usr/bin/env python3
"""What TLS 1.2 has for peers that have nothing better (profile legacy, and the suite's name): RSA
key exchange, DHE, AES-CBC with encrypt-then-MAC and without, PSKs; OpenSSL and GnuTLS, both
roles."""
import os

import get_support
import matrix
import support
from get_support import GetTest, Peer, free_port
from matrix import ECDSA, RSA, ServeTest

support.need("openssl", "gnutls-cli", "gnutls-serv")
CA = support.make_ca()
# As SUITES_12: OpenSSL's name, IANA's, GnuTLS' words (the last one is the MAC), the certificates.
SUITES = {
    "AES128-GCM-SHA256":
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", "RSA:+AES-128-GCM:+AEAD", ("rsa",)),
    "AES256-GCM-SHA384":
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", "RSA:+AES-256-GCM:+AEAD", ("rsa",)),
}
for ossl, iana, words in (("AES128-GCM-SHA256", "AES_128_GCM_SHA256", "AES-128-GCM"),
                          ("AES256-GCM-SHA384", "AES_256_GCM_SHA384", "AES-256-GCM"),
                          ("CHACHA20-POLY1305", "CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
                          ("AES128-CCM", "AES_128_CCM", "AES-128-CCM"),
                          ("AES256-CCM8", "AES_256_CCM_8", "AES-256-CCM-8")):
    SUITES[f"DHE-RSA-{ossl}"] = (f"TLS_DHE_RSA_WITH_{iana}", f"DHE-RSA:+{words}:+AEAD", ("rsa",))
for ossl, iana, gnutls, kinds in (("ECDHE-ECDSA-", "ECDHE_ECDSA", "ECDHE-ECDSA", ECDSA),
                                  ("ECDHE-RSA-", "ECDHE_RSA", "ECDHE-RSA", RSA),
                                  ("DHE-RSA-", "DHE_RSA", "DHE-RSA", ("rsa",)),
                                  ("", "RSA", "RSA", ("rsa",))):
    for bits, mac in ((128, "SHA"), (256, "SHA"), (128, "SHA256"),
                      (256, "SHA384" if ossl.startswith("ECDHE") else "SHA256")):
        word = "SHA1" if mac == "SHA" else mac
        SUITES[f"{ossl}AES{bits}-{mac}"] = (f"TLS_{iana}_WITH_AES_{bits}_CBC_{mac}",
                                            f"{gnutls}:+AES-{bits}-CBC:+{word}", kinds)
OFFER = ["--profile", "legacy", "--ciphers", ":".join(SUITES), "--curves", "X25519:P-256"]
KINDS = {"ecdsa": "ecdsa-p256", "rsa": "rsa"}
NO_ETM = ("openssl_conf = o\n[o]\nssl_conf = s\n[s]\nsystem_default = d\n"
          "[d]\nOptions = -EncryptThenMac\n")


def openssl_env(folder, encrypt_then_mac):
    if encrypt_then_mac:
        return dict(os.environ)
    config = folder / "no-etm.cnf"
    config.write_text(NO_ETM)
    return {**os.environ, "OPENSSL_CONF": str(config)}


def gnutls_priority(words, encrypt_then_mac):
    kx, cipher, mac = words.split(":+")
    # GnuTLS uses SHA-384 with CBC only when asked for it, and then without encrypt-then-MAC
    return ":".join(["NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:-CIPHER-ALL:-MAC-ALL", f"+{kx}",
                     f"+{cipher}", f"+{mac}", *([] if encrypt_then_mac else ["%NO_ETM"])])


def group_of(iana):
    return ("no (EC)DHE" if iana.startswith("TLS_RSA") else
            "ffdhe2048" if iana.startswith("TLS_DHE") else "X25519")


def field_file(folder, group):
    """OpenSSL's s_server has a group of its own unless it is given one."""
    path = folder / f"{group}.pem"
    if not path.exists():
        support.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
                     f"group:{group}", "-out", path])
    return path


def pairs():
    for suite, (iana, words, kinds) in SUITES.items():
        for encrypt_then_mac in (True, False) if "CBC" in iana else (True,):
            yield suite, iana, words, kinds, encrypt_then_mac


class Serve(ServeTest):
    version = "TLSv1.2"

    def each(self, ask):
        for kind in KINDS:
            with matrix.serve([matrix.leaf(CA, kind)], offer=OFFER) as server:
                for suite, iana, words, kinds, etm in pairs():
                    if kind not in kinds:
                        continue
                    with self.subTest(kind=kind, suite=suite, encrypt_then_mac=etm):
                        self.asked = self.path()
                        done = ask(server, suite, words, etm)
                        text = (done.stdout + done.stderr).decode(errors="replace")
                        self.assertEqual(done.returncode, 0, text)
                        self.assertIn("\nserved\n", text)
                        self.agreed(server, self.asked, iana, group_of(iana))
                        self.warned(server, iana)

    def warned(self, server, iana):
        address = matrix.Seen(server, self.asked).access.split(" ", 1)[0]
        if iana.startswith("TLS_RSA"):
            server.errors.wait_for(rf"{address}: warning: RSA key exchange: no forward secrecy")
        if iana.startswith("TLS_DHE"):
            server.errors.wait_for(rf"{address}: warning: DHE key exchange: deprecated")
        if "CBC" in iana:
            server.errors.wait_for(rf"{address}: warning: AES-CBC with HMAC: ")

    def test_http_2_is_not_chosen_with_a_suite_that_it_forbids(self):
        """RFC 9113 9.2.2, appendix A"""
        with matrix.serve([matrix.leaf(CA, "rsa")], offer=OFFER) as server:
            for suite, want in (("AES128-GCM-SHA256", "http/1.1"), ("AES128-SHA", "http/1.1"),
                                ("ECDHE-RSA-AES128-SHA", "http/1.1"),
                                ("DHE-RSA-AES128-GCM-SHA256", "h2")):
                with self.subTest(suite):
                    done = support.run(
                        ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{server.port}",
                         "-CAfile", CA.cert, "-servername", "localhost", "-alpn", "h2,http/1.1",
                         "-cipher", f"{suite}:@SECLEVEL=0"], check=False)
                    self.assertIn(f"ALPN protocol: {want}\n".encode(), done.stdout)

    def test_openssl(self):
        def ask(server, suite, _, etm):
            return support.run(
                ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{server.port}",
                 "-CAfile", CA.cert, "-servername", "localhost", "-verify_return_error", "-ign_eof",
                 "-cipher", f"{suite}:@SECLEVEL=0"], check=False, stdin=None,
                input=matrix.last_request(self.asked), env=openssl_env(support.folder(), etm))
        self.each(ask)

    def test_gnutls(self):
        def ask(server, _, words, etm):
            return support.run(
                ["gnutls-cli", "--x509cafile", CA.cert, "--sni-hostname", "localhost",
                 "--verify-hostname", "localhost", "--priority", gnutls_priority(words, etm),
                 "--port", server.port, "127.0.0.1"], check=False, stdin=None,
                input=matrix.last_request(self.asked))
        self.each(ask)

    def test_gnutls_agrees_on_the_group_for_dhe(self):
        offer = [*OFFER[:-1], "X25519:ffdhe3072:ffdhe2048:ffdhe4096:ffdhe6144:ffdhe8192"]
        priority = gnutls_priority(SUITES["DHE-RSA-AES128-GCM-SHA256"][1], True) + ":-GROUP-ALL"
        with matrix.serve([matrix.leaf(CA, "rsa")], offer=offer) as server:
            for theirs, expected in (("2048", "2048"), ("3072", "3072"), ("4096", "4096"),
                                     ("6144", "6144"), ("8192", "8192"), ("2048 3072", "3072")):
                with self.subTest(theirs=theirs):
                    self.asked = self.path()
                    groups = "".join(f":+GROUP-FFDHE{bits}" for bits in theirs.split())
                    done = support.run(
                        ["gnutls-cli", "--x509cafile", CA.cert, "--sni-hostname", "localhost",
                         "--verify-hostname", "localhost", "--priority", priority + groups,
                         "--port", server.port, "127.0.0.1"], check=False, stdin=None,
                        input=matrix.last_request(self.asked))
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.agreed(server, self.asked, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
                                f"ffdhe{expected}")

    def test_gnutls_is_told_when_no_group_for_dhe_is_common(self):
        priority = gnutls_priority(SUITES["DHE-RSA-AES128-GCM-SHA256"][1], True)
        with matrix.serve([matrix.leaf(CA, "rsa")], offer=OFFER) as server:
            done = support.run(
                ["gnutls-cli", "--x509cafile", CA.cert, "--priority",
                 f"{priority}:-GROUP-ALL:+GROUP-FFDHE8192", "--port", server.port, "127.0.0.1"],
                check=False)
            self.assertNotEqual(done.returncode, 0)
            server.errors.wait_for(r"NO_SHARED_GROUP: .*RFC 7919 4.* --curves")

    def test_what_is_not_named_is_off(self):
        for args in ((), ("--profile", "legacy")):
            with matrix.serve([matrix.leaf(CA, "rsa")], offer=args) as server:
                for name in ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA",
                             "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-SHA256"):
                    with self.subTest(args=args, name=name):
                        done = support.run(
                            ["openssl", "s_client", "-tls1_2", "-connect",
                             f"127.0.0.1:{server.port}", "-cipher", f"{name}:@SECLEVEL=0"],
                            check=False)
                        self.assertIn(b"handshake failure", done.stdout + done.stderr)
                        server.errors.wait_for(r"NO_SHARED_CIPHER: ")

    def test_a_name_without_the_profile_is_refused_with_what_to_do(self):
        for words in (("--ciphers", "AES128-SHA"), ("--ciphers", "DHE-RSA-AES128-GCM-SHA256"),
                      ("--curves", "X25519:ffdhe2048")):
            with self.subTest(words=words):
                done = support.run(
                    [os.environ["CLEAT_PROGRAM"], "serve", *matrix.leaf(CA, "rsa").args(),
                     "--listen", "127.0.0.1:0", *words], check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(b"--profile legacy", done.stderr)


class Get(GetTest):
    def each(self, peer):
        leaves = {kind: self.ca.leaf(kind, word) for kind, word in KINDS.items()}
        for suite, iana, words, kinds, etm in pairs():
            kind = "rsa" if "rsa" in kinds else "ecdsa"
            with peer(*leaves[kind], suite, words, etm) as server, \
                    self.subTest(suite=suite, encrypt_then_mac=etm):
                facts = self.facts("--profile", "legacy", "--tls-max", "1.2", "--ciphers", suite,
                                   f"https://localhost:{server.port}/")
                self.assertEqual([facts[n] for n in ("http_code", "tls_version", "tls_cipher")],
                                 [200, "TLSv1.2", iana])

    def test_openssl(self):
        def peer(cert, key, suite, _, etm):
            port = free_port()
            return Peer(["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key, "-www",
                         "-quiet", "-cipher", f"{suite}:@SECLEVEL=0",
                         "-dhparam", field_file(self.folder, "ffdhe2048")], port, self.folder,
                        env=openssl_env(self.folder, etm))
        self.each(peer)

    def test_http_2_is_not_spoken_with_a_suite_that_it_forbids(self):
        for suite in ("AES128-SHA", "ECDHE-RSA-AES128-SHA", "AES128-GCM-SHA256"):
            port = free_port()
            with self.subTest(suite), Peer(
                    ["openssl", "s_server", "-accept", port, *self.rsa_args(), "-quiet", "-alpn",
                     "h2,http/1.1", "-cipher", f"{suite}:@SECLEVEL=0", "-www"], port, self.folder):
                args = ("-sS", "--profile", "legacy", "--tls-max", "1.2", "--ciphers", suite,
                        f"https://localhost:{port}/")
                done = self.fetch(*args, code=35)
                self.assertRegex(done.stderr.decode(), r"HTTP/2 with TLS_.*inadequate(?s:.*)"
                                 r"RFC 9113 9\.2\.2(?s:.*)--http1\.1")
                self.fetch("--http1.1", *args)

    def dhe(self, peer, group, code=0):
        """What -v tells of a server that uses a group for DHE."""
        with peer as server:
            done = self.fetch("-v", "--profile", "legacy", "--tls-max", "1.2", "--ciphers",
                              "DHE-RSA-AES128-GCM-SHA256", "--curves", group,
                              f"https://localhost:{server.port}/", code=code)
        return done.stderr.decode()

    def openssl_dhe(self, params):
        port = free_port()
        return Peer(["openssl", "s_server", "-accept", port, *self.rsa_args(), "-www", "-quiet",
                     "-tls1_2", "-cipher", "DHE:@SECLEVEL=0", *params], port, self.folder)

    def test_each_group_for_dhe(self):
        for bits in (2048, 3072, 4096, 6144, 8192):
            with self.subTest(bits=bits):
                file = field_file(self.folder, f"ffdhe{bits}")
                told = self.dhe(self.openssl_dhe(["-dhparam", file]), f"ffdhe{bits}")
                self.assertIn(f"group: ffdhe{bits} (the server's choice)", told)
                self.assertIn("warning: DHE key exchange: deprecated", told)

    def test_a_recording_of_dhe_runs_again(self):
        for words in ((), ("--record-secrets",)):
            file = self.folder / f"dhe{len(words)}.rec"
            params = ["-dhparam", field_file(self.folder, "ffdhe3072")]
            with self.subTest(words=words), self.openssl_dhe(params) as server:
                self.fetch("-sS", "--profile", "legacy", "--tls-max", "1.2", "--ciphers",
                           "DHE-RSA-AES128-GCM-SHA256", "--curves", "ffdhe3072", "--record", file,
                           *words, f"https://localhost:{server.port}/")
                done = support.run([os.environ["CLEAT_PROGRAM"], "replay", file], check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn(b": the same: ", done.stdout)

    def test_other_groups_for_dhe_are_refused(self):
        # without -dhparam s_server takes one of RFC 3526
        told = self.dhe(self.openssl_dhe([]), "ffdhe2048", 35)
        self.assertIn("a group of its own (a prime of 2048 bits)", told)
        self.assertIn("hint: the server needs the groups of RFC 7919", told)
        file = field_file(self.folder, "ffdhe3072")
        told = self.dhe(self.openssl_dhe(["-dhparam", file]), "ffdhe2048", 35)
        self.assertIn("the server chose the group ffdhe3072, which was not offered", told)

    def test_gnutls(self):
        def peer(cert, key, _, words, etm):
            port = free_port()
            return Peer(["gnutls-serv", "--http", "--quiet", "--port", port, "--priority",
                         gnutls_priority(words, etm), "--x509certfile", cert, "--x509keyfile", key,
                         "--disable-client-cert"], port, self.folder)
        self.each(peer)

    def test_the_narration_warns(self):
        port = free_port()
        with Peer(["openssl", "s_server", "-accept", port, *self.rsa_args(), "-www", "-quiet",
                   "-cipher", "AES128-SHA:@SECLEVEL=0"], port, self.folder):
            done = self.fetch("-v", "--profile", "legacy", "--tls-max", "1.2", "--ciphers",
                              "AES128-SHA", f"https://localhost:{port}/")
        self.assertIn(b"warning: RSA key exchange: no forward secrecy", done.stderr)
        self.assertIn(b"warning: AES-CBC with HMAC: ", done.stderr)

    def rsa_args(self):
        cert, key = self.ca.leaf("narrated", "rsa")
        return "-cert", cert, "-key", key


IDENTITY, KEY = "device", "00112233445566778899aabbccddeeff"
# Suites with a PSK: OpenSSL's name, IANA's, GnuTLS' words. Neither has ECDHE-PSK with GCM.
PSK = [
    ("ECDHE-PSK-CHACHA20-POLY1305", "ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256",
     "ECDHE-PSK:+CHACHA20-POLY1305:+AEAD"),
    ("ECDHE-PSK-AES128-CBC-SHA", "ECDHE_PSK_WITH_AES_128_CBC_SHA", "ECDHE-PSK:+AES-128-CBC:+SHA1"),
    ("ECDHE-PSK-AES256-CBC-SHA384", "ECDHE_PSK_WITH_AES_256_CBC_SHA384",
     "ECDHE-PSK:+AES-256-CBC:+SHA384"),
    ("DHE-PSK-AES128-GCM-SHA256", "DHE_PSK_WITH_AES_128_GCM_SHA256", "DHE-PSK:+AES-128-GCM:+AEAD"),
    ("DHE-PSK-AES256-CBC-SHA384", "DHE_PSK_WITH_AES_256_CBC_SHA384",
     "DHE-PSK:+AES-256-CBC:+SHA384"),
    ("PSK-AES128-GCM-SHA256", "PSK_WITH_AES_128_GCM_SHA256", "PSK:+AES-128-GCM:+AEAD"),
    ("PSK-CHACHA20-POLY1305", "PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK:+CHACHA20-POLY1305:+AEAD"),
    ("PSK-AES256-CBC-SHA", "PSK_WITH_AES_256_CBC_SHA", "PSK:+AES-256-CBC:+SHA1"),
]


def psk_file():
    path = support.folder() / "keys.psk"
    path.write_text(f"{IDENTITY}:{KEY}\n")
    path.chmod(0o600)
    return path


def psk_offer(*names):
    return ["--psk", psk_file(), "--profile", "legacy", "--tls-max", "1.2", "--ciphers",
            ":".join(f"TLS_{name}" for name in names)]


class ServePsk(ServeTest):
    version = "TLSv1.2"

    def each(self, ask, suites):
        offer = psk_offer(*(iana for _, iana, _ in PSK))
        with matrix.serve([], offer=offer) as server:
            for ossl, iana, words in suites:
                self.asked = self.path()
                with self.subTest(iana):
                    done = ask(server, ossl, words)
                    text = (done.stdout + done.stderr).decode(errors="replace")
                    self.assertEqual(done.returncode, 0, text)
                    self.assertIn("\nserved\n", text)
                    self.agreed(server, self.asked, f"TLS_{iana}")

    def test_openssl(self):
        def ask(server, ossl, _):
            return support.run(
                ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{server.port}",
                 "-psk_identity", IDENTITY, "-psk", KEY, "-ign_eof", "-cipher",
                 f"{ossl}:@SECLEVEL=0"], check=False, stdin=None,
                input=matrix.last_request(self.asked))
        self.each(ask, PSK)

    def test_gnutls(self):
        # gnutls-cli 3.7.9 crashes over a PSK with (EC)DHE, against OpenSSL's server as well
        def ask(server, _, words):
            return support.run(
                ["gnutls-cli", "--pskusername", IDENTITY, "--pskkey", KEY, "--priority",
                 gnutls_priority(words, True), "--port", server.port, "127.0.0.1"], check=False,
                stdin=None, input=matrix.last_request(self.asked))
        self.each(ask, [row for row in PSK if "DHE" not in row[1]])


class GetPsk(GetTest):
    def each(self, peer):
        for ossl, iana, words in PSK:
            with peer(ossl, words) as server, self.subTest(iana):
                facts = self.facts(*psk_offer(iana), f"https://localhost:{server.port}/")
                self.assertEqual([facts[n] for n in ("http_code", "tls_cipher")],
                                 [200, f"TLS_{iana}"])

    def test_openssl(self):
        def peer(ossl, _):
            port = free_port()
            return Peer(["openssl", "s_server", "-accept", port, "-nocert", "-psk", KEY,
                         "-psk_identity", IDENTITY, "-www", "-quiet", "-cipher",
                         f"{ossl}:@SECLEVEL=0", "-dhparam",
                         field_file(self.folder, "ffdhe2048")], port, self.folder)
        self.each(peer)

    def test_gnutls(self):
        def peer(_, words):
            port = free_port()
            return Peer(["gnutls-serv", "--http", "--quiet", "--port", port, "--priority",
                         gnutls_priority(words, True), "--pskpasswd", psk_file(),
                         "--disable-client-cert"], port, self.folder)
        self.each(peer)


if __name__ == "__main__":
    support.main()
