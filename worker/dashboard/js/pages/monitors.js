// All monitors: how each one stands, its rate, its scores, and what is open.

import { read } from '../api.js';
import { beforeNextPicture, fill, h, say } from '../dom.js';
import { ago, count, number, rate, score } from '../format.js';
import * as live from '../live.js';
import { to } from '../router.js';
import { stateBadge } from '../parts/badge.js';
import { every } from '../parts/every.js';
import { sparkline } from '../parts/sparkline.js';

const LOOK_MS = 15_000;
const RECENT = 60;
const GRAVITY = { critical: 3, warning: 2 };

export const title = () => 'Monitors';

export async function open({ signal }) {
  const rows = new Map();
  const totals = h('div.totals');
  const list = h('ul.monitors.card', { 'aria-label': 'Monitors' });
  const search = h('input', { type: 'search', placeholder: 'Filter by name', 'aria-label': 'Filter monitors by name', oninput: () => arrange() });
  const content = h('div', {});
  const none = h('p.empty.muted', { hidden: true }, 'No monitor’s name has this in it.');
  const full = [h('div.head', {}, h('h1', {}, 'Monitors'), totals, h('div.end', {}, search)), list, none];

  const arrange = beforeNextPicture(() => {
    const wanted = search.value.trim().toLowerCase();
    const order = [...rows.values()].sort((a, b) => gravity(b) - gravity(a) || (a.monitor.name < b.monitor.name ? -1 : 1));
    for (const row of order) row.element.hidden = !row.monitor.name.toLowerCase().includes(wanted);
    none.hidden = rows.size === 0 || order.some((row) => !row.element.hidden);
    list.hidden = !none.hidden;
    // Rows are moved only where their order changed: moving one takes the focus out of it.
    const elements = [labels, ...order.map((row) => row.element)];
    if (elements.some((element, at) => list.children[at] !== element) || list.children.length !== elements.length) {
      const focused = list.contains(document.activeElement) ? document.activeElement : null;
      list.replaceChildren(...elements);
      focused?.focus();
    }
    fill(totals, summary([...rows.values()].map((row) => row.monitor)));
  });

  const look = async () => {
    const { monitors } = await read('monitors');
    const names = new Set(monitors.map((monitor) => monitor.name));
    for (const name of rows.keys()) if (!names.has(name)) rows.delete(name);
    for (const monitor of monitors) {
      const row = rows.get(monitor.name);
      if (row) row.become(monitor); else rows.set(monitor.name, makeRow(monitor));
    }
    if (rows.size === 0) fill(content, nothing()); else if (!content.contains(list)) fill(content, full);
    arrange();
  };

  await look();
  const lookAgain = every(LOOK_MS, signal, look);
  live.on('resumed', lookAgain, signal);
  live.on('score', ({ detail }) => {
    const row = rows.get(detail.monitor);
    if (!row) return lookAgain();
    row.scored(detail);
    arrange();
  }, signal);
  live.on('alert', ({ detail }) => {
    rows.get(detail.monitor)?.alerted(detail);
    arrange();
  }, signal);
  return content;
}

const labels = h('li.labels', { 'aria-hidden': 'true' },
  h('span', {}, 'monitor'), h('span', {}, 'state'), h('span.number', {}, 'rate'), h('span', {}, 'score, last 60 windows'), h('span.number', {}, 'now'), h('span', {}, 'open incident'));

const gravity = ({ monitor }) => (monitor.incident ? 10 + (GRAVITY[monitor.incident.severity] ?? 1) : ['degraded', 'unscored'].includes(monitor.state) ? 1 : 0);

function summary(monitors) {
  const open = monitors.filter((monitor) => monitor.incident).length;
  const flow = monitors.reduce((sum, monitor) => sum + (monitor.kind === 'vectors' ? 0 : monitor.rate_per_s ?? 0), 0);
  const learning = monitors.filter(({ state }) => state === 'warming' || state === 'learning').length;
  return [
    h('span.muted', {}, h('b', {}, number(monitors.length)), monitors.length === 1 ? 'monitor' : 'monitors'),
    h('span', { class: open > 0 ? 'critical-text' : 'muted' }, h('b', {}, number(open)), open === 1 ? 'open incident' : 'open incidents'),
    h('span.muted', {}, h('b', {}, number(flow)), 'observations/s'),
    learning > 0 && h('span.muted', {}, h('b', {}, number(learning)), 'still learning'),
  ];
}

