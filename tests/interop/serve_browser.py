#!/usr/bin/env python3
"""`cleat serve` as Chromium sees it: the demo page from a certificate of `cleat cert dev`, whose CA
is the only thing that the browser is told to trust.

The driver, playwright-core, is installed with npm into CLEAT_BROWSER_DIR (in the build tree) at the
version that browser/package-lock.json pins. CLEAT_SCREENSHOT names a file for the screenshot.
"""
import json
import os
import pathlib
import shutil
import struct
import unittest
import zlib

import support

support.need("chromium", "certutil", "node", "npm")
HERE = pathlib.Path(__file__).resolve().parent
WEB = HERE.parent.parent / "web"
# A first start of a browser on a busy machine.
SLOW = 100


def driver():
    """The folder with the driver in it; installs it when it is not there yet."""
    folder = pathlib.Path(os.environ.get("CLEAT_BROWSER_DIR", support.folder() / "browser"))
    stamp, lock = folder / "installed.json", HERE / "browser" / "package-lock.json"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "browser" / name, folder)
        done = support.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                           check=False, cwd=folder, timeout=SLOW)
        if done.returncode != 0:
            support.skip_all("npm cannot install playwright-core: " +
                             done.stderr.decode(errors="replace").strip()[-500:])
        shutil.copy(lock, stamp)
    return folder


def dev_certificate():
    """From `cleat cert dev`, as a user makes it."""
    folder = support.folder()
    cert, key, ca = folder / "dev.pem", folder / "dev-key.pem", folder / "dev-ca"
    support.run([support.CLEAT, "cert", "dev", "--cert-file", cert, "--key-file", key,
                 "--ca-dir", ca, "localhost", "127.0.0.1", "::1"])
    return support.Pair(cert, key), ca / "ca.pem"


def home_that_trusts(ca):
    """A HOME whose NSS database, which Chromium reads, trusts one CA."""
    home = support.folder() / "home"
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    where = ["-d", f"sql:{database}"]
    support.run(["certutil", "-N", *where, "--empty-password"])
    support.run(["certutil", "-A", *where, "-n", "dev-ca", "-t", "C,,", "-i", ca])
    return home


def png_lines(path):
    """Width, height and the number of different lines of an 8-bit RGB or RGBA PNG."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    assert depth == 8 and colour in (2, 6), (depth, colour)
    bytes_each = 3 if colour == 2 else 4
    raw, line = zlib.decompress(packed), width * bytes_each + 1
    assert len(raw) == line * height
    # Filtered, but equal pixels next to each other give equal bytes: enough to tell a blank page.
    return width, height, len({raw[y * line:(y + 1) * line] for y in range(height)})


DRIVER = driver()
BROTLI = support.takes("brotli")


class Chromium(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pair, ca = dev_certificate()
        cls.home = home_that_trusts(ca)
        cls.screenshot = support.folder() / "page.png"
        cls.environment = {**os.environ, "HOME": str(cls.home), "CLEAT_BROWSER_DIR": str(DRIVER)}

    def visit(self, server, profile, home=None, check=True):
        what = {"url": server.url, "profile": str(support.folder() / profile),
                "screenshot": str(self.screenshot), "executable": shutil.which("chromium")}
        return support.run(["node", HERE / "browser" / "visit.js", json.dumps(what)], check=check,
                           env={**self.environment, "HOME": str(home or self.home)}, timeout=SLOW)

    def test_the_demo_page_is_secure_and_comes_again_with_a_ticket(self):
        # An answer ends a connection of HTTP/1.1, so that the browser has to come again.
        with support.Server("-v", *self.pair.args(), "--root", WEB, "--no-http2") as server:
            seen = json.loads(self.visit(server, "profile").stdout)
            for name in ("first", "second"):
                self.page_is_right(seen[name])
                access = server.access.wait_for(rf'"GET /\?{name} HTTP/1.1" 200 ')
                self.assertIn(" TLSv1.3 TLS_AES_128_GCM_SHA256 X25519MLKEM768 ", access)
                self.assertRegex(access, r" http/1\.1 localhost t13d15\d\d(h1|h2|00)_8daaf6152771_")
                self.assertIn(" full " if name == "first" else " resumed ", access)
            # Chromium takes certificates in brotli, which the build may be without
            if BROTLI:
                server.errors.wait_for(", certificate in brotli")
        states = [s["securityState"] for s in seen["states"] if "certificateSecurityState" in s]
        self.assertTrue(states, seen["states"])
        self.assertEqual(set(states), {"secure"})
        self.connection_is_right(seen["states"][-1]["certificateSecurityState"])
        self.screenshot_shows_something()

    def page_is_right(self, page):
        self.assertEqual(page["status"], 200)
        self.assertEqual(page["title"], "It holds - Cleat")
        self.assertEqual(page["heading"], "It holds.")
        self.assertEqual(page["failed"], [])
        self.assertTrue(page["trusted"])
        self.assertTrue(page["images"] and all(page["images"]), page["images"])
        self.assertEqual(page["details"]["protocol"], "TLS 1.3")
        self.assertIn("Cleat dev CA", page["details"]["issuer"])

    def connection_is_right(self, state):
        self.assertEqual(state["protocol"], "TLS 1.3")
        self.assertEqual(state["cipher"], "AES_128_GCM")
        self.assertEqual(state["keyExchangeGroup"], "X25519MLKEM768")
        for flaw in ("certificateHasWeakSignature", "certificateHasSha1Signature",
                     "obsoleteSslProtocol", "obsoleteSslCipher", "obsoleteSslKeyExchange",
                     "obsoleteSslSignature"):
            self.assertFalse(state[flaw], flaw)
        self.assertNotIn("certificateNetworkError", state)

    def screenshot_shows_something(self):
        width, height, different = png_lines(self.screenshot)
        self.assertEqual((width, height), (1000, 800))
        self.assertGreater(different, 50)
        if "CLEAT_SCREENSHOT" in os.environ:
            shutil.copy(self.screenshot, os.environ["CLEAT_SCREENSHOT"])

    def test_without_the_ca_the_page_is_refused(self):
        stranger = support.folder() / "stranger"
        stranger.mkdir()
        with support.Server("-v", *self.pair.args(), "--root", WEB) as server:
            done = self.visit(server, "stranger-profile", home=stranger, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"ERR_CERT_AUTHORITY_INVALID", done.stderr)
        self.assertEqual(server.access.text(), "")


if __name__ == "__main__":
    support.main()
