// What was observed against what was expected, as a picture: the usual band, the expected value, the observed one.

import { s } from '../dom.js';
import { number } from '../format.js';

const WIDTH = 300;
const HEIGHT = 34;
const MIDDLE = 12;

/** A drawing for a cause or a feature. */
export function range({ low, high, expected, observed }) {
  const values = [low, high, expected, observed].filter(Number.isFinite);
  const [from, to] = [Math.min(...values), Math.max(...values)];
  const room = (to - from || Math.abs(to) || 1) * 0.06;
  const x = (value) => Math.min(WIDTH - 5, Math.max(5, ((value - from + room) / (to - from + 2 * room)) * WIDTH));
  const words = `observed ${number(observed)}, expected ${number(expected)}, usually ${number(low)} to ${number(high)}`;
  return s('svg.range', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words },
    s('title', {}, words),
    s('line.axis', { x1: 0, x2: WIDTH, y1: MIDDLE, y2: MIDDLE }),
    Number.isFinite(low) && Number.isFinite(high) && s('rect.usual', { x: x(low), y: MIDDLE - 6, width: Math.max(2, x(high) - x(low)), height: 12, rx: 3 }),
    Number.isFinite(expected) && s('line.expected', { x1: x(expected), x2: x(expected), y1: MIDDLE - 9, y2: MIDDLE + 9 }),
    Number.isFinite(observed) && s('circle.observed', { cx: x(observed), cy: MIDDLE, r: 5 }));
}
