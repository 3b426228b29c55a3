// Numbers and times for people.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Three digits that matter: 0.0123, 4.57, 812, 12.3k, 4.1M. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(2);
  for (const [unit, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) {
    if (size >= unit) return trimmed(value / (unit === 1e4 ? 1e3 : unit)) + letter;
  }
  if (size >= 1000) return Math.round(value).toString();
  if (size > 0 && size < 0.001) return value.toExponential(1);
  return trimmed(value);
}

function trimmed(value) {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** A score, always as long. */
export const score = (value) => (Number.isFinite(value) ? value.toFixed(2) : '–');

/** Observations a second. */
export const rate = (value) => (Number.isFinite(value) ? `${number(value)}/s` : '–');

/** A chance. */
export const chance = (p) => (!Number.isFinite(p) ? '–' : p >= 0.001 ? trimmed(p) : p.toExponential(1));

/** The time of day, with the day where it isn't today. */
export function time(ms) {
  const at = new Date(ms);
  const text = clock.format(at);
  return at.toDateString() === new Date().toDateString() ? text : `${day.format(at)} ${text}`;
}

/** How long: 4 s, 12 min, 3 h 20 min, 5 days. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (ms > 0 && ms < 1000) return `${Math.round(ms)} ms`;
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 || hours >= 10 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** How long ago. */
export const ago = (ms, now = Date.now()) => (now - ms < 1000 ? 'just now' : `${span(now - ms)} ago`);

/** Times the usual: ×3.1, ×0.2. */
export function times(value, usual) {
  if (!Number.isFinite(value) || !Number.isFinite(usual)) return '–';
  if (usual <= 0) return value > 0 ? 'new' : '–';
  const ratio = value / usual;
  return `×${ratio >= 100 ? number(ratio) : ratio.toFixed(ratio >= 10 ? 0 : 1)}`;
}

/** One of a thing, or so many. */
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
