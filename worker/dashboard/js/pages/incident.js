// One incident: what, where, since when, how rare, why; and what people say of it.

import { read } from '../api.js';
import { beforeNextPicture, fill, h } from '../dom.js';
import { ago, chance, count, score, span, time } from '../format.js';
import * as live from '../live.js';
import { Past, rows } from '../past.js';
import { to } from '../router.js';
import { severityBadge } from '../parts/badge.js';
import { causes } from '../parts/causes.js';
import { chart } from '../parts/chart.js';
import { every } from '../parts/every.js';
import { feedback } from '../parts/feedback.js';
import { timeline } from '../parts/timeline.js';

const LOOK_MS = 15_000;
/** Windows before the first and after the last one that are shown. */
const BEFORE = 60;
const AFTER = 20;

export const title = (id) => `Incident ${id}`;

export async function open({ about: id, signal }) {
  const past = new Past();
  let { incident, messages } = await read('incidents', id);
  const windowMs = incident.window_ms;
  const head = h('div');
  const why = h('div.inside');
  const story = h('div.inside');
  const said = h('div.inside');
  const facts = h('div.inside');
  const scores = chart({ name: 'Score around it', lines: [{ label: 'score' }], format: score, range: () => [0, 1], alert: 0.5, height: 150 });

  const draw = beforeNextPicture(() => {
    if (signal.aborted) return;
    const [xs, yss] = rows(past.all(), windowMs, [(window) => (window.state === 'ready' ? window.score : null)]);
    scores.draw(xs, yss);
  });

  async function load() {
    const after = past.last()?.id ?? `${Math.max(0, incident.since_ms - BEFORE * windowMs)}-0`;
    const before = incident.state === 'resolved' ? `${(incident.resolved_ms ?? incident.window_end_ms) + AFTER * windowMs}-0` : undefined;
    past.add((await read('monitors', incident.monitor, 'scores', { after, before, limit: 1000 })).scores);
    draw();
  }

  async function look() {
    ({ incident, messages } = await read('incidents', id));
    fill(head, headOf(incident));
    fill(facts, factsOf(incident));
    fill(story, timeline(storyOf(incident, messages)));
    fill(said, feedback(incident, look));
    fill(why, incident.causes.length > 0 ? causes(incident.causes) : h('p.muted', {}, 'No single feature stands out.'));
  }

  await look();
  const bring = every(LOOK_MS, signal, load);
  const again = every(LOOK_MS, signal, look);
  live.on('resumed', () => { bring(); again(); }, signal);
  live.on('alert', ({ detail }) => { if (detail.incident === id) again(); }, signal);
  live.on('score', ({ detail }) => {
    const isIts = detail.monitor === incident.monitor && (incident.state === 'open' || detail.end_ms <= incident.window_end_ms + AFTER * windowMs);
    if (!isIts) return;
    past.add([detail]);
    draw();
  }, signal);
  signal.addEventListener('abort', () => scores.close());

  return [
    head,
    h('div.columns', {},
      h('div.stack', {},
        scores.element,
        h('section.card', { 'aria-label': 'Why' }, h('header', {}, h('h2', {}, 'What contributes')), why)),
      h('div.stack', {},
        h('section.card', { 'aria-label': 'Facts' }, facts),
        h('section.card', { 'aria-label': 'Feedback' }, h('header', {}, h('h2', {}, 'What do you say?')), said),
        h('section.card', { 'aria-label': 'Timeline' }, h('header', {}, h('h2', {}, 'Timeline')), story))),
  ];
}

function headOf(incident) {
  return h('div.head', {}, h('h1', {}, incident.summary), severityBadge(incident),
    incident.state === 'open' && h('span.badge', { class: incident.severity }, 'open'));
}

function factsOf(incident) {
  const end = incident.resolved_ms ?? incident.window_end_ms;
  const list = [
    ['where', h('a', { href: to('monitors', incident.monitor) }, incident.monitor), incident.deployment ? h('span.muted', {}, ` in ${incident.deployment}`) : null],
    ['since', time(incident.since_ms), incident.state === 'open' ? h('span.muted', {}, ` (${ago(incident.since_ms)})`) : null],
    ['lasted', incident.state === 'open' ? `${span(end - incident.since_ms)} so far` : span(end - incident.since_ms), h('span.muted', {}, `, ${count(incident.windows, 'window')}`)],
    ['how rare', incident.rarity, h('span.muted.whole', {}, ` (p ${chance(incident.p)})`)],
    ['peak', score(incident.score), h('span.muted', {}, ' (alert line 0.5)')],
    ['id', h('code', {}, incident.incident)],
  ];
  return h('dl.facts-list', {}, list.map(([name, ...value]) => [h('dt', {}, name), h('dd', {}, value.filter(Boolean))]));
}

function storyOf(incident, messages) {
  const WORDS = { opened: 'opened', updated: 'changed', resolved: 'over' };
  const told = messages.map((message) => ({
    at_ms: message.window_end_ms,
    kind: message.event === 'resolved' ? 'resolved' : message.severity,
    what: `${WORDS[message.event] ?? message.event}${message.event === 'resolved' ? '' : `, ${message.severity}, peak ${score(message.score)}`}`,
    detail: message.event === 'resolved' ? message.reason : message.summary,
  }));
  const markers = (incident.markers ?? []).map((marker) => ({ at_ms: Date.parse(marker.at), kind: 'marker', what: marker.text, detail: 'a marker, just before' }));
  return [...markers, ...told].sort((a, b) => a.at_ms - b.at_ms);
}
