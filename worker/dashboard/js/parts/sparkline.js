// A row of scores, small: the shape, the alert line, and what is over it.

import { s } from '../dom.js';

const WIDTH = 300;
const HEIGHT = 30;
const ALERT = 0.5;

/** A drawing of `[end_ms, score, n]`, oldest first, that can be drawn anew. */
export function sparkline() {
  const shape = s('path.shape');
  const over = s('path.over');
  const line = s('line.line', { x1: 0, x2: WIDTH, y1: y(ALERT), y2: y(ALERT) });
  const element = s('svg.spark', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': 'no scores yet' }, line, over, shape);
  return {
    element,
    draw(recent) {
      const step = WIDTH / 59;
      const first = 60 - recent.length;
      const points = recent.map(([, score], at) => [(first + at) * step, y(score ?? 0), score ?? 0]);
      shape.setAttribute('d', points.map(([x, up], at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${up.toFixed(1)}`).join(''));
      const bars = points.filter(([, , score]) => score >= ALERT);
      over.setAttribute('d', bars.map(([x, up]) => `M${(x - step / 2).toFixed(1)} ${HEIGHT}V${up.toFixed(1)}h${step.toFixed(1)}V${HEIGHT}z`).join(''));
      const highest = recent.reduce((most, [, score]) => Math.max(most, score ?? 0), 0);
      const words = `scores of the last ${recent.length} windows: highest ${highest.toFixed(2)}, ${bars.length} above the alert line of 0.5`;
      element.setAttribute('aria-label', recent.length > 0 ? words : 'no scores yet');
    },
  };
}

const y = (score) => 1 + (1 - Math.min(1, Math.max(0, score))) * (HEIGHT - 2);
