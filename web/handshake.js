// handshake.js - the handshake as a ladder between two ends, from the engine's events.
'use strict';
import { $, bytes, count, make, time } from './dom.js';
import { CHOICES, explain } from './words.js';

// A pause is worth a line of its own from a twelfth of the whole on.
const PAUSE_SHARE = 1 / 12;
const KEPT = 'cleat.full-handshake';
const wide = matchMedia('(min-width: 64rem)');

// What the events say as a whole. Times from the ClientHello on.
export function digest(connection) {
  const events = connection.events;
  const messages = events.filter((e) => e.kind === 'message');
  if (messages.length === 0) {
    return null;
  }
  const start = messages[0].us;
  const closing = messages.filter((m) => m.type === 20).map((m) => m.us);
  const end = closing.length > 0 ? Math.max(...closing) : messages[messages.length - 1].us;
  // Encrypted Client Hello: the inner one has come inside the outer one, not behind it.
  messages.forEach((m, i) => {
    m.inner = i > 0 && m.type === 1 && messages[i - 1].type === 1;
  });
  const shake = messages.filter((m) => m.us <= end && !m.inner);
  // Of what happens before the end: what passes before one of our messages is our work.
  let work = 0;
  shake.forEach((m, i) => {
    work += m.sent && i > 0 ? m.us - shake[i - 1].us : 0;
  });
  return {
    events, messages, shake, start, end,
    total: end - start,
    work,
    num: shake.length,
    bytes: shake.reduce((sum, m) => sum + m.bytes, 0),
    resumed: connection.tls !== null && connection.tls.resumed,
  };
}

// ---- one message ----

let chosen = null;

function show(item, on) {
  item.button.setAttribute('aria-expanded', String(on));
  item.detail.hidden = !on;
  item.row.classList.toggle('chosen', on);
}

function choose(item) {
  if (chosen !== null && chosen !== item) {
    show(chosen, false);
  }
  chosen = item;
  show(item, true);
}

function toggle(item) {
  if (chosen === item && !wide.matches) {
    show(item, false);
    chosen = null;
  } else {
    choose(item);
  }
}

function reasons(message, events) {
  const wanted = CHOICES[message.type] || [];
  const rows = message.sent ? events.filter((e) => e.kind === 'choice' && wanted.includes(e.name)) : [];
  if (rows.length === 0) {
    return null;
  }
  return make('dl', { class: 'reasons' }, rows.map((e) => make('div', {},
    make('dt', {}, e.name), make('dd', {}, make('b', {}, e.value), ` ${e.text}`))));
}

function describe(message, digested, version, id, hidden) {
  const { text, where } = explain(message, version);
  const name = nameOf(message);
  return make('div', { class: 'detail', id, hidden: true },
    make('h3', {}, name),
    make('p', { class: 'says' }, text),
    reasons(message, digested.events),
    message.text ? make('p', { class: 'inside' }, make('span', {}, 'Inside: '), message.text) : null,
    make('p', { class: 'where' }, `${where} · ${bytes(message.bytes)} · ${hidden ? 'encrypted' : 'in clear'}`));
}

function nameOf(message) {
  if (message.inner) {
    return 'Inner ClientHello';
  }
  return message.type === 2 && message.text.startsWith('HelloRetryRequest') ? 'HelloRetryRequest' : message.name;
}

function row(message, i, digested, version, hidden) {
  const id = `message-${i}`;
  const at = message.us - digested.start;
  const largest = Math.max(...digested.messages.map((m) => m.bytes));
  const weight = make('span', { class: 'weight', 'aria-hidden': 'true' }, make('i', {}));
  weight.firstChild.style.width = `${Math.max(1.5, (100 * message.bytes) / largest)}%`;
  const button = make('button', { type: 'button', 'aria-expanded': 'false', 'aria-controls': id },
    make('span', { class: 'name' }, nameOf(message)),
    make('span', { class: 'hidden' }, message.sent ? ', from this server' : ', from your browser',
      hidden ? ', encrypted, ' : ', in clear, '),
    make('span', { class: 'size' }, bytes(message.bytes)),
    make('span', { class: 'hidden' }, ', at '),
    make('span', { class: 'at' }, i === 0 ? '0' : `+${time(at)}`),
    make('span', { class: 'arrow', 'aria-hidden': 'true' }), weight);
  const detail = describe(message, digested, version, id, hidden);
  const line = make('li', { class: `message ${message.sent ? 'ours' : 'theirs'}${hidden ? ' sealed' : ''}` }, button, detail);
  const item = { row: line, button, detail };
  button.addEventListener('click', () => toggle(item));
  button.addEventListener('focus', () => wide.matches && choose(item));
  button.addEventListener('pointerenter', (event) => event.pointerType === 'mouse' && wide.matches && choose(item));
  return item;
}

// ---- between messages ----

const mark = (text, kind) => make('li', { class: `mark ${kind}` }, make('span', {}, text));

const WORK = { EncryptedExtensions: 'agrees on keys', CertificateVerify: 'signs' };

function whatTakesTime(message, digested, version) {
  if (!message.sent) {
    return 'on the way, and in your browser';
  }
  if (nameOf(message) !== 'ServerHello') {
    return `this server ${WORK[message.name] || 'works'}`;
  }
  return digested.resumed ? 'this server opens the ticket and makes its key share'
    : `this server makes its key share${version === 'TLS 1.2' ? ' and signs it' : ''}`;
}

function pause(before, message, digested, version) {
  const us = message.us - before.us;
  if (us < digested.total * PAUSE_SHARE || us < 20) {
    return null;
  }
  return mark(`${time(us)}: ${whatTakesTime(message, digested, version)}`, message.sent ? 'pause ours' : 'pause theirs');
}

