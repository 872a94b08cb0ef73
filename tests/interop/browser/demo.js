// demo.js {"url", "plain", "older", "profile", "executable", "shots"} - visits the page of `cleat serve --demo` in headless
// Chromium as people do: at phone and desktop size, light and dark, by keyboard, with a screen reader's
// tree, again, and without scripts. Prints what it saw as JSON. plain: a server that has the files
// alone; older: one that speaks TLS 1.2 and HTTP/1.1.
'use strict';
const path = require('path');
const modules = path.join(process.env.CLEAT_BROWSER_DIR, 'node_modules');
const { chromium } = require(path.join(modules, 'playwright-core'));

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const READY = 'html[data-state=ready]';
const SLOW = { timeout: 30000 };
const SIZES = [[360, 740], [390, 844], [1440, 900]];

async function open(what, name, more) {
  return chromium.launchPersistentContext(`${what.profile}-${name}`, {
    executablePath: what.executable, headless: true, args: FLAGS, viewport: { width: 390, height: 844 }, ...more });
}

// Everything that the browser has against the page, and whatever it asks for.
function watch(page, seen) {
  page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.console.push(`error: ${error.message}`));
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('websocket', (socket) => seen.requests.push(socket.url()));
}

const texts = (page, selector) => page.locator(selector).allInnerTexts();

async function state(page) {
  return {
    pill: await page.locator('#pill-text').innerText(),
    lead: await page.locator('#lead').innerText(),
    glance: await texts(page, '#glance .value'),
    badges: await texts(page, '#glance .badge'),
    facts: await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('#facts > div')]
      .map((row) => [row.querySelector('dt').textContent, row.querySelector('.value').textContent]))),
    messages: await texts(page, '#messages .name'),
    marks: await texts(page, '#messages .mark'),
    scale: await page.locator('#scale').innerText(),
    chain: await texts(page, '#links h3'),
    compare: await page.locator('#compare').isVisible() ? await page.locator('#compare').innerText() : '',
    protocol: await page.evaluate(() => performance.getEntriesByType('navigation')[0].nextHopProtocol),
    later: await page.evaluate(() => [...new Set(performance.getEntriesByType('resource').map((e) => e.nextHopProtocol))]),
  };
}

async function useEcho(page) {
  await page.waitForFunction(() => Number(document.getElementById('echo-num').textContent) > 0, null, SLOW);
  await page.locator('#echo-text').fill('</b>"grüße" €😀');
  await page.locator('#echo-text').press('Enter');
  await page.waitForFunction(() => document.getElementById('echo-back').textContent !== '', null, SLOW);
  await page.waitForFunction(() => document.getElementById('echo-state').textContent.includes(' by '), null, SLOW);
  return { back: await page.locator('#echo-back').innerText(), state: await page.locator('#echo-state').innerText(),
    line: await page.locator('#echo-line').getAttribute('aria-label'), best: await page.locator('#echo-best').innerText() };
}

// Tab by tab from the top to the end, and what has the focus then.
async function walk(page) {
  const stops = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const e = document.activeElement;
      return e === document.body ? null : e.closest('#messages') ? `message: ${e.querySelector('.name').textContent}`
        : e.id || e.textContent.trim();
    });
    if (stop === null) {
      break;
    }
    stops.push(stop);
  }
  return stops;
}

async function expand(page) {
  const first = page.locator('#messages button').first();
  await first.focus();
  await page.keyboard.press('Enter');
  const open = await first.getAttribute('aria-expanded');
  const text = await page.locator('#messages .detail').first().innerText();
  await page.keyboard.press('Enter');
  return { open, text, closed: await first.getAttribute('aria-expanded') };
}

async function tree(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes.filter((n) => !n.ignored && n.role).map((n) => [n.role.value, n.name ? n.name.value : '']);
}

