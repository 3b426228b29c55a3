// Server-sent events out of a response's bytes. The browser's own EventSource can't send a key.

/** Longest event; a server that sends more isn't ours. */
const LONGEST = 1 << 20;

/** Takes text in pieces as they come, gives whole events: `{ id, event, data }`. */
export class Parser {
  #rest = '';
  #id = '';
  #event = '';
  #data = [];

  take(text) {
    const events = [];
    this.#rest += text;
    if (this.#rest.length > LONGEST) throw new Error('an event without an end');
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) events.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') });
        this.#event = '';
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'id' && !value.includes('\0')) this.#id = value;
      else if (field === 'event') this.#event = value;
      else if (field === 'data') this.#data.push(value);
    }
    return events;
  }
}
