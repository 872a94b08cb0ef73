#!/usr/bin/env python3
"""Captures: what `cleat get --pcap`, `ws --pcap` and `serve --pcap` write is opened by tshark,
which decrypts it without being given any key, and finds nothing wrong with it."""
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import abuse_support
import support
from support import CLEAT, PATIENCE, Responses, Server

support.need("openssl", "curl", "tshark", "capinfos")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf", hosts=("localhost", "127.0.0.1", "::1", "public.example"))
RSA = support.make_leaf(CA, "rsa", kind="rsa")
ROOT = support.folder() / "root"
ROOT.mkdir()
(ROOT / "a.txt").write_text("0123456789")
BIG = os.urandom(3_000_000)
(ROOT / "big.bin").write_bytes(BIG)
CHECKS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
# A server takes no early data during the first ten seconds: it is started first and used last.
COLD = 10.3
WARM = support.folder() / "warm"
# Of an expert's remark: a warning. Notes are on each FIN.
WARNING = 0x600000
FIELDS = ["frame.time_epoch", "frame.comment", "_ws.malformed", "_ws.expert.severity",
          "tcp.analysis.flags", "ip.checksum.status", "tcp.checksum.status", "tcp.flags.reset",
          "tcp.flags.syn", "tcp.srcport", "tcp.dstport", "ipv6.dst", "tls.handshake.type",
          "tls.handshake.extensions_server_name", "http.request.uri", "http.response.code",
          "http2.headers.path", "http2.headers.status", "websocket.opcode", "websocket.mask"]


def tshark(path, *args):
    done = support.run(["tshark", "-r", path, *CHECKS, *args])
    return done.stdout.decode(errors="replace")


# From 4.0 on a boolean is a word; from 4.2 on an answer has the URI of what it answers, too.
WORDS = {"True": "1", "False": "0"}


def packets(path):
    """Every packet as a dictionary of field to list of values; decrypted, as tshark is started once
    for each file."""
    args = [word for name in FIELDS for word in ("-e", name)]
    lines = tshark(path, "-T", "fields", "-E", "aggregator=|", *args).splitlines()
    found = [{name: [WORDS.get(v, v) for v in value.split("|") if v] for name, value in
              zip(FIELDS, line.split("\t"))} for line in lines]
    for packet in found:
        if packet["http.response.code"]:
            packet["http.request.uri"] = []
        packet["http.request.uri"] += packet["http2.headers.path"]
        packet["http.response.code"] += packet["http2.headers.status"]
    return found


def values(all_packets, name):
    return [value for packet in all_packets for value in packet[name]]


def numbers(all_packets, name, value):
    """Of packets that have that value, from 0."""
    return [i for i, packet in enumerate(all_packets) if value in packet[name]]


