#!/usr/bin/env python3
"""`cleat serve --redirect`, --hsts and --upgrade-insecure: how visitors come to HTTPS, and stay."""
import re
import socket
import unittest

import support

support.need("curl", "openssl")
CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")
ROOT = support.folder() / "root"
(ROOT / ".well-known/acme-challenge").mkdir(parents=True)
(ROOT / ".well-known/acme-challenge/token").write_text("token.thumbprint")
(ROOT / ".well-known/other").write_text("other")
(ROOT / "index.html").write_text("<h1>home</h1>")
(ROOT / "a.txt").write_text("text")
HSTS = "max-age=31536000; includeSubDomains; preload"


def setUpModule():
    global server, port
    server = support.Server(*PAIR.args(), "--root", ROOT, "--redirect", "127.0.0.1:0",
                            "--hsts", "max-age=31536000; includesubdomains; PRELOAD",
                            "--upgrade-insecure", "--ws-echo", "/ws").__enter__()
    line = server.errors.wait_for(r"listening on http://.*all are sent to https")
    port = int(re.search(r":(\d+) \(", line).group(1))


def tearDownModule():
    server.__exit__(None, None, None)


def raw(data, to_end=True):
    with socket.create_connection(("127.0.0.1", port), support.PATIENCE) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        return support.read_to_end(s).decode()


def ask(target, host="example.com", method="GET", more="", version="1.1"):
    host_line = f"Host: {host}\r\n" if host is not None else ""
    text = raw(f"{method} {target} HTTP/{version}\r\n{host_line}{more}\r\n".encode())
    head, _, body = text.partition("\r\n\r\n")
    status = int(head.split()[1])
    location = re.search(r"(?im)^location: (.*?)\r?$", head)
    return status, location.group(1) if location else None, head, body


