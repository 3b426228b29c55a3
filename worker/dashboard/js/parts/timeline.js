// What happened, one after the other.

import { h } from '../dom.js';
import { time } from '../format.js';

/** Entries `{ at_ms, kind, what, detail }`, in the order they are given. */
export function timeline(entries) {
  return h('ol.timeline', {}, entries.map(({ at_ms: at, kind, what, detail }) => h('li', { class: kind },
    h('span.muted.small', {}, time(at), ' '), h('span.break', {}, what), detail && h('p.muted.small.break', {}, detail))));
}
