// A small shop: three quarters of an hour of its past, then calls as time passes. The same calls in every run, each under the
// id of its own time, so that a machine that stumbles makes them late, and no others.

import { until } from './until.mjs';

const PAST_MS = 2_700_000;
const PER_SECOND = 30;
const TURN_MS = 50;

/** Its monitor is called `shop`. */
export class Shop {
  /** Part of the calls of the service pay that fail; such calls take ten times as long. */
  failing = 0;
  #seed = 20;
  #redis;
  #timer;
  /** When the next call comes. */
  #next;

  constructor(redis) {
    this.#redis = redis;
  }

  /** Makes the monitor, feeds the past and goes live; done when all of the past has its scores. */
  async open(read) {
    const send = (...words) => this.#redis.send(...words);
    const definition = 'SOURCES 1 calls CLOCK stream WINDOW 1000 DIMENSIONS 2 service status CROSSES 2 service*status service*latency_ms MEASURES 1 latency_ms UNIQUES 1 user';
    await send('EDDY.CREATE', 'shop', ...definition.split(' '));
    this.#next = Date.now() - PAST_MS;
    let entry = 0;
    const add = (end) => Promise.all(this.#calls(end).map(({ at, fields }) => send('XADD', 'calls', `${at}-${entry++}`, ...fields)));
    while (Date.now() - this.#next > TURN_MS) await add(Math.min(Date.now(), this.#next + 30_000));
    const live = Date.now();
    // It ends with the server, which the case that is at work then tells.
    this.#timer = setInterval(() => add(Date.now()).catch(() => {}), TURN_MS);
    await until('the worker has learnt from the past', 120_000, async () => {
      const { scores } = await read('monitors/shop/scores?limit=1').catch(() => ({ scores: [] }));
      return scores.length > 0 && scores[0].end_ms >= live;
    });
  }

  close() {
    clearInterval(this.#timer);
  }

  /** The calls up to this moment. */
  #calls(until) {
    const calls = [];
    for (; this.#next <= until; this.#next -= (Math.log(1 - this.#chance()) * 1000) / PER_SECOND) {
      const service = ['pay', 'pay', 'cart', 'account'][Math.floor(this.#chance() * 4)];
      const fails = this.#chance() < (service === 'pay' && this.failing > 0 ? this.failing : 0.01);
      const latency = (20 + 60 * this.#chance() ** 3) * (fails ? 10 : 1);
      calls.push({ at: Math.floor(this.#next), fields: ['service', service, 'status', fails ? 500 : 200, 'latency_ms', latency.toFixed(1), 'user', `u${Math.floor(this.#chance() * 400)}`] });
    }
    return calls;
  }

  /** From 0 to 1: mulberry32. */
  #chance() {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
