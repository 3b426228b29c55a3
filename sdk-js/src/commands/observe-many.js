/** `EDDY.MOBSERVE`: many observations that share their list of fields. */
import { InvalidArgument } from '../errors.js'
import { companions } from '../names.js'
import { number } from '../replies.js'
import { checkedField, present } from '../values.js'

/** @import { Fields } from '../values.js' */

/** Most observations of one command. */
export const MAX_ROWS = 1000
/** Most fields of each. */
export const MAX_COLUMNS = 64

/** Observations with the same list of fields, their values one after the other. */
export class Table {
  /** @param {string[]} columns */
  constructor(columns) {
    this.columns = columns
    /** @type {string[]} */
    this.values = []
  }

  get rows() {
    return this.values.length / this.columns.length
  }
}

/**
 * Rows as tables that each fit into one command, in the order of their first rows.
 * @param {Iterable<Fields>} rows
 * @returns {Table[]}
 */
export function tables(rows) {
  /** @type {Table[]} */
  const all = []
  /** @type {Map<string, Table>} */
  const open = new Map()
  for (const row of rows) {
    const pairs = present(row)
    if (pairs.length > MAX_COLUMNS) {
      throw new InvalidArgument(`observeMany takes at most ${MAX_COLUMNS} fields an observation, got ${pairs.length}`)
    }
    const columns = pairs.map(([field]) => field)
    const key = JSON.stringify(columns)
    let table = open.get(key)
    if (table === undefined || table.rows >= MAX_ROWS) {
      table = new Table(columns)
      all.push(table)
      open.set(key, table)
    }
    for (const [, value] of pairs) {
      table.values.push(String(value))
    }
  }
  return all
}

export const observeMany = {
  name: 'EDDY.MOBSERVE',
  readOnly: false,
  /**
   * @param {string} monitor
   * @param {Iterable<Fields>} rows 1 to 1,000 observations that have the same fields in the same order
   * @returns {string[]}
   */
  words(monitor, rows) {
    const [table, ...others] = tables(rows)
    if (table === undefined || others.length > 0) {
      const why = `one command takes 1 to ${MAX_ROWS} observations that have the same fields`
      throw new InvalidArgument(`${why}: new Eddyline(client).observeMany() splits others`)
    }
    return this.ofTable(monitor, table.columns, table.values)
  },
  /**
   * @param {string} monitor
   * @param {readonly string[]} columns
   * @param {readonly string[]} values
   * @returns {string[]}
   */
  ofTable(monitor, columns, values) {
    companions(monitor)
    const words = [monitor, String(columns.length)]
    for (const column of columns) {
      words.push(checkedField(column))
    }
    for (const value of values) {
      words.push(value)
    }
    return words
  },
  /** Observations in the open window. */
  reply: number
}
