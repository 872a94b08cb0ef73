// dom.js - elements from plain text alone: nothing here parses markup, so nothing that a peer has said can
// become any.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';

export const $ = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

export const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

export const draw = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

const plain = new Intl.NumberFormat('en');

export const count = (n) => plain.format(n);

export function bytes(n) {
  return n < 10000 ? `${count(n)} byte${n === 1 ? '' : 's'}` : size(n);
}

export function size(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return `${i === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

// Microseconds, in whatever is read best.
export function time(us) {
  if (us < 1000) {
    return `${Math.round(us)} µs`;
  }
  if (us < 1e6) {
    return `${(us / 1000).toFixed(us < 10000 ? 2 : us < 100000 ? 1 : 0)} ms`;
  }
  return us < 6e7 ? `${(us / 1e6).toFixed(1)} s` : `${Math.round(us / 6e7)} min`;
}

// A line through the last values, from 0 to the largest of them.
export function spark(where, values, width) {
  const height = 64;
  const top = Math.max(...values, 1e-9) * 1.15;
  const step = values.length > 1 ? width / (values.length - 1) : width;
  const points = values.map((v, i) => [i * step, height - 2 - (v / top) * (height - 6)]);
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const [x, y] = points[points.length - 1];
  where.replaceChildren(draw('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    draw('polygon', { class: 'area', points: `0,${height} ${path} ${x.toFixed(1)},${height}` }),
    draw('polyline', { class: 'line', points: path }),
    draw('line', { class: 'tip', x1: x, x2: x, y1: y, y2: y })));
}
