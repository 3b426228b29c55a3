/**
 * Observations a second from one Node thread into a server of its own: the batcher beside a plain pipelined XADD loop of the
 * same client, in turn, five rounds; and what a call costs while Redis is gone.
 *
 *     EDDYLINE_MODULE=../target/release/libeddyline.so node bench/batcher.js
 */
import { createRequire } from 'node:module'
import { cpus, loadavg } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { createClient } from 'redis'
import { Redis } from 'ioredis'
import { Eddyline } from '../src/index.js'
import { Server, eventually } from '../test/support/server.js'

const ROUNDS = 5
const MS = Number(process.env.EDDYLINE_BENCH_MS ?? 2000)
const PIPELINE = 500
const CALLS = 200_000
const DEFINITION = {
  windowMs: 5000,
  dimensions: ['service', 'endpoint', 'status'],
  measures: ['latency_ms'],
  crosses: ['endpoint*latency_ms'],
  ifMissing: true
}

const version = (/** @type {string} */ name) => createRequire(import.meta.url)(`${name}/package.json`).version
/** Processor time of this process, in µs. */
const cpu = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}
const median = (/** @type {number[]} */ all) => /** @type {number} */ (all.toSorted((a, b) => a - b)[all.length >> 1])
const fields = (/** @type {number} */ at) => ({
  service: 'pay',
  endpoint: `/endpoint/${at % 40}`,
  status: at % 50 ? 200 : 500,
  latency_ms: (at % 997) / 3
})

/** @type {(() => void)[]} */
const undo = []
const test = { after: (/** @type {() => void} */ f) => void undo.push(f) }

/**
 * Plain XADDs, as many under way as in a pipeline.
 * @param {(words: string[]) => Promise<unknown>} send
 */
async function plain(send) {
  const end = performance.now() + MS
  const busy = cpu()
  let sent = 0
  while (performance.now() < end) {
    const under = []
    for (let at = 0; at < PIPELINE; at++) {
      const { service, endpoint, status, latency_ms } = fields(sent++)
      under.push(send([
        'XADD', 'events', 'MAXLEN', '~', '10000', '*',
        'service', service, 'endpoint', endpoint, 'status', String(status), 'latency_ms', String(latency_ms)
      ]))
    }
    await Promise.all(under)
  }
  return { rate: (sent / MS) * 1000, cpu: (cpu() - busy) / sent }
}

/** @param {Eddyline} eddyline */
async function batched(eddyline) {
  const batcher = eddyline.batcher({ maxBatch: 1000 })
  const began = performance.now()
  const busy = cpu()
  const end = began + MS
  for (let at = 0; performance.now() < end; ) {
    // As fast as they are taken, and no faster.
    while (batcher.stats().queued > 20_000) {
      await turn()
    }
    for (let more = 0; more < 500; more++) {
      batcher.observe('checkout', fields(at++))
    }
    await turn()
  }
  await batcher.flush()
  const took = performance.now() - began
  const spent = cpu() - busy
  const { sent, dropped } = batcher.stats()
  await batcher.close()
  if (Object.values(dropped).some((n) => n > 0)) {
    throw new Error(`observations were dropped: ${JSON.stringify(dropped)}`)
  }
  return { rate: (sent / took) * 1000, cpu: spent / sent }
}

/**
 * How long calls of `observe` take, in µs.
 * @param {Eddyline} eddyline
 */
async function calls(eddyline) {
  const batcher = eddyline.batcher()
  const took = new Float64Array(CALLS)
  for (let at = 0; at < CALLS; at++) {
    const observation = fields(at)
    const began = performance.now()
    batcher.observe('checkout', observation)
    took[at] = (performance.now() - began) * 1000
    if (at % 100 === 99) {
      await turn()
    }
  }
  const { queued, dropped } = batcher.stats()
  await batcher.close(0)
  took.sort()
  const at = (/** @type {number} */ rank) => /** @type {number} */ (took[Math.floor(rank * (CALLS - 1))]).toFixed(1)
  return `p50 ${at(0.5)} µs, p99 ${at(0.99)} µs, longest ${at(1)} µs; ${queued} waited, ${dropped.full + dropped.stale} dropped`
}

const clients = [
  {
    name: `redis ${version('redis')}`,
    async open(/** @type {number} */ port) {
      const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: 100 } })
      client.on('error', () => {})
      await client.connect()
      return { client, send: (/** @type {string[]} */ words) => client.sendCommand(words), close: () => client.destroy() }
    }
  },
  {
    name: `ioredis ${version('ioredis')}`,
    async open(/** @type {number} */ port) {
      const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 100 })
      client.on('error', () => {})
      await client.ping()
      const send = (/** @type {string[]} */ [command, ...words]) => client.call(/** @type {string} */ (command), words)
      return { client, send, close: () => client.disconnect() }
    }
  }
]

try {
  console.log(`node ${process.version} · ${cpus()[0]?.model}, ${cpus().length} cores · load ${loadavg()[0]?.toFixed(2)}`)
  for (const { name, open } of clients) {
    const server = await Server.start(test)
    const { client, send, close } = await open(server.port)
    const eddyline = new Eddyline(/** @type {any} */ (client))
    await eddyline.create('checkout', DEFINITION)
    /** @type {Record<'plain' | 'batched', { rate: number, cpu: number }>[]} */
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ plain: await plain(send), batched: await batched(eddyline) })
    }
    const middle = (/** @type {(round: (typeof rounds)[number]) => number} */ of) => median(rounds.map(of))
    const told = (/** @type {'plain' | 'batched'} */ way) => {
      const thousands = Math.round(middle((round) => round[way].rate) / 1000)
      return `${thousands},000/s, ${middle((round) => round[way].cpu).toFixed(2)} µs of the thread each`
    }
    console.log(`${name}, batcher: ${told('batched')}`)
    console.log(`  plain pipelined XADD: ${told('plain')}`)
    console.log(`  batcher by plain: ${middle((round) => round.batched.rate / round.plain.rate).toFixed(1)} times`)
    console.log(`  a call, Redis there: ${await calls(eddyline)}`)
    await server.kill()
    await eventually(() => !eddyline.transport.isReady(), 'the client knows')
    console.log(`  a call, Redis gone:  ${await calls(eddyline)}`)
    close()
  }
} finally {
  undo.forEach((f) => f())
}
