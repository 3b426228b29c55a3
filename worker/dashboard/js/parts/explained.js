// The last window, explained: why it alerted or didn't. The server judges it again for that, so it is done seldom.

import { read } from '../api.js';
import { fill, h } from '../dom.js';
import { time } from '../format.js';
import { causes } from './causes.js';
import { every } from './every.js';

const LOOK_MS = 60_000;
const SHOWN = 4;

/** A card and the function that looks at once; `found` hears the features with what is usual of them. */
export function explained({ name, past, signal, found }) {
  const when = h('span.small.muted');
  const place = h('div.inside', {}, h('p.muted', {}, 'Judging it again…'));
  const button = h('button', { type: 'button' }, 'Explain now');
  const element = h('section.card', { 'aria-label': 'The last window, explained' }, h('header', {}, h('h2', {}, 'Why'), when, button), place);
  const look = every(LOOK_MS, signal, async () => {
    if (past.last() === undefined) {
      fill(place, h('p.muted', {}, 'No window has been scored yet.'));
      return;
    }
    button.disabled = true;
    try {
      const answer = await read('monitors', name, 'explain', { window: 'last' });
      found(answer.features);
      when.textContent = `window of ${time(end(answer.window.id))}`;
      fill(place, answer.why.map((why) => h('p', {}, sentence(why.what))), answer.features.length > 0 && h('details', {}, h('summary', {}, 'What stood out most'), causes(answer.features.slice(0, SHOWN))));
    } finally {
      button.disabled = false;
    }
  }, (error) => fill(place, h('p.muted', {}, error.message)));
  button.addEventListener('click', look);
  return { element, look };
}

const end = (id) => Number(id.split('-')[0]);
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
