// Incidents of all monitors over time: a lane for each monitor, bars that lead to the incident, markers across.

import { s } from '../dom.js';
import { span, time } from '../format.js';
import { to } from '../router.js';

const LANE = 24;
const TOP = 18;
const MOST_LANES = 12;

/** A drawing `width` wide of what happened between two times. */
export function lanes({ incidents, markers, from, until, width }) {
  const names = [...new Set(incidents.map(({ monitor }) => monitor))].slice(0, MOST_LANES);
  const label = Math.min(150, width * 0.28);
  const height = TOP + Math.max(1, names.length) * LANE + 4;
  const x = (ms) => label + ((Math.min(until, Math.max(from, ms)) - from) / (until - from)) * (width - label - 4);
  const shown = incidents.filter(({ monitor }) => names.includes(monitor));
  return s('svg.lanes', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': 'Incidents over time; the list below has the same as text' },
    hours(from, until, (width - label) / 84).map((at) => [
      s('line.grid', { x1: x(at), x2: x(at), y1: TOP - 4, y2: height }),
      s('text', { x: x(at), y: 11, 'text-anchor': 'middle' }, tick(at, until - from)),
    ]),
    names.map((name, lane) => [
      s('line.lane', { x1: label, x2: width, y1: middle(lane), y2: middle(lane) }),
      s('text', { x: 0, y: middle(lane) + 4 }, s('title', {}, name), cut(name, label / 6.4)),
    ]),
    markers.filter(({ at_ms: at }) => at >= from && at <= until).map((marker) => s('line.marker', { x1: x(marker.at_ms), x2: x(marker.at_ms), y1: TOP, y2: height }, s('title', {}, `${time(marker.at_ms)}: ${marker.text}`))),
    shown.map((incident) => bar(incident, x, middle(names.indexOf(incident.monitor)))));
}

function bar(incident, x, y) {
  const end = incident.state === 'open' ? Date.now() : incident.resolved_ms ?? incident.window_end_ms;
  const left = x(incident.since_ms);
  const words = `${incident.monitor}: ${incident.summary}, ${time(incident.since_ms)}, ${span(end - incident.since_ms)}`;
  return s('a', { href: to('incidents', incident.incident), 'aria-label': words },
    s('rect', { class: incident.severity, x: left, y: y - 6, width: Math.max(5, x(end) - left), height: 12, rx: 3 }, s('title', {}, words)));
}

const tick = (ms, long) => new Intl.DateTimeFormat(undefined, long > 2 * 86_400_000
  ? { day: 'numeric', month: 'short' }
  : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(ms));

const middle = (lane) => TOP + lane * LANE + LANE / 2;

const cut = (text, most) => (text.length > most ? `${text.slice(0, Math.max(1, Math.floor(most) - 1))}…` : text);

/** Round times between two, so many at most. */
function hours(from, until, most) {
  const steps = [1, 5, 10, 30, 60, 180, 360, 720, 1440, 2880, 7200, 14_400].map((minutes) => minutes * 60_000);
  const step = steps.find((size) => (until - from) / size <= Math.min(7, most)) ?? (until - from) / 5;
  const zone = new Date(until).getTimezoneOffset() * 60_000;
  const first = Math.ceil((from - zone) / step) * step + zone;
  return Array.from({ length: 8 }, (_, at) => first + at * step).filter((at) => at > from && at < until);
}
