"""`cleat get` and `cleat ws` with `--ech true` and `--ech hard`: HTTPS records in DNS say where to
connect, and with which configuration.

A name server of our own answers, in namespaces of the test (unshare), so that no name server of the
machine is asked; without the right to make them: SKIP."""
import json
import os
import socket
import struct
import time
import unittest

import abuse_support
import dns_support
import get_support
import support
from dns_support import A, HTTPS, NameServer, https, list_of, name_of

HOST, PUBLIC = "secret.example.test", "public.example.test"


LOOPBACK = socket.inet_aton("127.0.0.1")
SERVICE = "svc.example.test"
ACCEPTED = "Encrypted Client Hello: accepted"


def closed_port():
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class EchDns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = support.make_ca()
        cls.pair = support.make_leaf(cls.ca, "both", hosts=(HOST, PUBLIC))
        cls.key = support.folder() / "ech.pem"
        support.run([os.environ["CLEAT_PROGRAM"], "ech", "keygen", "-o", str(cls.key), PUBLIC])
        cls.list = list_of(cls.key)
        cls.names = NameServer({})
        cls.server = support.Server(*cls.pair.args(), f"--ech-key={cls.key}", "--ws-echo", "/echo",
                                    env=abuse_support.ENV).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def setUp(self):
        self.port = self.server.port
        self.name = f"_{self.port}._https.{HOST}"
        self.names.asked.clear()
        self.names.records.clear()
        self.names.records[HOST, A] = [LOOPBACK]

    def fetch(self, how, records=None, code=0, url=None, more=()):
        if records is not None:
            self.names.records[self.name, HTTPS] = records
        done = get_support.get("-sSv", "--cacert", str(self.ca.cert), "-o", "/dev/null", "--ech",
                               how, *more, url or f"https://{HOST}:{self.port}/")
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr.decode()

    def test_what_the_record_has_is_offered(self):
        for how in ("true", "hard"):
            self.assertIn(ACCEPTED, self.fetch(how, [https(1, ech=self.list)]))
            self.assertIn((self.name, HTTPS), self.names.asked)

    def test_without_a_record_a_dummy_is_sent_or_nothing(self):
        self.assertIn("the name has no HTTPS record", self.fetch("true", []))
        self.assertIn("the name has no HTTPS record", self.fetch("hard", [], code=101))

    def test_what_is_no_list_is_not_used(self):
        bad = [https(1, ech=b"xx")]
        self.assertIn("is not an ECHConfigList", self.fetch("hard", bad, code=101))
        self.assertNotIn(ACCEPTED, self.fetch("true", bad))

    def test_one_malformed_record_rejects_them_all(self):
        records = [https(1, ech=self.list), https(2, more=b"\0\3\0\1\1")]
        self.assertIn("malformed: none of them counts", self.fetch("hard", records, code=101))

    def test_a_target_and_a_port_of_the_record_are_connected_to(self):
        self.names.records[HOST, HTTPS] = [https(1, SERVICE, ech=self.list, port=self.port)]
        self.names.records[SERVICE, A] = [LOOPBACK]
        text = self.fetch("hard", url=f"https://{HOST}/")
        self.assertIn(f"HTTPS record: priority 1, {SERVICE} port {self.port}", text)
        self.assertIn(ACCEPTED, text)
        # the certificate is the origin's, and the host's own address was not asked for
        self.assertIn(f"Host: {HOST}\r\n".strip(), text)
        self.assertNotIn((HOST, A), self.names.asked)

    def test_aliases_are_followed(self):
        self.names.records["one.test", HTTPS] = [https(0, "two.test")]
        self.names.records["two.test", HTTPS] = [https(1, ech=self.list)]
        self.names.records["two.test", A] = [LOOPBACK]
        text = self.fetch("hard", [https(0, "one.test")])
        self.assertIn(f"priority 1, two.test port {self.port}", text)
        self.assertIn(ACCEPTED, text)

    def test_an_alias_without_records_is_connected_to_without_ech(self):
        self.names.records["one.test", A] = [LOOPBACK]
        del self.names.records[HOST, A]
        text = self.fetch("true", [https(0, "one.test")])
        self.assertIn("an alias of one.test", text)
        self.assertNotIn(ACCEPTED, text)
        self.fetch("hard", [https(0, "one.test")], code=101)

    def test_a_ring_of_aliases_ends(self):
        self.names.records["one.test", HTTPS] = [https(0, "one.test")]
        text = self.fetch("hard", [https(0, "one.test")], code=101)
        self.assertIn("from alias to alias", text)
        self.assertLess(self.names.asked.count(("one.test", HTTPS)), 10)
        self.assertIn("no such service", self.fetch("hard", [https(0)], code=101))

    def test_records_are_tried_in_order_of_priority(self):
        shut = closed_port()
        records = [https(3, ech=self.list, port=self.port), https(1, ech=self.list, port=shut),
                   https(2, "gone.test", ech=self.list)]
        text = self.fetch("hard", records)
        self.assertLess(text.index("priority 1"), text.index("priority 2"))
        self.assertIn("going on to gone.test", text)
        self.assertIn(f"going on to {HOST} port {self.port}", text)
        self.assertIn(ACCEPTED, text)

    def test_where_every_record_has_ech_nothing_goes_without(self):
        shut = closed_port()
        self.fetch("true", [https(1, ech=self.list, port=shut)], code=7)
        text = self.fetch("true", [https(1, ech=self.list, port=shut), https(2, port=shut)])
        self.assertIn(f"going on to {HOST} port {self.port}, without ECH", text)

    def test_records_for_other_clients_are_passed_over(self):
        h3 = https(1, "gone.test", ech=self.list, alpn=["h3"])
        unknown = struct.pack(">HHH", 0, 2, 4660)
        strange = (struct.pack(">H", 2) + name_of("gone.test") + unknown +
                   struct.pack(">HH", 4660, 0))
        mine = https(3, ech=self.list, alpn=["h2", "http/1.1"])
        text = self.fetch("hard", [h3, strange, mine])
        self.assertNotIn("gone.test", text)
        self.assertIn(ACCEPTED, text)
        self.assertIn("for a client like this one", self.fetch("hard", [h3, strange], code=101))

    def test_what_the_command_line_says_is_where_to_connect(self):
        records = [https(1, "gone.test", ech=self.list, port=closed_port())]
        for more in (("--resolve", f"{HOST}:{self.port}:127.0.0.1"),
                     ("--connect-to", f"{HOST}:{self.port}:localhost:{self.port}")):
            text = self.fetch("hard", records, more=more)
            self.assertNotIn("looking up the IPv6 and IPv4 addresses of gone.test", text)
            self.assertIn(ACCEPTED, text)

    def test_no_answer_is_waited_for_longer_than_connecting_may_take(self):
        self.names.records[self.name, HTTPS] = [https(1, ech=self.list)]
        self.names.socket.settimeout(None)
        original, self.names.records = self.names.records, Silent()
        try:
            text = self.fetch("hard", code=101, more=("--connect-timeout", "0.3"))
        finally:
            self.names.records = original
        self.assertIn("no answer in time", text)

    def test_write_out_says_what_became_of_it(self):
        records = [https(1, ech=self.list)]
        self.names.records[self.name, HTTPS] = records
        for how, want in (("hard", "accepted"), ("grease", "grease"), ("false", "none")):
            done = get_support.get("-sS", "--cacert", str(self.ca.cert), "-o", "/dev/null", "-w",
                                   "%{tls_ech}", "--ech", how, f"https://{HOST}:{self.port}/")
            self.assertEqual((done.returncode, done.stdout.decode()), (0, want), done.stderr)

    def test_the_trace_says_it_too(self):
        trace = support.folder() / "trace.json"
        text = self.fetch("hard", [https(1, ech=self.list)], more=("--trace-json", str(trace)))
        lines = [json.loads(line) for line in trace.read_text().splitlines()]
        ready = [line for line in lines if line["event"] == "tls.ready"]
        self.assertEqual([line["ech"] for line in ready], ["accepted"])
        self.assertRegex(text, r"TLS 1\.3, .*, by Encrypted Client Hello")

    def websocket(self, how, code=0):
        done = support.run([os.environ["CLEAT_PROGRAM"], "ws", "-v", "--cacert", str(self.ca.cert),
                            "--ech", how, "-1", "-x", "hello",
                            f"wss://{HOST}:{self.port}/echo"], check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout.decode(), done.stderr.decode()

    def test_websockets_go_the_same_way(self):
        records = [https(1, "gone.test", ech=self.list), https(2, SERVICE, ech=self.list)]
        self.names.records[self.name, HTTPS] = records
        self.names.records[SERVICE, A] = [LOOPBACK]
        out, text = self.websocket("hard")
        self.assertEqual(out, "hello\n")
        self.assertIn(f"going on to {SERVICE}", text)
        self.assertIn(ACCEPTED, text)
        self.names.records[self.name, HTTPS] = []
        self.assertIn("the name has no HTTPS record", self.websocket("hard", code=3)[1])
        self.assertEqual(self.websocket("true")[0], "hello\n")

    def test_websockets_in_clear_are_not_said_to_be_hidden(self):
        for how in ("hard", f"@{self.key}"):
            done = support.run([support.CLEAT, "ws", "--ech", how, "-x", "hello",
                                f"ws://{HOST}:{self.port}/echo"], check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(b"there is no TLS in it", done.stderr)

    def test_websockets_take_new_configurations_too(self):
        old = support.folder() / "old.pem"
        support.run([os.environ["CLEAT_PROGRAM"], "ech", "keygen", "-o", str(old), PUBLIC])
        out, text = self.websocket(f"@{old}")
        self.assertEqual(out, "hello\n")
        self.assertIn("connecting once more", text)
        self.assertIn(ACCEPTED, text)


class Silent(dict):
    """Records of a name server that takes its time."""

    def get(self, key, default=None):
        time.sleep(1)
        return default


if __name__ == "__main__":
    dns_support.enter(__file__)
    support.need("openssl")
    support.main()
