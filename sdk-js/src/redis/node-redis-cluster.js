/** Clients of node-redis for a cluster: commands are told where their key stands. */
import { explained } from '../errors.js'
import { caller, subscribed } from './node-redis.js'

/** @import { RedisClient } from './client.js' */

/** Commands that any server answers. */
const KEYLESS = ['PUBLISH', 'TIME']

/**
 * @param {any} cluster
 * @returns {RedisClient}
 */
export function ofNodeRedisCluster(cluster) {
  return {
    async call(command, words, monitor) {
      const key = KEYLESS.includes(command) ? undefined : words[command === 'EVAL' ? 2 : 0]
      try {
        return await cluster.sendCommand(key, false, [command, ...words])
      } catch (error) {
        throw explained(error, monitor)
      }
    },
    async nodes() {
      const clients = await Promise.all(cluster.masters.map((/** @type {any} */ master) => cluster.nodeClient(master)))
      return clients.map(caller)
    },
    isReady: () => cluster.isReady ?? cluster.isOpen,
    isClosed: () => !cluster.isOpen,
    subscribe: (channels, listener) => subscribed(cluster.duplicate(), channels, listener)
  }
}
