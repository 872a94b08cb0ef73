#!/usr/bin/env python3
"""What TLS has besides the essentials, between `cleat` and OpenSSL's and GnuTLS's programs."""
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import support
from get_support import Peer, free_port
from support import Server

support.need("openssl")
CA = support.make_ca()
LEAF = support.make_leaf(CA, "leaf")
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def site():
    """A folder with an index.html to be served."""
    root = support.folder() / "site"
    root.mkdir(exist_ok=True)
    (root / "index.html").write_text("served\n")
    return root


def serve(*args):
    return Server(*LEAF.args(), *args, "--root", site())


def s_client(port, *args, check=True, request=REQUEST, ca=CA):
    done = support.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca.cert,
                        "-servername", "localhost", "-ign_eof", *args],
                       check=False, stdin=None, input=request)
    text = (done.stdout + done.stderr).decode(errors="replace")
    if check and (done.returncode != 0 or "served" not in text):
        raise AssertionError(text)
    return text


def s_server(*args, cert=True):
    port = free_port()
    pair = ["-cert", LEAF.cert, "-key", LEAF.key] if cert else []
    return Peer(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *pair, *args], port,
                support.folder())


def get(port, *args, check=True):
    return support.run([support.CLEAT, "get", "-sS", "--cacert", CA.cert, *args,
                        f"https://localhost:{port}/"], check=check)


def wait_for_text(path, text):
    end = time.monotonic() + support.PATIENCE
    while text not in path.read_text(errors="replace"):
        if time.monotonic() > end:
            raise AssertionError(f"{text!r} is not in:\n{path.read_text(errors='replace')}")
        time.sleep(0.05)


