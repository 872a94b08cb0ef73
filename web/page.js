// page.js - asks the server what it knows about this connection, and shows it.
'use strict';
import { startCounters } from './counters.js';
import { $, count, make, time } from './dom.js';
import { startEcho } from './echo.js';
import { rememberedChain, showHandshake } from './handshake.js';
import { ANCHORS, EARLY, ECH, cipherShort, groupNote } from './words.js';

// 8: connections that a browser may have kept from before (six, and some to spare)
const MAX_OLD = 8;
// 6: as many as browsers open to one server over HTTP/1.1
const MAX_PARALLEL = 6;

// ---- what it is ----

async function get(path) {
  const answer = await fetch(path, { cache: 'no-store' });
  if (!answer.ok) {
    throw new Error(answer.status === 404 ? 'This server does not tell: it serves this page as a file. '
      + 'cleat serve --demo does.' : `The server answered ${answer.status}.`);
  }
  return { ...await answer.json(), came: performance.now() };
}

// A connection that is younger than `since` (milliseconds of this page's clock); older ones are ended.
async function getYounger(since) {
  let connection = await get('connection.json');
  for (let i = 0; i < MAX_OLD && connection.came - connection.age_us / 1000 < since; i++) {
    await get('connection.json?last');
    connection = await get('connection.json');
  }
  return connection;
}

// The connection that has carried the page itself. HTTP/1.1 has several, and the next request goes over any
// of them: asked all at once, each answers.
async function getOldest() {
  const first = await get('connection.json');
  if (first.tls === null || first.tls.alpn === 'h2') {
    return first;
  }
  const others = await Promise.all([...Array(MAX_PARALLEL - 1)].map(() => get('connection.json')));
  return [first, ...others].reduce((a, b) => (a.came - a.age_us / 1000 <= b.came - b.age_us / 1000 ? a : b));
}

// ---- at a glance ----

function card(term, value, note, badge) {
  return make('div', {}, make('dt', {}, term, badge ? ' ' : null, badge ? make('span', { class: 'badge' }, badge) : null),
    make('dd', { class: 'value' }, value),
    make('dd', { class: 'note' }, note));
}

function showGlance(tls) {
  $('glance').replaceChildren(
    card('Version', tls.version, tls.version === 'TLS 1.3'
      ? 'all but the two hellos is encrypted, whoever you are and whatever you ask for (RFC 9846)'
      : 'good when done well; 1.3 hides more, and is faster (RFC 5246, RFC 9851)'),
    card('Key exchange', tls.group || 'ticket alone', groupNote(tls), tls.post_quantum ? 'post-quantum' : null),
    card('Cipher', cipherShort(tls.cipher), `each record encrypted, and nobody can change a bit of it unseen (${tls.cipher})`),
    card('Session', tls.resumed ? 'Resumed' : 'New', tls.resumed
      ? 'by a ticket from an earlier connection: no certificate was needed (RFC 9846 2.2)'
      : tls.signature !== null
      ? `a full handshake, signed with ${tls.signature}` : 'by a key that both sides knew before (RFC 9846 2.2)'));
}

function showFacts(connection) {
  const { tls } = connection;
  const [ech, echNote] = ECH[tls.ech] || [tls.ech, ''];
  const [early, earlyNote] = EARLY[tls.early_data];
  const rows = [
    ['Protocol', tls.alpn === 'h2' ? 'HTTP/2' : 'HTTP/1.1', tls.alpn === null ? 'no ALPN was offered' : `"${tls.alpn}" by ALPN (RFC 7301)`],
    ['Server name', tls.server_name || 'none', 'the name that your browser asked for (SNI, RFC 6066 3)'],
    ['Encrypted Client Hello', ech, echNote],
    ['Early data', early, earlyNote],
    ['Retry', tls.hello_retry ? 'one' : 'none', tls.hello_retry ? 'the first key shares did not suit (RFC 9846 4.2.4)'
      : 'the first key share suited'],
    ['Certificate sent', tls.resumed ? 'none' : tls.certificate_compression || 'as it is', tls.resumed ? 'the ticket stands for it'
      : tls.certificate_compression ? 'compressed (RFC 8879)' : 'uncompressed'],
    ['Your address', connection.peer, 'as this server sees it'],
    ['Used for', `${count(connection.answers)} answer${connection.answers === 1 ? '' : 's'}`, `in the ${time(connection.age_us)} since it was accepted`],
    ['JA4', tls.ja4 || 'not known', 'what your browser\'s first message looks like, whatever it says inside', true],
    ['JA3', tls.ja3 || 'not known', 'an older form of the same', true],
  ];
  $('facts').replaceChildren(...rows.map(([term, value, note, long]) => make('div', { class: long ? 'long' : null },
    make('dt', {}, term), make('dd', { class: 'value' }, value), make('dd', { class: 'note' }, note))));
}

