/** The application's own Redis client, node-redis or ioredis, as far as this package needs one. */
import { InvalidArgument } from '../errors.js'
import { ofIoRedis } from './ioredis.js'
import { ofNodeRedis } from './node-redis.js'
import { ofNodeRedisCluster } from './node-redis-cluster.js'

/**
 * A client of node-redis 5 or 6: of one server, of a sentinel, of a cluster or a pool.
 * @typedef {object} NodeRedis
 * @property {(...words: any[]) => Promise<any>} sendCommand
 * @property {(...options: any[]) => any} duplicate
 * @property {boolean} isOpen
 */

/**
 * A client of ioredis 5 or 6: of one server, of a sentinel or of a cluster.
 * @typedef {object} IoRedis
 * @property {(command: string, ...words: any[]) => Promise<any>} call
 * @property {(...options: any[]) => any} duplicate
 * @property {string} status
 * @property {any} options
 */

/** @typedef {NodeRedis | IoRedis} AnyRedis */

/**
 * Somebody who hears messages, on a connection of their own.
 * @typedef {object} Listener
 * @property {(text: string) => void} message what was published
 * @property {() => void} connected the subscription stands, for the first time or again
 */

/** @typedef {(command: string, words: string[], monitor?: string) => Promise<unknown>} Call sends one command */

/**
 * @typedef {object} RedisClient
 * @property {Call} call
 * @property {() => Promise<Call[]>} nodes one for each server that has keys of its own
 * @property {() => boolean} isReady whether a command would be sent now rather than wait for a connection
 * @property {() => boolean} isClosed whether its owner closed it
 * @property {(channels: string[], listener: Listener) => Promise<() => void>} subscribe until the function is called
 */

/**
 * @param {AnyRedis} redis
 * @returns {RedisClient}
 */
export function redisClient(redis) {
  const client = /** @type {any} */ (redis)
  if (typeof client?.call === 'function' && typeof client.status === 'string') {
    return ofIoRedis(client)
  }
  if (typeof client?.sendCommand === 'function' && typeof client.isOpen === 'boolean') {
    return Array.isArray(client.masters) ? ofNodeRedisCluster(client) : ofNodeRedis(client)
  }
  throw new InvalidArgument('a client of redis (5 or 6) or ioredis (5 or 6) is needed, connected by you')
}
