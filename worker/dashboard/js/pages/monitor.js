// One monitor: its scores, its count, its features, and what is behind them.

import { read } from '../api.js';
import { beforeNextPicture, fill, h, say } from '../dom.js';
import { number, rate, score, span as duration, time } from '../format.js';
import * as live from '../live.js';
import { MOST, Past, rows } from '../past.js';
import { keep, to } from '../router.js';
import { stateBadge } from '../parts/badge.js';
import { chart } from '../parts/chart.js';
import { every } from '../parts/every.js';
import { explained } from '../parts/explained.js';
import { features } from '../parts/features.js';
import { incidentList } from '../parts/incident_list.js';
import { quantiles } from '../parts/quantiles.js';
import { topItems } from '../parts/top_items.js';

const LOOK_MS = 15_000;
const SPANS = [120, 360, MOST];

export const title = (name) => name;

export async function open({ about: name, query, signal }) {
  const past = new Past();
  let monitor = await read('monitors', name);
  const asked = Number(query.get('windows'));
  let shown = SPANS.includes(asked) ? asked : SPANS[0];
  const span = () => shown;

  const banner = h('div');
  const badge = h('span');
  const flow = h('b');
  const lastScore = h('b');
  const lastCount = h('b');
  const incidents = h('div');
  const facts = h('div.inside');
  const choice = h('select', { 'aria-label': 'How far back', onchange: () => far(Number(choice.value)) },
    SPANS.map((windows) => h('option', { value: windows, selected: windows === shown }, monitor.window_ms ? duration(windows * monitor.window_ms) : `${windows} windows`)));

  const scores = chart({ name: 'Score', lines: [{ label: 'score' }], format: score, range: () => [0, 1], alert: 0.5, height: 170, sync: 'monitor', extra: h('span.small.muted', {}, 'alert line at 0.5') });
  const counts = chart({ name: monitor.kind === 'vectors' ? 'Vectors a window' : 'Observations a window', lines: [{ label: 'count', colour: '--series-4' }], height: 110, sync: 'monitor', banded: true });
  const charts = features({ monitor, chosen: query.get('features'), span });

  const draw = beforeNextPicture(() => {
    if (signal.aborted) return;
    const windows = past.all().slice(-shown);
    const judged = (window) => (window.state === 'ready' ? window.score : null);
    const [xs, [ys, ns]] = rows(windows, monitor.window_ms, [judged, (window) => window.n]);
    scores.draw(xs, [ys]);
    counts.draw(xs, [ns]);
    const last = windows.at(-1);
    say(lastScore, last?.state === 'ready' ? score(last.score) : '–');
    say(lastCount, number(last?.n));
    say(flow, rate(monitor.rate_per_s));
    fill(badge, stateBadge(monitor));
    fill(banner, bannerOf(monitor));
  });

  // Nothing can be explained before there is a window.
  let explain = () => {};
  const add = (windows) => {
    const isFirst = past.last() === undefined;
    past.add(windows);
    if (isFirst) explain();
  };

  async function load() {
    const last = past.last();
    const page = last ? { after: last.id, limit: MOST } : { limit: shown };
    const { scores: found } = await read('monitors', name, 'scores', page);
    add(found);
    draw();
  }

  async function far(windows) {
    shown = windows;
    keep('windows', windows === SPANS[0] ? '' : String(windows));
    try {
      add((await read('monitors', name, 'scores', { limit: shown })).scores);
      await charts.reload();
    } catch { /* what is there stays */ }
    draw();
  }

  async function look() {
    const [now, { incidents: recent }] = await Promise.all([read('monitors', name), read('incidents', { monitor: name, limit: 8 })]);
    monitor = now;
    fill(incidents, recent.length > 0 ? incidentList(recent, { withMonitor: false }) : h('p.inside.muted', {}, 'Nothing unusual so far.'));
    fill(facts, factsOf(monitor));
    draw();
  }

  const found = (explanation) => {
    const whole = explanation.find(({ feature }) => feature === 'count');
    if (whole) counts.band(whole.low, whole.high);
    charts.usual(explanation);
  };

  // What comes while the page loads belongs to it too, and what came just before it was connected.
  let again = () => {};
  let bring = () => {};
  live.on('resumed', () => { load().catch(() => {}); again(); bring(); }, signal);
  live.on('score', ({ detail }) => {
    if (detail.monitor !== name) return;
    const [word, progress] = detail.state.split(' ');
    const [seen, needed] = (progress ?? '').split('/').map(Number);
    if (word === 'warming') monitor = { ...monitor, state: 'warming', seen, needed };
    if (word === 'ready' && monitor.state === 'warming') monitor = { ...monitor, state: 'ready' };
    if (monitor.kind !== 'vectors' && detail.n !== null && monitor.window_ms) monitor = { ...monitor, rate_per_s: detail.n / (monitor.window_ms / 1000) };
    add([detail]);
    draw();
    bring();
  }, signal);
  live.on('alert', ({ detail }) => { if (detail.monitor === name) again(); }, signal);
  await Promise.all([load(), look()]);
  again = every(LOOK_MS, signal, look);
  bring = every(LOOK_MS, signal, () => charts.load());
  signal.addEventListener('abort', () => [scores, counts, charts].forEach((one) => one.close()));

  const dimensions = [...(monitor.dimensions ?? []), ...(monitor.crosses ?? []).filter((cross) => !cross.split('*').some((part) => (monitor.measures ?? []).includes(part)))];
  const isCounted = monitor.kind === 'module';
  const why = explained({ name, past, signal, found });
  explain = why.look;
  return [
    h('div.head', {}, h('h1', {}, name), badge,
      h('div.end.row', {}, h('label.field', {}, 'last', choice))),
    banner,
    h('div.columns', {},
      h('div.stack', {}, scores.element, counts.element, charts.element),
      h('div.stack', {},
        h('section.card', { 'aria-label': 'At a glance' }, h('div.inside.figures', {},
          h('div', {}, flow, h('span.muted.small', {}, 'rate')),
          h('div', {}, lastScore, h('span.muted.small', {}, 'score')),
          h('div', {}, lastCount, h('span.muted.small', {}, 'last window')))),
        why.element,
        isCounted && dimensions.length > 0 && topItems({ name, dimensions, signal, title: 'Top items, a window' }),
        isCounted && (monitor.measures ?? []).length > 0 && quantiles({ name, measures: monitor.measures, signal }),
        (monitor.uniques ?? []).length > 0 && active({ name, uniques: monitor.uniques, signal }),
        h('section.card', { 'aria-label': 'Incidents' }, h('header', {}, h('h2', {}, 'Incidents')), incidents),
        h('section.card', { 'aria-label': 'About this monitor' }, h('header', {}, h('h2', {}, 'About')), facts))),
  ];
}

