#!/usr/bin/env python3
"""`cleat serve --client-auth-path`: clients are asked for a certificate when they ask for a
protected path, after the handshake; OpenSSL's and our own as clients, Python's too. (`cleat get`
where OpenSSL asks: extensions.py.)"""
import signal
import ssl
import time
import unittest

import support
from support import Responses, Server

support.need("openssl")
CA = support.make_ca()
LOCAL = support.make_leaf(CA, "local")
ALICE = support.make_leaf(CA, "alice", hosts=["alice.test"], purpose="clientAuth")
BOB = support.make_leaf(CA, "bob", hosts=["bob.test"], purpose="clientAuth")
OTHER = support.make_ca("other")
MALLORY = support.make_leaf(OTHER, "mallory", hosts=["m.test"], purpose="clientAuth")
ROOT = support.folder() / "root"
(ROOT / "admin/sub").mkdir(parents=True)
(ROOT / "a.txt").write_text("open\n")
(ROOT / "admin.txt").write_text("open too\n")
for name in ("admin/a.txt", "admin/index.html", "admin/sub/b.txt"):
    (ROOT / name).write_text("secret\n")


def serve(*args):
    return Server(*LOCAL.args(), "--root", ROOT, "--client-ca", CA.cert, "--client-auth-path",
                  "/admin", *args)


def request(path, method="GET", more=""):
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def context(pair=None, late=True, tls12=False):
    c = support.tls_context(CA)
    c.post_handshake_auth = late
    if tls12:
        c.maximum_version = ssl.TLSVersion.TLSv1_2
    if pair is not None:
        c.load_cert_chain(str(pair.cert), str(pair.key))
    return c


def ask(server, *paths, ctx, **how):
    """The statuses of some requests on one connection."""
    with support.tls(server.port, CA, context=ctx) as s:
        replies, statuses = Responses(s), []
        for path in paths:
            s.sendall(request(path, **how))
            statuses.append(replies.next(how.get("method") == "HEAD")[0])
        return statuses


class Asked(unittest.TestCase):
    def test_only_where_it_is_needed_and_once(self):
        with serve() as server:
            for ctx in (context(ALICE), context()):
                self.assertEqual(ask(server, "/a.txt", "/admin.txt", ctx=ctx), [200, 200])
            with support.tls(server.port, CA, context=context(ALICE)) as s:
                replies = Responses(s)
                for path in ("/a.txt", "/admin/a.txt", "/admin/", "/admin/sub/b.txt", "/a.txt"):
                    s.sendall(request(path))
                    status, _, body = replies.next()
                    self.assertEqual((status, b"secret" in body), (200, "admin/" in path), path)
        lines = server.access.text().splitlines()
        users = [line.split()[2] for line in lines[-5:]]
        self.assertEqual(users, ["-"] + 4 * ["alice.test"])

    def test_paths_are_compared_as_files_are_found(self):
        with serve() as server:
            for path in ("/admin/a.txt", "/%61dmin/a.txt", "/admin", "/admin/", "/admin/none",
                         "https://localhost/admin/a.txt", "/admin/a.txt?x=/a.txt"):
                with self.subTest(path):
                    self.assertEqual(ask(server, path, ctx=context()), [403])
            for path in ("//admin/a.txt", "/x/../admin/a.txt", "/admin%2fa.txt", "/ADMIN/a.txt"):
                with self.subTest(path):
                    self.assertIn(ask(server, path, ctx=context())[0], (400, 404))

    def test_everything_can_be_protected(self):
        with Server(*LOCAL.args(), "--root", ROOT, "--client-ca", CA.cert, "--client-auth-path",
                    "/") as server:
            self.assertEqual(ask(server, "/a.txt", ctx=context()), [403])
            self.assertEqual(ask(server, "/a.txt", ctx=context(ALICE)), [200])

    def test_methods_with_a_body_and_without(self):
        with serve() as server:
            self.assertEqual(ask(server, "/admin/a.txt", ctx=context(), method="HEAD"), [403])
            self.assertEqual(ask(server, "/admin/a.txt", "/a.txt", ctx=context(ALICE),
                                 method="HEAD"), [200, 200])
            with support.tls(server.port, CA, context=context(ALICE)) as s:
                s.sendall(request("/admin/a.txt", "POST", "Content-Length: 5\r\n") + b"hello")
                self.assertEqual(Responses(s).next()[0], 405)

    def test_early_data_waits_for_the_certificate(self):
        # Python sends no early data; OpenSSL does.
        ticket, early = support.folder() / "s.session", support.folder() / "early.txt"
        early.write_bytes(request("/admin/a.txt", more="Connection: close\r\n"))
        with serve("--early-data") as server:
            time.sleep(10.5)  # after a cold start early data is refused for as long
            self.s_client(server, ALICE, "/a.txt", "-sess_out", ticket)
            text = self.s_client(server, ALICE, None, "-sess_in", ticket, "-early_data", early)
            self.assertIn("Early data was accepted", text)
            self.assertIn("\nsecret\n", text)
            line = server.access.wait_for("GET /admin/a.txt")
            self.assertIn(" - alice.test [", line)

    def s_client(self, server, pair, path, *args):
        said = request(path, more="Connection: close\r\n") if path else b""
        words = ["-cert", pair.cert, "-key", pair.key] if pair else []
        done = support.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
                            "-CAfile", CA.cert, "-servername", "localhost", "-enable_pha",
                            "-ign_eof", *words, *args], check=False, stdin=None, input=said)
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_s_client(self):
        with serve() as server:
            self.assertIn("\nsecret\n", self.s_client(server, ALICE, "/admin/a.txt"))
            text = self.s_client(server, None, "/admin/a.txt")
            self.assertIn("HTTP/1.1 403 ", text)
            self.assertNotIn("\nsecret\n", text)

    def test_our_own_client(self):
        with serve() as server:
            url = f"{server.url}/admin/a.txt"
            words = [support.CLEAT, "get", "-sS", "--cacert", CA.cert, "-o", "-", "-w",
                     "%{http_code}"]
            done = support.run([*words, "--cert", ALICE.cert, "--key", ALICE.key, url])
            self.assertEqual(done.stdout, b"secret\n200")
            self.assertTrue(support.run([*words, url], check=False).stdout.endswith(b"403"))


