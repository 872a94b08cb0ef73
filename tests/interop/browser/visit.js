// visit.js {"url", "profile", "screenshot", "executable"} - loads a page twice in headless
// Chromium, each time over a connection of its own, and prints what the browser thinks of them as
// JSON.
// The profile's HOME says whom it trusts; nothing is told to ignore certificate errors.
'use strict';
const path = require('path');
const modules = path.join(process.env.CLEAT_BROWSER_DIR, 'node_modules');
const { chromium } = require(path.join(modules, 'playwright-core'));

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

async function load(page, url) {
  const failed = [];
  const onFailed = (request) => failed.push(`${request.url()}: ${request.failure().errorText}`);
  page.on('requestfailed', onFailed);
  const response = await page.goto(url, { waitUntil: 'networkidle' });
  page.off('requestfailed', onFailed);
  return {
    status: response.status(),
    title: await page.title(),
    heading: await page.locator('h1').innerText(),
    images: await page.evaluate(() => [...document.images].map((image) => image.naturalWidth > 0)),
    trusted: await page.evaluate(() => window.isSecureContext),
    details: await response.securityDetails(),
    failed,
  };
}

// The server answers 414 and closes: the browser's connections are gone, its tickets are not.
async function closeConnections(page) {
  await page.evaluate(async () => {
    const tooLong = '/' + 'a'.repeat(9000);
    await Promise.all([...Array(6)].map((_, i) => fetch(`${tooLong}?${i}`).then((r) => r.text())));
  });
}

async function main(what) {
  const context = await chromium.launchPersistentContext(what.profile, {
    executablePath: what.executable,
    headless: true,
    args: FLAGS,
    viewport: { width: 1000, height: 800 },
  });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    const states = [];
    session.on('Security.visibleSecurityStateChanged', (event) => {
      states.push(event.visibleSecurityState);
    });
    await session.send('Security.enable');
    const first = await load(page, `${what.url}/?first`);
    await page.screenshot({ path: what.screenshot });
    await closeConnections(page);
    const second = await load(page, `${what.url}/?second`);
    process.stdout.write(JSON.stringify({ first, second, states }) + '\n');
  } finally {
    await context.close();
  }
}

main(JSON.parse(process.argv[2])).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
