// How a monitor, an incident stands, in a word and a colour.

import { h } from '../dom.js';

const CLASS = { ready: 'good', warming: 'accent', learning: 'accent', degraded: 'warning', paused: '', unscored: 'warning' };
const MEANS = {
  ready: 'It knows what is usual and alerts on what isn’t.',
  warming: 'It learns what is usual: no alerts before it has seen enough windows.',
  learning: 'It finds out which fields there are: nothing is scored yet.',
  degraded: 'Something is wrong with it; see the reason.',
  paused: 'Its windows are not counted for now.',
  unscored: 'No worker scores it: start eddyline worker.',
};

/** State of a monitor, with how far it got while it learns. */
export function stateBadge({ state, seen, needed }) {
  const progress = (state === 'warming' || state === 'learning') && needed ? ` ${Math.min(seen, needed)}/${needed}` : '';
  return h('span.badge', { class: CLASS[state] ?? '', title: MEANS[state] }, `${state}${progress}`);
}

/** Severity of an incident; over ones are said to be. */
export function severityBadge({ severity, state }) {
  return h('span.badge', { class: state === 'resolved' ? 'good' : severity }, state === 'resolved' ? 'resolved' : severity);
}