class Refused(unittest.TestCase):
    def refused(self, why, *args, ctx):
        with serve(*args) as server:
            self.assertEqual(ask(server, "/a.txt", "/admin/a.txt", ctx=ctx), [200, 403])
            self.assertIn(why, server.errors.wait_for("client may not come in"))

    def test_who_has_no_certificate(self):
        self.refused("it was asked for a certificate and has none", ctx=context())

    def test_who_cannot_be_asked(self):
        self.refused("it did not offer post_handshake_auth", ctx=context(ALICE, late=False))
        self.refused("it speaks TLS 1.2", ctx=context(ALICE, tls12=True))

    def test_whom_the_rules_keep_out(self):
        self.refused("none of the 1 --client-allow fits", "--client-allow", "alice.test",
                     ctx=context(BOB))
        with serve("--client-allow", "alice.test") as server:
            self.assertEqual(ask(server, "/admin/a.txt", ctx=context(ALICE)), [200])

    def test_a_certificate_of_another_authority_ends_the_connection(self):
        with serve() as server:
            with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                ask(server, "/a.txt", "/admin/a.txt", ctx=context(MALLORY))
            server.errors.wait_for("connection failed: UNKNOWN_ISSUER")
            self.assertNotIn("/admin", server.access.text())

    def test_options_that_contradict_each_other(self):
        base = [support.CLEAT, "serve", "--listen", "127.0.0.1:0", *LOCAL.args()]
        ca = ["--client-ca", CA.cert]
        for words, code in ((["--client-auth-path", "/a"], 2),
                            ([*ca, "--client-auth-path", "/a", "--client-auth", "required"], 2),
                            ([*ca, "--client-auth-path", "/a", "--client-deny", "handshake"], 2),
                            ([*ca, "--client-auth-path", "a"], 1),
                            ([*ca, "--client-auth-path", "/a/../b"], 1)):
            with self.subTest(words):
                self.assertEqual(support.run([*base, *words], check=False).returncode, code)


