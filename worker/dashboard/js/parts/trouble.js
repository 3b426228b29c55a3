// What went wrong, and what to do about it.

import { h } from '../dom.js';
import { ask } from '../key.js';

/** A notice; with a button where trying again makes sense. */
export function trouble(error, again) {
  if (error.code === undefined) console.error(error);
  const words = error.code === undefined ? 'This page can’t be drawn; the browser’s console says why.' : error.message;
  if (error.code === 'forbidden') return h('p.fault', { role: 'alert' }, words, ' ', h('button', { type: 'button', onclick: () => ask(words) }, 'Use another key'));
  const goOn = error.code === 'unknown_monitor' || error.code === 'unknown_incident'
    ? h('a', { href: '#/' }, 'All monitors')
    : again && h('button', { type: 'button', onclick: again }, 'Try again');
  return h('p.fault', { role: 'alert' }, words, ' ', goOn);
}
