/** Requests to the gateway, over the platform's own fetch: the same in Node and in browsers. */
import { InvalidArgument, ModuleMissing, NotAllowed, NotFound, Refused, Unavailable } from '../errors.js'

/** @import { EddylineError } from '../errors.js' */

/**
 * @typedef {object} HttpOptions
 * @property {string} [key] key of the gateway (`edk_…`), where it asks for one
 * @property {number} [timeoutMs] longest wait for an answer, in ms; 10,000
 * @property {typeof fetch} [fetch] another fetch than the platform's
 */

/**
 * @typedef {object} Request
 * @property {'GET' | 'POST' | 'PUT'} [method]
 * @property {[string, string | number | undefined][]} [query]
 * @property {string} [body]
 * @property {string} [type] content type of the body; JSON
 * @property {string} [idempotencyKey] the same for the same request tried again, so that it counts once
 */

/** Waits between tries of what may be tried again, in ms. */
const RETRIES = [100, 400]
/** Longest wait that a server may ask for within a call. */
const LONGEST_RETRY_AFTER = 2_000
const LONGEST_MESSAGE = 1_000

export class Connection {
  #url
  /** @type {Record<string, string>} */
  #headers
  #fetch
  #timeoutMs

  /**
   * @param {string | URL} url
   * @param {HttpOptions} options
   */
  constructor(url, { key, timeoutMs = 10_000, fetch: ownFetch }) {
    this.#url = base(url)
    if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
      throw new InvalidArgument("key is the gateway's key as 'eddyline key' printed it (edk_…)")
    }
    this.#headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 600_000) {
      throw new InvalidArgument(`timeoutMs is a whole number from 1 to 600000, got ${String(timeoutMs)}`)
    }
    this.#timeoutMs = timeoutMs
    this.#fetch = ownFetch ?? ((/** @type {any} */ to, /** @type {any} */ init) => fetch(to, init))
  }

  /**
   * The JSON that answers a request.
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<any>}
   */
  async json(path, request) {
    return (await this.answer(path, request)).json
  }

  /**
   * The answer to a request, tried again where it may be.
   * @param {string} path
   * @param {Request} [request]
   * @returns {Promise<{ status: number, json: any }>}
   */
  async answer(path, request = {}) {
    const mayRepeat = (request.method ?? 'GET') === 'GET' || request.idempotencyKey !== undefined
    for (let tries = 0; ; tries++) {
      try {
        return await this.#once(path, request)
      } catch (error) {
        const wait = RETRIES[tries]
        if (!mayRepeat || wait === undefined || !(error instanceof Unavailable)) {
          throw error
        }
        const asked = error.retryAfterMs ?? 0
        if (asked > LONGEST_RETRY_AFTER) {
          throw error
        }
        await new Promise((resolve) => setTimeout(resolve, Math.max(wait, asked)))
      }
    }
  }

  /**
   * An answer that comes piece by piece.
   * @param {string} path
   * @param {[string, string | number | undefined][]} query
   * @param {AbortSignal} signal
   * @returns {Promise<ReadableStream<Uint8Array>>}
   */
  async stream(path, query, signal) {
    const response = await this.#send(path, { query }, signal, 'text/event-stream')
    if (!response.ok || response.body === null) {
      throw await refusal(response)
    }
    return response.body
  }

  /**
   * @param {string} path
   * @param {Request} request
   */
  async #once(path, request) {
    const response = await this.#send(path, request, AbortSignal.timeout(this.#timeoutMs), 'application/json')
    if (!response.ok) {
      throw await refusal(response)
    }
    try {
      return { status: response.status, json: await response.json() }
    } catch (cause) {
      throw new Unavailable("the gateway's answer can't be read", { cause })
    }
  }

  /**
   * @param {string} path
   * @param {Request} request
   * @param {AbortSignal} signal
   * @param {string} accept
   */
  async #send(path, { method = 'GET', query = [], body, type = 'application/json', idempotencyKey }, signal, accept) {
    const url = new URL(this.#url + path)
    for (const [name, value] of query) {
      if (value !== undefined) {
        url.searchParams.append(name, String(value))
      }
    }
    /** @type {Record<string, string>} */
    const headers = {
      ...this.#headers,
      accept,
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey })
    }
    try {
      return await this.#fetch(url, { method, headers, body, signal, redirect: 'error' })
    } catch (cause) {
      throw new Unavailable(`the gateway at ${url.origin} doesn't answer: ${String(cause)}`, { cause })
    }
  }
}

/**
 * @param {string | URL} url
 * @returns {string} without a slash at its end
 */
function base(url) {
  /** @type {URL | undefined} */
  let parsed
  try {
    parsed = new URL(url)
  } catch {
    // It is refused below.
  }
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.search !== '') {
    const why = "the gateway's address is http(s)://host:port, without user and query"
    throw new InvalidArgument(`${why}; its key is the option 'key'`)
  }
  return (parsed.origin + parsed.pathname).replace(/\/+$/, '')
}

/**
 * What the gateway refused, as one of our errors.
 * @param {Response} response
 * @returns {Promise<EddylineError>}
 */
async function refusal(response) {
  const said = await response.text().catch(() => '')
  /** @type {any} */
  let body
  try {
    body = JSON.parse(said)
  } catch {
    // Somebody between here and the gateway, as a rule.
  }
  const code = typeof body?.code === 'string' ? body.code : `http_${response.status}`
  const message = String(body?.message ?? `the gateway answered ${response.status}`).slice(0, LONGEST_MESSAGE)
  if (code === 'no_module') {
    return new ModuleMissing('module_missing', message)
  }
  if (response.status === 429 || response.status >= 500 || response.status === 408) {
    const seconds = Number(response.headers.get('retry-after') ?? undefined)
    return new Unavailable(message, { code, retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined })
  }
  if (response.status === 401 || response.status === 403) {
    return new NotAllowed(code, message)
  }
  return response.status === 404 ? new NotFound(code, message) : new Refused(code, message)
}
