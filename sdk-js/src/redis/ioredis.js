/** Clients of ioredis, of one server or of a cluster, which finds the server for a command by itself. */
import { InvalidArgument, explained } from '../errors.js'

/** @import { Call, RedisClient } from './client.js' */

/**
 * @param {any} client
 * @returns {RedisClient}
 */
export function ofIoRedis(client) {
  const { keyPrefix } = client.isCluster ? { ...client.options.redisOptions, ...client.options } : client.options
  if (keyPrefix) {
    const cure = "give a client without, such as client.duplicate({ keyPrefix: '' })"
    throw new InvalidArgument(`eddyline's keys can't have the keyPrefix '${keyPrefix}': ${cure}`)
  }
  const call = caller(client)
  return {
    call,
    nodes: () => Promise.resolve(client.isCluster ? client.nodes('master').map(caller) : [call]),
    isReady: () => client.status === 'ready',
    isClosed: () => client.status === 'end',
    async subscribe(channels, listener) {
      const own = client.isCluster ? client.duplicate() : client.duplicate({ lazyConnect: false })
      // Its connection may fail over and over: what counts is told by `connected`.
      own.on('error', () => {})
      own.on('message', (/** @type {string} */ _channel, /** @type {string} */ text) => listener.message(text))
      // ioredis subscribes again by itself, after it says that it is ready: asked once more, it answers when it has.
      const again = () => own.subscribe(...channels).then(listener.connected, () => {})
      try {
        await own.subscribe(...channels)
      } catch (error) {
        own.disconnect()
        throw explained(error)
      }
      own.on('ready', again)
      listener.connected()
      return () => {
        own.removeListener('ready', again)
        own.disconnect()
      }
    }
  }
}

/**
 * @param {any} client
 * @returns {Call}
 */
function caller(client) {
  return async (command, words, monitor) => {
    try {
      return await client.call(command, ...words)
    } catch (error) {
      throw explained(error, monitor)
    }
  }
}