/** How many different users, or what else is counted so. */
function active({ name, uniques, signal }) {
  const place = h('div.inside.figures');
  every(5_000, signal, async () => {
    const { fingerprints } = await read('monitors', name, 'fingerprints', { features: uniques.map((unique) => `${unique}:distinct`).join(','), limit: 60 });
    const values = (unique) => fingerprints.map((window) => window.values[`${unique}:distinct`]).filter(Number.isFinite);
    fill(place, uniques.map((unique) => {
      const seen = values(unique);
      const mean = seen.reduce((sum, value) => sum + value, 0) / (seen.length || 1);
      return h('div', {}, h('b', {}, number(seen.length > 0 ? Math.round(seen.at(-1)) : undefined)), h('span.muted.small', {}, `${unique}: different ones in the last window (mean of ${seen.length}: ${number(mean)})`));
    }));
  });
  return h('section.card', { 'aria-label': 'Active' }, h('header', {}, h('h2', {}, uniques.includes('user') ? 'Active users' : 'Active')), place);
}

function bannerOf({ incident, reason, state, seen, needed }) {
  if (incident) {
    return h('div.banner', { class: incident.severity }, h('span', {}, 'Open since ', time(incident.since_ms), ': ', h('a', { href: to('incidents', incident.id) }, incident.summary)));
  }
  if (reason) return h('div.banner.warning', {}, reason);
  if (state === 'unscored') return h('div.banner.warning', {}, 'No worker scores it. Start one: eddyline worker');
  if (state === 'warming') return h('p.note', {}, `It learns what is usual: ${seen} of ${needed} windows. It alerts when it knows them all.`);
  if (state === 'learning') return h('p.note', {}, `It finds out which fields there are${needed ? `: ${seen} of ${needed} observations` : ''}. Then its windows are scored.`);
  return null;
}

function factsOf(monitor) {
  const list = (names) => (names?.length > 0 ? names.join(', ') : null);
  const facts = [
    ['counted by', { module: 'the module', counted: 'a worker', vectors: 'others, who send vectors' }[monitor.kind]],
    ['window', monitor.window_ms && duration(monitor.window_ms)],
    ['sources', list(monitor.sources)],
    ['dimensions', list(monitor.dimensions)],
    ['crosses', list(monitor.crosses)],
    ['measures', list(monitor.measures)],
    ['uniques', list(monitor.uniques)],
    ['memory', monitor.info?.memory_bytes && `${number(monitor.info.memory_bytes)}B`],
    ...Object.entries(monitor.info?.left_out ?? {}).map(([why, n]) => [`left out: ${why}`, number(n)]),
    ...Object.entries(monitor.settings ?? {}).filter(([key]) => key !== 'feedback').map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  ];
  return h('dl.facts-list', {}, facts.filter(([, value]) => value).map(([key, value]) => [h('dt', {}, key), h('dd', {}, value)]));
}
