/** The streams of incidents: which there are, and what is new in them. */
import { companions, ownerOfIncidents } from '../names.js'
import { list, number, text } from '../replies.js'
import { parseAlert } from './alert.js'

/** @import { RedisClient } from '../redis/client.js' */
/** @import { Alert } from './alert.js' */

/** Entries read at once. */
const PAGE = 100
/** Keys looked at in one go: below a millisecond of the server's time. */
const KEYS = '1000'

/**
 * The monitors that have a stream of incidents, the module's and vector monitors alike, found by looking through the keys
 * a piece at a time.
 * @param {RedisClient} client
 * @param {() => boolean} isOver
 * @returns {Promise<string[]>}
 */
export async function monitorsWithIncidents(client, isOver) {
  const found = new Set()
  for (const call of await client.nodes()) {
    let cursor = '0'
    do {
      const reply = list(await call('SCAN', [cursor, 'MATCH', '*:incidents', 'COUNT', KEYS, 'TYPE', 'stream']))
      cursor = text(reply[0])
      for (const key of list(reply[1])) {
        const owner = ownerOfIncidents(text(key))
        if (owner !== undefined) {
          found.add(owner)
        }
      }
    } while (cursor !== '0' && !isOver())
  }
  return [...found]
}

/**
 * Id of a monitor's newest entry; undefined where there is none.
 * @param {RedisClient} client
 * @param {string} monitor
 * @returns {Promise<string | undefined>}
 */
export async function newest(client, monitor) {
  const [entry] = list(await client.call('XREVRANGE', [companions(monitor).incidents, '+', '-', 'COUNT', '1']))
  return entry === undefined ? undefined : text(list(entry)[0])
}

/**
 * An entry and the alert in it, or why that can't be read.
 * @typedef {object} Entry
 * @property {string} id
 * @property {Alert} [alert]
 * @property {Error} [unreadable]
 */

/**
 * The entries from `start` on, in order, and whether there may be more.
 * @param {RedisClient} client
 * @param {string} monitor
 * @param {string} start
 * @returns {Promise<{ entries: Entry[], more: boolean }>}
 */
export async function entriesFrom(client, monitor, start) {
  const reply = list(await client.call('XRANGE', [companions(monitor).incidents, start, '+', 'COUNT', String(PAGE)]))
  const entries = reply.map((entry) => {
    const [id, fields] = list(entry)
    return readEntry(text(id), list(fields).map(text))
  })
  return { entries, more: entries.length === PAGE }
}

/**
 * @param {string} id
 * @param {string[]} fields
 * @returns {Entry}
 */
function readEntry(id, fields) {
  const at = fields.findIndex((field, place) => place % 2 === 0 && field === 'alert')
  try {
    return { id, alert: parseAlert(fields[at + 1] ?? '') }
  } catch (error) {
    return { id, unreadable: /** @type {Error} */ (error) }
  }
}

/**
 * Milliseconds since the epoch, by the server's clock.
 * @param {RedisClient} client
 */
export async function serverTime(client) {
  const [seconds, micros] = list(await client.call('TIME', [])).map(number)
  return seconds * 1000 + Math.floor(micros / 1000)
}
