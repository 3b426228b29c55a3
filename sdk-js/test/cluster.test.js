/** A cluster of two servers, each with half of the slots. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Cluster } from 'ioredis'
import OldestIoRedis from 'ioredis-oldest'
import { createCluster } from 'redis'
import { createCluster as oldestCluster } from 'redis-oldest'
import { Eddyline, eddy } from '../src/index.js'
import { Server, eventually, freePort, suiteScope } from './support/server.js'
import { teller } from './support/teller.js'

/** Names in either half: the slots of `a` and `b` are 15495 and 3300. */
const [FIRST, SECOND] = ['b', 'a']

describe('a cluster', () => {
  const scope = suiteScope(after)
  /** @type {Awaited<ReturnType<typeof teller>>[]} */
  let tellers
  /** @type {Server[]} */
  let servers
  before(async () => {
    const start = async () => Server.start(scope, ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())])
    servers = [await start(), await start()]
    tellers = await Promise.all(servers.map(({ port }) => teller(port, scope)))
    const say = (/** @type {number} */ at, /** @type {string[]} */ ...words) => tellers[at]?.client.sendCommand(['CLUSTER', ...words])
    await say(0, 'ADDSLOTSRANGE', '0', '8191')
    await say(1, 'ADDSLOTSRANGE', '8192', '16383')
    const bus = String(await say(1, 'MYID'))
    const nodes = String(await say(1, 'NODES'))
    const [, port = ''] = /@(\d+)/.exec(nodes.split('\n').find((line) => line.startsWith(bus)) ?? '') ?? []
    await say(0, 'MEET', '127.0.0.1', String(servers[1]?.port), port)
    const isUp = async (/** @type {number} */ at) => String(await say(at, 'INFO')).includes('cluster_state:ok')
    await eventually(async () => (await isUp(0)) && (await isUp(1)), 'the cluster is up')
  })

  /** @type {[string, (port: number, test: import('node:test').TestContext) => Promise<any>][]} */
  const clusters = [createCluster, oldestCluster].map((create, at) => [
    `redis ${at ? 'oldest' : 'newest'}`,
    async (port, test) => {
      const cluster = /** @type {any} */ (create)({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }], modules: { eddy } })
      cluster.on('error', () => {})
      await cluster.connect()
      test.after(() => cluster.isOpen && cluster.destroy())
      return cluster
    }
  ])
  const io = [Cluster, /** @type {any} */ (OldestIoRedis).Cluster]
  clusters.push(...io.map((Type, at) => /** @type {typeof clusters[0]} */ ([
    `ioredis ${at ? 'oldest' : 'newest'}`,
    async (port, test) => {
      const cluster = new Type([{ host: '127.0.0.1', port }])
      cluster.on('error', () => {})
      test.after(() => cluster.disconnect())
      await cluster.ping()
      return cluster
    }
  ])))

  for (const [at, [name, open]] of clusters.entries()) {
    it(`commands find their servers, and alerts come from all of them: ${name}`, async (test) => {
      const client = await open(servers[0]?.port ?? 0, test)
      const eddyline = new Eddyline(client)
      const own = [FIRST, SECOND].map((tag) => `{${tag}}:${at}`)
      for (const monitor of own) {
        assert.equal(await eddyline.create(monitor, { clock: 'stream', dimensions: ['x'], ifMissing: true }), true)
        assert.equal((await eddyline.info(monitor)).clock, 'stream')
      }
      const listed = await eddyline.list()
      assert.ok(own.every((monitor) => listed.includes(monitor)), listed.join())
      // Modules of a cluster client don't work in redis 5.0.0, whatever they are.
      if (name === 'redis newest') {
        assert.equal((await client.eddy.info(own[1])).clock, 'stream')
      }
      const begin = (at + 1) * 1000
      const incident = `00000000000000b${at}`
      await tellers[0]?.tell(own[0] ?? '', `${begin}-0`, { incident })
      await tellers[1]?.tell(own[1] ?? '', `${begin}-0`, { incident })
      const alerts = eddyline.alerts({ sinceMs: begin })
      test.after(() => alerts.return())
      const heard = [(await alerts.next()).value, (await alerts.next()).value]
      assert.deepEqual(heard.map((alert) => alert?.monitor).sort(), own.toSorted())
      await eventually(async () => (await tellers[0]?.isHeard()) || (await tellers[1]?.isHeard()), 'it listens')
      await tellers[1]?.tell(own[1] ?? '', `${begin + 1}-0`)
      assert.equal((await alerts.next()).value?.entry, `${begin + 1}-0`)
      const given = await eddyline.feedback(incident, 'normal', { by: 'ann' })
      assert.ok(own.includes(given.monitor))
      await eddyline.feedback(incident, 'undo', { monitor: given.monitor })
    })
  }
})
