/** The application's own Redis client, node-redis or ioredis, as far as this package needs one. */
import { InvalidArgument, explained } from './errors.js'

/**
 * A client of node-redis 5 or 6: of one server, of a sentinel or a pool.
 * @typedef {object} NodeRedis
 * @property {(words: any[], ...rest: any[]) => Promise<any>} sendCommand
 * @property {() => any} duplicate
 * @property {boolean} isOpen
 * @property {boolean} [isReady]
 */

/**
 * A client of ioredis 5 or 6.
 * @typedef {object} IoRedis
 * @property {(command: string, ...words: any[]) => Promise<any>} call
 * @property {(options?: any) => any} duplicate
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

/**
 * @typedef {object} RedisClient
 * @property {(command: string, words: string[], monitor?: string) => Promise<unknown>} call sends one command
 * @property {() => boolean} isReady whether a command would be sent now rather than wait for a connection
 * @property {() => boolean} isClosed whether its owner closed it
 * @property {(channels: string[], listener: Listener) => Promise<() => void>} subscribe until the function is called
 */

/** Opening a connection for messages may fail over and over; those that count are told by `connected`. */
const IGNORE = () => {}

/**
 * @param {AnyRedis} redis
 * @returns {RedisClient}
 */
export function redisClient(redis) {
  const client = /** @type {any} */ (redis)
  if (typeof client?.call === 'function' && typeof client.status === 'string') {
    return ofIoRedis(client)
  }
  if (typeof client?.sendCommand === 'function' && typeof client.isOpen === 'boolean' && !('masters' in client)) {
    return ofNodeRedis(client)
  }
  const clusters = 'a cluster of node-redis takes the commands as createCluster({ modules: { eddy } })'
  throw new InvalidArgument(`a client of redis (5 or 6) or ioredis (5 or 6) is needed, connected by you; ${clusters}`)
}

/**
 * @param {NodeRedis} client
 * @returns {RedisClient}
 */
function ofNodeRedis(client) {
  return {
    async call(command, words, monitor) {
      try {
        return await client.sendCommand([command, ...words])
      } catch (error) {
        throw explained(error, monitor)
      }
    },
    isReady: () => client.isReady ?? client.isOpen,
    isClosed: () => !client.isOpen,
    async subscribe(channels, listener) {
      const own = client.duplicate()
      own.on('error', IGNORE)
      try {
        await own.connect()
        await own.subscribe(channels, listener.message)
      } catch (error) {
        own.destroy()
        throw explained(error)
      }
      own.on('ready', listener.connected)
      listener.connected()
      return () => {
        own.removeListener('ready', listener.connected)
        if (own.isOpen) {
          own.destroy()
        }
      }
    }
  }
}

/**
 * @param {IoRedis} client
 * @returns {RedisClient}
 */
function ofIoRedis(client) {
  const { keyPrefix } = client.options.redisOptions ?? client.options
  if (keyPrefix) {
    throw new InvalidArgument(`eddyline's keys can't have the keyPrefix '${keyPrefix}': give a client without, such as client.duplicate({ keyPrefix: '' })`)
  }
  return {
    async call(command, words, monitor) {
      try {
        return await client.call(command, ...words)
      } catch (error) {
        throw explained(error, monitor)
      }
    },
    isReady: () => client.status === 'ready',
    isClosed: () => client.status === 'end',
    async subscribe(channels, listener) {
      const own = client.duplicate({ lazyConnect: false })
      own.on('error', IGNORE)
      own.on('message', (/** @type {string} */ _channel, /** @type {string} */ text) => listener.message(text))
      // ioredis subscribes again by itself, after it says that it is ready: asked once more, it answers when it has.
      const again = () => own.subscribe(...channels).then(listener.connected, IGNORE)
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
