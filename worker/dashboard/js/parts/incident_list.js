// Incidents in a list: how bad, what, where, since when.

import { h } from '../dom.js';
import { ago, span, time } from '../format.js';
import { to } from '../router.js';
import { severityBadge } from './badge.js';

/** A list; `withMonitor` where they are of several. */
export function incidentList(incidents, { withMonitor = true } = {}) {
  return h('ul.incidents', {}, incidents.map((incident) => h('li', {},
    severityBadge(incident),
    h('a.summary', { href: to('incidents', incident.incident) }, incident.summary),
    h('span.end.small.muted', {}, incident.state === 'open' ? ago(incident.since_ms) : time(incident.since_ms)),
    h('span.facts', {}, facts(incident, withMonitor)))));
}

function facts(incident, withMonitor) {
  const lasted = incident.state === 'open'
    ? `since ${time(incident.since_ms)}`
    : `${time(incident.since_ms)}, for ${span((incident.resolved_ms ?? incident.window_end_ms) - incident.since_ms)}`;
  return [
    withMonitor && [h('a', { href: to('monitors', incident.monitor) }, incident.monitor), ' · '],
    incident.state === 'resolved' && `${incident.severity} · `,
    lasted, ' · ', incident.rarity,
    incident.feedback && ` · said: ${incident.feedback.word}`,
  ];
}
