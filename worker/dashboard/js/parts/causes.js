// Why: each contribution with what was observed, what was expected, and the items behind it.

import { h } from '../dom.js';
import { count, number } from '../format.js';
import { range } from './range.js';

/** The causes of an incident, or the features of a window, largest share first. */
export function causes(list) {
  return h('div.causes', {}, list.map((cause) => h('div.cause', {},
    h('div', {},
      h('div.row', {}, h('h3', {}, cause.what), h('span.badge', {}, cause.kind), h('span.muted.small', {}, `${Math.round(cause.share * 100)} % of the score`)),
      h('p', {}, 'observed ', h('b', {}, number(cause.observed)), h('span.muted', {}, `, expected ${number(cause.expected)} (usually ${number(cause.low)} to ${number(cause.high)})${cause.windows > 1 ? `, over ${cause.windows} windows` : ''}`)),
      h('p.small.muted.mono.break', {}, cause.feature)),
    range(cause),
    cause.items.length > 0 && h('p.items.small', {}, h('span.muted', {}, 'behind it: '),
      cause.items.map((item, at) => [at > 0 && ', ', h('b.break', {}, item.item), ` ${count(item.count, 'time')}`])))));
}
