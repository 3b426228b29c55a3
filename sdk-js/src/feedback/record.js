/**
 * The field `feedback` of `{monitor}:settings`: what people said of incidents. The worker reads it; its shape and its limits
 * are those of `worker/src/feedback/record.rs`. Pure: no connection, no clock.
 */
import { EddylineError } from '../errors.js'

/** @import { Alert, Cause } from '../alerts/alert.js' */

/** Name of the field. */
export const FIELD = 'feedback'
/** Version of the shape. */
const VERSION = 1
/** Most pieces in force. */
const MOST = 64
/** Most of an incident's summary that is kept, in characters. */
const SUMMARY = 256
/** Most causes that are kept. */
const CAUSES = 5

/**
 * @typedef {object} Said
 * @property {string} incident
 * @property {'normal' | 'anomaly' | 'snooze'} what
 * @property {number} [until_ms] end of a snooze, ms since the epoch
 * @property {string} by who
 * @property {number} at_ms when, ms since the epoch
 * @property {string} summary the incident's sentence
 */

/** @typedef {{ v: number, said: Said[] }} FeedbackRecord */

/**
 * How far a cause is from what was expected: in its unit, and in units of what was expected or of its band, if wider.
 * @param {Pick<Cause, 'observed' | 'expected' | 'low' | 'high'>} cause
 */
export function size({ observed, expected, low, high }) {
  const deviation = Math.min(Math.abs(observed - expected), Number.MAX_VALUE)
  const band = high - low
  const unit = Math.max(Math.abs(expected), Number.isFinite(band) ? band : 0)
  const relative = unit > 0 ? deviation / unit : Number.MAX_VALUE
  return Number.isNaN(deviation)
    ? { deviation: 0, relative: 0 }
    : { deviation, relative: Math.min(Math.max(relative, 0), Number.MAX_VALUE) }
}

/**
 * What somebody says of the incident that an alert is about.
 * @param {Alert} alert
 * @param {{ what: Said['what'], until_ms?: number }} what
 * @param {string} by
 * @param {number} atMs
 */
export function saidOf(alert, what, by, atMs) {
  return {
    incident: alert.incident,
    ...what,
    by,
    at_ms: atMs,
    summary: [...alert.summary].slice(0, SUMMARY).join(''),
    opened_end_ms: alert.since_ms + alert.window_ms,
    causes: alert.causes.slice(0, CAUSES).map((cause) => ({
      kind: cause.kind,
      feature: cause.feature,
      ...(cause.items[0] === undefined ? {} : { item: cause.items[0].item }),
      direction: cause.direction,
      ...size(cause)
    }))
  }
}

/**
 * @param {string} text of the field; empty where there is none
 * @param {string} key that has it
 * @returns {FeedbackRecord}
 */
export function readRecord(text, key) {
  if (text === '') {
    return { v: VERSION, said: [] }
  }
  /** @type {any} */
  let record
  try {
    record = JSON.parse(text)
  } catch {
    // It is refused below.
  }
  if (record?.v !== VERSION || !Array.isArray(record.said)) {
    const cure = `HDEL '${key}' ${FIELD} removes it`
    throw new EddylineError('unreadable_feedback', `what was said before can't be read and isn't overwritten: ${cure}`)
  }
  return record
}

/**
 * The record's text; empty where nothing was said.
 * @param {FeedbackRecord} record
 */
export function recordText(record) {
  return record.said.length === 0 ? '' : JSON.stringify(record)
}

/**
 * The record with what somebody says, in place of the same said before; where there is no room, in place of what isn't in
 * force any more.
 * @param {FeedbackRecord} record
 * @param {Said} said
 * @param {string} monitor
 * @returns {FeedbackRecord}
 */
export function withSaid(record, said, monitor) {
  const others = record.said.filter((known) => known.incident !== said.incident || known.what !== said.what)
  const over = others.findIndex((known) => known.what === 'snooze' && said.at_ms >= (known.until_ms ?? 0))
  if (others.length >= MOST && over >= 0) {
    others.splice(over, 1)
  }
  if (others.length >= MOST) {
    const why = `monitor '${monitor}' has ${MOST} pieces of feedback in force, the most there can be`
    throw new EddylineError('feedback_full', `${why}: take some back with undo`)
  }
  return { ...record, said: [...others, said] }
}

/**
 * The record without what was said last of an incident, and what that was; undefined where nothing was said.
 * @param {FeedbackRecord} record
 * @param {string} incident
 */
export function withoutLast(record, incident) {
  const said = record.said.findLast((known) => known.incident === incident)
  return said && { said, record: { ...record, said: record.said.filter((known) => known !== said) } }
}
