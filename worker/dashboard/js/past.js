// The windows of a monitor that a page shows, in their order and each once, whichever way they came.

/** Most windows that are kept. */
export const MOST = 1000;

/** Windows by their end; `add` says whether anything is new. */
export class Past {
  #windows = new Map();
  #sorted = null;

  add(windows) {
    let isNew = false;
    for (const window of windows) {
      const known = this.#windows.get(window.end_ms);
      isNew ||= !known;
      this.#windows.set(window.end_ms, known ? { ...known, ...window } : window);
    }
    this.#sorted = null;
    if (this.#windows.size > MOST) {
      for (const { end_ms } of this.all().slice(0, this.#windows.size - MOST)) this.#windows.delete(end_ms);
      this.#sorted = null;
    }
    return isNew;
  }

  /** Oldest first. */
  all() {
    this.#sorted ??= [...this.#windows.values()].sort((a, b) => a.end_ms - b.end_ms);
    return this.#sorted;
  }

  last() {
    return this.all().at(-1);
  }
}

/** Rows for a chart: the times, and a row for each of `values`; a hole where windows are missing, so that no line crosses it. */
export function rows(windows, windowMs, values) {
  const xs = [];
  const yss = values.map(() => []);
  let before = null;
  for (const window of windows) {
    if (before !== null && windowMs && window.end_ms - before > 2.5 * windowMs) {
      xs.push(before + windowMs);
      yss.forEach((ys) => ys.push(null));
    }
    xs.push(window.end_ms);
    values.forEach((value, at) => yss[at].push(value(window) ?? null));
    before = window.end_ms;
  }
  return [xs, yss];
}
