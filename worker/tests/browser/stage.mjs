// What the tests run against: a private server with the module, and a worker with the dashboard. Nothing outlives the tests.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { connect } from './redis.mjs';
import { until } from './until.mjs';

const PATIENCE_MS = 30_000;
const running = new Set();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'eddyline-browser-'));

process.on('exit', () => {
  running.forEach((child) => child.kill('SIGKILL'));
  fs.rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

function start(name, program, words) {
  const log = fs.openSync(path.join(folder, `${name}.log`), 'a');
  const child = spawn(program, words, { stdio: ['ignore', log, log], cwd: folder });
  fs.closeSync(log);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

async function end(child, signal) {
  if (!running.has(child)) return;
  const over = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill(signal);
  await over;
}

/** The last lines that a process wrote. */
export const log = (name) => fs.readFileSync(path.join(folder, `${name}.log`), 'utf8').split('\n').slice(-20).join('\n');

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const answers = (url) => fetch(url).then((answer) => answer.ok, () => false);

/** Starts it all. */
export async function stage() {
  const { EDDYLINE_SERVER, EDDYLINE_MODULE, EDDYLINE_BIN } = process.env;
  const [port, http] = [await freePort(), await freePort()];
  start('server', EDDYLINE_SERVER, ['--port', port, '--bind', '127.0.0.1', '--save', '', '--loadmodule', EDDYLINE_MODULE]);
  const client = () => connect(port);
  await until('the server answers', PATIENCE_MS, async () => {
    const redis = client();
    try { return await redis.send('PING') === 'PONG'; } catch { return false; } finally { redis.close(); }
  });
  const redis = client();
  const base = `http://127.0.0.1:${http}`;
  const server = `redis://127.0.0.1:${port}`;
  let worker;

  async function startWorker() {
    worker = start('worker', EDDYLINE_BIN, ['worker', '--redis', server, '--http', `127.0.0.1:${http}`, '--listen', 'none', '--deployment', 'browser', '--quiet-after', '5']);
    await until('the worker answers', PATIENCE_MS, () => answers(`${base}/livez`));
  }
  await startWorker();

  return {
    base,
    redis,
    client,
    /** JSON of the API. */
    async read(path) {
      const answer = await fetch(`${base}/v1/${path}`);
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    /** Ends the worker in order; the page loses its connection. */
    stopWorker: () => end(worker, 'SIGTERM'),
    startWorker,
    /** A gateway of its own that wants one of these keys; the function that ends it. */
    async gateway(config) {
      const listen = await freePort();
      const file = path.join(folder, 'gateway.toml');
      fs.writeFileSync(file, config);
      const gateway = start('gateway', EDDYLINE_BIN, ['serve', '--redis', server, '--http', `127.0.0.1:${listen}`, '--config', file]);
      const own = `http://127.0.0.1:${listen}`;
      await until('the gateway answers', PATIENCE_MS, () => answers(`${own}/livez`));
      return { base: own, end: () => end(gateway, 'SIGTERM') };
    },
    close: () => Promise.all([...running].map((child) => end(child, 'SIGKILL'))),
  };
}
