#!/usr/bin/env python3
"""`cleat serve --ws-echo` and the WebSocket clients of others: Python's websockets and the `ws`
package of Node.js, over TLS, with and without compression. A peer that is not there is skipped."""
import os
import unittest

import support
import ws_peers

CA = support.make_ca()
PAIR = support.make_leaf(CA, "leaf")

PYTHON = """
import asyncio, ssl, sys, websockets
async def main(url, ca, **more):
    context = ssl.create_default_context(cafile=ca)
    async with websockets.connect(url, ssl=context, max_size=None, subprotocols=["chat"],
                                  **more) as s:
        for m in ("text", b"\\0\\1", "", "x" * 70000, "é" * 300000, bytes(900000)):
            await s.send(m)
            assert await s.recv() == m
        await s.send(["frag", "ments", ""])
        assert await s.recv() == "fragments"
        await (await s.ping())
        assert s.subprotocol == "chat", s.subprotocol
    assert s.close_code == 1000, s.close_code
for more in ({}, {"compression": None}):
    asyncio.run(main(sys.argv[1], sys.argv[2], **more))
print("fine")
"""

NODE = """
const fs = require('fs');
const WebSocket = require(process.argv[1]);
const messages = ['text', '', 'x'.repeat(70000), 'é'.repeat(300000)];
const ask = (perMessageDeflate) => new Promise((done, fail) => {
  const s = new WebSocket(process.argv[2], ['chat'],
    { ca: fs.readFileSync(process.argv[3]), perMessageDeflate });
  let num = 0;
  s.on('error', fail);
  s.on('open', () => s.send(messages[0]));
  s.on('message', (data) => {
    if (data.toString() !== messages[num]) fail(new Error('message ' + num));
    num += 1;
    if (num < messages.length) s.send(messages[num]); else s.close(4000, 'done');
  });
  s.on('close', (code) => (code === 4000 && s.protocol === 'chat' ? done() : fail(code)));
});
ask(true).then(() => ask(false)).then(() => console.log('fine'), (e) => {
  console.error(e);
  process.exit(1);
});
"""


class Peers(unittest.TestCase):
    def setUp(self):
        self.server = support.Server(*PAIR.args(), "--ws-echo", "/echo", "--ws-subprotocol", "chat")
        self.addCleanup(self.server.end)
        self.url = f"wss://localhost:{self.server.port}/echo"

    def test_python_s_websockets(self):
        done = support.run([ws_peers.debian_python(), "-c", PYTHON, self.url, CA.cert])
        self.assertEqual(done.stdout, b"fine\n")
        self.server.access.wait_for(" ws 1000 client ")

    def test_the_ws_package_of_node(self):
        module = os.path.join(ws_peers.npm_folder(), "node_modules", "ws")
        done = support.run(["node", "-e", NODE, module, self.url, CA.cert])
        self.assertEqual(done.stdout, b"fine\n")
        self.server.access.wait_for(" ws 4000 client ")


if __name__ == "__main__":
    support.main()
