/**
 * The commands for node-redis: `createClient({ modules: { eddy } })`, then `client.eddy.observe('checkout', {...})`.
 * They work in pipelines, in MULTI and with a cluster like any other command of that client.
 */
import { count as countCommand } from './commands/count.js'
import { create as createCommand } from './commands/create.js'
import { fingerprint as fingerprintCommand } from './commands/fingerprint.js'
import { info as infoCommand } from './commands/info.js'
import { list as listCommand } from './commands/list.js'
import { observe as observeCommand } from './commands/observe.js'
import { observeMany as observeManyCommand } from './commands/observe-many.js'
import { quantile as quantileCommand } from './commands/quantile.js'
import { top as topCommand } from './commands/top.js'

/** @import { Definition } from './commands/create.js' */
/** @import { Fields } from './values.js' */

/**
 * What node-redis gives a command to fill.
 * @typedef {object} Parser
 * @property {(...words: string[]) => unknown} push
 * @property {(key: string) => unknown} pushKey
 * @property {(words: string[]) => unknown} pushVariadic
 * @property {unknown} preserve
 */

/**
 * @param {Parser} parser
 * @param {{ name: string }} command
 * @param {string[]} words
 */
function fill(parser, command, words) {
  parser.push(command.name)
  parser.pushKey(words[0])
  parser.pushVariadic(words.slice(1))
}

const create = {
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {Definition} [definition]
   */
  parseCommand(parser, monitor, definition) {
    fill(parser, createCommand, createCommand.words(monitor, definition))
  },
  transformReply: createCommand.reply
}

const observe = {
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {Fields} fields
   */
  parseCommand(parser, monitor, fields) {
    fill(parser, observeCommand, observeCommand.words(monitor, fields))
  },
  transformReply: observeCommand.reply
}

const observeMany = {
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {Iterable<Fields>} rows
   */
  parseCommand(parser, monitor, rows) {
    fill(parser, observeManyCommand, observeManyCommand.words(monitor, rows))
  },
  transformReply: observeManyCommand.reply
}

const count = {
  IS_READ_ONLY: true,
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {string} dimension
   * @param {...string} items
   */
  parseCommand(parser, monitor, dimension, ...items) {
    fill(parser, countCommand, countCommand.words(monitor, dimension, items))
    parser.preserve = items
  },
  /**
   * @param {unknown} reply
   * @param {string[]} items
   */
  transformReply(reply, items) {
    return countCommand.reply(reply, items)
  }
}

const top = {
  IS_READ_ONLY: true,
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {string} dimension
   * @param {number} [k]
   */
  parseCommand(parser, monitor, dimension, k) {
    fill(parser, topCommand, topCommand.words(monitor, dimension, k))
  },
  transformReply: topCommand.reply
}

const quantile = {
  IS_READ_ONLY: true,
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {string} measure
   * @param {...number} ranks
   */
  parseCommand(parser, monitor, measure, ...ranks) {
    fill(parser, quantileCommand, quantileCommand.words(monitor, measure, ranks))
  },
  transformReply: quantileCommand.reply
}

const fingerprint = {
  IS_READ_ONLY: true,
  /**
   * @param {Parser} parser
   * @param {string} monitor
   * @param {string} [id]
   */
  parseCommand(parser, monitor, id) {
    fill(parser, fingerprintCommand, fingerprintCommand.words(monitor, id))
  },
  transformReply: fingerprintCommand.reply
}

const info = {
  IS_READ_ONLY: true,
  /**
   * @param {Parser} parser
   * @param {string} monitor
   */
  parseCommand(parser, monitor) {
    fill(parser, infoCommand, infoCommand.words(monitor))
  },
  transformReply: infoCommand.reply
}

const list = {
  NOT_KEYED_COMMAND: /** @type {const} */ (true),
  IS_READ_ONLY: true,
  /** @param {Parser} parser */
  parseCommand(parser) {
    parser.push(listCommand.name)
  },
  transformReply: listCommand.reply
}

export const eddy = { create, observe, observeMany, count, top, quantile, fingerprint, info, list }
