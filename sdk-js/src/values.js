/** Fields and values of observations: what may be sent, checked before anything is. */
import { InvalidArgument } from './errors.js'
import { MAX_NAME, bytes } from './names.js'

/**
 * A value of a field. Text and booleans are items, numbers too unless the field is a measure; null and undefined are
 * absent: the field is left out of that observation.
 * @typedef {string | number | bigint | boolean | null | undefined} Value
 */

/**
 * One observation: field → value, such as `{ endpoint: '/charge', status: 500, latency_ms: 34 }`.
 * @typedef {Record<string, Value>} Fields
 */

/** Most fields of one observation. */
export const MAX_FIELDS = 256

/**
 * Whether a value can be sent.
 * @param {unknown} value
 * @returns {value is string | number | bigint | boolean}
 */
export function isPresent(value) {
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' || type === 'bigint'
}

/**
 * The fields that are there, each checked.
 * @param {Fields} fields
 * @returns {[string, string | number | bigint | boolean][]}
 */
export function present(fields) {
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) {
    throw new InvalidArgument('an observation is an object of fields, such as { endpoint: "/charge", status: 500 }')
  }
  /** @type {[string, string | number | bigint | boolean][]} */
  const pairs = []
  for (const [field, value] of Object.entries(fields)) {
    if (isPresent(value)) {
      pairs.push([checkedField(field), value])
    } else if (value !== null && value !== undefined) {
      throw new InvalidArgument(`field '${field}' must be text, a number or a boolean, got ${typeof value}`)
    }
  }
  if (pairs.length === 0 || pairs.length > MAX_FIELDS) {
    throw new InvalidArgument(`an observation has 1 to ${MAX_FIELDS} fields with a value, got ${pairs.length}`)
  }
  return pairs
}

/**
 * @param {string} field
 * @returns {string}
 */
export function checkedField(field) {
  if (typeof field !== 'string' || field === '' || bytes(field) > MAX_NAME) {
    throw new InvalidArgument(`the name of a field is 1 to ${MAX_NAME} bytes of text`)
  }
  return field
}
