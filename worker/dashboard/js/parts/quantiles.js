// Quantiles of a measure in the window that closed last.

import { read } from '../api.js';
import { fill, h } from '../dom.js';
import { number } from '../format.js';
import { every } from './every.js';

const ASKED = [0.5, 0.9, 0.95, 0.99];
const LOOK_MS = 2_000;

/** A card about `measures` of the monitor `name`. */
export function quantiles({ name, measures, signal }) {
  const choice = h('select', { 'aria-label': 'Measure' }, measures.map((measure) => h('option', {}, measure)));
  const place = h('div.inside', {}, h('p.muted', {}, 'Loading…'));
  const element = h('section.card', { 'aria-label': 'Quantiles' }, h('header', {}, h('h2', {}, 'Quantiles, last window'), choice), place);
  const look = every(LOOK_MS, signal, async () => {
    const measure = choice.value;
    const { quantiles: found } = await read('monitors', name, 'quantiles', { measure, q: ASKED.join(',') });
    if (measure !== choice.value) return;
    const most = Math.max(...found.map(({ value }) => value ?? 0), 0);
    fill(place, h('table.quantiles', {},
      h('caption.unseen', {}, `Quantiles of ${measure}`),
      h('tbody', {}, found.map(({ q, value }) => h('tr', {},
        h('th', { scope: 'row' }, `p${Number((q * 100).toFixed(4))}`),
        h('td', {}, bar(value, most)),
        h('td.number', {}, number(value)))))));
  }, (error) => fill(place, h('p.muted', {}, error.message)));
  choice.addEventListener('change', look);
  return element;
}

function bar(value, most) {
  const filled = h('span');
  filled.style.width = most > 0 && value > 0 ? `${(100 * value) / most}%` : '0';
  return h('span.meter', { 'aria-hidden': 'true' }, filled);
}
