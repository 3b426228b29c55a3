// What happens, as it happens: one connection for the whole page. It comes back by itself where it was, so that nothing is
// missed; what is said twice then is dropped here.

import { fault } from './api.js';
import { Parser } from './event_stream.js';
import * as key from './key.js';

/** The server says something every 15 s; nothing for so long is a dead connection. */
const SILENCE_MS = 40_000;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 10_000;
/** Events that are remembered so that they aren't told twice. */
const REMEMBERED = 4096;

const hub = new EventTarget();
const told = new Set();
let state = 'connecting';
let last = '';
let wake = () => {};

/** Listens to `score`, `alert` (what happened is `event.detail`), `state` and `resumed`. */
export const on = (what, listener, signal) => hub.addEventListener(what, listener, { signal });

/** `connecting`, `live`, `reconnecting` or `stopped`. */
export const current = () => state;

function become(now) {
  if (state === now) return;
  state = now;
  hub.dispatchEvent(new Event('state'));
}

/** Connects, and again whenever the connection is lost. */
export async function follow() {
  let pause = FIRST_PAUSE_MS;
  addEventListener('online', () => wake());
  document.addEventListener('visibilitychange', () => document.hidden || wake());
  for (;;) {
    const used = key.current();
    try {
      await connection(() => { pause = FIRST_PAUSE_MS; });
    } catch (error) {
      if (error.status === 401 || error.code === 'forbidden') {
        if (used === key.current()) await key.ask(error.message);
        continue;
      }
      if (error.status === 403) return become('stopped');
    }
    become('reconnecting');
    // Jitter: pages that lost the same server shouldn't all come back in the same moment.
    await nap(pause * (0.5 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

function nap(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => { clearTimeout(timer); resolve(); };
  });
}

async function connection(connected) {
  const stop = new AbortController();
  let timer;
  const heard = () => { clearTimeout(timer); timer = setTimeout(() => stop.abort(), SILENCE_MS); };
  heard();
  try {
    const headers = { accept: 'text/event-stream', ...key.headers(), ...(last && { 'last-event-id': last }) };
    const answer = await fetch('v1/stream', { headers, cache: 'no-store', signal: stop.signal });
    if (!answer.ok) throw await fault(answer);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new Parser();
    connected();
    become('live');
    hub.dispatchEvent(new Event('resumed'));
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      parser.take(value).forEach(tell);
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

function tell({ id, event, data }) {
  if (event !== 'score' && event !== 'alert') return;
  const detail = JSON.parse(data);
  const name = JSON.stringify([event, detail.monitor, event === 'score' ? detail.id : detail.entry, detail.event]);
  if (id) last = id;
  if (told.has(name)) return;
  told.add(name);
  if (told.size > REMEMBERED) told.delete(told.values().next().value);
  hub.dispatchEvent(new CustomEvent(event, { detail }));
}
