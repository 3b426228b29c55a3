/** The message about an incident: `docs/alerts.md` has every field. */
import { EddylineError } from '../errors.js'

/**
 * @typedef {object} Cause
 * @property {string} kind `latency`, `error burst`, `vanished`, `new item`, …
 * @property {string} feature
 * @property {string} what the feature in words, with the item's name where it is known
 * @property {'up' | 'down'} direction
 * @property {number} expected in the feature's unit
 * @property {number} low lower end of what is ordinary
 * @property {number} high upper end of what is ordinary
 * @property {number} observed
 * @property {number} share of the score, 0 to 1
 * @property {{ item: string, count: number }[]} items behind it, largest first
 */

/**
 * @typedef {object} Alert
 * @property {1} v version of this shape
 * @property {'opened' | 'updated' | 'resolved'} event
 * @property {string} incident 16 hex digits: the same on every retry
 * @property {string} monitor
 * @property {string} deployment
 * @property {number} db
 * @property {'warning' | 'critical'} severity
 * @property {number} score the peak so far, 0.5 to 1
 * @property {number} p
 * @property {string} rarity in words
 * @property {string} summary one sentence for a person
 * @property {string} since RFC 3339: start of the first anomalous window
 * @property {number} since_ms
 * @property {number} window_end_ms
 * @property {number} window_ms
 * @property {number} windows from the first to this one
 * @property {Cause[]} causes largest share first
 * @property {{ at: string, text: string }[]} [markers] what people did shortly before
 * @property {string} [reason] why it was resolved
 * @property {string} entry id of this message in the monitor's stream of incidents
 */

/** Version of the shape that is read here. */
const VERSION = 1

/**
 * @param {string} json
 * @returns {Alert}
 */
export function parseAlert(json) {
  const alert = read(json)
  const named = ['event', 'incident', 'monitor', 'summary', 'entry'].every((field) => typeof alert?.[field] === 'string')
  if (!named || !Number.isInteger(alert.v)) {
    throw new EddylineError('unreadable_alert', `an alert can't be read: ${json.slice(0, 200)}`)
  }
  if (alert.v > VERSION) {
    throw new EddylineError('unreadable_alert', `alerts have version ${alert.v}, this package reads ${VERSION}: upgrade it`)
  }
  return alert
}

/**
 * @param {string} json
 * @returns {any}
 */
function read(json) {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