class Redirect(unittest.TestCase):
    def test_the_same_url_over_https(self):
        for host, target, expected in (
                ("example.com", "/", "example.com:{p}/"),
                ("example.com:80", "/a/b?c=d&e=%2F%0d", "example.com:{p}/a/b?c=d&e=%2F%0d"),
                ("EXAMPLE.com", "/%2e%2e/%00", "EXAMPLE.com:{p}/%2e%2e/%00"),
                ("[::1]:8080", "/x", "[::1]:{p}/x"),
                ("192.0.2.1", "//evil.example/", "192.0.2.1:{p}//evil.example/"),
                ("example.com", "/?", "example.com:{p}/?"),
                ("example.com", "http://other.example/y?z", "other.example:{p}/y?z")):
            with self.subTest(host=host, target=target):
                status, location, _, _ = ask(target, host)
                self.assertEqual((status, location),
                                 (308, "https://" + expected.format(p=server.port)))

    def test_every_method_is_kept(self):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            status, location, _, body = ask("/form", method=method,
                                            more="Content-Length: 2\r\n\r\nhi"
                                            if method in ("POST", "PUT") else "")
            self.assertEqual((status, location),
                             (308, f"https://example.com:{server.port}/form"))
            self.assertEqual(body == "", method == "HEAD")

    def test_what_names_no_host_is_refused(self):
        self.assertEqual(ask("/", None, version="1.0")[0:2], (400, None))
        for host in ("", "a b", "exa/mple", "a@b", "x:99999", "evil.com\tx", "%65vil.com"):
            status, location, _, _ = ask("/", host)
            self.assertEqual((status, location), (400, None), host)
        self.assertEqual(ask("*", method="OPTIONS")[0], 400)
        for target in ("/\\evil.example", "/<script>", "/a b"):
            self.assertEqual(ask(target)[0:2], (400, None), target)

    def test_nonsense_is_answered_and_cut(self):
        self.assertIn(" 400 ", raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"))
        self.assertIn(" 431 ", raw(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20000))

    def test_acme_challenges_are_answered_here(self):
        status, _, head, body = ask("/.well-known/acme-challenge/token")
        self.assertEqual((status, body), (200, "token.thumbprint"))
        self.assertEqual(ask("/.well-known/acme-challenge/none")[0], 404)
        for target in ("/.well-known/acme-challenge/", "/.well-known/acme-challenge",
                       "/.well-known/other", "/x/.well-known/acme-challenge/token"):
            self.assertEqual(ask(target)[0], 308, target)
        for target in ("/.well-known/acme-challenge/../other",
                       "/.well-known/acme-challenge/%2e%2e/other"):
            self.assertIn(ask(target)[0], (400, 404), target)

    def test_nothing_else_is_served_in_clear(self):
        status, location, _, _ = ask("/ws", more="Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                     "Sec-WebSocket-Version: 13\r\n"
                                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        self.assertEqual((status, location), (308, f"https://example.com:{server.port}/ws"))

    def test_curl_follows(self):
        done = support.run(["curl", "-sS", "-L", "--cacert", CA.cert,
                            f"http://localhost:{port}/a.txt"])
        self.assertEqual(done.stdout, b"text")


class Fields(unittest.TestCase):
    def head(self, path, *args):
        done = support.run(["curl", "-sS", "-D", "-", "-o", "/dev/null", "--cacert", CA.cert,
                            *args, server.url + path])
        return done.stdout.decode().lower()

    def test_every_answer_over_tls_has_hsts(self):
        for path, args in (("/", ()), ("/none", ()), ("/", ("-I",)), ("/", ("-X", "POST")),
                           ("/", ("--http1.1",)), ("/", ("-X", "BREW"))):
            self.assertIn(f"strict-transport-security: {HSTS}".lower(), self.head(path, *args))

    def test_none_in_clear_has_it(self):
        for target in ("/", "/.well-known/acme-challenge/token"):
            self.assertNotIn("strict-transport", ask(target)[2].lower())

    def test_html_asks_for_upgrades(self):
        self.assertIn("content-security-policy: upgrade-insecure-requests", self.head("/"))
        self.assertNotIn("content-security-policy", self.head("/a.txt"))

    def test_values_of_hsts(self):
        for value, sent in (("300", "max-age=300"), ("0", "max-age=0"),
                            ("preload", "max-age=63072000; includesubdomains; preload"),
                            ("max-age=5;includeSubDomains", "max-age=5; includesubdomains")):
            with support.Server(*PAIR.args(), "--root", ROOT, "--hsts", value) as one:
                done = support.run(["curl", "-sSI", "--cacert", CA.cert, one.url])
                self.assertIn(f"strict-transport-security: {sent}\r\n",
                              done.stdout.decode().lower())
        for value in ("", "-1", "max-age", "max-age=x", "300; preload", "includeSubDomains",
                      "max-age=1; max-age=2", "max-age=300; preload; includeSubDomains",
                      "max-age=1; other", "max-age=99999999999"):
            done = support.run([support.CLEAT, "serve", *PAIR.args(), "--hsts", value],
                               check=False)
            self.assertEqual(done.returncode, 2, value)
            self.assertIn(b"--hsts", done.stderr)

    def test_a_redirect_needs_https(self):
        done = support.run([support.CLEAT, "serve", "--insecure-listen", "127.0.0.1:0",
                            "--redirect", "127.0.0.1:0"], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"leads to HTTPS", done.stderr)

    def test_a_configuration_file_says_the_same(self):
        file = support.folder() / "serve.conf"
        file.write_text(f'redirect = {{ "127.0.0.1:0" }}\nhsts = "600"\ncompress = "gzip"\n'
                        f'upgrade-insecure = true\nno-precompressed = true\nroot = "{ROOT}"\n')
        with support.Server(*PAIR.args(), "--config", file) as one:
            one.errors.wait_for("all are sent to https")
            done = support.run(["curl", "-sSI", "--cacert", CA.cert, one.url])
        self.assertIn(b"trict-", done.stdout)
        self.assertIn(b"max-age=600", done.stdout)


if __name__ == "__main__":
    support.main()