def ocsp_response():
    """A response for LEAF that says good, made by the CA itself."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=support.folder()))
    index, response = folder / "index.txt", folder / "leaf.ocsp"
    serial = support.run(["openssl", "x509", "-in", LEAF.cert, "-noout", "-serial"]).stdout
    number = serial.decode().strip().partition("=")[2]
    index.write_text(f"V\t400101000000Z\t\t{number}\tunknown\t/CN=leaf\n")
    support.run(["openssl", "ocsp", "-index", index, "-CA", CA.cert, "-rsigner", CA.cert, "-rkey",
                 CA.key, "-issuer", CA.cert, "-cert", LEAF.cert, "-respout", response, "-ndays",
                 "3", "-noverify"])
    return response


def timestamps():
    """A list of one timestamp, of a log that nobody knows."""
    scts = support.folder() / "scts"
    entry = bytes([0]) + bytes(32) + bytes(8) + bytes([0, 0, 4, 3, 0, 2, 48, 0])
    scts.write_bytes((len(entry) + 2).to_bytes(2, "big") + len(entry).to_bytes(2, "big") + entry)
    return scts


class Status(unittest.TestCase):
    def test_serve_staples_what_it_is_given_to_clients_that_ask(self):
        with serve("--staple", ocsp_response()) as server:
            text = s_client(server.port, "-status")
            self.assertIn("OCSP Response Status: successful", text)
            self.assertIn("Cert Status: good", text)
            self.assertNotIn("OCSP Response Data", s_client(server.port))

    def test_serve_sends_timestamps_to_clients_that_ask(self):
        scts = timestamps()
        logs = support.folder() / "logs"
        logs.write_text("enabled_logs=\n")
        with serve("--sct", scts) as server:
            text = s_client(server.port, "-ct", "-ctlogfile", logs)
            self.assertIn("SCTs present (1)", text)
            self.assertIn("ecdsa-with-SHA256\n                30:00", text)

    def test_get_asks_and_takes_a_staple(self):
        with s_server("-status_file", ocsp_response(), "-status_verbose") as peer:
            get(peer.port)
            self.assertIn("cert_status: callback called", peer.log.read_text())

    def test_get_tells_what_came_with_the_certificate(self):
        response, scts = ocsp_response(), timestamps()
        words = [support.CLEAT, "get", "-sS", "-v", "--cacert", CA.cert, "-o", os.devnull, "-w",
                 "%{tls_ocsp_bytes} %{tls_ocsp_status} %{tls_scts}"]
        with serve("--staple", response, "--sct", scts) as server:
            done = support.run([*words, f"https://localhost:{server.port}/"])
            size = response.stat().st_size
            self.assertEqual(done.stdout.decode(), f"{size} successful 1")
            said = done.stderr.decode()
            self.assertIn(f"OCSP response of {size} bytes, responseStatus successful", said)
            self.assertIn("1 certificate timestamp (not verified)", said)
        with serve() as server:
            done = support.run([*words, f"https://localhost:{server.port}/"])
            self.assertEqual(done.stdout.decode(), "0  0")
            self.assertNotIn("OCSP", done.stderr.decode())


class Records(unittest.TestCase):
    def test_openssl_pads_its_records(self):
        with serve() as server:
            s_client(server.port, "-record_padding", "1024")
        with s_server("-record_padding", "4096") as peer:
            get(peer.port)

    def test_gnutls_agrees_on_a_record_size_limit(self):
        support.need("gnutls-cli")
        (site() / "long.txt").write_bytes(b"0123456789abcdef" * 4096)
        with serve() as server:
            done = support.run(["gnutls-cli", "--x509cafile", CA.cert, "--recordsize", "600",
                                "-d", "6", "-p", server.port, "localhost"], check=False, stdin=None,
                               input=REQUEST.replace(b"GET /", b"GET /long.txt"))
            text = (done.stdout + done.stderr).decode(errors="replace")
            self.assertIn("0123456789abcdef", text)
            lengths = [int(n) for n in re.findall(r"Application Data\(23\) with length: (\d+)",
                                                  text)]
            self.assertGreater(len(lengths), 100, text[-3000:])
            self.assertLessEqual(max(lengths), 600 + 17, text[-3000:])


class Later(unittest.TestCase):
    def test_openssl_asks_for_our_certificate_after_the_handshake(self):
        client = support.make_leaf(CA, "late-client", purpose="clientAuth")
        port = free_port()
        with Peer(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", LEAF.cert,
                   "-key", LEAF.key, "-CAfile", CA.cert, "-tls1_3"], port,
                  support.folder()) as peer:
            process = subprocess.Popen([support.CLEAT, "get", "-sS", "-v", "--cacert", CA.cert,
                                        "--cert", client.cert, "--key", client.key, "--max-time",
                                        "20", f"https://localhost:{port}/"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
            said = support.Lines(process.stdout)
            wait_for_text(peer.log, "GET / HTTP/1.1")
            peer.tell(b"c\n")  # this line asks; others are sent as they are
            wait_for_text(peer.log, "late-client")
            peer.tell(b"HTTP/1.1 204 Fine\r\n\r\n")
            process.wait(support.PATIENCE)
            said.close()
            self.assertEqual(process.returncode, 0, said.text())


PSK_HEX = "00112233445566778899aabbccddeeff" * 2


class PreShared(unittest.TestCase):
    def setUp(self):
        self.file = support.folder() / "psk.txt"
        self.file.write_text(f"# ours\nanother:{PSK_HEX[::-1]}\ndevice:7:{PSK_HEX}\n")
        self.file.chmod(0o600)

    def test_openssl_comes_in_with_a_psk_and_no_certificate(self):
        with Server("--psk", self.file, "--root", site()) as server:
            text = s_client(server.port, "-psk", PSK_HEX, "-psk_identity", "device:7", "-tls1_3")
            self.assertIn("Reused, TLSv1.3", text)
            self.assertIn("no peer certificate available", text)
            text = s_client(server.port, "-psk", PSK_HEX[2:] + "11", "-psk_identity", "device:7",
                            check=False)
            self.assertIn("decrypt error", text)
            text = s_client(server.port, "-psk", PSK_HEX, "-psk_identity", "nobody", check=False)
            self.assertIn("unknown psk identity", text)

    def test_openssl_lets_us_in_with_a_psk(self):
        with s_server("-psk", PSK_HEX, "-psk_identity", "device:7", "-nocert", "-tls1_3",
                      cert=False) as peer:
            done = get(peer.port, "--psk", self.file)
            self.assertIn(b"Reused", done.stdout)

    def test_gnutls_comes_in_with_a_psk(self):
        support.need("gnutls-cli")
        with Server("--psk", self.file, "--root", site()) as server:
            done = support.run(["gnutls-cli", "--pskusername", "another", "--pskkey", PSK_HEX[::-1],
                                "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:+DHE-PSK:+PSK", "-p",
                                server.port, "localhost"], check=False, stdin=None, input=REQUEST)
            self.assertIn(b"served", done.stdout + done.stderr, done.stderr)

    def test_a_file_that_is_none_is_named_with_its_line(self):
        bad = support.folder() / "bad.txt"
        bad.write_text("x:0123\n")
        bad.chmod(0o600)
        done = support.run([support.CLEAT, "serve", "--psk", bad, "--root", site()], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"line 1 of ", done.stderr)


if __name__ == "__main__":
    support.main()
