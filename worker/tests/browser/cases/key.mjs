import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

export const title = 'where keys are set the page asks for one, and keeps it out of addresses';

const KEY = `edk_${'k'.repeat(43)}`;

export async function run({ show, gateway }) {
  const hash = createHash('sha256').update(KEY).digest('hex');
  const guarded = await gateway(`[http.keys.reader]\nhash = "sha256:${hash}"\nscopes = ["read"]\n`);
  try {
    const view = await show({ at: guarded.base, lost: true });
    const { page } = view;
    const addresses = [];
    page.on('request', (request) => addresses.push(request.url()));
    await view.open('');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Key').fill('edk_wrong');
    await dialog.getByRole('button').click();
    await dialog.getByLabel('Key').fill(KEY);
    await dialog.getByRole('button').click();
    await page.locator('[data-monitor="shop"]').waitFor();
    await page.locator('#live[data-state="live"]').waitFor();
    await page.reload();
    await page.locator('[data-monitor="shop"]').waitFor();
    assert.equal(await dialog.count(), 0);
    assert.deepEqual(addresses.filter((address) => address.includes('edk_')), []);
    // It may look, and not change anything: the page says so.
    await view.open('#/events');
    await page.getByLabel('Text of a new marker').fill('released');
    await page.getByRole('button', { name: 'Mark' }).click();
    await page.locator('main .fault').waitFor();
  } finally {
    await guarded.end();
  }
}
