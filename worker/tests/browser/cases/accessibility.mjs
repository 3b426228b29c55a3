import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';

export const title = 'no serious fault of accessibility on any page, light, dark or on a phone, and nothing wider than the screen';

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const LOOKS = [
  ['light', { theme: 'light' }],
  ['dark', { theme: 'dark' }],
  ['phone', { width: 360, height: 760 }],
  ['phone-dark', { width: 360, height: 760, theme: 'dark' }],
];

export async function run({ show, read }) {
  const { incidents } = await read('incidents?limit=1');
  assert.equal(incidents.length, 1, 'the case before leaves an incident');
  const pages = [['overview', '', 'Monitors'], ['monitor', '#/monitors/shop', 'shop'], ['incident', `#/incidents/${incidents[0].incident}`, incidents[0].summary], ['events', '#/events', 'Events']];
  let rules = 0;
  for (const [look, options] of LOOKS) {
    const view = await show(options);
    for (const [name, hash, heading] of pages) {
      await view.open(hash);
      await view.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
      await view.page.locator('main:not([aria-busy])').waitFor();
      for (const numbers of await view.page.locator('summary').all()) await numbers.click().catch(() => {});
      await view.shot(`${name}-${look}`);
      const { wide, inner } = await view.page.evaluate(() => ({ wide: document.documentElement.scrollWidth, inner: innerWidth }));
      assert.ok(wide <= inner, `${name}, ${look}: ${wide} px wide on a screen of ${inner}`);
      await view.page.evaluate(AXE);
      const { violations, passes } = await view.page.evaluate(() => globalThis.axe.run(document));
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      assert.deepEqual(serious.map(({ id, nodes }) => `${name}, ${look}: ${id}: ${nodes[0].html}`), []);
      rules += passes.length;
    }
  }
  return `${rules} rules kept on ${LOOKS.length * pages.length} pictures`;
}
