/** Giving feedback over Redis, as `eddyline feedback` does. */
import { EddylineError, InvalidArgument, NotFound, Refused } from '../errors.js'
import { AUDIT, bytes, companions } from '../names.js'
import { list, text } from '../replies.js'
import { parseAlert } from '../alerts/alert.js'
import { monitorsWithIncidents, serverTime } from '../alerts/streams.js'
import { WORDS } from './words.js'
import { FIELD, readRecord, recordText, saidOf, withSaid, withoutLast } from './record.js'

/** @import { Alert } from '../alerts/alert.js' */
/** @import { RedisClient } from '../redis/client.js' */
/** @import { FeedbackRecord, Said } from './record.js' */
/** @import { FeedbackWord } from './words.js' */

/**
 * @typedef {object} FeedbackOptions
 * @property {number} [forMs] how long a snooze lasts, in ms, up to 30 days; `snooze` needs it
 * @property {string} [by] who says it, up to 128 bytes; `unknown`
 * @property {string} [monitor] the incident's monitor; without it all are looked through
 */

/**
 * @typedef {object} Given
 * @property {string} monitor
 * @property {Said} said what was said, or taken back
 */

const MONTH = 30 * 86_400_000
const LONGEST_BY = 128
/** How often it is looked again when somebody else is faster. */
const TRIES = 20
/** Entries looked through at once. */
const PAGE = 250
/** Entries of the audit that are kept. */
const AUDITED = '10000'

// What stands in the settings and the line that says who changed it: both, or neither. As `worker/src/feedback/give.lua`.
const SCRIPT = `if (redis.call('HGET', KEYS[1], ARGV[3]) or '') ~= ARGV[1] then
  return redis.status_reply('CHANGED')
end
if KEYS[2] then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5))
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[3])
else
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[2])
end
return redis.status_reply('OK')`

/**
 * @param {string} incident
 * @param {FeedbackWord} word
 * @param {FeedbackOptions} options
 */
export function checkFeedback(incident, word, { forMs, by = 'unknown' }) {
  if (typeof incident !== 'string' || incident === '' || bytes(incident) > 64) {
    throw new InvalidArgument("incident is the id that stands in every alert as 'incident'")
  }
  if (!WORDS.includes(word)) {
    throw new InvalidArgument(`feedback is one of ${WORDS.join(', ')}, got '${String(word)}'`)
  }
  if ((word === 'snooze') !== (forMs !== undefined)) {
    throw new InvalidArgument("forMs, in ms, goes with 'snooze' and with nothing else")
  }
  if (forMs !== undefined && (!Number.isInteger(forMs) || forMs < 1 || forMs > MONTH)) {
    throw new InvalidArgument(`forMs is 1 to ${MONTH} ms, got ${String(forMs)}`)
  }
  if (typeof by !== 'string' || by === '' || bytes(by) > LONGEST_BY) {
    throw new InvalidArgument(`by is 1 to ${LONGEST_BY} bytes of text`)
  }
}

/**
 * @param {RedisClient} client
 * @param {string} incident
 * @param {FeedbackWord} word
 * @param {FeedbackOptions} [options]
 * @returns {Promise<Given>}
 */
export async function giveFeedback(client, incident, word, options = {}) {
  checkFeedback(incident, word, options)
  const { forMs, by = 'unknown' } = options
  const monitors = options.monitor === undefined ? await monitorsWithIncidents(client, () => false) : [options.monitor]
  for (const monitor of monitors) {
    const given =
      word === 'undo'
        ? await takeBack(client, monitor, incident, by)
        : await say(client, monitor, incident, { word, forMs, by })
    if (given !== undefined) {
      return given
    }
  }
  if (word === 'undo') {
    throw new NotFound('nothing_said', `nothing is in force that was said of incident '${incident}'`)
  }
  const why = `no monitor of this database has an incident '${incident}'`
  throw new NotFound('unknown_incident', `${why}: the id stands in every alert`)
}

