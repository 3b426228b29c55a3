import assert from 'node:assert/strict';

export const title = 'a server without monitors says how to make one; a monitor that isn’t there is said';

export async function run({ show }) {
  const view = await show();
  await view.open('');
  await view.page.getByRole('heading', { name: 'No monitors yet' }).waitFor();
  assert.match(await view.page.locator('main').innerText(), /redis-cli EDDY\.CREATE checkout SOURCES 1 metrics/);
  await view.shot('nothing-yet');
  await view.open('#/events');
  await view.page.getByText('Nothing unusual in this time.').waitFor();
  const other = await show({ lost: true });
  await other.open('#/monitors/nobody');
  await other.page.getByRole('link', { name: 'All monitors' }).waitFor();
  assert.match(await other.page.locator('main').innerText(), /there is no monitor 'nobody'/);
}
