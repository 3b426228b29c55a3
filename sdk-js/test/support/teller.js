/** Alerts as the worker's script writes them (`worker/src/store/write.lua`): the stream first, then both channels. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createClient } from 'redis'
import { ALERTS, companions } from '../../src/names.js'

const GOLDEN = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../crates/wire/fixtures/alert.json'), 'utf8'))
const SCRIPT = `redis.call('XADD', KEYS[1], ARGV[1], 'event', ARGV[2], 'incident', ARGV[3], 'alert', ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[4])
redis.call('PUBLISH', ARGV[6], ARGV[4])`

/**
 * @param {number} port
 * @param {{ after: (f: () => any) => void }} test
 */
export async function teller(port, test) {
  const client = createClient({ socket: { port, host: '127.0.0.1' } })
  client.on('error', () => {})
  await client.connect()
  test.after(() => client.destroy())
  return {
    client,
    /**
     * @param {string} monitor
     * @param {string} entry
     * @param {object} [fields]
     */
    async tell(monitor, entry, fields = {}) {
      const alert = { ...GOLDEN, monitor, entry, window_end_ms: Number(entry.split('-')[0]), ...fields }
      const keys = companions(monitor)
      const words = [entry, alert.event, alert.incident, JSON.stringify(alert), ALERTS, keys.alerts]
      await client.eval(SCRIPT, { keys: [keys.incidents], arguments: words })
      return alert
    },
    /** Kills the connections that are subscribed to something; how many there were. */
    async killSubscribers() {
      return Number(await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']))
    },
    /** Whether somebody is subscribed to the channel. */
    async isHeard(channel = ALERTS) {
      const reply = /** @type {any} */ (await client.sendCommand(['PUBSUB', 'NUMSUB', channel]))
      return Number(Array.isArray(reply) ? reply[1] : reply[channel]) > 0
    }
  }
}