/**
 * @param {RedisClient} client
 * @param {string} monitor
 * @param {string} incident
 * @param {{ word: Said['what'], forMs: number | undefined, by: string }} request
 * @returns {Promise<Given | undefined>}
 */
async function say(client, monitor, incident, { word, forMs, by }) {
  const alert = await lastAlert(client, monitor, incident)
  if (alert === undefined) {
    return undefined
  }
  for (let tries = 0; tries < TRIES; tries++) {
    const nowMs = await serverTime(client)
    const what = forMs === undefined ? { what: word } : { what: word, until_ms: nowMs + forMs }
    const said = saidOf(alert, what, by, nowMs)
    const { before, record } = await read(client, monitor)
    if (await write(client, monitor, before, withSaid(record, said, monitor), { ...said, by, undo: '' })) {
      return { monitor, said }
    }
  }
  throw restless()
}

/**
 * @param {RedisClient} client
 * @param {string} monitor
 * @param {string} incident
 * @param {string} by
 * @returns {Promise<Given | undefined>}
 */
async function takeBack(client, monitor, incident, by) {
  for (let tries = 0; tries < TRIES; tries++) {
    const { before, record } = await read(client, monitor)
    const left = withoutLast(record, incident)
    if (left === undefined) {
      return undefined
    }
    if (await write(client, monitor, before, left.record, { ...left.said, by, undo: 'undo ' })) {
      return { monitor, said: left.said }
    }
  }
  throw restless()
}

function restless() {
  return new EddylineError('restless', `others gave feedback at the same moment, ${TRIES} times: try again`)
}

/**
 * The last message about an incident.
 * @param {RedisClient} client
 * @param {string} monitor
 * @param {string} incident
 * @returns {Promise<Alert | undefined>}
 */
async function lastAlert(client, monitor, incident) {
  for (let end = '+'; ; ) {
    const page = list(await client.call('XREVRANGE', [companions(monitor).incidents, end, '-', 'COUNT', String(PAGE)]))
    for (const entry of page) {
      const words = list(list(entry)[1]).map(text)
      const at = (/** @type {string} */ name) => words.findIndex((word, place) => place % 2 === 0 && word === name)
      const field = (/** @type {string} */ name) => words[at(name) + 1]
      if (field('incident') === incident) {
        return parseAlert(field('alert') ?? '')
      }
    }
    if (page.length < PAGE) {
      return undefined
    }
    end = `(${text(list(page.at(-1))[0])}`
  }
}

/**
 * The field as it stands, and what it says.
 * @param {RedisClient} client
 * @param {string} monitor
 */
async function read(client, monitor) {
  const key = companions(monitor).settings
  const reply = await client.call('HGET', [key, FIELD])
  const before = reply === null ? '' : text(reply)
  return { before, record: readRecord(before, key) }
}

/**
 * Writes and audits; false where somebody else was faster.
 * @param {RedisClient} client
 * @param {string} monitor
 * @param {string} before
 * @param {FeedbackRecord} record
 * @param {Pick<Said, 'incident' | 'what' | 'until_ms'> & { by: string, undo: string }} said
 * @returns {Promise<boolean>}
 */
async function write(client, monitor, before, record, { incident, what, until_ms, by, undo }) {
  const until = until_ms === undefined ? '' : ` until ${new Date(until_ms).toISOString()}`
  const audit = ['monitor', monitor, 'incident', incident, 'what', `${undo}${what}${until}`, 'by', by]
  const key = companions(monitor).settings
  const change = [before, recordText(record), FIELD, AUDITED, ...audit]
  try {
    return (await client.call('EVAL', [SCRIPT, '2', key, AUDIT, ...change])) === 'OK'
  } catch (error) {
    if (!(error instanceof Refused) || !error.message.startsWith('CROSSSLOT')) {
      throw error
    }
    // A cluster: they are in different slots, and no script reaches into two.
    const isWritten = (await client.call('EVAL', [SCRIPT, '1', key, ...change])) === 'OK'
    if (isWritten) {
      await client.call('XADD', [AUDIT, 'MAXLEN', '~', AUDITED, '*', ...audit])
    }
    return isWritten
  }
}
