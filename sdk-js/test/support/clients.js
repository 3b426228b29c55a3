/** The oldest and the newest client of each kind that is supported, in each protocol that it speaks. */
import { createRequire } from 'node:module'
import { createClient as newestRedis } from 'redis'
import { createClient as oldestRedis } from 'redis-oldest'
import { Redis as NewestIoRedis } from 'ioredis'
import OldestIoRedis from 'ioredis-oldest'
import { eddy } from '../../src/index.js'

const require = createRequire(import.meta.url)
const version = (/** @type {string} */ name) => require(`${name}/package.json`).version

/**
 * @typedef {object} Kit
 * @property {string} name
 * @property {boolean} isNodeRedis
 * @property {(port: number, test: { after: (f: () => any) => void }) => Promise<any>} open
 */

/**
 * @param {string} name
 * @param {any} createClient
 * @param {2 | 3} RESP
 * @returns {Kit}
 */
function nodeRedis(name, createClient, RESP) {
  return {
    name: `redis ${version(name)} RESP${RESP}`,
    isNodeRedis: true,
    async open(port, test) {
      const socket = { port, host: '127.0.0.1', reconnectStrategy: 20 }
      const client = createClient({ RESP, socket, modules: { eddy } })
      client.on('error', () => {})
      test.after(() => client.isOpen && client.destroy())
      return client.connect()
    }
  }
}

/**
 * @param {string} name
 * @param {any} Redis
 * @param {object} options
 * @param {string} protocol
 * @returns {Kit}
 */
function ioRedis(name, Redis, options, protocol) {
  return {
    name: `ioredis ${version(name)} ${protocol}`,
    isNodeRedis: false,
    async open(port, test) {
      const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, ...options })
      client.on('error', () => {})
      test.after(() => client.disconnect())
      await client.ping()
      return client
    }
  }
}

/** @type {Kit[]} */
export const kits = [
  nodeRedis('redis-oldest', oldestRedis, 2),
  nodeRedis('redis-oldest', oldestRedis, 3),
  nodeRedis('redis', newestRedis, 2),
  nodeRedis('redis', newestRedis, 3),
  ioRedis('ioredis-oldest', OldestIoRedis, {}, 'RESP2'),
  ioRedis('ioredis', NewestIoRedis, { protocol: 2 }, 'RESP2'),
  ioRedis('ioredis', NewestIoRedis, { protocol: 3 }, 'RESP3'),
  ioRedis('ioredis', NewestIoRedis, { protocol: 3, replyMapping: 'resp3' }, 'RESP3 in its own shapes')
]

/** One of each kind, for what doesn't depend on versions. */
export const newest = [/** @type {Kit} */ (kits[3]), /** @type {Kit} */ (kits[6])]

/** The oldest of each. */
export const oldest = [/** @type {Kit} */ (kits[0]), /** @type {Kit} */ (kits[4])]