function lead({ tls }) {
  if (tls.resumed) {
    return `You have been here before: your browser showed a ticket, and ${tls.version} went on from there`
      + `${tls.post_quantum ? ', with a fresh post-quantum key exchange' : ''}.`;
  }
  return `Your browser and this server agreed on ${tls.version} with ${tls.group || 'a key that both knew before'}${tls.post_quantum
    ? ', which a quantum computer does not break either' : ''}.`;
}

// ---- the chain ----

const commonName = (name) => (/(?:^|,)CN=((?:\\.|[^,\\])*)/.exec(name) || [null, name])[1];
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);

function lifetime(cert) {
  const now = Date.now() / 1000;
  const share = Math.min(1, Math.max(0, (now - cert.not_before) / (cert.not_after - cert.not_before)));
  const left = Math.round((cert.not_after - now) / 86400);
  const fill = make('i', {});
  fill.style.width = `${Math.max(1.5, 100 * share)}%`;
  return [make('span', { class: 'track', 'aria-hidden': 'true' }, fill),
    `${day(cert.not_before)} to ${day(cert.not_after)}: ${left >= 0 ? `${count(left)} days left` : 'over'}`];
}

function link(cert, i) {
  const rows = [['Subject', cert.subject], ['Issuer', cert.issuer], ['Key', cert.key], ['Signed with', cert.signature],
    ['Valid', lifetime(cert)], ['SHA-256', make('code', {}, cert.sha256)]];
  if (cert.names.length > 0) {
    rows.splice(1, 0, ['Names', cert.names.join(', ')]);
  }
  return make('li', { class: 'panel' }, make('h3', {}, commonName(cert.subject)),
    make('p', { class: 'small' }, i === 0 ? 'this server\'s own' : 'an intermediate'),
    make('dl', {}, rows.map(([term, value]) => make('div', {}, make('dt', {}, term), make('dd', {}, value)))));
}

function showChain(connection) {
  const remembered = connection.tls.resumed ? rememberedChain() : null;
  const { chain, anchor } = remembered || connection;
  const intro = connection.tls.resumed ? 'In this handshake no certificate was sent. ' : '';
  if (chain.length === 0) {
    $('chain-intro').textContent = `${intro}${connection.tls.resumed ? 'It was shown in the handshake that this one resumes.'
      : 'The server has shown no certificate, but a key that both knew before.'}`;
    $('links').replaceChildren();
    return;
  }
  const issuer = chain[chain.length - 1].issuer;
  $('chain-intro').textContent = `${intro}${remembered !== null ? 'This is what the full handshake before it has shown. ' : ''}`
    + ANCHORS[anchor](commonName(issuer));
  const end = anchor === 'self-signed' ? [] : [make('li', { class: 'panel anchor' }, make('h3', {}, commonName(issuer)),
    make('p', { class: 'small' }, 'the issuer of the last one. It is not sent: a certificate is trusted because you have it '
      + 'already, not because it comes along (RFC 5280 6.1.1).'))];
  $('links').replaceChildren(...chain.map(link), ...end);
}

// ---- all of it ----

function show(connection) {
  $('version').textContent = connection.server;
  if (connection.tls === null) {
    document.body.classList.add('clear');
    $('pill-text').textContent = 'Not secure';
    $('title').textContent = 'In clear.';
    $('lead').textContent = 'This connection is not encrypted: the server listens without TLS on a loopback address.';
    return;
  }
  $('pill-text').textContent = connection.tls.resumed ? 'Secure connection, resumed' : 'Secure connection';
  $('lead').textContent = lead(connection);
  showGlance(connection.tls);
  showFacts(connection);
  showHandshake(connection);
  showChain(connection);
}

async function look(ask) {
  const button = $('again');
  button.disabled = true;
  try {
    show(await ask());
    return true;
  } catch (error) {
    // fetch has no better words of its own
    $('lead').textContent = error instanceof TypeError ? 'The server does not answer.' : error.message;
    return false;
  } finally {
    button.disabled = false;
  }
}

for (const element of document.querySelectorAll('.url')) {
  element.textContent = `${location.origin}/`;
}
$('load').textContent += ` ${location.host}`;
$('again').addEventListener('click', () => {
  const now = performance.now();
  look(() => getYounger(now));
});

// A browser that reloads keeps its connections; to see another handshake, they have to go.
const [navigation] = performance.getEntriesByType('navigation');
const reloaded = navigation !== undefined && navigation.type === 'reload';
if (await look(reloaded ? () => getYounger(0) : getOldest)) {
  document.documentElement.classList.add('script');
  startEcho();
  startCounters();
  document.documentElement.dataset.state = 'ready';
}
