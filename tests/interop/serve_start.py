"""What `cleat serve` says and how it exits when it cannot start, or is told to stop."""
import os
import re
import signal
import socket
import time
import unittest

import support
from get_support import free_port
from support import CLEAT, Responses, Server

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
OTHER = support.make_leaf(CA, "other", "rsa")
ROOT = support.folder() / "root"
ROOT.mkdir()
BIG = os.urandom(1 << 20) * 64
(ROOT / "big.bin").write_bytes(BIG)
(ROOT / "a.txt").write_text("0123456789")
BASE = ["--listen", "127.0.0.1:0"]


def serve(*args):
    return support.run([CLEAT, "serve", *args], check=False)


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


HAS_IPV6 = has_ipv6()


class Start(unittest.TestCase):
    def refused(self, code, *wanted, args):
        done = serve(*args)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, code, text)
        for part in wanted:
            self.assertIn(str(part), text)

    def test_no_certificate_hints_at_cert_dev(self):
        self.refused(2, "cleat cert dev localhost", args=BASE)
        self.refused(2, "cleat cert dev localhost", args=[])

    def test_a_key_or_a_certificate_too_few(self):
        self.refused(2, "1 --cert, but 0 --key", args=[*BASE, "--cert", PAIR.cert])
        self.refused(2, "0 --cert, but 1 --key", args=[*BASE, "--key", PAIR.key])

    def test_a_key_of_another_certificate(self):
        self.refused(1, PAIR.cert, OTHER.key, "does not belong",
                     args=[*BASE, "--cert", PAIR.cert, "--key", OTHER.key])

    def test_files_that_are_not_there_or_not_what_they_should_be(self):
        empty, junk = support.folder() / "empty", support.folder() / "junk"
        empty.write_text("")
        junk.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self.refused(1, "/nonexistent.pem", "No such file",
                     args=[*BASE, "--cert", "/nonexistent.pem", "--key", PAIR.key])
        self.refused(1, "/nonexistent.key", "No such file",
                     args=[*BASE, "--cert", PAIR.cert, "--key", "/nonexistent.key"])
        self.refused(1, empty, args=[*BASE, "--cert", empty, "--key", PAIR.key])
        self.refused(1, junk, args=[*BASE, "--cert", junk, "--key", PAIR.key])
        self.refused(1, empty, args=[*BASE, "--cert", PAIR.cert, "--key", empty])
        self.refused(1, PAIR.key, args=[*BASE, "--cert", PAIR.key, "--key", PAIR.key])

    def test_an_encrypted_key(self):
        locked = support.folder() / "locked.key"
        support.run(["openssl", "pkcs8", "-topk8", "-in", PAIR.key, "-out", locked, "-passout",
                     "pass:x"])
        self.refused(1, locked, "encrypted", args=[*BASE, "--cert", PAIR.cert, "--key", locked])

    def test_a_root_that_is_no_folder(self):
        self.refused(1, "a.txt", "Not a directory",
                     args=[*BASE, *PAIR.args(), "--root", ROOT / "a.txt"])
        self.refused(1, "/nonexistent", "No such file",
                     args=[*BASE, *PAIR.args(), "--root", "/nonexistent"])

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.refused(1, address, "in use", args=["--listen", address, *PAIR.args()])

    def test_a_port_that_another_cleat_has(self):
        with Server(*PAIR.args()) as server:
            address = f"127.0.0.1:{server.port}"
            self.refused(1, address, "in use", args=["--listen", address, *PAIR.args()])

    def test_words_that_mean_nothing(self):
        self.refused(2, "--lissten", "did you mean --listen?", args=["--lissten", "x"])
        self.refused(2, "unexpected 'web'", args=["web"])
        for address in ("localhost", "127.0.0.1:x", "127.0.0.1:70000", "example.com:1",
                        "[::1:8443"):
            self.refused(2, address, args=["--listen", address, *PAIR.args()])
        for words in (["--threads", "0"], ["--grace", "x"], ["--tls-min", "1.0"],
                      ["--client-auth", "maybe"], ["--client-auth", "optional"]):
            self.refused(2, words[0], args=[*BASE, *PAIR.args(), *words])

    def test_lists_with_unknown_names(self):
        for option in ("--ciphers", "--curves", "--sigalgs"):
            self.refused(1, "nonsense", args=[*BASE, *PAIR.args(), option, "nonsense"])

    def test_a_key_that_others_can_read_is_warned_about(self):
        loose = support.folder() / "loose.key"
        loose.write_bytes(PAIR.key.read_bytes())
        loose.chmod(0o644)
        with Server("--cert", PAIR.cert, "--key", loose) as server:
            self.assertRegex(server.errors.text(), r"warning: the key .*loose\.key .*mode 644")

    def test_certificates_are_introduced(self):
        with Server(*PAIR.args(), *OTHER.args()) as server:
            text = server.errors.text()
        self.assertRegex(text, r"leaf\.pem for localhost, 127\.0\.0\.1, ::1 \(ECDSA P-256\), "
                               r"(29|30) days left")
        self.assertRegex(text, r"other\.pem for .* \(RSA.*\), (29|30) days left")

    def test_a_certificate_about_to_end_is_warned_about(self):
        with Server(*support.make_leaf(CA, "short", days=3).args()) as server:
            self.assertRegex(server.errors.text(), r"warning: certificate .*short\.pem .* 2 days|"
                                                   r"warning: certificate .*short\.pem .* 3 days")

    def listening(self, server, address):
        """Waits for its line; a page is fetched there. Returns the port."""
        line = server.errors.wait_for(rf"listening on https://{re.escape(address)}:\d+ ")
        port = int(re.search(r":(\d+) \(", line).group(1))
        host = {"0.0.0.0": "127.0.0.3", "[::]": "::1"}.get(address, address.strip("[]"))
        with socket.create_connection((host, port), support.PATIENCE) as plain:
            with support.tls_context(CA).wrap_socket(plain, server_hostname="localhost") as s:
                s.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertEqual(Responses(s).next()[2], b"0123456789")
        return port

    @unittest.skipUnless(HAS_IPV6, "this system has no IPv6")
    def test_it_listens_on_every_address_that_is_named(self):
        with Server(*PAIR.args(), "--root", ROOT, "--listen", "127.0.0.2:0", "--listen", "[::1]:0",
                    "--threads", "3") as server:
            for address in ("127.0.0.1", "127.0.0.2", "[::1]"):
                self.listening(server, address)
            self.assertEqual(server.errors.text().count(" (3 threads)"), 3)

    @unittest.skipUnless(HAS_IPV6, "this system has no IPv6")
    def test_an_address_can_be_a_name_for_both_families(self):
        """And both of ":PORT" listen on the same one: IPv6 does not take IPv4's place."""
        for listen, addresses in (("localhost:0", ("127.0.0.1", "[::1]")),
                                  (f":{free_port()}", ("0.0.0.0", "[::]")),
                                  (f"*:{free_port()}", ("0.0.0.0", "[::]"))):
            with self.subTest(listen), \
                    Server(*PAIR.args(), "--root", ROOT, listen=listen) as server:
                ports = [self.listening(server, address) for address in addresses]
                if not listen.endswith(":0"):
                    self.assertEqual(ports, [int(listen.split(":")[1])] * 2)

    def test_an_address_that_is_not_ours(self):
        self.refused(1, "cannot listen on 192.0.2.1:0", "annot assign",
                     args=["--listen", "192.0.2.1:0", *PAIR.args()])

    def test_help_and_version(self):
        done = serve("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"Usage: cleat serve", done.stdout)
        done = support.run([CLEAT, "--version"])
        self.assertRegex(done.stdout.decode(), r"^cleat \d+\.\d+\.\d+\nOpenSSL \d")
        done = support.run([CLEAT, "--version", "-v"])
        self.assertRegex(done.stdout.decode(),
                         r"\nhandshakes: (eight at a time|single operations): .*"
                         r"\nML-KEM: (our own, (AVX-512|AVX2|portable)|libcrypto)"
                         r"\nrecords: (ipsec-mb|libcrypto)")
        self.assertEqual(support.run([CLEAT, "sreve"], check=False).returncode, 2)


class Stop(unittest.TestCase):
    def begin_download(self, server):
        s = support.tls(server.port, CA)
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        responses = Responses(s)
        self.assertEqual(responses.head()[0], 200)
        return s, responses

    def wait_until_refused(self, port):
        end = time.monotonic() + support.PATIENCE
        with self.assertRaises(ConnectionRefusedError):
            while time.monotonic() < end:
                support.connect(port).close()
                time.sleep(0.05)

    def test_a_download_in_flight_is_finished_after_sigterm(self):
        with Server(*PAIR.args(), "--root", ROOT) as server:
            s, responses = self.begin_download(server)
            server.signal(signal.SIGTERM)
            server.errors.wait_for("SIGTERM: no new connections")
            self.wait_until_refused(server.port)
            time.sleep(0.5)
            self.assertIsNone(server.process.poll())
            body = bytes(responses.buffer) + support.read_to_end(s)
            s.close()
            self.assertEqual(len(body), len(BIG))
            self.assertTrue(body == BIG)
            self.assertEqual(server.wait(), 0)

    def test_idle_connections_are_closed_at_once(self):
        with Server(*PAIR.args(), "--root", ROOT) as server, support.tls(server.port, CA) as s:
            s.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual(Responses(s).next()[0], 200)
            server.signal(signal.SIGINT)
            self.assertEqual(s.recv(1), b"")  # close_notify, not a reset
            s.close()
            self.assertEqual(server.wait(support.AT_ONCE), 0)

    def test_the_grace_time_ends(self):
        with Server(*PAIR.args(), "--root", ROOT, "--grace", 1) as server:
            s, _ = self.begin_download(server)
            began = time.monotonic()
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - began, support.AT_ONCE)
            server.errors.wait_for("grace time is over")
            s.close()

    def test_a_second_signal_ends_it_at_once(self):
        with Server(*PAIR.args(), "--root", ROOT) as server:
            s, _ = self.begin_download(server)
            server.signal(signal.SIGTERM)
            server.errors.wait_for("no new connections")
            self.assertIsNone(server.process.poll())
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(support.AT_ONCE), 0)
            server.errors.wait_for("SIGTERM again: leaving at once")
            s.close()

    def test_without_connections_it_leaves_at_once(self):
        with Server(*PAIR.args()) as server:
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(support.AT_ONCE), 0)


if __name__ == "__main__":
    support.main()
