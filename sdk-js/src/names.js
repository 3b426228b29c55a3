/** Names of keys and channels; the rules are those of `crates/wire/src/keys.rs`. */
import { InvalidArgument } from './errors.js'

/** Channel on which every alert is published. */
export const ALERTS = 'eddyline:alerts'
/** Channel that wakes workers when a vector was written. */
export const CLOSED = 'eddyline:closed'
/** Stream of who changed what fires. */
export const AUDIT = '{eddyline}:audit'
/** Longest name of a monitor or field, and longest item, in bytes. */
export const MAX_NAME = 1024

const encoder = new TextEncoder()

/**
 * Length in bytes, as the server counts it.
 * @param {string} text
 */
export function bytes(text) {
  return encoder.encode(text).length
}

/**
 * What the companions of a monitor begin with: `{name}:`, or `name:` where the name has a hash tag of its own.
 * @param {string} monitor
 * @returns {string}
 */
function stem(monitor) {
  if (typeof monitor !== 'string') {
    throw new InvalidArgument(`a monitor's name is text, got ${typeof monitor}`)
  }
  if (monitor === '' || bytes(monitor) > MAX_NAME) {
    throw new InvalidArgument("a monitor's name is 1 to 1024 bytes")
  }
  if (!/[{}]/.test(monitor)) {
    return `{${monitor}}:`
  }
  const tagged = /^[^{}]*\{[^{}]+\}[^{}]*$/.test(monitor) && !/^\{[^{}]*\}$/.test(monitor)
  if (!tagged) {
    const allowed = 'one non-empty {tag} plus more text, as in {shop}:checkout'
    throw new InvalidArgument(`braces in a monitor's name must be ${allowed}; got '${monitor.slice(0, 64)}'`)
  }
  return `${monitor}:`
}

/**
 * The keys and the channel that belong to a monitor.
 * @param {string} monitor
 */
export function companions(monitor) {
  const begin = stem(monitor)
  return {
    fingerprints: `${begin}fingerprints`,
    incidents: `${begin}incidents`,
    settings: `${begin}settings`,
    alerts: `${ALERTS}:${monitor}`
  }
}

/**
 * Whether a monitor can be called so.
 * @param {unknown} name
 * @returns {name is string}
 */
export function isMonitor(name) {
  try {
    return companions(/** @type {string} */ (name)).settings !== ''
  } catch {
    return false
  }
}

/**
 * The monitor whose stream of incidents a key is; undefined if it is none's.
 * @param {string} key
 * @returns {string | undefined}
 */
export function ownerOfIncidents(key) {
  const ending = ':incidents'
  if (!key.endsWith(ending)) {
    return undefined
  }
  const name = key.slice(0, -ending.length)
  const bare = /^\{(.*)\}$/s.exec(name)?.[1]
  const candidates = bare === undefined ? [name] : [bare, name]
  return candidates.find((candidate) => isMonitor(candidate) && companions(candidate).incidents === key)
}
