"""Encrypted Client Hello with Chromium against `cleat serve --ech-key`: the configuration comes
from the HTTPS record that a name server of the test's own has."""
import os
import subprocess
import unittest

import dns_support
import support
from dns_support import A, HTTPS, https

HOST, PUBLIC = "secret.example.test", "public.example.test"
FEATURES = "EncryptedClientHello,AsyncDns,UseDnsHttpsSvcb"
READY = r"TLSv1\.3, .* SNI "
SLOW = 45  # a first start of a browser on a busy machine


class Chromium(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ca = support.make_ca()
        cls.pair = support.make_leaf(cls.ca, "both", hosts=(HOST, PUBLIC))
        cls.keys = [support.folder() / name for name in ("one.pem", "old.pem")]
        for key in cls.keys:
            support.run([support.CLEAT, "ech", "keygen", "-o", key, PUBLIC])
        database = support.folder() / "home" / ".pki" / "nssdb"
        database.mkdir(parents=True)
        where = ["-d", f"sql:{database}"]
        support.run(["certutil", "-N", *where, "--empty-password"])
        support.run(["certutil", "-A", *where, "-n", "ca", "-t", "C,,", "-i", cls.ca.cert])
        cls.names = dns_support.NameServer({(name, A): [b"\x7f\0\0\1"] for name in (HOST, PUBLIC)})

    def visit(self, port, key):
        # the host by its name: "." would be the name that was asked for, to Chromium
        self.names.records[f"_{port}._https.{HOST}", HTTPS] = [
            https(1, HOST, ech=dns_support.list_of(key))]
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update",
                   f"--user-data-dir={support.folder()}/profile-{port}-{key.stem}",
                   f"--enable-features={FEATURES}", "--dump-dom", f"https://{HOST}:{port}/"]
        done = subprocess.run(command, capture_output=True, timeout=SLOW, check=False,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": str(support.folder() / "home")})
        return done.stdout.decode()

    def serve(self, *more):
        return support.Server("-v", *self.pair.args(), *more)

    def test_the_name_comes_encrypted(self):
        with self.serve("--ech-key", self.keys[0]) as server:
            self.assertIn("404", self.visit(server.port, self.keys[0]))
            line = server.errors.wait_for(READY + HOST)
            self.assertIn("by Encrypted Client Hello", line)

    def test_new_configurations_are_taken(self):
        with self.serve("--ech-key", self.keys[0]) as server:
            self.assertIn("404", self.visit(server.port, self.keys[1]))
            # the public name first, of which nothing comes but the alert; then the host's
            server.errors.wait_for("ech_required")
            self.assertIn("by Encrypted Client Hello", server.errors.wait_for(READY + HOST))

    def test_a_server_that_has_no_keys_switches_it_off(self):
        with self.serve() as server:
            self.assertIn("404", self.visit(server.port, self.keys[1]))
            server.errors.wait_for("ech_required")
            self.assertNotIn("by Encrypted", server.errors.wait_for(READY + HOST))


if __name__ == "__main__":
    support.need("chromium", "certutil", "openssl")
    dns_support.enter(__file__)
    support.main()