class InTheHandshake(unittest.TestCase):
    """--client-auth optional: for clients that cannot be asked later, browsers among them."""

    def test_what_was_shown_in_the_handshake_counts(self):
        with serve("--client-auth", "optional") as server:
            for ctx in (context(ALICE, late=False), context(ALICE, tls12=True), context(ALICE)):
                self.assertEqual(ask(server, "/a.txt", "/admin/a.txt", ctx=ctx), [200, 200])
            for ctx in (context(late=False), context(tls12=True), context()):
                self.assertEqual(ask(server, "/a.txt", "/admin/a.txt", ctx=ctx), [200, 403])

    def test_rules_are_for_the_protected_paths_alone(self):
        with serve("--client-auth", "optional", "--client-allow", "alice.test") as server:
            self.assertEqual(ask(server, "/a.txt", "/admin/a.txt", ctx=context(BOB)), [200, 403])
            self.assertIn("protected paths are answered with 403",
                          server.errors.wait_for("client may not come in"))

    def test_a_resumed_session_is_not_asked_again(self):
        with serve("--client-auth", "optional", "--client-allow", "alice.test") as server:
            ctx = context(ALICE, late=False)
            session = None
            for word in ("full", "resumed"):
                with support.tls(server.port, CA, context=ctx, session=session) as s:
                    s.sendall(request("/admin/a.txt"))
                    self.assertEqual(Responses(s).next()[0], 200)
                    session = s.session
                server.access.wait_for(f" {word} ")


class ComingAgain(unittest.TestCase):
    """Chains that verified are remembered; who may come in is asked each time."""

    def test_rules_count_for_remembered_clients_too(self):
        for words in ((), ("--client-cache", "0"), ("--client-cache", "16")):
            with self.subTest(words), Server(*LOCAL.args(), "--root", ROOT, "--client-ca", CA.cert,
                                             "--client-allow", "alice.test", *words) as server:
                for _ in range(3):
                    self.assertEqual(ask(server, "/a.txt", ctx=context(ALICE)), [200])
                    self.assertEqual(ask(server, "/a.txt", ctx=context(BOB)), [403])
                    with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                        ask(server, "/a.txt", ctx=context(MALLORY))

    def test_after_a_reload_the_new_authorities_count(self):
        trusted = support.folder() / "clients.pem"
        trusted.write_bytes(CA.cert.read_bytes())
        with Server(*LOCAL.args(), "--root", ROOT, "--client-ca", trusted) as server:
            for _ in range(2):
                self.assertEqual(ask(server, "/a.txt", ctx=context(ALICE)), [200])
            trusted.write_bytes(OTHER.cert.read_bytes())
            server.signal(signal.SIGHUP)
            server.errors.wait_for("were read again")
            with self.assertRaises((ssl.SSLError, ConnectionError, EOFError)):
                ask(server, "/a.txt", ctx=context(ALICE))
            self.assertEqual(ask(server, "/a.txt", ctx=context(MALLORY)), [200])

    def test_sizes_out_of_range_are_refused(self):
        for size in ("1", "15", "4097", "-1", "x"):
            done = support.run([support.CLEAT, "serve", *LOCAL.args(), "--client-ca", CA.cert,
                                "--client-cache", size], check=False)
            self.assertEqual(done.returncode, 2, size)


class Impolite(unittest.TestCase):
    """Clients that do not simply wait."""

    def test_what_is_pipelined_behind_is_dropped_and_the_connection_ends(self):
        with serve() as server, support.tls(server.port, CA, context=context(ALICE)) as s:
            s.sendall(request("/admin/a.txt") + request("/a.txt"))
            replies = Responses(s)
            self.assertEqual(replies.next()[0], 200)
            with self.assertRaises((EOFError, ConnectionError)):
                replies.next()

    def test_a_flood_in_place_of_the_answer_costs_nothing(self):
        with serve() as server, support.tls(server.port, CA, context=context(ALICE)) as s:
            # Python answers when it reads; it writes on as long as it does not.
            s.sendall(request("/admin/a.txt"))
            time.sleep(0.2)
            for _ in range(64):
                s.sendall(b"x" * 65536)
            self.assertEqual(Responses(s).next()[0], 200)


if __name__ == "__main__":
    support.main()
