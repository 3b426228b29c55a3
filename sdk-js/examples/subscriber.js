/**
 * Says on the console what eddyline says, until it is stopped.
 *
 *     REDIS_URL=redis://127.0.0.1:6379 node examples/subscriber.js
 */
import { createClient } from 'redis'
import { Eddyline } from 'eddyline'

const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
client.on('error', (error) => console.warn(`Redis: ${error.message}`))
await client.connect()

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

console.log('listening')
const alerts = new Eddyline(client).alerts({ signal: stop.signal })
for await (const { event, severity, monitor, summary, rarity, since, causes } of alerts) {
  console.log(`${since} ${severity} ${event} ${monitor}: ${summary} (${rarity})`)
  for (const { what, direction, observed, expected, items } of causes) {
    const behind = items.map(({ item, count }) => `${item} × ${count}`).join(', ')
    console.log(`  ${what} ${direction}: ${observed}, expected ${expected}${behind && ` [${behind}]`}`)
  }
}
client.destroy()
