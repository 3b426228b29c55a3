/** How batches get to the gateway. */
import { Refused, Unavailable } from '../errors.js'

/** @import { Transport } from '../batcher/transport.js' */
/** @import { Accepted } from './eddyline-http.js' */
/** @import { Connection } from './connection.js' */

/**
 * @param {Connection} connection
 * @returns {Transport & { post: (monitor: string, items: object[]) => Promise<Accepted> }}
 */
export function httpTransport(connection) {
  /** Nothing is sent before, because the gateway asked to wait. */
  let notBefore = 0

  /**
   * @param {string} monitor
   * @param {object[]} items
   * @returns {Promise<Accepted>}
   */
  async function post(monitor, items) {
    const body = items.map((item) => JSON.stringify(item, plain)).join('\n')
    const query = /** @type {[string, string][]} */ ([['monitor', monitor]])
    const request = { method: /** @type {const} */ ('POST'), query, body, type: 'application/x-ndjson' }
    const answer = await connection.json('/v1/events', { ...request, idempotencyKey: crypto.randomUUID() })
    return { accepted: answer.accepted, rejected: answer.rejected ?? 0, errors: answer.errors ?? [] }
  }

  return {
    post,
    isReady: () => performance.now() >= notBefore,
    async send({ monitor, columns, values, rows }) {
      const items = Array.from({ length: rows }, (_, row) =>
        Object.fromEntries(columns.map((column, at) => [column, values[row * columns.length + at]]))
      )
      try {
        const { rejected, errors } = await post(monitor, items)
        if (rejected > 0) {
          throw new Refused(errors[0]?.code ?? 'invalid_item', `${rejected} of ${rows}: ${errors[0]?.message ?? 'rejected'}`)
        }
      } catch (error) {
        if (error instanceof Unavailable && error.retryAfterMs !== undefined) {
          notBefore = performance.now() + error.retryAfterMs
        }
        throw error
      }
    },
    create(monitor, definition) {
      const { windowMs, ...rest } = definition
      const body = JSON.stringify({ ...rest, window_ms: windowMs, ifMissing: undefined })
      return connection.json(`/v1/monitors/${encodeURIComponent(monitor)}`, { method: 'PUT', body })
    }
  }
}

/**
 * What JSON has no word for as text.
 * @param {string} _
 * @param {unknown} value
 */
function plain(_, value) {
  const isOdd = typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
  return isOdd ? String(value) : value
}
