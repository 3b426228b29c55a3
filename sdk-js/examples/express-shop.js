/**
 * A small shop whose requests and orders eddyline watches.
 *
 *     REDIS_URL=redis://127.0.0.1:6379 PORT=3000 node examples/express-shop.js
 *
 * Then ask it for something, as in `curl -X POST 127.0.0.1:3000/products/7/orders`, and look with `redis-cli EDDY.TOP requests
 * route`. The module has to be loaded; `node examples/subscriber.js` says when something is wrong.
 */
import express from 'express'
import { createClient } from 'redis'
import { Eddyline } from 'eddyline'
import { observeRequests } from 'eddyline/express'

const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
// The shop goes on without Redis.
client.on('error', () => {})
client.connect().catch(() => {})

const app = express()
app.use(observeRequests(client))

const PRICES = new Map([['7', 19], ['8', 4], ['9', 250]])
let orders = 0

app.get('/products', (_, response) => void response.json([...PRICES.keys()]))
app.get('/products/:id', (request, response) => {
  const price = PRICES.get(request.params.id)
  response.status(price === undefined ? 404 : 200).json({ price })
})
app.post('/products/:id/orders', (request, response) => {
  if (!PRICES.has(request.params.id)) {
    throw new Error('nobody can order that')
  }
  orders++
  response.status(201).json({ order: orders })
})

// Orders a minute, of which there are never fewer than none and, here, never more than ten thousand.
const eddyline = new Eddyline(client)
const minute = setInterval(() => {
  eddyline.businessMetric('orders', orders, { expectedRange: [0, 10_000] }).catch((error) => console.warn(error.message))
  orders = 0
}, 60_000)

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log('the shop is open'))
process.once('SIGTERM', () => {
  clearInterval(minute)
  server.close()
  client.destroy()
})
