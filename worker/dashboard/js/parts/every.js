// Looking again and again while somebody looks at the page: one look at a time, none while the page is hidden.

/** Looks now and then every `ms`, until `signal`. What fails is told to `failed` and tried again. */
export function every(ms, signal, look, failed = () => {}) {
  let timer;
  const turn = async () => {
    clearTimeout(timer);
    if (signal.aborted) return;
    try {
      if (!document.hidden) await look();
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(turn, ms);
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  document.addEventListener('visibilitychange', () => document.hidden || turn(), { signal });
  turn();
  return turn;
}
