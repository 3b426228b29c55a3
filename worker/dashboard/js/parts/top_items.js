// The heaviest items of a dimension: now, in the last window, and usually.

import { read } from '../api.js';
import { fill, h } from '../dom.js';
import { number, times } from '../format.js';
import { every } from './every.js';

const LOOK_MS = 1_000;

/** A card about `dimensions` of the monitor `name`. */
export function topItems({ name, dimensions, signal, title = 'Top items', k = 8 }) {
  const choice = h('select', { 'aria-label': 'Dimension' }, dimensions.map((dimension) => h('option', {}, dimension)));
  const place = h('div.inside', {}, h('p.muted', {}, 'Loading…'));
  const element = h('section.card', { 'aria-label': title }, h('header', {}, h('h2', {}, title), choice), place);
  const look = every(LOOK_MS, signal, async () => {
    const dimension = choice.value;
    const { items } = await read('monitors', name, 'top', { dimension, k });
    if (dimension === choice.value) fill(place, items.length > 0 ? table(items, dimension) : h('p.muted', {}, 'Nothing was counted yet.'));
  }, (error) => fill(place, h('p.muted', {}, error.message)));
  choice.addEventListener('change', look);
  return element;
}

function table(items, dimension) {
  const change = ({ last, usual }) => (usual === null ? '' : last > 4 && last > 2 * usual ? 'up' : usual > 4 && last < usual / 2 ? 'down' : '');
  return h('table.items', {},
    h('caption.unseen', {}, `Items of ${dimension}: observations a window`),
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, dimension), ...['now', 'last', 'usual', ''].map((text, at) => h('th.number', { scope: 'col', title: at === 0 ? 'in the open window' : at === 1 ? 'in the window that closed last' : 'a window, in the long run' }, text || h('span.unseen', {}, 'last against usual'))))),
    h('tbody', {}, items.map((item) => h('tr', {},
      h('td', {}, item.item === '' ? h('i.muted', {}, 'empty') : item.item),
      h('td.number', {}, number(item.open)),
      h('td.number', {}, number(item.last)),
      h('td.number.muted', {}, number(item.usual)),
      h('td.number', { class: change(item) }, item.usual === null ? '' : times(item.last, item.usual))))));
}
