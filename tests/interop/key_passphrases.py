#!/usr/bin/env python3
"""Encrypted private keys and PKCS#12 files as credentials of `cleat serve`, `get` and `ws`: where
the passphrase comes from, what a reload does, and what is said when it is wrong."""
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import unittest

import support
from support import CLEAT, PATIENCE, Server, folder, run

support.need("openssl")
WORD = "a phrase of ours"
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
CLIENT = support.make_leaf(CA, "client", purpose="clientAuth")
(folder() / "root").mkdir()
(folder() / "root" / "a.txt").write_text("0123456789")
READ_AGAIN = "SIGHUP: certificates, keys and CAs were read again"
NOTHING = "SIGHUP: nothing is changed"


def secret(name, text):
    path = folder() / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def seal(key, name, word=WORD, *how):
    path = secret(name, "")
    run(["openssl", *(how or ("pkcs8", "-topk8")), "-in", key, "-out", path,
         "-passout", f"pass:{word}"])
    return path


def pack(pair, name, *more, word=WORD):
    path = secret(name, "")
    run(["openssl", "pkcs12", "-export", "-in", pair.cert, "-inkey", pair.key, "-out", path,
         "-passout", f"pass:{word}", *more])
    return path


FILE = f"file:{secret('word', WORD + chr(10))}"
WRONG = f"file:{secret('wrong', 'another')}"
SEALED = seal(PAIR.key, "sealed.key")
PACKED = pack(PAIR, "leaf.p12")
MINE = pack(CLIENT, "client.p12")
MINE_SEALED = seal(CLIENT.key, "client-sealed.key")
MINE_OLD = seal(CLIENT.key, "client-old.key", WORD, "ec", "-aes256")


def quietly(*args, **more):
    """Without a terminal to ask."""
    return run([CLEAT, *args], check=False, start_new_session=True, **more)


def serve(*args, **more):
    return Server("--root", folder() / "root", *args, **more)


def serial(server):
    with support.tls(server.port, CA) as s:
        return s.getpeercert()["serialNumber"]


def serial_of(pair):
    return run(["openssl", "x509", "-noout", "-serial", "-in", pair.cert]).stdout.decode() \
        .strip().split("=")[1]


