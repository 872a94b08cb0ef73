#!/usr/bin/env python3
"""The WebSockets of `cleat serve` as a page in Chromium uses them."""
import json
import os
import shutil
import unittest

import serve_browser
import support

PROGRAM = serve_browser.HERE / "browser" / "websocket.js"


class Chromium(unittest.TestCase):
    def test_a_page_and_its_websockets(self):
        pair, ca = serve_browser.dev_certificate()
        home = serve_browser.home_that_trusts(ca)
        common = [*pair.args(), "--root", serve_browser.WEB]
        endpoints = ["--ws-echo", "/echo", "--ws-exec", "/cat=cat", "--ws-broadcast", "/room",
                     "--ws-subprotocol", "chat", "--ws-max-message", 2 << 20]
        with support.Server(*common, *endpoints) as server, support.Server(*common) as foreign:
            what = {"url": server.url, "foreign": foreign.url,
                    "profile": str(support.folder() / "profile"),
                    "executable": shutil.which("chromium")}
            done = support.run(["node", PROGRAM, json.dumps(what)], timeout=serve_browser.SLOW,
                               env={**os.environ, "HOME": str(home),
                                    "CLEAT_BROWSER_DIR": str(serve_browser.DRIVER)})
            refused = server.errors.wait_for("WebSocket refused: WS_ORIGIN")
            # RFC 8441: on the connection that the page came over
            server.access.wait_for(r'"GET /echo HTTP/2\.0" 200 .* ws 4001 ')
        seen = json.loads(done.stdout)
        self.assertEqual(seen["protocol"], "chat")
        self.assertIn("permessage-deflate", seen["extensions"])
        self.assertEqual((seen["text"], seen["binary"], seen["large"]), ("grüße €😀", True, True))
        self.assertEqual(seen["close"], {"code": 4001, "reason": "", "clean": True})
        self.assertEqual(seen["tooBig"]["code"], 1009)
        self.assertIn("limit", seen["tooBig"]["reason"])
        self.assertEqual(seen["nowhere"]["code"], 1006)
        self.assertEqual(seen["line"], "line")
        self.assertEqual(seen["normal"], {"code": 1005, "reason": "", "clean": True})
        self.assertEqual(seen["room"], "to all others")
        self.assertEqual(seen["foreign"], 1006)
        self.assertIn(foreign.url, refused)


if __name__ == "__main__":
    support.main()