def cleat(command, *args, code=0, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([CLEAT, command, "--cacert", str(CA.cert), *map(str, args)],
                          capture_output=True, timeout=PATIENCE, **more)
    if done.returncode != code:
        raise AssertionError(f"{args}: exit {done.returncode}: {done.stderr.decode()}")
    return done


class Capture(unittest.TestCase):
    def setUp(self):
        self.dir = support.folder() / self.id().rsplit(".", 1)[1]
        self.file = support.folder() / (self.id().rsplit(".", 1)[1] + ".pcapng")

    def serve(self, *args, pair=PAIR, **more):
        return Server(*pair.args(), "--root", ROOT, "--pcap", self.dir, *args,
                      env=abuse_support.ENV, **more)

    def files(self):
        return sorted(self.dir.glob("*.pcapng"))

    def get(self, server, *args, path="/a.txt", code=0):
        return cleat("get", "-sS", "-o", support.folder() / "body", "--pcap", self.file, *args,
                     f"{server.url}{path}", code=code)

    def is_sound(self, path):
        """Its packets; nothing is wrong with them (but that a client may have sent a reset)."""
        found = packets(path)
        times = [float(p["frame.time_epoch"][0]) for p in found]
        self.assertEqual(times, sorted(times), path)
        self.assertLess(abs(times[-1] - time.time()), PATIENCE, path)
        for p in found:
            worst = max([0, *(int(s, 0) for s in p["_ws.expert.severity"])])
            fine = worst < WARNING or p["tcp.flags.reset"] == ["1"]
            self.assertTrue(fine and not p["_ws.malformed"] and not p["tcp.analysis.flags"] and
                            p["ip.checksum.status"] in ([], ["1"]) and
                            p["tcp.checksum.status"] == ["1"], (path, p))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        return found

    def is_decrypted(self, path, uri="/a.txt", num=1):
        found = self.is_sound(path)
        self.assertEqual(values(found, "http.request.uri"), [uri] * num, path)
        self.assertEqual(values(found, "http.response.code"), ["200"] * num, path)
        return found

    def is_whole(self, path):
        self.assertNotIn(b"cut short", support.run(["capinfos", path]).stderr)

    def both_are_decrypted(self, server, **more):
        """The client's capture, and the server's last one, which is complete when it has ended.
        Returns the packets of the client's."""
        server.end()
        self.is_decrypted(self.files()[-1], **more)
        return self.is_decrypted(self.file, **more)


class Connections(Capture):
    @classmethod
    def setUpClass(cls):
        cls.warm = Server(*PAIR.args(), "--root", ROOT, "--pcap", WARM, "--early-data",
                          env=abuse_support.ENV)
        cls.warm_since = time.monotonic()

    @classmethod
    def tearDownClass(cls):
        cls.warm.end()

    def test_tls_1_3(self):
        with self.serve() as server:
            self.get(server)
            found = self.both_are_decrypted(server)
        self.assertEqual(found[0]["tcp.dstport"], [str(server.port)])
        (port,) = found[0]["tcp.srcport"]
        self.assertRegex(self.files()[0].name,
                         rf"^cleat-\d{{8}}T\d{{6}}Z-000001-127\.0\.0\.1-{port}\.pcapng$")
        told = support.run(["capinfos", self.file]).stdout
        for word in (b"Strict time order:   True", b"Capture hardware:    ",
                     b"Capture oper-sys:    Linux ", b"Capture application: cleat ",
                     b"Written with the secrets", b"Interface #0 info", b"Raw IP"):
            self.assertIn(word, told)
        self.assertEqual(self.dir.stat().st_mode & 0o777, 0o700)

    def test_tls_1_2_full_and_resumed(self):
        with self.serve() as server:
            self.get(server, "--tls-max", "1.2", "-H", "Connection: close", "-o",
                     support.folder() / "other", f"{server.url}/a.txt")
            server.end()
            found = self.is_decrypted(self.file, num=2)
            for path in self.files():
                self.is_decrypted(path)
            self.assertEqual(len(self.files()), 2)
        # the second without a certificate
        self.assertEqual(values(found, "tls.handshake.type").count("11"), 1)

    def test_tls_1_3_resumed_and_redirected(self):
        with self.serve() as server:
            (ROOT / "folder").mkdir()
            self.get(server, "-L", path="/folder")
            server.end()
            found = self.is_sound(self.file)
        self.assertEqual(values(found, "http.request.uri"), ["/folder", "/folder/"])
        # a certificate, compressed or not, in the first handshake only
        types = values(found, "tls.handshake.type")
        self.assertEqual(types.count("11") + types.count("25"), 1)

    def test_ipv6(self):
        with self.serve(listen="[::1]:0") as server:
            cleat("get", "-sS", "-o", support.folder() / "body", "--pcap", self.file,
                  f"https://[::1]:{server.port}/a.txt")
            found = self.both_are_decrypted(server)
        self.assertEqual(set(values(found, "ipv6.dst")), {"::1"})
        self.assertRegex(self.files()[0].name, r"-__1-\d+\.pcapng$")

    def test_hello_retry_request(self):
        with self.serve("--curves", "P-384") as server:
            self.get(server)
            found = self.both_are_decrypted(server)
        self.assertEqual(values(found, "tls.handshake.type").count("1"), 2)

    def test_aes_cbc(self):
        legacy = ["--profile", "legacy", "--ciphers", "ECDHE-RSA-AES128-SHA"]
        with self.serve(*legacy, pair=RSA) as server:
            self.get(server, *legacy)
            self.both_are_decrypted(server)

    def test_encrypted_client_hello_for_readers_that_do_not_know_it(self):
        key = support.folder() / "ech.pem"
        support.run([CLEAT, "ech", "keygen", "-o", key, "public.example"])
        with self.serve("--ech-key", key) as server:
            self.get(server, "--ech", f"@{key}")
            found = self.both_are_decrypted(server)
        self.assertEqual(values(found, "tls.handshake.extensions_server_name"), ["public.example"])

    def test_a_large_file_arrives_whole(self):
        with self.serve() as server:
            self.get(server, "--http1.1", path="/big.bin")
            self.both_are_decrypted(server, uri="/big.bin")
        for i, path in enumerate((self.file, self.files()[0])):
            objects = support.folder() / f"objects-{i}"
            tshark(path, "-q", "--export-objects", f"http,{objects}")
            self.assertEqual((objects / "big.bin").read_bytes(), BIG)

    def test_a_slow_reader(self):
        with self.serve() as server:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
            sock.connect(("127.0.0.1", server.port))
            context = support.tls_context(CA)
            with context.wrap_socket(sock, server_hostname="localhost") as s:
                s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                time.sleep(0.3)
                self.assertTrue(support.read_to_end(s).endswith(BIG))
            server.end()
            self.is_decrypted(self.files()[0], uri="/big.bin")
            objects = support.folder() / "objects-slow"
            tshark(self.files()[0], "-q", "--export-objects", f"http,{objects}")
            self.assertEqual((objects / "big.bin").read_bytes(), BIG)

    def test_key_updates(self):
        with self.serve() as server:
            client = subprocess.Popen(["openssl", "s_client", "-connect",
                                       f"127.0.0.1:{server.port}", "-CAfile", CA.cert],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
            lines = support.Lines(client.stdout)
            try:
                lines.wait_for("Verify return code|read R BLOCK")
                for word in (b"K\n", b"k\n", b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n"
                             b"Connection: close\r\n\r\n"):
                    client.stdin.write(word)
                    client.stdin.flush()
                    time.sleep(0.3)
                lines.wait_for("0123456789")
                client.wait(PATIENCE)
            finally:
                client.kill()
                client.stdin.close()
                client.wait()
                lines.close()
            server.end()
            found = self.is_decrypted(self.files()[0])
        self.assertGreaterEqual(values(found, "tls.handshake.type").count("24"), 3)

    def test_websocket(self):
        with self.serve("--ws-echo", "/echo") as server:
            url = f"wss://localhost:{server.port}/echo"
            cleat("ws", "--pcap", self.file, url, stdin=None, input=b"a word\n")
            server.end()
            for path in (self.file, self.files()[0]):
                found = self.is_sound(path)
                self.assertEqual(values(found, "websocket.opcode"), ["1", "1", "8", "8"])
                self.assertEqual(values(found, "websocket.mask"), ["1", "0", "1", "0"])

    def test_a_failed_handshake_says_why(self):
        with self.serve() as server:
            self.get(server, "--cacert", RSA.cert, code=60)
            server.end()
            for path, word in ((self.file, "UNKNOWN_ISSUER"), (self.files()[0], "PEER_ALERT")):
                self.assertIn(word, "".join(values(self.is_sound(path), "frame.comment")))

    def test_an_end_in_no_good_order_says_why(self):
        with self.serve() as server:
            quiet = support.connect(server.port)
            quiet.sendall(b"\x16\x03\x01")  # and nothing more: the handshake times out
            cut = support.tls(server.port, CA)
            cut.sendall(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
            Responses(cut).next()
            socket.socket(fileno=cut.detach()).close()  # without close_notify
            self.assertEqual(quiet.recv(10), b"")
            quiet.close()
            server.end()
        comments = ["".join(values(self.is_sound(path), "frame.comment")) for path in self.files()]
        self.assertEqual(len(comments), 2)
        self.assertIn("the handshake was not finished in time", comments)
        self.assertTrue(any("TRUNCATED" in comment for comment in comments), comments)

    def test_standard_output_goes_to_tshark(self):
        with self.serve() as server:
            done = cleat("get", "-sS", "-o", "/dev/null", "--pcap", "-", f"{server.url}/a.txt")
        shown = subprocess.run(["tshark", "-r", "-", "-Y", "http2.headers.path", "-T", "fields",
                                "-e", "http2.headers.path"], input=done.stdout, capture_output=True,
                               timeout=PATIENCE, check=True)
        self.assertEqual(shown.stdout, b"/a.txt\n")

    def test_zero_rtt(self):
        server = self.warm
        self.dir = WARM
        time.sleep(max(0, self.warm_since + COLD - time.monotonic()))
        self.get(server, "--tls-earlydata", "-H", "Connection: close", "-o",
                 support.folder() / "other", f"{server.url}/a.txt")
        server.end()
        self.is_decrypted(self.file, num=2)
        self.is_decrypted(self.files()[0])
        found = self.is_decrypted(self.files()[1])
        # it went out before the server had said anything
        self.assertLess(numbers(found, "http.request.uri", "/a.txt"),
                        numbers(found, "tls.handshake.type", "2"))


class Files(Capture):
    def test_nothing_is_written_unless_asked_for(self):
        here = support.folder() / "empty"
        here.mkdir()
        with Server(*PAIR.args(), "--root", ROOT, env=abuse_support.ENV) as server:
            cleat("get", "-sS", f"{server.url}/a.txt", cwd=here)
            self.assertNotIn("pcap", server.errors.text())
        self.assertEqual(list(here.iterdir()), [])

    def test_the_client_warns_and_replaces_its_own_file_only(self):
        with self.serve() as server:
            self.file.write_bytes(b"something of mine")
            self.file.chmod(0o644)
            with open(self.file, "rb") as before:
                done = self.get(server)
                self.assertEqual(before.read(), b"something of mine")
            self.assertIn(f"{self.file}, which replaces an older file, holds the secrets",
                          done.stderr.decode())
            self.is_decrypted(self.file)
            link = support.folder() / "link"
            link.symlink_to(self.file)
            done = cleat("get", "-sS", "--pcap", link, f"{server.url}/a.txt", code=23)
            self.assertIn(b"it is a symbolic link", done.stderr)
            done = cleat("get", "-sS", "--pcap", support.folder() / "no" / "where.pcapng",
                         f"{server.url}/a.txt", code=23)
            self.assertIn(b"No such file or directory", done.stderr)

    def test_standard_output_is_for_one_thing(self):
        for args in ((), ("-o", "-"), ("-o", "x", "-D", "-"), ("-o", "x", "--trace-json", "-"),
                     ("-o", "x", "-w", "%{http_code}")):
            done = cleat("get", "--pcap", "-", *args, "https://localhost/", code=2)
            self.assertIn(b"--pcap -: to standard output goes also", done.stderr, args)
        done = cleat("ws", "--pcap", "-", "wss://localhost/", code=2)
        self.assertIn(b"--pcap -: messages go to standard output", done.stderr)

    def test_a_full_disk_ends_the_clients_capture_alone(self):
        with self.serve() as server:
            body = support.folder() / "body"
            done = subprocess.run(
                ["sh", "-c", 'ulimit -f 6000; exec "$0" "$@"', CLEAT, "get", "-sS", "--cacert",
                 CA.cert, "-o", body, "--pcap", self.file, f"{server.url}/big.bin",
                 "-o", body, f"{server.url}/big.bin"],
                capture_output=True, timeout=PATIENCE, check=True)
            self.assertEqual(body.read_bytes(), BIG)
        self.assertIn(b"ends too early: File too large", done.stderr)
        self.is_whole(self.file)
        self.assertEqual(values(packets(self.file), "http.request.uri")[0], "/big.bin")

    def test_a_full_disk_stops_capturing_and_nothing_else(self):
        with self.serve(file_blocks=100) as server:
            for _ in range(3):
                self.assertEqual(self.fetch(server, "/big.bin"), BIG)
            server.end()
            text = server.errors.text()
        self.assertEqual(text.count("capturing stops"), 1, text)
        self.assertIn("cannot be written to: File too large", text)
        (path,) = self.files()
        self.is_whole(path)
        self.assertEqual(values(packets(path), "_ws.malformed"), [])

    def fetch(self, server, path="/a.txt"):
        done = support.run(["curl", "-sS", "--cacert", CA.cert, f"{server.url}{path}"])
        return done.stdout

    def test_the_number_of_files_is_bounded(self):
        with self.serve("--pcap-max-files", "2") as server:
            server.errors.wait_for("warning: --pcap: every connection is written down with its")
            for _ in range(4):
                self.assertEqual(self.fetch(server), b"0123456789")
            server.errors.wait_for(r"capturing stops: .* holds 2 files of 2 \(--pcap-max-files\)")
            self.assertEqual(len(self.files()), 2)
            self.files()[0].unlink()
            server.signal(signal.SIGHUP)
            server.errors.wait_for("capturing goes on")
            self.fetch(server)
            self.assertEqual(len(self.files()), 2)
            server.signal(signal.SIGHUP)
            server.errors.wait_for("capturing stays stopped")
            self.assertEqual(self.fetch(server), b"0123456789")
            server.end()
            for path in self.files():
                self.is_decrypted(path)
        done = support.run([CLEAT, "serve", *PAIR.args(), "--pcap", self.dir, "--pcap-max-files",
                            "2"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"holds 2 files of 2", done.stderr)

    def test_the_bytes_of_the_folder_are_bounded(self):
        with self.serve("--pcap-max-bytes", "200000") as server:
            self.assertEqual(self.fetch(server), b"0123456789")
            self.assertEqual(self.fetch(server, "/big.bin"), BIG)
            self.assertEqual(self.fetch(server), b"0123456789")
            server.end()
            self.assertRegex(server.errors.text(), "capturing stops: .* bytes of 200000")
        self.assertLessEqual(sum(path.stat().st_size for path in self.files()), 200000)
        self.is_decrypted(self.files()[0])
        self.is_whole(self.files()[1])

    def test_the_folder_is_for_its_owner_alone(self):
        self.dir.mkdir(0o700)
        self.dir.chmod(0o750)
        (support.folder() / "file").write_text("")
        for path, why in ((self.dir, b"is open to others (mode 750)"),
                          (support.folder() / "file", b"cannot be opened: Not a directory"),
                          (support.folder() / "no" / "where", b"cannot be made: No such file"),
                          ("/proc/self/fdinfo", b"--pcap: the folder")):
            done = support.run([CLEAT, "serve", *PAIR.args(), "--pcap", path], check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
        done = support.run([CLEAT, "serve", *PAIR.args(), "--pcap-max-files", "3"], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"need --pcap", done.stderr)

    def test_who_says_nothing_leaves_no_file(self):
        with self.serve() as server:
            support.connect(server.port).close()
            self.fetch(server)
            server.end()
        self.assertEqual(len(self.files()), 1)

    def test_many_at_the_same_time(self):
        with self.serve("-v") as server:
            threads = [threading.Thread(target=self.fetch, args=(server,)) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
            server.errors.wait_for("captured in cleat-.*-000020-127.0.0.1-")
            server.end()
        self.assertEqual(len(self.files()), 20)
        for path in self.files()[:3]:
            self.is_decrypted(path)


if __name__ == "__main__":
    support.main()