class Serve(unittest.TestCase):
    def refused(self, code, *wanted, args, **more):
        done = quietly("serve", "--listen", "127.0.0.1:0", *args, **more)
        self.assertEqual(done.returncode, code, done.stderr)
        for part in wanted:
            self.assertIn(str(part), done.stderr.decode())

    def test_a_key_and_a_packed_certificate_from_each_source(self):
        sealed = ("--cert", PAIR.cert, "--key", SEALED)
        for args in ((*sealed, "--key-passphrase", FILE), (*sealed, "--key-passphrase", "env:OURS"),
                     (*sealed, "--key-passphrase", f"pass:{WORD}"),
                     ("--cert", PACKED, "--key-passphrase", FILE),
                     ("--cert", PACKED, "--key", PACKED, "--key-passphrase", FILE),
                     ("--cert", PAIR.cert, "--key", PACKED, "--key-passphrase", FILE)):
            with serve(*args, env={"OURS": WORD}) as server:
                self.assertEqual(serial(server), serial_of(PAIR), args)
                command = pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
                self.assertNotIn(WORD.encode(), command)

    def test_the_chain_of_a_packed_certificate_is_put_in_order_without_its_root(self):
        middle = support.Pair(folder() / "middle.pem", support.make_key("middle", "ecdsa"))
        request, ext = folder() / "middle.csr", folder() / "middle.ext"
        ext.write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n")
        run(["openssl", "req", "-new", "-key", middle.key, "-out", request, "-subj", "/CN=middle"])
        run(["openssl", "x509", "-req", "-in", request, "-CA", CA.cert, "-CAkey", CA.key,
             "-CAcreateserial", "-days", "20", "-extfile", ext, "-out", middle.cert])
        leaf = support.make_leaf(middle, "below")
        others = folder() / "others.pem"
        others.write_bytes(b"".join(p.cert.read_bytes() for p in (CA, CLIENT, middle)))
        packed = pack(leaf, "below.p12", "-certfile", others)
        with serve("--cert", packed, "--key-passphrase", FILE) as server:
            shown = run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
                         CA.cert, "-showcerts", "-servername", "localhost"]).stdout
            self.assertIn(b"Verify return code: 0 (ok)", shown)
            names = re.findall(rb"^ *\d s:CN ?= ?(\w+)", shown, re.M)
            self.assertEqual(names, [b"below", b"middle"])

    def test_a_file_is_read_again_at_a_reload(self):
        other = support.make_leaf(CA, "next")
        cert, key, word = (folder() / f"again.{end}" for end in ("pem", "key", "word"))
        for source, target in ((PAIR.cert, cert), (SEALED, key), (folder() / "word", word)):
            shutil.copy(source, target)
        with serve("--cert", cert, "--key", key, "--key-passphrase", f"file:{word}") as server:
            shutil.copy(other.cert, cert)
            shutil.copy(seal(other.key, "next-sealed.key", "the next phrase"), key)
            server.signal(signal.SIGHUP)
            self.assertIn("passphrase is wrong", server.errors.wait_for(NOTHING))
            self.assertEqual(serial(server), serial_of(PAIR))
            word.write_text("the next phrase\n")
            server.signal(signal.SIGHUP)
            server.errors.wait_for(READ_AGAIN)
            self.assertEqual(serial(server), serial_of(other))

    def test_one_from_a_descriptor_is_kept_for_reloads(self):
        cert, key = folder() / "kept.pem", folder() / "kept.key"
        shutil.copy(PAIR.cert, cert)
        shutil.copy(SEALED, key)
        other = support.make_leaf(CA, "kept-next")
        line = folder() / "line"
        os.mkfifo(line, 0o600)
        keeper = os.open(line, os.O_RDWR)
        os.write(keeper, WORD.encode() + b"\n")
        shell = ["sh", "-c", 'exec 7<"$1"; shift; exec "$@"', "sh", line, CLEAT, "serve",
                 "--listen", "127.0.0.1:0", "--cert", cert, "--key", key, "--key-passphrase",
                 "fd:7"]
        process = subprocess.Popen(list(map(str, shell)), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        errors = support.Lines(process.stderr)
        try:
            errors.wait_for("listening on")
            shutil.copy(other.cert, cert)
            shutil.copy(seal(other.key, "kept-sealed.key"), key)
            process.send_signal(signal.SIGHUP)
            errors.wait_for(READ_AGAIN)
        finally:
            process.terminate()
            process.wait(PATIENCE)
            errors.close()
            os.close(keeper)

    def test_a_terminal_is_asked_at_start_and_not_at_a_reload(self):
        cert, key = folder() / "asked.pem", folder() / "asked.key"
        shutil.copy(PAIR.cert, cert)
        shutil.copy(SEALED, key)
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(CLEAT, list(map(str, (CLEAT, "serve", "--listen", "127.0.0.1:0", "--cert",
                                           cert, "--key", key))))
        shown = b""

        def wait_for(text):
            nonlocal shown
            while text not in shown:
                shown += os.read(fd, 4096)

        wait_for(b"Passphrase of the key")
        os.write(fd, WORD.encode() + b"\n")
        wait_for(b"listening on")
        os.kill(pid, signal.SIGHUP)
        wait_for(READ_AGAIN.encode())
        shutil.copy(seal(PAIR.key, "resealed.key", "another"), key)
        os.kill(pid, signal.SIGHUP)
        wait_for(NOTHING.encode())
        wait_for(b"passphrase is wrong")
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        os.close(fd)
        self.assertNotIn(WORD.encode(), shown)

    def test_a_configuration_file_names_it_beside_itself(self):
        config = folder() / "serve.conf"
        config.write_text('listen = "127.0.0.1:0"\nkey-passphrase = "file:word"\n'
                          "certificate {\ncert = leaf.pem\nkey = sealed.key\n}\n")
        process = subprocess.Popen([CLEAT, "serve", "--config", config], stderr=subprocess.PIPE,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")
        errors = support.Lines(process.stderr)
        try:
            errors.wait_for("listening on")
        finally:
            process.terminate()
            process.wait(PATIENCE)
            errors.close()

    def test_what_is_refused_at_start(self):
        sealed = ("--cert", PAIR.cert, "--key", SEALED)
        for code, args, *wanted in (
                (1, sealed, SEALED, "encrypted", "--key-passphrase file:PATH"),
                (1, (*sealed, "--key-passphrase", WRONG), SEALED, "passphrase is wrong"),
                (1, (*sealed, "--key-passphrase", "file:/none"), "/none", "No such file"),
                (1, (*sealed, "--key-passphrase", "env:NONE_SUCH"), "NONE_SUCH"),
                (2, (*sealed, "--key-passphrase", WORD), "file:PATH"),
                (1, ("--cert", PACKED), PACKED, "--key-passphrase file:PATH"),
                (1, ("--cert", PACKED, "--key-passphrase", WRONG), PACKED, "passphrase is wrong"),
                (2, ("--cert", PACKED, "--cert", PAIR.cert, "--key", PAIR.key), "2 --cert"),
                (1, ("--cert", PACKED, "--key", CLIENT.key, "--key-passphrase", FILE),
                 "does not belong")):
            with self.subTest(args=args):
                self.refused(code, *wanted, args=args)


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = serve(*PAIR.args(), "--client-ca", CA.cert, "--ws-echo", "/echo").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def get(self, *args, **more):
        return quietly("get", "-sS", "--cacert", CA.cert, *args, self.server.url + "/a.txt", **more)

    def taken(self, *args, **more):
        done = self.get(*args, **more)
        self.assertEqual((done.returncode, done.stdout), (0, b"0123456789"), done.stderr)
        return done.stderr.decode()

    def test_keys_and_packed_certificates(self):
        split = ("-E", CLIENT.cert, "--key")
        for args in ((*split, MINE_SEALED), (*split, MINE_OLD), (*split, MINE), ("-E", MINE),
                     ("-E", MINE, "--cert-type", "P12")):
            self.assertEqual(self.taken(*args, "--passin", FILE), "")
        self.taken("-E", MINE, "--passin", "stdin", input=WORD.encode() + b"\n", stdin=None)
        self.taken(*split, CLIENT.key, "--cert-type", "pem", "--passin", WRONG)

    def test_the_phrase_itself_is_told_about_and_overwritten(self):
        said = self.taken("-E", MINE, "--pass", WORD)
        self.assertEqual(said.count("other users may see"), 1)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            for key in (MINE_SEALED, CLIENT.key):
                process = subprocess.Popen(
                    list(map(str, (CLEAT, "get", "-sS", "-E", CLIENT.cert, "--key", key, "--pass",
                                   WORD, "https://127.0.0.1:%d/" % silent.getsockname()[1]))),
                    stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
                silent.settimeout(PATIENCE)
                peer, _ = silent.accept()
                shown = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
                process.kill()
                process.wait()
                peer.close()
                self.assertIn(b"--pass", shown)
                self.assertNotIn(WORD.encode(), shown)

    def test_what_is_refused(self):
        for code, args, wanted in (
                (58, ("-E", MINE, "--passin", WRONG), "passphrase is wrong"),
                (58, ("-E", CLIENT.cert, "--key", MINE_SEALED, "--pass", "x"), "is wrong"),
                (58, ("-E", CLIENT.cert, "--key", MINE_OLD, "--pass", "x"), "is wrong"),
                (58, ("-E", MINE), "--passin file:PATH"),
                (58, ("-E", CLIENT.cert, "--key", MINE_SEALED), "--passin file:PATH"),
                (58, ("--raw-public-key", MINE_SEALED), "--passin file:PATH"),
                (58, ("-E", MINE, "--passin", "file:/none"), "No such file"),
                (58, ("-E", MINE, "--cert-type", "PEM", "--passin", FILE), "--cert-type"),
                (58, ("-E", CLIENT.cert, "--cert-type", "P12"), "no PKCS#12 file"),
                (58, ("-E", CLIENT.cert, "--key", MINE_SEALED, "--pass", "y" * 2000), "1,024"),
                (2, ("-E", CLIENT.cert, "--cert-type", "ENG"), "PEM or P12"),
                (2, ("-E", MINE, "--passin", WORD), "file:PATH"),
                (2, ("-E", MINE, "--passin", FILE, "--pass", "x"), "one of the two"),
                (2, ("--pass", "x"), "--cert")):
            with self.subTest(args=args):
                done = self.get(*args)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(wanted, done.stderr.decode())

    def test_a_packed_certificate_that_was_changed(self):
        spoilt = secret("spoilt.p12", "")
        data = bytearray(MINE.read_bytes())
        data[len(data) // 2] ^= 1
        spoilt.write_bytes(data)
        self.assertEqual(self.get("-E", spoilt, "--passin", FILE).returncode, 58)
        spoilt.write_bytes(data[:300])
        self.assertEqual(self.get("-E", spoilt, "--passin", FILE).returncode, 58)

    def test_a_terminal_is_asked_once_without_echo(self):
        url = self.server.url + "/a.txt"
        shown, code = support.on_terminal(
            [CLEAT, "get", "-sS", "--cacert", CA.cert, "-E", MINE, url, url],
            (b"Passphrase of", WORD.encode() + b"\n"))
        self.assertEqual(code, 0, shown)
        self.assertEqual(shown.count(b"0123456789"), 2)
        self.assertEqual(shown.count(b"Passphrase of"), 1)
        self.assertNotIn(WORD.encode(), shown)

    def test_ws_takes_them_too(self):
        url = self.server.url.replace("https", "wss") + "/echo"
        for args in (("-E", MINE), ("-E", CLIENT.cert, "--key", MINE_SEALED)):
            done = quietly("ws", "--cacert", CA.cert, *args, "--passin", FILE, "-1", "-x", "hello",
                           url)
            self.assertEqual((done.returncode, done.stdout), (0, b"hello\n"), done.stderr)
            done = quietly("ws", "--cacert", CA.cert, *args, "--passin", WRONG, "-1", "-x", "x",
                           url)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"passphrase is wrong", done.stderr)


if __name__ == "__main__":
    support.main()
