// websocket.js {"url", "profile", "executable"} - opens a page in headless Chromium, lets it use
// the WebSockets of its own server, and prints what it saw as JSON.
'use strict';
const path = require('path');
const modules = path.join(process.env.CLEAT_BROWSER_DIR, 'node_modules');
const { chromium } = require(path.join(modules, 'playwright-core'));

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

// In the page.
async function useWebSockets() {
  const base = location.origin.replace('http', 'ws');
  const open = (where, protocols) => new Promise((resolve) => {
    const socket = new WebSocket(base + where, protocols);
    const seen = [];
    const waiting = [];
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event) => (waiting.shift() || ((data) => seen.push(data)))(event.data);
    socket.next = () => new Promise((got) => {
      if (seen.length > 0) {
        got(seen.shift());
      } else {
        waiting.push(got);
      }
    });
    socket.ended = new Promise((ended) => {
      socket.onclose = (e) => ended({ code: e.code, reason: e.reason, clean: e.wasClean });
    });
    socket.onopen = () => resolve(socket);
    socket.onerror = () => resolve(socket);
  });
  const result = {};

  const echo = await open('/echo', ['other', 'chat']);
  result.protocol = echo.protocol;
  result.extensions = echo.extensions;
  echo.send('grüße €😀');
  result.text = await echo.next();
  const bytes = new Uint8Array(1 << 20).map((_, i) => (i * 7) & 255);
  echo.send(bytes);
  const back = new Uint8Array(await echo.next());
  result.binary = back.length === bytes.length && back.every((byte, i) => byte === bytes[i]);
  const long = 'long text, '.repeat(90000);
  echo.send(long);
  result.large = (await echo.next()) === long;
  echo.close(4001, 'done');
  result.close = await echo.ended;

  const big = await open('/echo');
  big.send('x'.repeat(3 << 20));
  result.tooBig = await big.ended;

  result.nowhere = await (await open('/nowhere')).ended;

  const cat = await open('/cat');
  cat.send('line');
  result.line = await cat.next();
  cat.close();
  result.normal = await cat.ended;

  const [a, b] = [await open('/room'), await open('/room')];
  a.send('to all others');
  result.room = await b.next();
  a.close();
  b.close();
  return result;
}

async function main(what) {
  const context = await chromium.launchPersistentContext(what.profile, {
    executablePath: what.executable, headless: true, args: FLAGS });
  try {
    const page = await context.newPage();
    await page.goto(what.url);
    const own = await page.evaluate(useWebSockets);
    const foreign = await context.newPage();
    await foreign.goto(what.foreign);
    own.foreign = await foreign.evaluate((url) => new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.onopen = () => resolve('open');
      socket.onclose = (event) => resolve(event.code);
    }), what.url.replace('https', 'wss') + '/echo');
    console.log(JSON.stringify(own));
  } finally {
    await context.close();
  }
}

main(JSON.parse(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
