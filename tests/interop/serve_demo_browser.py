#!/usr/bin/env python3
"""The page of `cleat serve --demo` in Chromium: what it shows of its visitor's own connection,
whether people with a phone, a keyboard or a screen reader get all of it, and that it keeps its own
policy.

CLEAT_SCREENSHOT names a folder for screenshots at phone and desktop size, light and dark.
"""
import json
import os
import shutil
import unittest

import serve_browser
import support

PROGRAM = serve_browser.HERE / "browser" / "demo.js"
FULL = ["ClientHello", "ServerHello", "EncryptedExtensions", "CertificateVerify", "Finished",
        "Finished", "NewSessionTicket"]


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pair, ca = serve_browser.dev_certificate()
        home = serve_browser.home_that_trusts(ca)
        with support.Server("-v", *pair.args(), "--demo") as server, \
                support.Server(*pair.args(), "--root", serve_browser.WEB) as plain, \
                support.Server(*pair.args(), "--demo", "--tls-max", "1.2",
                               "--alpn", "http/1.1") as older:
            what = {"url": server.url, "plain": plain.url, "older": older.url,
                    "executable": shutil.which("chromium"),
                    "profile": str(support.folder() / "profile"),
                    "shots": os.environ.get("CLEAT_SCREENSHOT")}
            done = support.run(["node", PROGRAM, json.dumps(what)], timeout=serve_browser.SLOW,
                               env={**os.environ, "HOME": str(home),
                                    "CLEAT_BROWSER_DIR": str(serve_browser.DRIVER)})
            cls.url, cls.errors = server.url, server.errors.text()
        cls.access, cls.older_access = server.access.text(), older.access.text()
        cls.seen = json.loads(done.stdout)

    def test_a_connection_is_shown_as_the_server_has_logged_it(self):
        first = self.seen["first"]
        self.assertEqual(self.seen["title"], "It holds - Cleat")
        self.assertEqual(self.seen["heading"], "It holds.")
        self.assertEqual(first["glance"][0], "TLS 1.3")
        self.assertEqual(first["glance"][1], "X25519MLKEM768")
        self.assertEqual(first["badges"], ["post-quantum"])
        self.assertEqual(first["glance"][2], "AES-128-GCM")
        facts = first["facts"]
        self.assertEqual(facts["Server name"], "localhost")
        lines = [line for line in self.errors.splitlines()
                 if f"cleat: {facts['Your address']}: TLSv1.3" in line]
        self.assertEqual(len(lines), 1, self.errors)
        self.assertIn(f"JA4 {facts['JA4']}", lines[0])
        self.assertIn("X25519MLKEM768", lines[0])
        self.assertIn("ALPN h2", lines[0])
        self.assertEqual((first["glance"][3], facts["Protocol"]), ("New", "HTTP/2"))
        self.assertIn("ecdsa_secp256r1_sha256", lines[0])

    def test_it_comes_by_http_2(self):
        first = self.seen["first"]
        self.assertEqual((first["protocol"], first["later"]), ("h2", ["h2"]))
        self.assertIn('"GET / HTTP/2.0" 200', self.access)
        self.assertNotIn("HTTP/1.1", self.access)

    def test_the_handshake_is_told_message_by_message(self):
        first = self.seen["first"]
        names = [n for n in first["messages"] if "Certificate" not in n or n == "CertificateVerify"]
        self.assertEqual(names[:len(FULL)], FULL)
        self.assertIn("localhost", first["chain"][0])
        self.assertIn("Cleat dev CA", first["chain"][-1])
        self.assertRegex(first["scale"],
                         r"^this server [\d.]+ .?s\s+the way and your browser [\d.]+ .?s$")
        self.assertTrue(any("Encrypted from here on" in m for m in first["marks"]), first["marks"])
        self.assertTrue(any(m.startswith("Done after ") for m in first["marks"]), first["marks"])

    def test_a_reload_shows_a_resumed_connection(self):
        for name in ("again", "third"):
            seen = self.seen[name]
            self.assertEqual(seen["glance"][3], "Resumed", seen)
            self.assertIn("resumed", seen["pill"])
            self.assertNotIn("CertificateVerify", seen["messages"])
            self.assertIn("fewer bytes", seen["compare"])
            self.assertIn("localhost", seen["chain"][0])
        self.assertEqual(len(set(self.seen["addresses"])), 3, self.seen["addresses"])

    def test_the_websocket_echoes(self):
        older = self.seen["older"]
        for echo in (self.seen["echo"], older["echo"]):
            self.assertIn('"</b>"grüße" €😀" came back as it was', echo["back"])
            self.assertIn("round-trip times: best", echo["line"])
            self.assertLess(float(echo["best"]), 1000)
        self.assertIn("a stream of this page's HTTP/2 connection", self.seen["echo"]["state"])
        self.assertIn('"GET /echo HTTP/2.0" 200', self.access)
        self.assertIn("a connection of its own", older["echo"]["state"])
        self.assertIn('"GET /echo HTTP/1.1" 101', self.older_access)
        self.assertEqual(older["protocol"], "http/1.1")

    def test_the_counters_come_without_a_line_in_the_log(self):
        self.assertEqual(self.seen["tiles"],
                         ["Connections", "Handshakes", "Resumed", "Requests", "In", "Out"])
        self.assertTrue(any(r.endswith("/counters.json") for r in self.seen["requests"]))
        self.assertNotIn("counters.json", self.access)

    def test_nothing_is_asked_for_elsewhere_and_the_policy_holds(self):
        host = self.url.split("//")[1]
        for url in self.seen["requests"]:
            self.assertTrue(url.startswith((f"https://{host}/", f"wss://{host}/")), url)
        self.assertEqual(self.seen["console"], [])
        self.assertTrue(self.seen["fine"])

    def test_the_keyboard_reaches_every_message_and_control(self):
        walk, first = self.seen["walk"], self.seen["first"]
        reached = [stop.removeprefix("message: ") for stop in walk if stop.startswith("message: ")]
        self.assertEqual(reached, first["messages"])
        for control in ("again", "echo-ping", "echo-auto", "echo-text", "echo-send"):
            self.assertIn(control, walk)
        self.assertEqual(walk[0], "Skip to the connection")
        expand = self.seen["expand"]
        self.assertEqual((expand["open"], expand["closed"]), ("true", "false"))
        self.assertIn("Your browser opens", expand["text"])
        self.assertIn("RFC 9846 4.2.2", expand["text"])

    def test_hovering_explains_on_a_large_screen(self):
        self.assertEqual(len(self.seen["hovered"]), 1)
        self.assertIn("ServerHello", self.seen["hovered"][0])
        self.assertIn("first of ours", self.seen["hovered"][0])

    def test_a_screen_reader_finds_its_way(self):
        tree = [tuple(node) for node in self.seen["tree"]]
        roles = [role for role, _ in tree]
        for role in ("main", "banner", "contentinfo", "navigation", "status"):
            self.assertIn(role, roles)
        for role in ("button", "link", "textbox", "checkbox", "heading", "image", "img"):
            unnamed = [node for node in tree if node[0] == role and not node[1].strip()]
            self.assertEqual(unnamed, [])
        headings = [name for role, name in tree if role == "heading"]
        for name in ("It holds.", "The handshake", "The chain", "An echo", "The server, now"):
            self.assertIn(name, headings)
        regions = [name for role, name in tree if role == "region"]
        self.assertIn("The handshake", regions)
        hello = [name for role, name in tree if role == "button" and name.startswith("ClientHello")]
        self.assertEqual(len(hello), 1)
        self.assertRegex(hello[0], r"from your browser.*in clear.*bytes")

    def test_every_text_can_be_read_and_nothing_is_wider_than_the_screen(self):
        self.assertEqual(self.seen["sizes"], {"wide": [], "faint": []})

    def test_tls_1_2_is_told_in_its_own_words(self):
        older = self.seen["older"]
        self.assertEqual(older["glance"][0], "TLS 1.2")
        names = older["messages"]
        self.assertEqual(names[:7],
                         ["ClientHello", "ServerHello", "Certificate", "ServerKeyExchange",
                          "ServerHelloDone", "ClientKeyExchange", "Finished"])
        where = dict(zip(names, older["where"]))
        # RFC 5077 3.3: in front of ChangeCipherSpec
        self.assertRegex(where["NewSessionTicket"], r"RFC 5077 3\.3 .* in clear$")
        self.assertRegex(where["ServerKeyExchange"], r"RFC 8422 5\.4 .* in clear$")
        self.assertRegex(where["Finished"], r"RFC 5246 7\.4\.9 .* encrypted$")

    def test_without_scripts_the_page_says_so(self):
        seen = self.seen["withoutScripts"]
        self.assertIn("scripts are off", seen["text"])
        self.assertNotIn("The handshake", seen["text"])
        self.assertEqual(seen["links"], 2)

    def test_files_alone_say_what_is_missing(self):
        self.assertIn("cleat serve --demo", self.seen["filesAlone"])


if __name__ == "__main__":
    support.main()
