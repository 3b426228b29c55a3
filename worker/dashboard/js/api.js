// Asking the server. What goes wrong is told as it says it, with what to do.

import * as key from './key.js';

/** A longer wait has no answer any more. */
const PATIENCE_MS = 30_000;

/** Why there is no answer. */
export class Fault extends Error {
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** Reads JSON: `read('monitors', name, 'scores', { limit: 100 })`. */
export function read(...path) {
  const last = path.at(-1);
  const query = typeof last === 'object' ? path.pop() : {};
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const tail = asked.length > 0 ? `?${new URLSearchParams(asked)}` : '';
  return request('GET', address(...path) + tail);
}

/** Sends JSON. */
export const send = (path, body) => request('POST', address(...path), body);

/** Where a resource is; relative, so that a proxy may put all of it below a path. */
export const address = (...path) => `v1/${path.map(encodeURIComponent).join('/')}`;

async function request(method, url, body) {
  for (;;) {
    const used = key.current();
    const answer = await fetched(method, url, body);
    if (!answer.ok) {
      const wrong = await fault(answer);
      // Looking needs a key that may look; for anything else the page goes on with the one it has.
      if (wrong.status !== 401 && !(wrong.code === 'forbidden' && method === 'GET')) throw wrong;
      if (used === key.current()) await key.ask(wrong.message);
      continue;
    }
    try {
      return answer.status === 204 ? null : await answer.json();
    } catch {
      throw new Fault('cut_off', 'The answer ended early. Try again.');
    }
  }
}

async function fetched(method, url, body) {
  const headers = { accept: 'application/json', ...key.headers() };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const text = body === undefined ? undefined : JSON.stringify(body);
  try {
    return await fetch(url, { method, headers, body: text, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error.name === 'TimeoutError') throw new Fault('no_answer', 'The server took too long to answer. Try again.');
    throw new Fault('unreachable', 'The server doesn’t answer. Is eddyline running? It is tried again by itself.');
  }
}

/** What an answer says is wrong. */
export async function fault(answer) {
  const said = await answer.json().catch(() => null);
  const words = typeof said?.message === 'string' ? said.message : `The server answered ${answer.status}.`;
  return new Fault(said?.code ?? 'unknown', words, answer.status);
}
