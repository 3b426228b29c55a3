export class EddylineHttp {
  /** @type {import('../batcher/transport.js').Transport} */
  transport = /** @type {any} */ (undefined)
}
