import assert from 'node:assert/strict';
import { until } from '../until.mjs';

export const title = 'after a restart of the worker the page goes on where it was, without a gap and nothing twice';

const PATIENCE_MS = 60_000;

export async function run({ show, stopWorker, startWorker, read }) {
  const view = await show({ lost: true });
  const { page } = view;
  await view.open('#/monitors/shop');
  const state = page.locator('#live');
  await page.locator('#live[data-state="live"]').waitFor();
  await page.locator('[aria-label="Score"] summary').click();
  // Ends of windows as the table has them, newest first: one a second.
  const shown = () => page.locator('[aria-label="Score"] tbody td:first-child').allInnerTexts();
  await until('scores', PATIENCE_MS, async () => (await shown()).length >= 60);
  const last = (await shown())[0];

  // From here on only what is told live comes in.
  await page.route('**/scores?*', (route) => route.abort());
  await stopWorker();
  await page.locator('#live[data-state="reconnecting"]').waitFor();
  assert.equal(await state.innerText(), 'reconnecting');
  await view.shot('reconnecting');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const back = Date.now();
  await startWorker();
  await page.locator('#live[data-state="live"]').waitFor({ timeout: PATIENCE_MS });
  const { scores } = await until('windows after the restart', PATIENCE_MS, async () => {
    const page = await read('monitors/shop/scores?limit=60');
    return page.scores.at(-1).end_ms > back + 5000 && page;
  });
  const ends = await page.evaluate((all) => all.map((ms) => new Date(ms).toTimeString().slice(0, 8)), scores.map(({ end_ms }) => end_ms).reverse());
  const newest = ends[0];
  const table = await until('them on the page', PATIENCE_MS, async () => {
    const rows = await shown();
    return rows.includes(newest) && rows;
  });

  assert.ok(table.includes(last), 'the table doesn’t reach back to before the restart');
  const told = table.slice(table.indexOf(newest)).map((text) => text.split(' ').at(-1));
  assert.deepEqual(told, ends.slice(0, told.length));
  for (const [at, { end_ms: end }] of scores.slice(1).entries()) assert.equal(end - scores[at].end_ms, 1000, 'the worker left a window out');
  return `${table.indexOf(last) - table.indexOf(newest)} windows since`;
}
