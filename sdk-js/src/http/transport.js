/** How batches get to the gateway. */
import { checked } from '../commands/create.js'
import { Refused, Unavailable } from '../errors.js'
import { companions } from '../names.js'

/** @import { Definition } from '../commands/create.js' */
/** @import { Transport } from '../batcher/transport.js' */
/** @import { Accepted } from './eddyline-http.js' */
/** @import { Connection } from './connection.js' */

const CREATED = 201

/**
 * @typedef {object} Writing
 * @property {(monitor: string, items: object[]) => Promise<Accepted>} post
 * @property {(monitor: string, definition: Definition) => Promise<boolean>} define makes a monitor
 */

/**
 * Where a monitor is.
 * @param {string} monitor
 */
export function path(monitor) {
  companions(monitor)
  return `/v1/monitors/${encodeURIComponent(monitor)}`
}

/**
 * @param {Connection} connection
 * @returns {Transport & Writing}
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
    const answer = await connection.json('/v1/events', { ...request, idempotencyKey: newKey() })
    return { accepted: answer.accepted, rejected: answer.rejected ?? 0, errors: answer.errors ?? [] }
  }

  /**
   * @param {string} monitor
   * @param {Definition} definition
   * @returns {Promise<boolean>} whether it was made now
   */
  async function define(monitor, definition) {
    const { ifMissing = false, windowMs, ...rest } = checked(definition)
    const body = JSON.stringify({ ...rest, window_ms: windowMs })
    try {
      const { status } = await connection.answer(path(monitor), { method: 'PUT', body })
      return status === CREATED
    } catch (error) {
      if (ifMissing && error instanceof Refused && error.code === 'conflict') {
        return false
      }
      throw error
    }
  }

  return {
    post,
    define,
    create: (monitor, definition) => define(monitor, { ...definition, ifMissing: true }),
    isReady: () => performance.now() >= notBefore,
    async send({ monitor, columns, values, rows }) {
      const items = Array.from({ length: rows }, (_, row) =>
        Object.fromEntries(columns.map((column, at) => [column, values[row * columns.length + at]]))
      )
      try {
        const { rejected, errors } = await post(monitor, items)
        if (rejected > 0) {
          const { code, message } = errors[0] ?? { code: 'invalid_item', message: 'rejected' }
          throw new Refused(code, `${rejected} of ${rows}: ${message}`)
        }
      } catch (error) {
        if (error instanceof Unavailable && error.retryAfterMs !== undefined) {
          notBefore = performance.now() + error.retryAfterMs
        }
        throw error
      }
    }
  }
}

/** A key that nobody had before; where a page isn't served securely, browsers have no randomUUID. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
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
