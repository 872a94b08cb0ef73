"""Encrypted Client Hello: `cleat ech keygen`, `serve --ech-key` and `get --ech` together, with what
crosses the wire between them; keys that are rotated by SIGHUP; the key log's lines."""
import json
import os
import signal
import unittest

import abuse_support
import get_support
import support

support.need("openssl")
HOST, PUBLIC = "secret.example.test", "public.example.test"
CA = support.make_ca()
PAIR = support.make_leaf(CA, "both", hosts=(HOST, PUBLIC))
READ_AGAIN = "SIGHUP: certificates, keys and CAs were read again"


def cleat(*args, code=0):
    done = support.run([os.environ["CLEAT_PROGRAM"], *map(str, args)], check=False)
    if done.returncode != code:
        raise AssertionError(f"{args}: {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def keygen(name, *more):
    path = support.folder() / f"{name}.pem"
    cleat("ech", "keygen", "--max-name-length", "32", *more, "-o", path, PUBLIC)
    return path


ONE, TWO, THREE = keygen("one"), keygen("two", "--kem", "P-256"), keygen("three")


class Ech(unittest.TestCase):
    def server(self, *keys, more=()):
        return support.Server(*PAIR.args(), *(f"--ech-key={key}" for key in keys), *more,
                              env=abuse_support.ENV)

    def fetch(self, port, *args, code=0, env=None):
        """Standard error of a get through a recorder, and what the recorder saw go out."""
        done = get_support.get("-sSv", "--cacert", str(CA.cert), "-o", "/dev/null", "--resolve",
                               f"{HOST}:{port}:127.0.0.1", *map(str, args),
                               f"https://{HOST}:{port}/", env=env)
        self.assertEqual(done.returncode, code, done.stderr)
        text = done.stderr
        return text.decode() if isinstance(text, bytes) else text

    def test_the_name_is_seen_without_it_and_not_with_it(self):
        with self.server(ONE) as server:
            for args, seen in (((), True), (("--ech", "false"), True),
                               (("--ech", f"@{ONE}"), False)):
                recorder = support.Recorder(server.port)
                self.fetch(recorder.port, *args)
                recorder.close()
                crossed = b"".join(data for _, _, data in recorder.packets)
                self.assertEqual(HOST.encode() in crossed, seen, args)
                self.assertEqual(PUBLIC.encode() in crossed, not seen, args)

    def test_each_key_of_the_server_is_accepted(self):
        with self.server(ONE, TWO) as server:
            for key in (ONE, TWO):
                self.assertIn("Encrypted Client Hello: accepted",
                              self.fetch(server.port, "--ech", f"@{key}"))

    def test_an_old_configuration_is_replaced_by_the_servers_first(self):
        with self.server(TWO, THREE) as server:
            text = self.fetch(server.port, "--ech", f"@{ONE}")
            self.assertIn("Encrypted Client Hello: rejected", text)
            self.assertIn("connecting once more", text)
            self.assertIn("Encrypted Client Hello: accepted", text)

    def test_a_server_without_it_ends_the_transfer_and_the_name_stays_hidden(self):
        with support.Server(*PAIR.args(), env=abuse_support.ENV) as server:
            text = self.fetch(server.port, "--ech", f"@{ONE}", code=101)
            self.assertIn("ECH is off there", text)

    def test_a_retry_request_goes_with_it(self):
        with self.server(ONE, more=("--curves", "P-384")) as server:
            self.assertIn("Encrypted Client Hello: accepted",
                          self.fetch(server.port, "--ech", f"@{ONE}"))

    def test_keys_of_a_folder_are_rotated_without_a_restart(self):
        keys = support.folder() / "keys"
        keys.mkdir()
        (keys / "2026-11-20.pem").write_bytes(ONE.read_bytes())
        for path in keys.iterdir():
            path.chmod(0o600)
        with self.server(keys) as server:
            self.fetch(server.port, "--ech", f"@{ONE}")
            (keys / "2026-11-21.pem").write_bytes(THREE.read_bytes())
            (keys / "2026-11-21.pem").chmod(0o600)
            server.signal(signal.SIGHUP)
            abuse_support.wait_until(server.errors.text,
                                     lambda: READ_AGAIN in server.errors.text())
            for key in (ONE, THREE):
                text = self.fetch(server.port, "--ech", f"@{key}")
                self.assertNotIn("rejected", text)
            self.assertIn("connecting once more", self.fetch(server.port, "--ech", f"@{TWO}"))

    def test_a_folder_without_keys_and_a_key_that_is_none_are_refused(self):
        empty = support.folder() / "empty"
        empty.mkdir()
        for path, why in ((empty, "ends in .pem"), (PAIR.key, "no ECHCONFIG block")):
            done = support.run([os.environ["CLEAT_PROGRAM"], "serve", "--listen", "127.0.0.1:0",
                                *map(str, PAIR.args()), "--ech-key", str(path)], check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr.decode())

    def test_the_key_log_has_its_lines(self):
        log = support.folder() / "keys.log"
        with self.server(ONE) as server:
            self.fetch(server.port, "--ech", f"@{ONE}", env={"SSLKEYLOGFILE": str(log)})
        lines = [line.split() for line in log.read_text().splitlines()]
        by_label = {line[0]: line[1:] for line in lines}
        self.assertEqual(by_label["ECH_SECRET"][0], by_label["ECH_CONFIG"][0])
        self.assertNotEqual(by_label["ECH_SECRET"][0],
                            by_label["CLIENT_TRAFFIC_SECRET_0"][0])
        self.assertIn(PUBLIC.encode().hex(), by_label["ECH_CONFIG"][1])

    def test_what_was_made_is_shown(self):
        shown = json.loads(cleat("ech", "show", "--json", TWO))["configurations"]
        self.assertEqual([(c["public_name"], c["kem_name"], c["usable"], c["maximum_name_length"])
                          for c in shown], [(PUBLIC, "P-256", True, 32)])
        body = "".join(ONE.read_text().split("ECHCONFIG-----")[1].split("-----")[0].split())
        self.assertIn(PUBLIC, cleat("ech", "show", body))
        with self.server(ONE) as server:
            self.assertIn("Encrypted Client Hello: accepted",
                          self.fetch(server.port, "--ech", f"ecl:{body}"))

    def test_command_lines_that_make_no_sense_are_refused(self):
        cleat("ech", "keygen", code=2)
        cleat("ech", "keygen", "127.0.0.1", code=1)
        cleat("ech", "keygen", "--kem", "P-999", PUBLIC, code=1)
        cleat("ech", "keygen", "--suite", "ROT13,AES-128-GCM", PUBLIC, code=2)
        cleat("ech", "keygen", "-o", ONE, PUBLIC, code=1)
        cleat("ech", "show", "nonsense!", code=1)
        cleat("get", "--ech", "perhaps", f"https://{HOST}/", code=2)


if __name__ == "__main__":
    support.main()
