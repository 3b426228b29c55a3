/** How batches get where they are counted. */
import { create } from '../commands/create.js'
import { observeMany } from '../commands/observe-many.js'

/** @import { Definition } from '../commands/create.js' */
/** @import { RedisClient } from '../redis/client.js' */
/** @import { Batch } from './queue.js' */

/**
 * @typedef {object} Transport
 * @property {() => boolean} isReady whether it makes sense to send now
 * @property {(batch: Batch) => Promise<unknown>} send counts a batch, or fails with one of this package's errors
 * @property {(monitor: string, definition: Definition) => Promise<unknown>} create makes a monitor unless there is one
 */

/**
 * @param {RedisClient} client
 * @returns {Transport}
 */
export function redisTransport(client) {
  return {
    // What the client would keep for when it is connected again is better kept, and given up in time, by the batcher.
    isReady: () => client.isReady(),
    send({ monitor, columns, values }) {
      return client.call(observeMany.name, observeMany.ofTable(monitor, columns, values.map(String)), monitor)
    },
    create(monitor, definition) {
      return client.call(create.name, create.words(monitor, { ...definition, ifMissing: true }), monitor)
    }
  }
}
