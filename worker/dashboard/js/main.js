// The frame: shows the page that the address names, whether it is live, and what troubles the server.

import { read } from './api.js';
import { fill, h, say } from './dom.js';
import * as live from './live.js';
import { where } from './router.js';
import { trouble } from './parts/trouble.js';
import * as events from './pages/events.js';
import * as incident from './pages/incident.js';
import * as monitor from './pages/monitor.js';
import * as monitors from './pages/monitors.js';

const PAGES = { monitors, events, incidents: incident, monitor };
const LOOK_MS = 15_000;

const main = document.getElementById('main');
let leave = new AbortController();
let shown = '';

async function show() {
  const { page, about, query } = where();
  const name = page === 'monitors' && about ? 'monitor' : page;
  const now = `${name}/${about}`;
  if (now === shown) return;
  const first = shown === '';
  shown = now;
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const chosen = PAGES[name];
  for (const link of document.querySelectorAll('[data-page]')) {
    const isHere = link.dataset.page === (name === 'monitor' ? 'monitors' : name === 'incidents' ? 'events' : name);
    if (isHere) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
  main.setAttribute('aria-busy', 'true');
  fill(main, h('p.loading', {}, 'Loading…'));
  if (!chosen || (name === 'incidents' && !about)) {
    document.title = 'Not here · eddyline';
    fill(main, h('div.empty', {}, h('h1', {}, 'There is no such page'), h('p', {}, h('a', { href: '#/' }, 'All monitors'))));
  } else {
    document.title = `${chosen.title(about)} · eddyline`;
    await open(chosen, { about, query, signal });
  }
  main.removeAttribute('aria-busy');
  if (signal.aborted) return;
  scrollTo(0, 0);
  // Whoever reads by ear hears where they are; at the first page the browser has said it.
  if (!first) main.focus({ preventScroll: true });
}

async function open(page, context) {
  for (;;) {
    try {
      const content = await page.open(context);
      if (!context.signal.aborted) fill(main, content);
      return;
    } catch (error) {
      if (context.signal.aborted) return;
      const again = new Promise((resolve) => {
        live.on('resumed', resolve, context.signal);
        fill(main, trouble(error, resolve));
      });
      await again;
      if (context.signal.aborted) return;
    }
  }
}

function showState() {
  const element = document.getElementById('live');
  element.dataset.state = live.current();
  say(element, live.current() === 'stopped' ? 'not live' : live.current());
}

async function look() {
  try {
    const status = await read('status');
    say(document.getElementById('deployment'), status.deployment ?? '');
    const troubles = [...(status.troubles ?? [])];
    const box = document.getElementById('troubles');
    const text = troubles.map((it) => (typeof it === 'string' ? it : it.what ?? it.message ?? JSON.stringify(it)));
    if (box.dataset.said !== text.join('\n')) {
      box.dataset.said = text.join('\n');
      fill(box, text.map((it) => h('p.fault', {}, it)));
    }
  } catch { /* the state of the connection says it */ }
}

document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener('hashchange', show);
live.on('state', showState);
live.on('resumed', look);
setInterval(() => document.hidden || look(), LOOK_MS);
live.follow();
show();
