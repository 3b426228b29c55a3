/** What can go wrong, as types; every message says what to do. `cause` is the client's own error. */

/** All errors of this package. `code` is for programs, `message` for people. */
export class EddylineError extends Error {
  /**
   * @param {string} code in snake_case, the same as over HTTP
   * @param {string} message what is wrong and what to do
   * @param {{ cause?: unknown }} [options]
   */
  constructor(code, message, options) {
    super(message, options)
    this.name = new.target.name
    /** @readonly */
    this.code = code
  }
}

/** An argument isn't allowed; nothing was sent. */
export class InvalidArgument extends EddylineError {
  /** @param {string} message */
  constructor(message) {
    super('invalid_argument', message)
  }
}

/** There is no such monitor, incident or fingerprint. */
export class NotFound extends EddylineError {}

/** The Redis server has no `EDDY.*` commands. */
export class ModuleMissing extends EddylineError {}

/** The user or the key may not do this. */
export class NotAllowed extends EddylineError {}

/**
 * The server refused for another reason; its words are in the message. `code` is `monitor_exists`, `learning` (the monitor
 * still infers its fields, so that it can't answer yet), `wrong_type` or `refused`.
 */
export class Refused extends EddylineError {}

/** Nobody answers, or asks to wait. Try again later. */
export class Unavailable extends EddylineError {
  /**
   * @param {string} message
   * @param {{ cause?: unknown, code?: string, retryAfterMs?: number }} [options]
   */
  constructor(message, { cause, code = 'unavailable', retryAfterMs } = {}) {
    super(code, message, { cause })
    /**
     * How long to wait, in ms, where the server said so.
     * @readonly
     */
    this.retryAfterMs = retryAfterMs
  }
}

/** Replies that are about the server's state, not about what was asked. */
const PASSING = /^(LOADING|BUSY|READONLY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|OOM|NOREPLICAS|MOVED|ASK|UNBLOCKED)\b/
/** Errors of the clients about their connection, by name or code. */
const CONNECTION = /Socket|Client(Closed|Offline)|Disconnect|MaxRetries|Timeout|AbortError|^E[A-Z]+$|Reconnect/

/**
 * A Redis client's error as one of ours.
 * @param {unknown} error
 * @param {string} [monitor] the monitor that it was about
 * @returns {Error}
 */
export function explained(error, monitor) {
  if (error instanceof EddylineError || !(error instanceof Error)) {
    return error instanceof Error ? error : new Refused('refused', String(error))
  }
  const said = error.message
  const cause = error
  if (/unknown command/i.test(said)) {
    const cures = "load it with '--loadmodule /path/to/libeddyline.so', or XADD to a stream that a worker counts"
    return new ModuleMissing('module_missing', `this Redis server doesn't have the eddyline module: ${cures}`, { cause })
  }
  if (/no such monitor/.test(said)) {
    const name = monitor === undefined ? '' : ` '${monitor}'`
    return new NotFound('unknown_monitor', `there is no monitor${name}: create() makes one, list() names all`, { cause })
  }
  if (said.startsWith('WRONGTYPE')) {
    const key = monitor === undefined ? 'a key' : `the key '${monitor}'`
    return new Refused('wrong_type', `${key} holds something of another type: choose another name`, { cause })
  }
  if (/^(NOPERM|NOAUTH|WRONGPASS)/.test(said)) {
    return new NotAllowed('not_allowed', `Redis doesn't allow it: ${said}. docs/operations.md has the rights`, { cause })
  }
  if (/still reads what its sources had|fingerprints can't be written/.test(said)) {
    return new Unavailable(said.replace(/^ERR /, ''), { cause })
  }
  const { code } = /** @type {{ code?: string }} */ (error)
  const lost = [error.name, error.constructor.name, code ?? ''].some((word) => CONNECTION.test(word))
  if (PASSING.test(said) || lost || /Connection is closed|Stream isn't writeable/.test(said)) {
    return new Unavailable(`Redis can't be used now, try again: ${said}`, { cause })
  }
  const refusal = /exists already/.test(said) ? 'monitor_exists' : /is still learning/.test(said) ? 'learning' : 'refused'
  return /^[A-Z]+ /.test(said) ? new Refused(refusal, said.replace(/^ERR /, ''), { cause }) : error
}
