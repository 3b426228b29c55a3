/** The package as it is packed and installed into an empty folder, and on it the examples of the README. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, cpSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Eddyline } from '../src/index.js'
import { newest } from './support/clients.js'
import { Server, eventually, freePort, program, suiteScope } from './support/server.js'
import { teller } from './support/teller.js'

const PACKAGE = resolve(import.meta.dirname, '..')
const run = promisify(execFile)
const { devDependencies } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'eddyline-installed-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const npm = (/** @type {string} */ cwd, /** @type {string[]} */ ...args) =>
  run('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd })

before(async () => {
  await npm(PACKAGE, 'pack', '--pack-destination', folder)
  const [packed] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "application", "private": true, "type": "module" }')
  await npm(folder, 'install', join(folder, String(packed)))
})

/** @param {string} code */
const evaluate = (code) => run(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder })

describe('installed into an empty folder', () => {
  it('it brings nothing but itself, and has what it needs', async () => {
    assert.deepEqual(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.')), ['eddyline'])
    const { stdout } = await evaluate(`
      const names = []
      for (const entry of ['eddyline', 'eddyline/http', 'eddyline/express', 'eddyline/fastify']) {
        names.push(...Object.keys(await import(entry)))
      }
      console.log([...new Set(names)].sort().join())`)
    const errors = ['EddylineError', 'InvalidArgument', 'ModuleMissing', 'NotAllowed', 'NotFound', 'Refused', 'Unavailable']
    const others = ['Alerts', 'Batcher', 'Eddyline', 'EddylineHttp', 'eddy', 'eddylineFastify', 'observeRequests', 'parseAlert']
    assert.deepEqual(stdout.trim().split(','), [...errors, ...others].sort())
    const files = readdirSync(join(folder, 'node_modules/eddyline'))
    assert.deepEqual(files.sort(), ['README.md', 'package.json', 'src', 'types'])
  })

  it('what browsers get asks for nothing of Node', () => {
    const seen = new Set()
    const follow = (/** @type {string} */ file) => {
      if (!seen.has(file)) {
        seen.add(file)
        for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^'\n]*from '([^']+)'/gm)) {
          assert.match(name, /^\.{1,2}\//, `${file} imports ${name}`)
          follow(resolve(dirname(file), name))
        }
      }
    }
    follow(join(folder, 'node_modules/eddyline/src/http/index.js'))
    assert.ok(seen.size > 10, [...seen].join())
  })
})

describe('with the clients and frameworks that go with it', () => {
  const scope = suiteScope(after)
  /** @type {Server} */
  let server
  /** @type {string} */
  let http
  /** @type {Awaited<ReturnType<typeof teller>>} */
  let redis
  /** @type {Eddyline} */
  let eddyline
  before(async () => {
    const others = ['redis', 'ioredis', 'express', 'fastify', 'typescript', '@types/node', '@types/express']
    await npm(folder, 'install', ...others.map((name) => `${name}@${devDependencies[name]}`))
    server = await Server.start(scope)
    redis = await teller(server.port, scope)
    eddyline = new Eddyline(await /** @type {any} */ (newest[0]).open(server.port, scope))
    const port = await freePort()
    http = `http://127.0.0.1:${port}`
    program(scope, ['serve', '--redis', server.url, '--http', `127.0.0.1:${port}`, '--listen', 'none'])
    await eventually(() => fetch(`${http}/readyz`).then(({ ok }) => ok, () => false), 'the gateway is ready')
  })

  it('its types fit theirs, and say what is wrong', async () => {
    cpSync(join(PACKAGE, 'test/support/consumer.ts'), join(folder, 'consumer.ts'))
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--skipLibCheck']
    const { stdout } = await run('npx', ['--no-install', 'tsc', ...options, 'consumer.ts'], { cwd: folder }).catch((error) => error)
    assert.equal(stdout, '')
  })

  const blocks = [...readFileSync(join(PACKAGE, 'README.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code)

  /**
   * Runs an example until it ends, or is told to.
   * @param {import('node:test').TestContext} test
   * @param {string} code
   */
  async function example(test, code) {
    const port = await freePort()
    const file = join(folder, `example-${port}.js`)
    const told = [['redis://127.0.0.1:6379', server.url], ['http://127.0.0.1:8080', http], ['3000', String(port)]]
    writeFileSync(file, told.reduce((text, [from = '', to = '']) => text.replaceAll(from, to), code))
    const running = spawn(process.execPath, [file], { cwd: folder })
    const said = { text: '' }
    running.stdout.on('data', (data) => (said.text += data))
    running.stderr.on('data', (data) => (said.text += data))
    const exited = new Promise((done) => running.once('exit', done))
    test.after(() => void running.kill('SIGKILL'))
    return { said, exited, url: `http://127.0.0.1:${port}`, running }
  }

  const observations = (/** @type {string} */ monitor) => eddyline.info(monitor).then((info) => info.observations, () => 0)

  it('every example of the README is one that is run here', () => {
    const known = ['eddyline/express', 'eddyline/fastify', '.alerts()', 'batcher.flush()', "'snooze'", 'modules: { eddy }', 'EddylineHttp']
    assert.equal(blocks.length, known.length)
    known.forEach((part, at) => assert.ok(blocks[at]?.includes(part), `example ${at} has no ${part}`))
  })

  for (const [at, framework] of ['Express', 'Fastify'].entries()) {
    it(`README: three lines, ${framework}`, async (test) => {
      const { url } = await example(test, blocks[at] ?? '')
      const earlier = await observations('requests')
      await eventually(() => fetch(`${url}/products/7`).then(({ ok }) => ok, () => false), 'it answers')
      await eventually(async () => (await observations('requests')) > earlier, 'the request is counted')
      const { open, last } = await eddyline.top('requests', 'route')
      assert.ok([...open, ...last].some(({ item }) => item === '/products/:id'))
    })
  }

  it('README: be told', async (test) => {
    const { said } = await example(test, blocks[2] ?? '')
    await eventually(() => redis.isHeard(), 'it listens')
    await redis.tell('checkout', '1795166105000-0')
    await eventually(() => said.text.includes('critical checkout latency of pay is above usual'), 'it says so')
  })

  it('README: events of your own', async (test) => {
    const { said, exited } = await example(test, blocks[3] ?? '')
    assert.equal(await exited, 0, said.text)
    assert.match(said.text, /item: '\/charge', count: 1/)
    assert.match(said.text, /item: '\/refund', open: 0, last: 0, usual: 0/)
    assert.match(said.text, /counting\n$/)
    assert.equal(await redis.client.hGet('{orders}:settings', 'expect:value'), '10..')
    assert.equal(await redis.client.xLen('{orders}:fingerprints'), 1)
  })

  it('README: feedback', async (test) => {
    await redis.tell('checkout', '1795166110000-0')
    const { said, exited } = await example(test, blocks[4] ?? '')
    assert.equal(await exited, 0, said.text)
    assert.equal(await redis.client.hExists('{checkout}:settings', 'feedback'), 0)
    assert.equal(await redis.client.xLen('{eddyline}:audit'), 2)
  })

  it('README: commands of node-redis', async (test) => {
    const { said, exited } = await example(test, blocks[5] ?? '')
    assert.equal(await exited, 0, said.text)
    assert.equal(await observations('signups'), 1)
  })

  it('README: over HTTP', async (test) => {
    const earlier = await observations('checkout')
    const { said, exited } = await example(test, blocks[6] ?? '')
    assert.equal(await exited, 0, said.text)
    assert.match(said.text, /open: \[/)
    assert.equal(await observations('checkout'), earlier + 2)
    assert.equal(await redis.client.xLen('{signups_per_minute}:fingerprints'), 1)
  })

  it('the shop and the subscriber', async (test) => {
    mkdirSync(join(folder, 'examples'), { recursive: true })
    cpSync(join(PACKAGE, 'examples'), join(folder, 'examples'), { recursive: true })
    const port = await freePort()
    const env = { ...process.env, REDIS_URL: server.url, PORT: String(port) }
    const start = (/** @type {string} */ name) => {
      const running = spawn(process.execPath, [join('examples', name)], { cwd: folder, env })
      const said = { text: '' }
      running.stdout.on('data', (data) => (said.text += data))
      running.stderr.on('data', (data) => (said.text += data))
      const exited = new Promise((done) => running.once('exit', done))
      test.after(() => void running.kill('SIGKILL'))
      return { said, exited, running }
    }
    const [shop, subscriber] = [start('express-shop.js'), start('subscriber.js')]
    await eventually(() => shop.said.text.includes('the shop is open'), 'the shop opens')
    const earlier = await observations('requests')
    const asked = { '/products': 'GET', '/products/7': 'GET', '/products/0': 'GET', '/products/7/orders': 'POST', '/products/0/orders': 'POST' }
    for (const [path, method] of Object.entries(asked)) {
      await fetch(`http://127.0.0.1:${port}${path}`, { method }).then((answer) => answer.text())
    }
    await eventually(async () => (await observations('requests')) >= earlier + 5, 'all are counted')
    await eventually(() => redis.isHeard(), 'the subscriber listens')
    await redis.tell('requests', '1795166115000-0')
    await eventually(() => subscriber.said.text.includes('[pay × 118]'), 'it says so')
    for (const { running, exited, said } of [shop, subscriber]) {
      running.kill('SIGTERM')
      assert.equal(await exited, 0, said.text)
    }
  })
})
