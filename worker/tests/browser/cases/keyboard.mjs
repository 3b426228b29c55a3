import assert from 'node:assert/strict';

export const title = 'everything is reached with the keyboard, and the chosen colours stay';

export async function run({ show }) {
  const view = await show();
  const { page } = view;
  await view.open('');
  await page.locator('[data-monitor="shop"]').waitFor();
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to content');
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(ring, 'none');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  // From there: the filter, then the monitors.
  for (let tabs = 0; tabs < 10 && (await focused()) !== 'shop'; tabs += 1) await page.keyboard.press('Tab');
  assert.equal(await focused(), 'shop');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'shop' }).waitFor();
  await page.locator('main:not([aria-busy])').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  assert.match(await page.title(), /^shop · eddyline$/);

  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const colours = page.locator('#theme');
  await colours.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.deepEqual([await theme(), await colours.getAttribute('aria-label')], ['dark', 'Colours: dark']);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'shop' }).waitFor();
  assert.equal(await theme(), 'dark');
}
