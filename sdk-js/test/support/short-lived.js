/** Observes, closes its client only when nothing waits any more, and ends. Its argument is the port of a server. */
import { createClient } from 'redis'
import { Eddyline } from '../../src/index.js'

const client = createClient({ socket: { port: Number(process.argv[2]), host: '127.0.0.1' } })
await client.connect()
client.unref()
const batcher = new Eddyline(client).batcher({
  flushMs: 60_000,
  monitors: { m: { windowMs: 86_400_000, dimensions: ['a'] } }
})
for (let at = 0; at < 10; at++) {
  batcher.observe('m', { a: at })
}
