// Looking again and again while somebody looks at the page: one look at a time, none while the page is hidden.

/** Least time between two looks, however often they are asked for. */
const LEAST_MS = 250;

/** Looks now and then every `ms`, until `signal`; the function that asks for a look at once. What fails is told to `failed`. */
export function every(ms, signal, look, failed = () => {}) {
  let timer;
  let isLooking = false;
  let isWanted = false;
  let last = -Infinity;

  const after = (pause) => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(turn, pause);
  };

  async function turn() {
    isLooking = true;
    isWanted = false;
    last = performance.now();
    try {
      if (!document.hidden) await look();
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
    isLooking = false;
    after(isWanted ? LEAST_MS : ms);
  }

  const soon = () => {
    isWanted = true;
    if (!isLooking) after(Math.max(0, last + LEAST_MS - performance.now()));
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  document.addEventListener('visibilitychange', () => document.hidden || soon(), { signal });
  soon();
  return soon;
}
