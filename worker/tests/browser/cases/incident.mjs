import assert from 'node:assert/strict';
import { until } from '../until.mjs';

export const title = 'an incident appears, is explained, is called normal and stops firing; undo takes that back';

const PATIENCE_MS = 60_000;
/** Windows of the same fault in which nothing may open any more. */
const QUIET = 8;

export async function run({ show, shop, read }) {
  const view = await show();
  const { page } = view;
  await view.open('');
  const row = page.locator('[data-monitor="shop"]');
  await row.waitFor();

  shop.failing = 0.3;
  const link = row.locator('.story a');
  await link.waitFor({ timeout: PATIENCE_MS });
  assert.ok(['warning', 'critical'].includes(await row.getAttribute('data-severity')));
  const told = await link.innerText();
  await view.shot('overview-with-an-incident');
  await link.click();

  await page.getByRole('heading', { level: 1 }).waitFor();
  const id = new URL(page.url()).hash.split('/').at(-1);
  // Thin traffic is judged over several windows: the fault in full is more than what it began with.
  await until('the fault in full', PATIENCE_MS, async () => (await after(read, (await read(`incidents/${id}`)).incident.since_ms)).length >= QUIET);
  const main = page.locator('main');
  const incident = await until('what the API says, on the page', PATIENCE_MS, async () => {
    const { incident } = await read(`incidents/${id}`);
    const said = await main.innerText();
    return [incident.summary, incident.rarity, incident.causes[0].what, 'observed', 'expected', 'opened'].every((part) => said.includes(part)) && incident;
  });
  assert.match(incident.causes.map(({ what }) => what).join(), /status 500/);
  assert.ok(await page.locator('.range').count() > 0);
  await view.shot('incident-open');

  await page.getByRole('button', { name: 'This is normal' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Who says so').fill('ann');
  await dialog.getByRole('button', { name: 'This is normal' }).click();
  await page.getByText('said to be normal').waitFor();
  await page.locator('main h1 + .badge', { hasText: 'resolved' }).waitFor({ timeout: PATIENCE_MS });
  assert.match(await page.locator('.timeline').innerText(), /marked as normal by ann/);

  // The fault goes on, and so does its like after a pause.
  const since = Date.now();
  await quiet(read, since, 'feedback');
  shop.failing = 0;
  await ordinary(read);
  shop.failing = 0.25;
  await quiet(read, Date.now(), 'feedback');
  const { incidents } = await read('incidents?monitor=shop');
  assert.deepEqual(incidents.filter((other) => other.since_ms > incident.since_ms).map(({ summary }) => summary), []);
  shop.failing = 0;
  await ordinary(read);
  await view.shot('incident-called-normal');

  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('said to be normal').waitFor({ state: 'detached' });
  assert.equal((await read(`incidents/${id}`)).incident.feedback, null);
  return told;
}

const after = async (read, ms) => (await read(`monitors/shop/scores?after=${Math.floor(ms)}-0`)).scores;

/** Waits for windows that are no longer of the fault. */
function ordinary(read) {
  return until('ordinary windows again', PATIENCE_MS, async () => (await after(read, Date.now() - 4000)).some(({ score }) => score < 0.3));
}

/** Waits for so many windows that were held back. */
function quiet(read, since, held) {
  return until(`${QUIET} windows held back by ${held}`, PATIENCE_MS, async () => (await after(read, since)).filter((score) => score.held === held).length >= QUIET);
}
