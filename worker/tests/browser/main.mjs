// The dashboard in a browser, over a real server and worker: `cargo xtask browser` runs this.
// Cases run one after the other, since they tell one story: a server without monitors, a shop, what breaks there.

import fs from 'node:fs';
import { browser } from './browser.mjs';
import { Shop } from './shop.mjs';
import { log, stage } from './stage.mjs';

const CASES = ['nothing_yet', 'small_parts', 'overview', 'observation', 'incident', 'reconnect', 'accessibility', 'keyboard', 'hostile_names', 'key'];
const LONGEST_MS = 300_000;

async function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`not over within ${LONGEST_MS / 1000} s`)), LONGEST_MS); });
  try { return await Promise.race([work, late]); } finally { clearTimeout(timer); }
}

fs.mkdirSync(process.env.EDDYLINE_SHOTS, { recursive: true });
const here = await stage();
const shop = new Shop(here.client());
const eyes = await browser(here.base);
let [passed, failed] = [0, 0];

for (const name of CASES) {
  const { title, run } = await import(`./cases/${name}.mjs`);
  const began = Date.now();
  const views = [];
  const show = async (options) => {
    const view = await eyes.page(options);
    views.push(view);
    return view;
  };
  try {
    const told = await inTime(run({ ...here, shop, show }));
    for (const view of views.splice(0)) await view.close();
    passed += 1;
    console.log(`ok      ${title} (${((Date.now() - began) / 1000).toFixed(1)} s)${told ? `: ${told}` : ''}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${title}\n${error.stack}\nthe worker's log ends:\n${log('worker')}`);
    for (const [at, view] of views.entries()) {
      await view.shot(`failed-${name}-${at}`).catch(() => {});
      await view.close().catch((fault) => console.log(fault.message));
    }
  }
}

shop.close();
await eyes.close();
await here.close();
console.log(`pictures: ${process.env.EDDYLINE_SHOTS}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