// The worst contrasts of text with what is behind it (WCAG 2.2, 1.4.3), each with where it is.
function contrasts() {
  const channels = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const over = (top, below) => {
    const a = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map((i) => top[i] * a + below[i] * (1 - a));
  };
  const luminance = (rgb) => rgb.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    const layers = [];
    for (let at = e; at !== null; at = at.parentElement) {
      layers.push(channels(getComputedStyle(at).backgroundColor));
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  };
  const bad = [];
  for (const e of document.body.querySelectorAll('*')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '');
    if (!own || e.closest('noscript') || !e.checkVisibility()) {
      continue;
    }
    const style = getComputedStyle(e);
    const ground = behind(e);
    const [a, b] = [luminance(over(channels(style.color), ground)), luminance(ground)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) {
      bad.push(`${e.tagName}.${e.className} "${e.textContent.trim().slice(0, 30)}": ${ratio.toFixed(2)}`);
    }
  }
  return bad;
}

async function sizes(page, what) {
  const wide = [];
  const faint = [];
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.waitForTimeout(50);
      if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth)) {
        wide.push(`${width} ${colorScheme}`);
      }
      if (what.shots) {
        await page.screenshot({ path: path.join(what.shots, `${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    faint.push(...await page.evaluate(contrasts));
  }
  await page.setViewportSize({ width: 390, height: 844 });
  return { wide, faint };
}

async function visit(what) {
  const seen = { console: [], requests: [] };
  const context = await open(what, 'visitor');
  try {
    const page = await context.newPage();
    watch(page, seen);
    await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`violates ${event.violatedDirective}: ${event.blockedURI}`);
    }));
    await page.goto(what.url);
    await page.waitForSelector(READY, SLOW);
    seen.title = await page.title();
    seen.heading = await page.locator('h1').innerText();
    seen.first = await state(page);
    seen.fine = await page.evaluate(() => window.crossOriginIsolated);
    seen.walk = await walk(page); // first: from where nothing has had the focus yet
    seen.echo = await useEcho(page);
    seen.expand = await expand(page);
    seen.tree = await tree(page);
    seen.sizes = await sizes(page, what);
    await page.waitForFunction(() => document.querySelectorAll('#tiles dd:not(.note)').length === 6, null, SLOW);
    seen.tiles = await texts(page, '#tiles dt');
    await page.reload();
    await page.waitForSelector(READY, SLOW);
    seen.again = await state(page);
    await page.locator('#again').click();
    await page.waitForFunction(() => !document.getElementById('again').disabled, null, SLOW);
    seen.third = await state(page);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.locator('#messages button').nth(1).hover();
    seen.hovered = await page.locator('#messages .detail:visible').allInnerTexts();
    seen.addresses = [seen.first, seen.again, seen.third].map((s) => s.facts['Your address']);
  } finally {
    await context.close();
  }
  return seen;
}

async function visitWithoutScripts(what) {
  const context = await open(what, 'no-scripts', { javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    await page.goto(what.url);
    return { text: await page.locator('main').innerText(), links: await page.locator('noscript a').count() };
  } finally {
    await context.close();
  }
}

async function visitFilesAlone(what) {
  const context = await open(what, 'plain');
  try {
    const page = await context.newPage();
    await page.goto(what.plain);
    await page.waitForFunction(() => document.getElementById('lead').textContent.includes('--demo'), null, SLOW);
    return await page.locator('main').innerText();
  } finally {
    await context.close();
  }
}

async function visitOlder(what) {
  const context = await open(what, 'older');
  try {
    const page = await context.newPage();
    await page.goto(what.older);
    await page.waitForSelector(READY, SLOW);
    const echo = await useEcho(page);
    return { ...await state(page), echo, where: await page.locator('#messages .where').allTextContents() };
  } finally {
    await context.close();
  }
}

async function main(what) {
  const seen = await visit(what);
  seen.withoutScripts = await visitWithoutScripts(what);
  seen.older = await visitOlder(what);
  seen.filesAlone = await visitFilesAlone(what);
  process.stdout.write(JSON.stringify(seen) + '\n');
}

main(JSON.parse(process.argv[2])).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
