// What happened on all monitors, and what happens most.

import { read, send } from '../api.js';
import { beforeNextPicture, fill, h } from '../dom.js';
import { number, time } from '../format.js';
import * as live from '../live.js';
import { to } from '../router.js';
import { every } from '../parts/every.js';
import { incidentList } from '../parts/incident_list.js';
import { lanes } from '../parts/lanes.js';
import { topItems } from '../parts/top_items.js';
import { trouble } from '../parts/trouble.js';

const LOOK_MS = 15_000;
const HOUR = 3_600_000;
const SPANS = [[1, 'hour'], [6, '6 hours'], [24, 'day'], [168, 'week']];

export const title = () => 'Events';

export async function open({ signal }) {
  let incidents = [];
  let markers = [];
  let monitors = [];
  let hours = 24;
  const long = h('select', { 'aria-label': 'How far back', onchange: () => { hours = Number(long.value); draw(); } }, SPANS.map(([value, text]) => h('option', { value, selected: value === hours }, text)));
  const which = h('select', { 'aria-label': 'Which incidents', onchange: () => draw() }, [['', 'all incidents'], ['open', 'open ones'], ['resolved', 'those that are over']].map(([value, text]) => h('option', { value }, text)));
  const picture = h('div.inside');
  const list = h('div');
  const kinds = h('div.inside');
  const marks = h('div');
  const types = h('div.stack');

  const draw = beforeNextPicture(() => {
    if (signal.aborted) return;
    const until = Date.now();
    const from = until - hours * HOUR;
    const shown = incidents.filter((it) => (it.state === 'open' || (it.resolved_ms ?? it.window_end_ms) >= from) && (!which.value || it.state === which.value));
    if (picture.clientWidth > 40) fill(picture, lanes({ incidents: shown, markers, from, until, width: picture.clientWidth - 28 }));
    fill(list, shown.length > 0 ? incidentList(shown) : h('div.empty', {}, h('p.muted', {}, 'Nothing unusual in this time.'), monitors.length === 0 && h('p', {}, h('a', { href: '#/' }, 'There are no monitors yet: see how to make one'))));
    fill(kinds, kindTable(shown));
    fill(marks, markList(markers.filter(({ at_ms: at }) => at >= from)));
  });

  async function look() {
    const [told, marked, all] = await Promise.all([read('incidents', { limit: 200 }), read('markers', { limit: 100 }), read('monitors')]);
    incidents = told.incidents;
    markers = marked.markers.map((marker) => ({ ...marker, at_ms: marker.at_ms ?? Number(String(marker.id).split('-')[0]) }));
    monitors = all.monitors;
    draw();
  }

  await look();
  await chooseTypes({ monitors, types, signal });
  const again = every(LOOK_MS, signal, look);
  live.on('alert', again, signal);
  live.on('resumed', again, signal);
  const observer = new ResizeObserver(draw);
  observer.observe(picture);
  signal.addEventListener('abort', () => observer.disconnect());

  return [
    h('div.head', {}, h('h1', {}, 'Events'), h('div.end.row', {}, h('label.field', {}, 'last', long), h('label.field', {}, 'show', which))),
    h('div.stack', {},
      h('section.card', { 'aria-label': 'Over time' }, h('header', {}, h('h2', {}, 'Over time')), picture),
      h('div.columns', {},
        h('div.stack', {}, h('section.card', { 'aria-label': 'Incidents' }, h('header', {}, h('h2', {}, 'Incidents')), list)),
        h('div.stack', {},
          types,
          h('section.card', { 'aria-label': 'What incidents were about' }, h('header', {}, h('h2', {}, 'What incidents were about')), kinds),
          h('section.card', { 'aria-label': 'Markers' }, h('header', {}, h('h2', {}, 'Markers')), h('div.inside.stack', {}, markForm(look), marks))))),
  ];
}

/** The most frequent types of events of a monitor that somebody chooses: at first of the busiest. */
async function chooseTypes({ monitors, types, signal }) {
  const counted = monitors.filter(({ kind, state }) => kind === 'module' && state !== 'learning').sort((a, b) => (b.rate_per_s ?? 0) - (a.rate_per_s ?? 0));
  if (counted.length === 0) return;
  let shown = new AbortController();
  signal.addEventListener('abort', () => shown.abort());
  const place = h('div');
  const choice = h('select', { 'aria-label': 'Monitor', onchange: () => show() }, counted.map(({ name }) => h('option', {}, name)));
  const show = async () => {
    shown.abort();
    shown = new AbortController();
    const mine = shown;
    try {
      const { name, dimensions } = await read('monitors', choice.value);
      if (mine.signal.aborted) return;
      fill(place, dimensions?.length > 0 ? topItems({ name, dimensions, signal: mine.signal, title: 'Top event types, a window' }) : h('p.muted', {}, 'It counts no dimensions.'));
    } catch (error) {
      if (!mine.signal.aborted) fill(place, trouble(error, show));
    }
  };
  fill(types, h('label.field', {}, 'of monitor', choice), place);
  await show();
}

function kindTable(incidents) {
  const seen = new Map();
  for (const incident of incidents) {
    for (const kind of new Set(incident.causes.slice(0, 2).map((cause) => cause.kind))) seen.set(kind, (seen.get(kind) ?? 0) + 1);
  }
  const rows = [...seen].sort((a, b) => b[1] - a[1]);
  if (rows.length === 0) return h('p.muted', {}, 'No incidents in this time.');
  const bar = (n) => {
    const filled = h('span');
    filled.style.width = `${(100 * n) / rows[0][1]}%`;
    return h('span.meter.warning', { 'aria-hidden': 'true' }, filled);
  };
  return h('table.kinds', {}, h('caption.unseen', {}, 'Incidents by the kind of their main causes'), h('tbody', {}, rows.map(([kind, n]) => h('tr', {}, h('th', { scope: 'row' }, kind), h('td', {}, bar(n)), h('td.number', {}, number(n))))));
}

function markForm(done) {
  const text = h('input', { type: 'text', maxlength: 200, required: true, placeholder: 'what was done, e.g. released pay 2.14', 'aria-label': 'Text of a new marker' });
  const failed = h('div');
  const add = async (event) => {
    event.preventDefault();
    try {
      await send(['markers'], { text: text.value.trim() });
      text.value = '';
      fill(failed);
      await done();
    } catch (error) {
      fill(failed, trouble(error));
    }
  };
  return h('form', { onsubmit: add }, h('div.row', {}, text, h('button', { type: 'submit' }, 'Mark')), failed);
}

function markList(markers) {
  if (markers.length === 0) return h('p.muted.small', {}, 'A marker says what people did, so that an incident shows what came before it. Also: eddyline mark "released pay 2.14"');
  const newest = [...markers].sort((a, b) => b.at_ms - a.at_ms).slice(0, 12);
  return h('ul.plain', {}, newest.map((marker) => h('li', {}, h('span.muted.small', {}, time(marker.at_ms), ' '), h('span.break', {}, marker.text), marker.monitor && h('span.small', {}, ' · ', h('a', { href: to('monitors', marker.monitor) }, marker.monitor)))));
}
