/** What middlewares have in common: one observation a request, whatever way its response ends. */
import { createHmac } from 'node:crypto'
import { Batcher } from '../batcher/batcher.js'
import { InvalidArgument } from '../errors.js'
import { Eddyline } from '../eddyline.js'
import { companions } from '../names.js'
import { warn } from '../warn.js'

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { Definition } from '../commands/create.js' */
/** @import { EddylineHttp } from '../http/eddyline-http.js' */
/** @import { AnyRedis } from '../redis/client.js' */

/**
 * @template Request
 * @typedef {object} RequestOptions
 * @property {string} [monitor] name of the monitor; `requests`. It is made when it is missing
 * @property {(request: Request) => string | number | undefined | null} [user] who asks, once the response is over; only a hash
 *   of it leaves the process
 * @property {string} [userKey] key of that hash, a secret of yours that is the same in all processes; `user` needs it
 */

/**
 * Where observations go: a Redis client, an `Eddyline`, an `EddylineHttp`, or a `Batcher` of yours.
 * @typedef {AnyRedis | Eddyline | EddylineHttp | Batcher} Target
 */

/**
 * What is watched about requests; the same in every language.
 * @type {Definition}
 */
const DEFINITION = {
  dimensions: ['method', 'route', 'status'],
  measures: ['latency_ms'],
  crosses: ['route*latency_ms', 'route*status']
}

/** Methods that are told apart. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])
const OTHER_METHOD = 'other'

/** Status of a response that nobody waited for: the client went before the first byte. */
const GONE = 499
/** Route of a request that no route took. */
export const NO_ROUTE = 'unmatched'
/** Most routes that are told apart; routes that are declared for each user, or matched by a pattern, aren't many more. */
const MOST_ROUTES = 1000
const OTHER_ROUTES = 'other'
/** Hex digits of a hashed user. */
const HASH_DIGITS = 16

/**
 * The function that observes one request; call it as soon as the request is there.
 * @template Request
 * @param {Target} target
 * @param {RequestOptions<Request>} [options]
 */
export function requestObserver(target, { monitor = 'requests', user, userKey } = {}) {
  companions(monitor)
  if (user !== undefined && typeof user !== 'function') {
    throw new InvalidArgument('user is a function from a request to who asks, such as (request) => request.user?.id')
  }
  if ((user === undefined) !== (userKey === undefined) || userKey === '') {
    const why = 'without a key of yours anybody could find out who users are by hashing all there may be'
    throw new InvalidArgument(`user and userKey go together: ${why}`)
  }
  const definition = user === undefined ? DEFINITION : { ...DEFINITION, uniques: ['user'] }
  const batcher = target instanceof Batcher ? target : batcherOf(target, monitor, definition)
  /** @type {Set<string>} */
  const routes = new Set()
  const bounded = (/** @type {string} */ route) => {
    if (routes.has(route) || routes.size < MOST_ROUTES) {
      routes.add(route)
      return route
    }
    return OTHER_ROUTES
  }
  /**
   * @param {Request} request
   * @param {IncomingMessage} incoming
   * @param {ServerResponse} response
   * @param {() => string} route the template, asked for when the response is over
   */
  function observe(request, incoming, response, route) {
    const began = performance.now()
    const method = METHODS.has(incoming.method ?? '') ? incoming.method : OTHER_METHOD
    let isOver = false
    const over = () => {
      if (isOver) {
        return
      }
      isOver = true
      const latency = performance.now() - began
      const status = response.headersSent ? response.statusCode : GONE
      batcher.observe(monitor, {
        method,
        route: bounded(safely(route) ?? NO_ROUTE),
        status,
        latency_ms: Math.round(latency * 1000) / 1000,
        user: user && userKey && hashed(safely(() => user(request)), userKey)
      })
    }
    // A response that ends says both, one that is cut off says only that it is closed.
    response.once('finish', over)
    response.once('close', over)
  }
  return { observe, batcher }
}

/**
 * @param {Exclude<Target, Batcher>} target
 * @param {string} monitor
 * @param {Definition} definition
 */
function batcherOf(target, monitor, definition) {
  const sender = 'transport' in target ? target : new Eddyline(target)
  return new Batcher(sender, { monitors: { [monitor]: definition } })
}

/**
 * @param {string | number | undefined | null} user
 * @param {string} key
 */
function hashed(user, key) {
  return user === undefined || user === null || user === ''
    ? undefined
    : createHmac('sha256', key).update(String(user)).digest('hex').slice(0, HASH_DIGITS)
}

/**
 * What a function gives: an error of it isn't one of the request.
 * @template T
 * @param {() => T} f
 * @returns {T | undefined}
 */
export function safely(f) {
  try {
    return f()
  } catch (error) {
    warn(`a request is observed without something that couldn't be found out about it: ${String(error)}`)
    return undefined
  }
}