// The time from the first message to the last, in proportion: whose it was, one after the other.
function showScale(digested) {
  const parts = [];
  digested.shake.slice(1).forEach((m, i) => {
    const us = m.us - digested.shake[i].us;
    const side = m.sent ? 'ours' : 'theirs';
    const last = parts[parts.length - 1];
    if (last !== undefined && last.side === side) {
      last.us += us;
    } else {
      parts.push({ side, us });
    }
  });
  const rest = digested.total - digested.work;
  $('scale').replaceChildren(
    make('div', { class: 'strip', 'aria-hidden': 'true' }, parts.map(({ side, us }) => {
      const part = make('i', { class: side });
      part.style.flexGrow = String(us);
      return part;
    })),
    make('p', { class: 'legend' }, make('span', { class: 'ours' }, `this server ${time(digested.work)}`),
      make('span', { class: 'theirs' }, `the way and your browser ${time(rest)}`)));
}

function lines(digested, version) {
  const items = [];
  // Each direction has its own moment: in TLS 1.2 the server's ticket still goes in clear.
  const sealed = { ours: false, theirs: false };
  let before = null;
  let done = false;
  let i = 0;
  for (const event of digested.events) {
    const side = event.sent ? 'ours' : 'theirs';
    if (event.kind === 'key' && before !== null) {
      const first = !sealed.ours && !sealed.theirs;
      sealed[side] = true;
      if (!first) {
        continue;
      }
      items.push({ row: mark(`${version === 'TLS 1.2' ? 'Each side encrypts from its own Finished on'
        : 'Encrypted from here on'}, with ${event.value}`, 'seal') });
    }
    if (event.kind === 'alert') {
      items.push({ row: mark(`Alert ${event.sent ? 'sent' : 'received'}: ${event.name}`, 'alert') });
    }
    if (event.kind !== 'message') {
      continue;
    }
    if (!done && event.us > digested.end) {
      done = true;
      items.push({ row: mark(`Done after ${time(digested.total)}: requests and answers flow`, 'done') });
    }
    const gap = before !== null && !done ? pause(before, event, digested, version) : null;
    if (gap !== null) {
      items.push({ row: gap });
    }
    items.push(row(event, i++, digested, version, sealed[side] || event.inner));
    before = event;
  }
  if (!done) {
    items.push({ row: mark(`Done after ${time(digested.total)}: requests and answers flow`, 'done') });
  }
  return items;
}

// ---- compared with a full one ----

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return null;
  }
}

function keep(digested, chain, anchor) {
  const { num, work, total } = digested;
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ num, work, total, bytes: digested.bytes, chain, anchor }));
  } catch {
    // without storage there is nothing to compare with, and that is all
  }
}

export function rememberedChain() {
  const full = kept();
  return full !== null && full.chain.length > 0 ? full : null;
}

function bar(label, value, most, text, kind) {
  const fill = make('i', {});
  fill.style.width = `${Math.max(1, (100 * value) / most)}%`;
  return make('div', { class: `bar ${kind}` }, make('span', { class: 'what' }, label),
    make('span', { class: 'track', 'aria-hidden': 'true' }, fill), make('span', { class: 'value' }, text));
}

function compare(digested) {
  const full = kept();
  const where = $('compare');
  where.hidden = !digested.resumed || full === null;
  if (where.hidden) {
    return;
  }
  const pairs = [['bytes', full.bytes, digested.bytes, bytes], ['this server\'s time', full.work, digested.work, time]];
  const saved = `${count(full.bytes - digested.bytes)} fewer bytes`
    + (digested.work < full.work ? `, ${time(full.work - digested.work)} less of this server's time` : '');
  where.replaceChildren(make('h3', {}, `Resumed: ${saved}`),
    make('p', { class: 'small' }, `${digested.num} messages instead of ${full.num}: no certificate, no signature. The `
      + 'ticket proves that both ends have met before; the key exchange is a fresh one all the same (RFC 9846 2.2).'),
    ...pairs.map(([what, then, now, format]) => make('div', { class: 'pair' }, make('h4', {}, what),
      bar('full', then, Math.max(then, now), format(then), 'then'),
      bar('resumed', now, Math.max(then, now), format(now), 'now'))));
}

// ---- all of it ----

let firstItem = null;

// A large screen has room for one explanation beside the ladder: it is never empty.
wide.addEventListener('change', () => wide.matches && chosen === null && firstItem !== null && choose(firstItem));

export function showHandshake(connection) {
  const digested = digest(connection);
  const where = $('messages');
  chosen = null;
  if (digested === null) {
    $('handshake-intro').textContent = 'This connection had no handshake: it is in clear.';
    where.replaceChildren();
    $('scale').replaceChildren();
    return;
  }
  if (!digested.resumed) {
    keep(digested, connection.chain, connection.anchor);
  }
  const version = connection.tls === null ? '' : connection.tls.version;
  $('handshake-intro').textContent = `${digested.num} messages and ${bytes(digested.bytes)} in ${time(digested.total)}, `
    + `of which this server worked ${time(digested.work)}. Choose a message to see what it is for, and what was in `
    + `this one.${connection.events_cut ? ` Only the first ${count(connection.events.length)} events were kept.` : ''}`;
  const items = lines(digested, version);
  where.replaceChildren(...items.map((item) => item.row));
  showScale(digested);
  compare(digested);
  firstItem = items[0];
  if (wide.matches) {
    choose(firstItem);
  }
}
