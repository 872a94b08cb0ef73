"""SSLKEYLOGFILE on the server's side: Wireshark reads the requests in a capture with it."""
import re
import unittest

import support
from support import Recorder, Responses, Server

support.need("openssl", "tshark")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("0123456789")


def record(log, suite):
    """One request through a recorder; returns the capture's path."""
    with Server(*PAIR.args(), "--root", ROOT, "--ciphers", suite,
                env={"SSLKEYLOGFILE": str(log)}) as server:
        recorder = Recorder(server.port)
        with support.tls(recorder.port, CA) as s:
            s.sendall(b"GET /a.txt?of-the-capture HTTP/1.1\r\nHost: localhost\r\n\r\n")
            Responses(s).next()
        recorder.close()
    path = support.folder() / f"{suite}.pcap"
    recorder.write(path)
    return path, recorder.port


class KeyLog(unittest.TestCase):
    def test_a_capture_is_decrypted_with_it(self):
        for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                      "TLS_CHACHA20_POLY1305_SHA256"):
            log = support.folder() / f"{suite}.keys"
            capture, port = record(log, suite)
            done = support.run(["tshark", "-r", capture, "-d", f"tcp.port=={port},tls",
                                "-o", f"tls.keylog_file:{log}", "-o", "tcp.check_checksum:FALSE",
                                "-Y", "http", "-T", "fields", "-e", "http.request.uri",
                                "-e", "http.response.code"])
            self.assertIn(b"/a.txt?of-the-capture", done.stdout, suite)
            self.assertIn(b"200", done.stdout, suite)

    def test_without_it_nothing_can_be_read(self):
        log = support.folder() / "unused.keys"
        capture, port = record(log, "TLS_AES_128_GCM_SHA256")
        done = support.run(["tshark", "-r", capture, "-d", f"tcp.port=={port},tls", "-Y", "http"])
        self.assertEqual(done.stdout, b"")

    def test_its_lines_are_those_of_rfc_9850(self):
        log = support.folder() / "lines.keys"
        record(log, "TLS_AES_256_GCM_SHA384")
        lines = log.read_text().splitlines()
        labels = [line.split()[0] for line in lines]
        for label in ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                      "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"):
            self.assertIn(label, labels)
        for line in lines:
            self.assertTrue(re.fullmatch(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{96}", line), line)
        self.assertEqual(log.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    support.main()
