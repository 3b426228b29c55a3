import assert from 'node:assert/strict';

export const title = 'events are read wherever the bytes are cut, windows are shown once and in order, bands hold most values, numbers are short';

export async function run({ show }) {
  const view = await show();
  await view.open('');
  const { page } = view;

  // Every way to cut this text in two gives the same events.
  const text = 'id: 7\nevent: score\ndata: {"a":\ndata: 1}\n\n: hello\r\n\r\nid: 8\r\ndata: ä\r\n\r\nevent: alert\n\ndata:x\n\ndata: unfinished\n';
  const events = await page.evaluate(async (text) => {
    const { Parser } = await import('/dashboard/js/event_stream.js');
    return [...Array(text.length).keys()].map((cut) => {
      const parser = new Parser();
      return JSON.stringify([...parser.take(text.slice(0, cut)), ...parser.take(text.slice(cut))]);
    });
  }, text);
  assert.deepEqual(JSON.parse(events[0]), [
    { id: '7', event: 'score', data: '{"a":\n1}' },
    { id: '8', event: 'message', data: 'ä' },
    { id: '8', event: 'message', data: 'x' },
  ]);
  assert.deepEqual([...new Set(events)], [events[0]]);

  const windows = await page.evaluate(async () => {
    const { Past, rows } = await import('/dashboard/js/past.js');
    const past = new Past();
    const news = [[{ end_ms: 3000, n: 3 }], [{ end_ms: 1000, n: 1 }, { end_ms: 2000, n: 2 }], [{ end_ms: 2000, n: 2 }], [{ end_ms: 9000, n: 9 }]].map((some) => past.add(some));
    return { news, rows: rows(past.all(), 1000, [({ n }) => n]) };
  });
  assert.deepEqual(windows, { news: [true, true, false, true], rows: [[1000, 2000, 3000, 4000, 9000], [[1, 2, 3, null, 9]]] });

  const bands = await page.evaluate(async () => {
    const { mostly } = await import('/dashboard/js/parts/chart.js');
    const hundred = [...Array(101).keys()].reverse();
    return [mostly(hundred.slice(0, 19)), mostly([null, NaN, ...hundred, 1e9])];
  });
  assert.deepEqual(bands, [null, { low: 5, high: 96, word: 'nine of ten' }]);

  const shown = await page.evaluate(async () => {
    const { number, span, times } = await import('/dashboard/js/format.js');
    return [[0, 0.01234, 4.567, 81.25, 812.4, 9999, 12_345, 4_100_000, 1e18, null, NaN].map(number), [400, 4000, 720_000, 12_000_000, 5 * 86_400_000].map(span), [[31, 10], [2, 0], [0, 0], [1000, 1]].map(([a, b]) => times(a, b))];
  });
  assert.deepEqual(shown, [
    ['0', '0.012', '4.57', '81.3', '812', '9999', '12.3k', '4.1M', '1.00e+18', '–', '–'],
    ['400 ms', '4 s', '12 min', '3 h 20 min', '5 days'],
    ['×3.1', 'new', '–', '×1000'],
  ]);
}
