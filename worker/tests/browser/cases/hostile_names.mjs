import assert from 'node:assert/strict';
import { until } from '../until.mjs';

export const title = 'names and items with markup are shown as text';

const NAME = '<img src=x onerror=document.title=1>/ä b?#%';
const ITEM = '"><script>document.title=1</script>';

export async function run({ show, redis }) {
  await redis.send('EDDY.CREATE', NAME, 'WINDOW', 1000, 'DIMENSIONS', 1, 'agent');
  const view = await show();
  const { page } = view;
  await view.open('');
  await page.getByRole('link', { name: NAME, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: NAME, exact: true }).waitFor();
  // Items are those of the open window and of the last one.
  await until('the item', 30_000, async () => {
    await redis.send('EDDY.OBSERVE', NAME, 'agent', ITEM);
    return page.getByRole('cell', { name: ITEM, exact: true }).isVisible();
  });
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.equal(await page.title(), `${NAME} · eddyline`);
}
