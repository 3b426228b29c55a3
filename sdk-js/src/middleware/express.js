/** Express 4 and 5: `app.use(observeRequests(client))`, before all routes. */
import { NO_ROUTE, requestObserver, safely } from './requests.js'
import { routePath, Template } from './template.js'

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @import { RequestOptions, Target } from './requests.js' */

/**
 * Observes every request once: method, route template, status, latency and, if asked, a hash of the user.
 * @param {Target} target a Redis client, an `Eddyline`, an `EddylineHttp` or a `Batcher`
 * @param {RequestOptions<any>} [options]
 * @returns {(request: IncomingMessage, response: ServerResponse, next: (error?: any) => void) => void}
 * @example
 * app.use(observeRequests(client))
 */
export function observeRequests(target, options) {
  const { observe } = requestObserver(target, options)
  return function eddyline(request, response, next) {
    const template = follow(/** @type {any} */ (request))
    observe(request, request, response, () => template.route ?? NO_ROUTE)
    next()
  }
}

/**
 * Follows how Express finds the route of a request. It tells a handler the path that a router was mounted at only as it was
 * asked for (`/users/42`), so what it sets on the way is listened to: the parameters of that moment say which parts are values.
 * @param {{ baseUrl: string, params: Record<string, unknown>, route: { path: unknown } | undefined }} request
 */
function follow(request) {
  const template = new Template(request.baseUrl ?? '')
  let { baseUrl, route } = request
  Object.defineProperty(request, 'baseUrl', {
    configurable: true,
    enumerable: true,
    get: () => baseUrl,
    set(value) {
      baseUrl = value
      // Undefined again when nothing took the request.
      safely(() => template.at(value ?? '', request.params))
    }
  })
  Object.defineProperty(request, 'route', {
    configurable: true,
    enumerable: true,
    get: () => route,
    set(value) {
      route = value
      safely(() => template.found(routePath(value?.path)))
    }
  })
  return template
}
