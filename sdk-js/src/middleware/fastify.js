/** Fastify 4.10 and newer: `app.register(eddylineFastify, { client })`. */
import { InvalidArgument } from '../errors.js'
import { NO_ROUTE, requestObserver } from './requests.js'

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { RequestOptions, Target } from './requests.js' */

/**
 * @typedef {(
 *   request: { raw: IncomingMessage, routeOptions?: { url?: string } }, reply: { raw: ServerResponse }, done: () => void
 * ) => void} Hook
 */

/**
 * Observes every request of the application once: method, route template, status, latency and, if asked, a hash of the user.
 * @param {any} app
 * @param {RequestOptions<any> & { client: Target }} options `client` is a Redis client, an `Eddyline`, an `EddylineHttp` or a
 *   `Batcher`
 * @param {(error?: Error) => void} done
 * @example
 * app.register(eddylineFastify, { client })
 */
export function eddylineFastify(app, options, done) {
  if (options?.client === undefined) {
    throw new InvalidArgument('register it with a client: app.register(eddylineFastify, { client })')
  }
  const { observe } = requestObserver(options.client, options)
  /** @type {Hook} */
  const hook = (request, reply, next) => {
    observe(request, request.raw, reply.raw, () => request.routeOptions?.url ?? NO_ROUTE)
    next()
  }
  app.addHook('onRequest', hook)
  done()
}

// For the whole application, not only for what is registered beside it.
Object.assign(eddylineFastify, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'eddyline' })
