// An application in TypeScript: its types are checked against the package as it is installed.
import express from 'express'
import { fastify } from 'fastify'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { Batcher, Eddyline, EddylineHttp, Unavailable, eddy, type Alert, type Definition, type Fields } from 'eddyline'
import { EddylineHttp as Browser } from 'eddyline/http'
import { observeRequests } from 'eddyline/express'
import { eddylineFastify } from 'eddyline/fastify'

const client = createClient({ modules: { eddy } })
const three = createClient({ RESP: 3, modules: { eddy } })
const io = new Redis({ lazyConnect: true })

export async function all(): Promise<Alert | undefined> {
  const definition: Definition = { dimensions: ['endpoint'], clock: 'stream', ifMissing: true }
  const made: boolean = await client.eddy.create('m', definition)
  const observed: number = await three.eddy.observe('m', { endpoint: '/charge', status: 200, none: null })
  const item: string | undefined = (await client.eddy.count('m', 'endpoint', '/charge'))[0]?.item
  const heavy: string | undefined = (await three.eddy.top('m', 'endpoint', 3)).last[0]?.item
  const eddyline = new Eddyline(client)
  const others = [new Eddyline(io), new Eddyline(three)]
  const fields: Fields = { endpoint: '/charge' }
  const batcher: Batcher = eddyline.batcher({ monitors: { m: definition } })
  const taken: boolean = batcher.observe('m', fields)
  const overHttp = new Batcher(new EddylineHttp('http://127.0.0.1:8080', { key: 'edk_x' }), { maxQueued: 10 })
  const value: number | null | undefined = (await eddyline.fingerprint('m'))?.values.count
  const browser = new Browser(new URL('http://127.0.0.1:8080'))
  const accepted: number = (await browser.observe('m', fields)).accepted
  const window: string = await browser.businessMetric('orders', 41, { expectedRange: [null, 500], periodMs: 1000 })
  const app = express()
  app.use(observeRequests(client), observeRequests(io, { user: (request) => request.ip, userKey: 'secret' }), observeRequests(browser))
  await fastify().register(eddylineFastify, { client: io, monitor: 'requests' })
  await eddyline.businessMetric('orders', 41, { expectedRange: [10, null] })
  await eddyline.feedback('5b1f2c9a7e3d4860', 'snooze', { forMs: 5 })
  // @ts-expect-error a word that isn't one
  await eddyline.feedback('5b1f2c9a7e3d4860', 'great')
  // @ts-expect-error an option that isn't one
  await eddyline.create('m', { windows: 5 })
  // @ts-expect-error a value that can't be sent
  await eddyline.observe('m', { endpoint: {} })
  // @ts-expect-error a monitor is needed
  await client.eddy.info()
  try {
    for await (const alert of eddyline.alerts({ monitors: ['m'] })) {
      const severity: 'warning' | 'critical' = alert.severity
      console.log(severity, alert.causes[0]?.items[0]?.count.toFixed())
      return alert
    }
  } catch (error) {
    console.log(error instanceof Unavailable && error.retryAfterMs)
  }
  console.log(made, observed, item, heavy, others, taken, overHttp, value, accepted, window)
  return undefined
}
