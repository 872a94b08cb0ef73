"""`cleat serve --config`: a file says what options say, errors name its line, and the command line
wins."""
import pathlib
import re
import unittest

import support
from support import CLEAT, Server

support.need("openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "one", hosts=("localhost", "one.test"))
OTHER = support.make_leaf(CA, "two", "rsa", hosts=("localhost", "two.test"))
FOLDER = support.folder() / "etc"
FOLDER.mkdir()
(FOLDER / "web").mkdir()
(FOLDER / "web" / "index.html").write_text("from the file\n")
MAN = pathlib.Path(__file__).parents[2] / "docs/man/cleat-serve.1.scd"


def write(text, name="web.conf"):
    path = FOLDER / name
    path.write_text(text)
    return path


def block(pair):
    return f'certificate {{\n  cert = "{pair.cert}"\n  key = "{pair.key}"\n}}\n'


def served(server, name="localhost"):
    with support.tls(server.port, CA, name) as s:
        return s.getpeercert()["subject"][0][0][1], s.version()


class FromFile(unittest.TestCase):
    def serve(self, text, *args, **more):
        return Server("--config", write(text), *args, **more)

    def refused(self, text, *wanted, args=(), code=2):
        path = write(text)
        done = support.run([CLEAT, "serve", "--config", path, *args], check=False)
        said = done.stderr.decode()
        self.assertEqual(done.returncode, code, said)
        for part in wanted:
            self.assertIn(part.replace("FILE", str(path)), said)

    def test_the_example_of_the_manual_serves_both_names(self):
        text = re.search(r"# CONFIGURATION FILE.*?```\n(.*?)```", MAN.read_text(), re.S).group(1)
        for host, pair in (("example.com", PAIR), ("example.net", OTHER)):
            leaf = support.make_leaf(CA, host, hosts=(host,))
            (FOLDER / f"{host}.pem").write_bytes(leaf.cert.read_bytes())
            key = FOLDER / f"{host}-key.pem"
            key.touch(0o600)
            key.write_bytes(leaf.key.read_bytes())
        with self.serve(text) as server:  # on a port of our own: the command line wins
            self.assertEqual(served(server, "example.com")[0], "example.com")
            self.assertEqual(served(server, "example.net")[0], "example.net")
        self.assertNotIn(":8443", server.errors.text())

    def test_paths_are_relative_to_the_file(self):
        text = "root = web\n" + block(PAIR)
        with self.serve(text) as server:
            done = support.run(["curl", "-sS", "--cacert", CA.cert, server.url + "/"])
            self.assertEqual(done.stdout, b"from the file\n")

    def test_the_order_within_a_block_does_not_matter(self):
        text = f'certificate {{ key = "{PAIR.key}" cert = "{PAIR.cert}" }}\n' + block(OTHER)
        with self.serve(text) as server:
            self.assertEqual(served(server, "one.test")[0], "one")
            self.assertEqual(served(server, "two.test")[0], "two")

    def test_lists_and_switches(self):
        text = (f'cert = {{"{PAIR.cert}", "{OTHER.cert}"}}\nkey = {{"{PAIR.key}", "{OTHER.key}"}}\n'
                "quiet = true\nverbose = false\nthreads = 1\n")
        with self.serve(text) as server:
            self.assertEqual(served(server, "two.test")[0], "two")
        self.assertNotIn("days left", server.errors.text())

    def test_the_command_line_wins(self):
        with self.serve("tls-max = 1.2\n" + block(PAIR)) as server:
            self.assertEqual(served(server), ("one", "TLSv1.2"))
        with self.serve("tls-max = 1.2\n" + block(PAIR), "--tls-max", "1.3",
                        *OTHER.args()) as server:
            self.assertEqual(served(server), ("two", "TLSv1.3"))

    def test_mistakes_are_told_with_file_and_line(self):
        self.refused("root = .\nlisen = 1\n",
                     "FILE:2: there is no key 'lisen'; did you mean 'listen'?")
        self.refused("threads = four\n", "FILE:1: threads takes a number from 1 to 256, not 'four'")
        self.refused("\n\nquiet = perhaps\n", "FILE:3: 'quiet' is true or false, not 'perhaps'")
        self.refused("tls-min = 1.2\ntls-min = 1.3\n", "FILE:2: 'tls-min' is given twice")
        self.refused("certificate {\n  cert = a\n}\n", "FILE:3:", "has no 'key'")
        self.refused("certificate { listen = a }\n", "FILE:1: there is no key 'listen' in a block")
        self.refused("certificate { cert = a\nkey = b\n",
                     "FILE:2: the block certificate is not closed")
        self.refused("profile = {a, b}\n", "FILE:1: unexpected token '{'")
        self.refused("root = x\n/* and so on\n", "FILE:2: a comment is not closed")
        self.refused("root = x\0y\n", "FILE:1: this is no text")
        self.refused("tls-min = 1.1\n", "FILE:1: tls-min takes 1.2 or 1.3, not '1.1'")
        self.refused("config = other.conf\n", "FILE:1: there is no key 'config'")
        self.refused("cert = a\n", "1 --cert, but 0 --key")

    def test_a_file_that_is_not_there(self):
        done = support.run([CLEAT, "serve", "--config", FOLDER / "none"], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"cannot be read: No such file", done.stderr)

    def test_a_file_that_everybody_can_write_is_warned_about(self):
        path = write(block(PAIR), "loose.conf")
        path.chmod(0o666)
        with Server("--config", path) as server:
            self.assertRegex(server.errors.text(),
                             r"warning: the configuration .*loose\.conf .*666")

    def test_every_option_is_a_key(self):
        text = support.run([CLEAT, "serve", "--help"]).stdout.decode()
        names = set(re.findall(r"^ .*?--([a-z0-9-]+)", text, re.M)) - {"config", "help"}
        self.assertGreater(len(names), 40)
        for name in names:  # a value that no option takes is refused, but the key is known
            path = write(f"{name} = \"\x01\"\nno-such-key = 1\n")
            done = support.run([CLEAT, "serve", "--config", path], check=False)
            self.assertNotIn(f"there is no key '{name}'".encode(), done.stderr)
            self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    support.main()
