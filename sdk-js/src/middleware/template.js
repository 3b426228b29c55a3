/** The template of the route that a request took, such as `/users/:id/orders`. Pure. */

/**
 * The path that a route was declared with: text, a pattern, or several of them.
 * @param {unknown} path
 * @returns {string}
 */
export function routePath(path) {
  if (Array.isArray(path)) {
    return path.map(routePath).join('|')
  }
  return path instanceof RegExp ? String(path) : typeof path === 'string' ? path : ''
}

export class Template {
  /**
   * Paths that routers are mounted at, as asked for → as declared.
   * @type {Map<string, string>}
   */
  #mounts
  #mount
  /** @type {string | undefined} the template, once a route was found */
  route

  /** @param {string} begin what was matched before anybody looked: of that the template isn't known */
  constructor(begin) {
    this.#mount = begin === '' ? '' : '*'
    this.#mounts = new Map([[begin, this.#mount]])
  }

  /**
   * A router is entered that is mounted at `base`, or left for the one that is.
   * @param {string} base the whole path up to it, as asked for
   * @param {Record<string, unknown>} params the values in its last part
   */
  at(base, params) {
    const known = this.#mounts.get(base)
    if (known !== undefined) {
      this.#mount = known
      return
    }
    const parents = [...this.#mounts.keys()].filter((mount) => base.startsWith(mount))
    const parent = parents.reduce((longest, mount) => (mount.length > longest.length ? mount : longest), '')
    this.#mount = `${this.#mounts.get(parent) ?? '*'}${declared(base.slice(parent.length), params)}`
    this.#mounts.set(base, this.#mount)
  }

  /** @param {string} path of the route, as declared */
  found(path) {
    const whole = `${this.#mount}${path === '/' && this.#mount !== '' ? '' : path}`
    this.route = whole === '' ? '/' : whole
  }
}

/**
 * A path as asked for with the names of parameters in place of their values.
 * @param {string} path
 * @param {Record<string, unknown>} params
 */
function declared(path, params) {
  const values = Object.entries(params ?? {}).map(([name, value]) => ({
    name,
    parts: (Array.isArray(value) ? value : String(value).split('/')).map(String)
  }))
  const parts = path.split('/').map(decoded)
  // The longest first: what takes several parts isn't to be taken apart.
  for (const { name, parts: taken } of values.toSorted((a, b) => b.parts.length - a.parts.length)) {
    const at = parts.findIndex((_, begin) => taken.every((part, further) => parts[begin + further] === part))
    if (at >= 0) {
      parts.splice(at, taken.length, `${taken.length > 1 ? '*' : ':'}${name}`)
    }
  }
  return parts.join('/')
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
