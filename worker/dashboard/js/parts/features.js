// Chosen features of a monitor over time, each with the band of what is usual: as the last explanation has it, else where most
// of the shown values are.

import { read } from '../api.js';
import { fill, h } from '../dom.js';
import { keep } from '../router.js';
import { Past, rows } from '../past.js';
import { chart } from './chart.js';

const MOST = 6;
const COLOURS = ['--series-1', '--series-2', '--series-3', '--series-4'];

/** Charts of features; `monitor` as the API tells it, `chosen` names in the address. */
export function features({ monitor, chosen, span }) {
  const known = monitor.features ?? [];
  const asked = (chosen ?? '').split(',').filter((name) => known.includes(name));
  let names = asked.length > 0 ? asked.slice(0, MOST) : usual(monitor).slice(0, MOST);
  let past = new Past();
  const charts = new Map();
  const bands = new Map();
  const add = h('select', { 'aria-label': 'Show a feature', 'data-keep': 'feature', onchange: () => choose([...names, add.value]) });
  const place = h('div.features');
  const element = h('div.stack', {}, h('div.row', {}, h('h2', {}, 'Features'), known.length > 0 && h('label.field', {}, 'show', add)), place);

  function choose(now) {
    names = [...new Set(now)].filter((name) => known.includes(name)).slice(-MOST);
    keep('features', names.join(','));
    past = new Past();
    draw();
    return load().catch(() => { /* the next window brings it */ });
  }

  function draw() {
    for (const [name, one] of charts) if (!names.includes(name)) { one.close(); charts.delete(name); }
    for (const [at, name] of names.entries()) {
      if (charts.has(name)) continue;
      const away = h('button.quiet', { type: 'button', 'aria-label': `Hide ${name}`, title: 'Hide', onclick: () => { choose(names.filter((other) => other !== name)); add.focus(); } }, '×');
      const one = chart({ name, lines: [{ label: name, colour: COLOURS[at % COLOURS.length] }], height: 110, sync: 'monitor', extra: away, banded: true });
      charts.set(name, one);
      const band = bands.get(name);
      if (band) one.band(band.low, band.high);
    }
    fill(place, names.map((name) => charts.get(name).element));
    fill(add, h('option', { value: '', selected: true }, known.length === names.length ? 'all are shown' : 'choose …'), known.filter((name) => !names.includes(name)).map((name) => h('option', { value: name }, name)));
    paint();
  }

  function paint() {
    for (const [name, one] of charts) {
      const [xs, yss] = rows(past.all().slice(-span()), monitor.window_ms, [(window) => window.values[name]]);
      one.draw(xs, yss);
    }
  }

  async function load() {
    if (names.length === 0) return;
    const last = past.last();
    const wanted = names.join(',');
    const page = last ? { after: last.id, limit: 1000 } : { limit: span() };
    const { fingerprints } = await read('monitors', monitor.name, 'fingerprints', { features: wanted, ...page });
    // Somebody may have chosen others meanwhile.
    if (wanted === names.join(',') && past.add(fingerprints)) paint();
  }

  draw();
  return {
    element,
    load,
    reload() { past = new Past(); return load(); },
    usual(explained) {
      for (const { feature, low, high } of explained) {
        bands.set(feature, { low, high });
        charts.get(feature)?.band(low, high);
      }
    },
    close() { charts.forEach((one) => one.close()); },
  };
}

/** What most people want to see first. */
function usual({ kind, features: known, measures, uniques }) {
  if (kind === 'vectors') return known;
  const wanted = [...(measures ?? []).slice(0, 2).map((name) => `${name}:p95`), ...(uniques ?? []).slice(0, 1).map((name) => `${name}:distinct`)];
  const there = wanted.filter((name) => known.includes(name));
  return there.length > 0 ? there : known.slice(1, 3);
}
