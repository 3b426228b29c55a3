// Lines over time, on uPlot; with the alert line, the band of what is usual, and the numbers as text below.

import { fill, h, say } from '../dom.js';
import { number, time } from '../format.js';

/** Windows that the table below a chart shows. */
const TOLD = 60;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Values from which on it can be said where most of them are. */
const ENOUGH = 20;

/** Where nine tenths of the values are; null where there are too few to say. */
export function mostly(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length < ENOUGH) return null;
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return { low: at(0.05), high: at(0.95), word: 'nine of ten' };
}

/**
 * A chart of `lines`: `[{ label, colour }]`. `format` shows a value, `range` fixes the scale, `alert` is a line's height.
 * `draw(xs, yss)` takes times in ms and a row of values a line; `band(low, high)` marks what is usual, and until somebody says
 * that, `banded` marks where most values of the first line are.
 */
export function chart({ name, lines, format = number, range, alert, height = 150, sync, extra, banded = false }) {
  const readout = h('span.small.muted');
  const place = h('div.chart', { 'aria-hidden': 'true' });
  const table = h('div.scrolls', { tabindex: 0, role: 'region', 'aria-label': `${name}: numbers` });
  const numbers = h('details', { ontoggle: () => tell() }, h('summary', {}, 'Numbers'), table);
  const element = h('section.card', { 'aria-label': name }, h('header', {}, h('h2', {}, name), readout, extra), h('div.inside', {}, place, numbers));
  let data = [[], ...lines.map(() => [])];
  let known = null;
  let usual = null;
  let told = '';

  const options = {
    width: 300,
    height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, ...(sync && { sync: { key: sync } }) },
    scales: { y: { range: range ?? ((_, low, high) => scale(low, high)) } },
    axes: [
      { stroke: () => colour('--muted'), grid: { stroke: () => colour('--grid') }, ticks: { show: false }, font: '11px system-ui', size: 26, space: 70, values: times },
      { stroke: () => colour('--muted'), grid: { stroke: () => colour('--grid') }, ticks: { show: false }, font: '11px system-ui', size: 44, space: 24, values: (_, values) => values.map((value) => format(value)) },
    ],
    series: [{}, ...lines.map((line) => ({ label: line.label, stroke: () => colour(line.colour ?? '--series-1'), width: 1.5, points: { show: false } }))],
    hooks: { drawClear: [ground], setCursor: [readOut] },
  };

  function scale(low, high) {
    const [from, to] = usual ? [Math.min(low ?? 0, usual.low), Math.max(high ?? 0, usual.high)] : [low ?? 0, high ?? 1];
    const room = (to - from || Math.abs(to) || 1) * 0.1;
    return [from >= 0 && from - room < 0 ? 0 : from - room, to + room];
  }

  function ground(plot) {
    const { ctx, bbox: { left, top, width, height: tall } } = plot;
    const at = (value) => Math.min(top + tall, Math.max(top, plot.valToPos(value, 'y', true)));
    ctx.save();
    if (usual) {
      ctx.fillStyle = colour('--band');
      ctx.fillRect(left, at(usual.high), width, Math.max(2, at(usual.low) - at(usual.high)));
    }
    if (alert !== undefined) {
      ctx.fillStyle = colour('--critical-soft');
      ctx.globalAlpha = 0.45;
      ctx.fillRect(left, top, width, at(alert) - top);
      ctx.globalAlpha = 1;
      ctx.strokeStyle = colour('--critical');
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(left, at(alert));
      ctx.lineTo(left + width, at(alert));
      ctx.stroke();
    }
    ctx.restore();
  }

  function readOut(plot) {
    const isOn = plot.cursor.left >= 0 && plot.cursor.idx !== null;
    const at = isOn ? plot.cursor.idx : data[0].length - 1;
    if (at < 0 || data[0][at] === undefined) return say(readout, '');
    const values = lines.map((line, i) => `${lines.length > 1 ? `${line.label} ` : ''}${format(data[i + 1][at])}`).join(', ');
    const band = usual ? ` · ${usual.word} ${format(usual.low)} to ${format(usual.high)}` : '';
    say(readout, `${isOn ? `${time(data[0][at] * 1000)}: ` : ''}${values}${band}`);
  }

  function tell() {
    if (!numbers.open) return;
    const rows = data[0].map((_, at) => at).slice(-TOLD).reverse();
    const text = JSON.stringify(rows.map((at) => data.map((row) => row[at])));
    if (text === told) return;
    told = text;
    fill(table, h('table', {},
      h('caption.unseen', {}, `${name}, newest first`),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'window’s end'), lines.map((line) => h('th.number', { scope: 'col' }, line.label)))),
      h('tbody', {}, rows.map((at) => h('tr', {}, h('td', {}, time(data[0][at] * 1000)), lines.map((_, i) => h('td.number', {}, format(data[i + 1][at]))))))));
  }

  const plot = new globalThis.uPlot(options, data, place);
  let observer = new ResizeObserver(() => place.clientWidth > 0 && plot.setSize({ width: place.clientWidth, height }));
  observer.observe(place);
  const repaint = () => plot.redraw(false, true);
  addEventListener('themechange', repaint);

  return {
    element,
    draw(xs, yss) {
      data = [xs.map((ms) => ms / 1000), ...yss];
      usual = known ?? (banded ? mostly(yss[0]) : null);
      plot.setData(data);
      readOut(plot);
      tell();
    },
    band(low, high) {
      known = Number.isFinite(low) && Number.isFinite(high) && high >= low ? { low, high, word: 'usual' } : null;
      usual = known ?? usual;
      plot.setData(data);
      readOut(plot);
    },
    close() {
      observer.disconnect();
      observer = null;
      removeEventListener('themechange', repaint);
      plot.destroy();
    },
  };
}

/** Times at an axis; seconds only where they are close together. */
function times(plot, splits) {
  const step = splits.length > 1 ? splits[1] - splits[0] : 60;
  const words = new Intl.DateTimeFormat(undefined, step >= 86_400
    ? { day: 'numeric', month: 'short' }
    : { hour: '2-digit', minute: '2-digit', ...(step < 60 && { second: '2-digit' }), hourCycle: 'h23' });
  return splits.map((at) => words.format(new Date(at * 1000)));
}
