import assert from 'node:assert/strict';

export const title = 'an observation appears within 2 s of being sent, and nothing is explained before a window ends';

const SENT = 5;

export async function run({ show, redis, base }) {
  await redis.send('EDDY.CREATE', 'daily', 'WINDOW', 86_400_000, 'DIMENSIONS', 1, 'step');
  await redis.send('EDDY.CREATE', 'pulse', 'WINDOW', 1000, 'DIMENSIONS', 1, 'step');
  const view = await show();
  await view.open('#/monitors/daily');
  await view.page.getByText('No window has been scored yet.').waitFor();
  await view.open('#/monitors/pulse');
  await view.page.getByRole('heading', { name: 'Top items, a window' }).waitFor();
  const took = [];
  for (let step = 1; step <= SENT; step += 1) {
    const began = Date.now();
    await observe(base, `step-${step}`);
    await view.page.getByRole('cell', { name: `step-${step}`, exact: true }).waitFor();
    took.push(Date.now() - began);
  }
  await redis.send('DEL', 'daily');
  took.sort((a, b) => a - b);
  const median = took[Math.floor(SENT / 2)];
  assert.ok(median <= 2000, `ms until they appeared: ${took.join(', ')}`);
  return `median ${median} ms, longest ${took.at(-1)} ms`;
}

async function observe(base, step) {
  const answer = await fetch(`${base}/v1/events?monitor=pulse`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ step }) });
  assert.equal(answer.status, 202, await answer.text());
}
