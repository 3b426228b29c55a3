/** Clients of node-redis, of one server each. */
import { explained } from '../errors.js'

/** @import { Call, Listener, RedisClient } from './client.js' */

/**
 * @param {any} client
 * @returns {RedisClient}
 */
export function ofNodeRedis(client) {
  const call = caller(client)
  return {
    call,
    nodes: () => Promise.resolve([call]),
    isReady: () => client.isReady ?? client.isOpen,
    isClosed: () => !client.isOpen,
    subscribe: (channels, listener) => subscribed(client.duplicate(), channels, listener)
  }
}

/**
 * @param {any} client
 * @returns {Call}
 */
export function caller(client) {
  return async (command, words, monitor) => {
    try {
      return await client.sendCommand([command, ...words])
    } catch (error) {
      throw explained(error, monitor)
    }
  }
}

/**
 * Subscribes with a client that is for nothing else.
 * @param {any} own
 * @param {string[]} channels
 * @param {Listener} listener
 */
export async function subscribed(own, channels, listener) {
  // Its connection may fail over and over: what counts is told by `connected`.
  own.on('error', () => {})
  try {
    await own.connect()
    await own.subscribe(channels, listener.message)
  } catch (error) {
    close(own)
    throw explained(error)
  }
  // It subscribes again before it says that it is ready.
  own.on('ready', listener.connected)
  listener.connected()
  return () => {
    own.removeListener('ready', listener.connected)
    close(own)
  }
}

/** @param {any} own */
function close(own) {
  if (own.isOpen) {
    own.destroy()
  }
}
