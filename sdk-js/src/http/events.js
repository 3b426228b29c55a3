/** Server-sent events: from pieces of a body to events. */

/**
 * @typedef {object} ServerEvent
 * @property {string} event
 * @property {string} data
 * @property {string} id the last one that was sent; empty before
 */

/** Longest event, in characters. Ours are some kilobytes. */
const LONGEST = 1024 * 1024

/** Takes a body's text in pieces of any length. */
export class EventReader {
  #rest = ''
  #event = ''
  /** @type {string[]} */
  #data = []
  #id = ''

  /**
   * The events that are whole with this piece.
   * @param {string} piece
   * @returns {ServerEvent[]}
   */
  read(piece) {
    // A return at the end may be half of what ends the line.
    const text = this.#rest + piece
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    this.#rest = /** @type {string} */ (lines.pop())
    if (this.#rest.length + this.#data.reduce((sum, line) => sum + line.length, 0) > LONGEST) {
      throw new RangeError(`an event is longer than ${LONGEST} characters`)
    }
    return lines.flatMap((line) => this.#line(line))
  }

  /**
   * @param {string} line
   * @returns {ServerEvent[]}
   */
  #line(line) {
    if (line === '') {
      const [event, data] = [this.#event || 'message', this.#data]
      this.#event = ''
      this.#data = []
      return data.length === 0 ? [] : [{ event, data: data.join('\n'), id: this.#id }]
    }
    const at = line.indexOf(':')
    const field = at < 0 ? line : line.slice(0, at)
    const value = at < 0 ? '' : line.slice(line[at + 1] === ' ' ? at + 2 : at + 1)
    if (field === 'event') {
      this.#event = value
    } else if (field === 'data') {
      this.#data.push(value)
    } else if (field === 'id' && !value.includes('\0')) {
      this.#id = value
    }
    return []
  }
}