/** A monitor's row, which changes in place. */
function makeRow(first) {
  let monitor = first;
  const state = h('span.cell-state');
  const flow = h('span.number.cell-rate');
  const spark = sparkline();
  const now = h('span.score');
  const story = h('span.story');
  const element = h('li', { 'data-monitor': first.name },
    h('a.name.cell-name', { href: to('monitors', first.name) }, first.name), state, flow, h('span.cell-spark', {}, spark.element), now, story);
  let badge = '';
  let told = '';

  const draw = () => {
    const look = JSON.stringify([monitor.state, monitor.seen, monitor.needed]);
    if (look !== badge) { badge = look; fill(state, stateBadge(monitor)); }
    say(flow, rate(monitor.rate_per_s));
    spark.draw(monitor.recent);
    const isScored = monitor.last && !['warming', 'learning'].includes(monitor.state);
    say(now, isScored ? score(monitor.last.score) : '–');
    now.title = monitor.last ? `score of the window that ended ${ago(monitor.last.end_ms)}` : 'not scored yet';
    if (monitor.incident) element.dataset.severity = monitor.incident.severity; else delete element.dataset.severity;
    const news = JSON.stringify([monitor.incident?.id, monitor.incident?.summary, monitor.reason, monitor.state]);
    if (news !== told) { told = news; fill(story, storyOf(monitor)); }
  };
  const redraw = beforeNextPicture(draw);
  draw();

  return {
    element,
    get monitor() { return monitor; },
    become(other) {
      // What came live may be newer than an answer that was on its way.
      const isNewer = (monitor.last?.end_ms ?? 0) > (other.last?.end_ms ?? 0);
      monitor = isNewer ? { ...other, last: monitor.last, recent: monitor.recent } : other;
      redraw();
    },
    scored(window) {
      if (monitor.recent.some(([end]) => end === window.end_ms)) return;
      const recent = [...monitor.recent, [window.end_ms, window.score, window.n]].slice(-RECENT);
      const [word, progress] = window.state.split(' ');
      const [seen, needed] = (progress ?? '').split('/').map(Number);
      const learnt = word === 'ready' && ['warming', 'learning', 'unscored'].includes(monitor.state) ? { state: 'ready' } : {};
      const learning = word === 'warming' ? { state: 'warming', seen, needed } : learnt;
      const flows = window.n !== null && monitor.window_ms ? { rate_per_s: window.n / (monitor.window_ms / 1000) } : {};
      monitor = { ...monitor, ...learning, ...(monitor.kind === 'vectors' ? {} : flows), recent, last: window };
      redraw();
    },
    alerted(alert) {
      const isOver = alert.event === 'resolved';
      if (isOver && monitor.incident?.id !== alert.incident) return;
      const { incident: id, severity, summary: words, since_ms } = alert;
      monitor = { ...monitor, incident: isOver ? null : { id, severity, summary: words, since_ms } };
      redraw();
    },
  };
}

function storyOf({ incident, reason, state, seen, needed }) {
  if (incident) return h('a', { href: to('incidents', incident.id) }, incident.summary);
  if (reason) return reason;
  if (state === 'unscored') return 'no worker scores it: start eddyline worker';
  if (state === 'learning') return needed ? `finds out its fields: ${count(Math.max(0, needed - (seen ?? 0)), 'observation')} to go` : 'finds out its fields';
  return '';
}

function nothing() {
  return h('div.empty', {},
    h('h1', {}, 'No monitors yet'),
    h('p.muted', {}, 'A monitor watches a stream of events. This makes one for the stream ', h('code', {}, 'metrics'), '; it finds out the fields by itself:'),
    h('pre', {}, h('code', {}, 'redis-cli EDDY.CREATE checkout SOURCES 1 metrics\nredis-cli XADD metrics \'*\' endpoint /charge status 200 latency_ms 34')),
    h('p.muted', {}, 'or send events over HTTP, once the monitor is there:'),
    h('pre', {}, h('code', {}, `curl ${location.origin}/v1/events?monitor=checkout -H 'content-type: application/json' \\\n  -d '{"endpoint":"/charge","status":200,"latency_ms":34}'`)),
    h('p.muted', {}, 'It appears here by itself.'));
}
