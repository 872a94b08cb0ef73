#!/usr/bin/env python3
"""Chromium and `cleat cert dev --install`: it trusts a page of `cleat serve` then, from a home
where it had no store yet, and no longer after --uninstall."""
import json
import os
import shutil
import unittest

import serve_browser
import support


class Chromium(unittest.TestCase):
    def test_a_page_is_trusted_until_the_ca_is_taken_out(self):
        self.home = support.folder() / "fresh-home"
        self.home.mkdir()
        cert, key = self.home / "cert.pem", self.home / "key.pem"
        told = self.dev("--install", "--cert-file", cert, "--key-file", key, "localhost")
        self.assertIn(".pki/nssdb: trusted", told)
        with support.Server("--cert", cert, "--key", key, "--root", serve_browser.WEB) as server:
            seen = json.loads(self.visit(server, "trusting").stdout)
            self.assertTrue(seen["first"]["trusted"])
            self.assertIn(": taken out", self.dev("--uninstall"))
            done = self.visit(server, "doubting", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"ERR_CERT_AUTHORITY_INVALID", done.stderr)

    def dev(self, *args):
        return support.run([support.CLEAT, "cert", "dev", "--ca-dir", self.home / "ca", *args],
                           env={**os.environ, "HOME": str(self.home),
                                "TRUST_STORES": "nss"}).stdout.decode()

    def visit(self, server, profile, check=True):
        what = {"url": server.url, "profile": str(support.folder() / profile),
                "screenshot": str(support.folder() / "page.png"),
                "executable": shutil.which("chromium")}
        return support.run(["node", serve_browser.HERE / "browser" / "visit.js",
                            json.dumps(what)], check=check, timeout=serve_browser.SLOW,
                           env={**os.environ, "HOME": str(self.home),
                                "CLEAT_BROWSER_DIR": str(serve_browser.DRIVER)})


if __name__ == "__main__":
    support.main()
