import assert from 'node:assert/strict';

export const title = 'the overview shows state, rate and scores, and moves by itself';

export async function run({ show, shop, read, redis }) {
  const view = await show({ lost: true });
  await view.open('');
  await redis.send('EDDY.CREATE', 'young', 'SOURCES', 1, 'young-events');
  await shop.open(read);
  const row = view.page.locator('[data-monitor="shop"]');
  await row.getByText('ready', { exact: true }).waitFor();
  await view.page.locator('[data-monitor="young"]').getByText(/learning/).waitFor();
  await view.page.locator('#live[data-state="live"]').waitFor();
  assert.match(await row.locator('.cell-rate').innerText(), /^\d+(\.\d+)?\/s$/);
  assert.match(await row.locator('svg').getAttribute('aria-label'), /^scores of the last 60 windows/);
  // Two windows later the picture is another one, without a click.
  const path = () => row.locator('.shape').getAttribute('d');
  const before = await path();
  await view.page.waitForFunction((known) => document.querySelector('[data-monitor="shop"] .shape').getAttribute('d') !== known, before);
  await view.page.getByRole('searchbox').fill('you');
  await row.waitFor({ state: 'hidden' });
  await view.page.getByRole('searchbox').fill('');
  await row.waitFor();
  await view.shot('overview');
}
