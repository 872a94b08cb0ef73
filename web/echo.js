// echo.js - a WebSocket that sends back what it gets, and how long that takes.
'use strict';
import { $, count, spark } from './dom.js';

// 60: points of the line; 1 s, 30 s: how soon it connects again, and how slowly at last
const POINTS = 60;
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;
const EVERY = 1000;

const waiting = []; // what was sent and is not back yet: { at, text }
const times = [];
let socket = null;
let wait = FIRST_WAIT;
let num = 0;

const milliseconds = (ms) => (ms < 10 ? ms.toFixed(2) : ms.toFixed(1));

function say(text) {
  $('echo-state').textContent = text;
}

function showTimes() {
  const sorted = [...times].sort((a, b) => a - b);
  const [best, median, worst] = [sorted[0], sorted[sorted.length >> 1], sorted[sorted.length - 1]];
  $('echo-last').textContent = milliseconds(times[times.length - 1]);
  $('echo-best').textContent = milliseconds(best);
  $('echo-median').textContent = milliseconds(median);
  $('echo-worst').textContent = milliseconds(worst);
  $('echo-num').textContent = count(num);
  spark($('echo-line'), times, 600);
  $('echo-line').setAttribute('aria-label', `The last ${times.length} round-trip times: best ${milliseconds(best)}, `
    + `median ${milliseconds(median)}, worst ${milliseconds(worst)} milliseconds`);
}

// What carries it: a browser does not say, but the connection knows what it carries.
async function tellCarrier() {
  const answer = await fetch('connection.json', { cache: 'no-store' });
  const connection = await answer.json();
  const shared = connection.tls !== null && connection.tls.alpn === 'h2' && connection.websockets > 0;
  say(`Connected by ${shared ? 'a stream of this page\'s HTTP/2 connection (RFC 8441)' : 'a connection of its own'}.`);
}

function onMessage(event) {
  const now = performance.now();
  const sent = waiting.shift();
  if (sent === undefined) {
    return;
  }
  num++;
  times.push(now - sent.at);
  if (times.length > POINTS) {
    times.shift();
  }
  showTimes();
  if (sent.text !== null) {
    $('echo-back').textContent = event.data === sent.text ? `"${event.data}" came back as it was, in `
      + `${milliseconds(now - sent.at)} ms.` : 'What came back is not what was sent.';
  }
}

function connect() {
  const address = new URL('echo', location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  socket = new WebSocket(address);
  socket.addEventListener('open', () => {
    wait = FIRST_WAIT;
    ping();
    tellCarrier().catch(() => say('Connected.'));
  });
  socket.addEventListener('message', onMessage);
  socket.addEventListener('close', (event) => {
    waiting.length = 0;
    say(`Closed (${event.code}). Trying again in ${Math.round(wait / 1000)} s.`);
    setTimeout(connect, wait);
    wait = Math.min(2 * wait, LONGEST_WAIT);
  });
}

function send(text, data) {
  if (socket === null || socket.readyState !== WebSocket.OPEN) {
    return;
  }
  waiting.push({ at: performance.now(), text });
  socket.send(data);
}

function ping() {
  send(null, `ping ${num}`);
}

function speak() {
  const text = $('echo-text').value;
  if (text !== '') {
    send(text, text);
  }
}

export function startEcho() {
  $('echo-ping').addEventListener('click', ping);
  $('echo-send').addEventListener('click', speak);
  $('echo-text').addEventListener('keydown', (event) => event.key === 'Enter' && speak());
  setInterval(() => {
    // nothing is asked for that nobody sees; and one at a time, so that a slow line does not fill up
    if ($('echo-auto').checked && !document.hidden && waiting.length === 0) {
      ping();
    }
  }, EVERY);
  connect();
}
