// counters.js - what the whole server does, once a second while somebody looks.
'use strict';
import { $, count, make, size, time } from './dom.js';

const EVERY = 1000;

let last = null;

// What a second has brought, from two answers.
function rate(now, key) {
  const us = last === null ? 0 : now.up_us - last.up_us;
  return us > 0 ? ((now[key] - last[key]) * 1e6) / us : 0;
}

const perSecond = (n) => (n < 10 ? n.toFixed(1) : count(Math.round(n)));

function tiles(c) {
  const share = c.handshakes > 0 ? Math.round((100 * c.resumed) / c.handshakes) : 0;
  return [
    ['Connections', count(c.open), `open, of ${count(c.connections)} in ${time(c.up_us)}`],
    ['Handshakes', `${perSecond(rate(c, 'handshakes'))}/s`, `${count(c.handshakes)} done, ${count(c.failed)} failed`],
    ['Resumed', `${share} %`, `${count(c.resumed)} of ${count(c.handshakes)} handshakes`],
    ['Requests', count(c.requests_h1 + c.requests_h2), `HTTP/2 ${count(c.requests_h2)}, HTTP/1.1 ${count(c.requests_h1)}`],
    ['In', `${size(Math.round(rate(c, 'bytes_in')))}/s`, `${size(c.bytes_in)} on the wire`],
    ['Out', `${size(Math.round(rate(c, 'bytes_out')))}/s`, `${size(c.bytes_out)} on the wire`],
  ];
}

function showLanes(c) {
  const num = c.batches.reduce((sum, n) => sum + n, 0);
  const most = Math.max(...c.batches, 1);
  const mean = num > 0 ? (c.jobs / num).toFixed(2) : '0';
  $('lanes-text').textContent = `${count(c.jobs)} jobs in ${count(num)} batches, ${mean} on average. `
    + `This machine runs them ${c.batching}.`;
  $('lanes').replaceChildren(...c.batches.map((n, i) => {
    const fill = make('i', { class: n > 0 ? 'some' : '' });
    // by logarithm: a thousand lone jobs must not hide ten full batches
    fill.style.height = `${n > 0 ? 8 + (92 * Math.log1p(n)) / Math.log1p(most) : 2}%`;
    return make('span', { class: 'lane', title: `${count(n)} batches of ${i + 1}` }, fill,
      make('b', {}, i + 1 < c.batches.length ? String(i + 1) : `${i + 1}+`));
  }));
}

function show(c) {
  $('tiles').replaceChildren(...tiles(c).map(([what, value, note]) => make('div', {},
    make('dt', {}, what), make('dd', {}, value), make('dd', { class: 'note' }, note))));
  showLanes(c);
  last = c;
}

async function ask() {
  if (document.hidden) {
    return;
  }
  try {
    const answer = await fetch('counters.json', { cache: 'no-store' });
    if (answer.ok) {
      show(await answer.json());
    }
  } catch {
    // the server is away: the last numbers stay, and the echo says so
  }
}

export async function startCounters() {
  for (;;) {
    await ask();
    await new Promise((wake) => { setTimeout(wake, EVERY); });
  }
}
