/** Real servers for tests. Each dies with the test that started it. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const REPOSITORY = resolve(import.meta.dirname, '../../..')

/**
 * @param {string} variable
 * @param {string} file in the target folder
 * @param {string} how to build it
 */
function built(variable, file, how) {
  const path = process.env[variable] ?? join(REPOSITORY, 'target/debug', file)
  if (!existsSync(path)) {
    throw new Error(`${path} isn't there: '${how}' builds it, or set ${variable} to where it is`)
  }
  return path
}

export const modulePath = () => built('EDDYLINE_MODULE', 'libeddyline.so', 'cargo build -p eddyline-redis-module')
export const workerPath = () => built('EDDYLINE_BIN', 'eddyline', 'cargo build -p eddyline')

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((found, failed) => {
    const server = createServer()
    server.once('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => found(port))
    })
  })
}

/** @param {number} port */
function answers(port) {
  return new Promise((told) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (data) => told(data.toString().startsWith('+PONG')))
    socket.once('error', () => told(false))
    socket.once('close', () => told(false))
    setTimeout(() => socket.destroy(), 1000).unref()
  })
}

/**
 * Waits until `is` gives something true, for 30 s: machines that test are slow and loaded.
 * @template T
 * @param {() => T | Promise<T>} is
 * @param {string} what
 * @returns {Promise<T>}
 */
export async function eventually(is, what) {
  const end = Date.now() + 30_000
  for (;;) {
    const found = await is()
    if (found) {
      return found
    }
    if (Date.now() > end) {
      throw new Error(`not within 30 s: ${what}`)
    }
    await sleep(10)
  }
}

/**
 * What is started in a suite's `before` and goes with the suite: an `after` within `before` would run at once.
 * @param {(f: () => unknown) => void} after
 */
export function suiteScope(after) {
  /** @type {(() => unknown)[]} */
  const undo = []
  after(() => undo.reverse().forEach((f) => f()))
  return { after: (/** @type {() => unknown} */ f) => void undo.push(f) }
}

/** A server on a port of its own. */
export class Server {
  #program = process.env.EDDYLINE_SERVER ?? 'redis-server'
  #folder = mkdtempSync(join(tmpdir(), 'eddyline-js-'))
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process
  #args
  port = 0

  /** @param {string[]} args */
  constructor(args) {
    this.#args = args
  }

  /**
   * With the module.
   * @param {import('node:test').TestContext | { after: (f: () => void) => void }} test
   * @param {string[]} [args]
   */
  static async start(test, args = []) {
    return Server.#started(test, ['--loadmodule', modulePath(), ...args])
  }

  /**
   * Without it.
   * @param {import('node:test').TestContext | { after: (f: () => void) => void }} test
   * @param {string[]} [args]
   */
  static async plain(test, args = []) {
    return Server.#started(test, args)
  }

  /**
   * @param {{ after: (f: () => void) => void }} test
   * @param {string[]} args
   */
  static async #started(test, args) {
    const server = new Server(args)
    test.after(() => server.remove())
    await server.run()
    return server
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it, again on the port that it had. */
  async run() {
    for (let tries = 0; tries < 5; tries++) {
      const port = this.port || (await freePort())
      const log = join(this.#folder, 'log')
      const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--logfile', log]
      const started = spawn(this.#program, [...common, ...this.#args], { stdio: 'ignore' })
      let isGone = false
      started.once('error', () => (isGone = true))
      started.once('exit', () => (isGone = true))
      this.#process = started
      const isUp = await eventually(async () => isGone || ((await answers(port)) && !isGone ? 'up' : false), 'the server answers')
      if (isUp === 'up') {
        this.port = port
        return
      }
      const said = existsSync(log) ? readFileSync(log, 'utf8') : `${this.#program} can't be started`
      if (!said.includes('Address already in use')) {
        throw new Error(said.slice(-2000))
      }
    }
    throw new Error('no port is free')
  }

  /** As a crash would end it. */
  async kill() {
    const running = this.#process
    if (running !== undefined && running.exitCode === null && running.signalCode === null) {
      const gone = new Promise((done) => running.once('exit', done))
      running.kill('SIGKILL')
      await gone
    }
  }

  remove() {
    this.#process?.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/**
 * A worker, or another command of the binary; what it prints is kept.
 * @param {{ after: (f: () => void) => void }} test
 * @param {string[]} args
 */
export function program(test, args) {
  const running = spawn(workerPath(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const told = { text: '' }
  running.stdout.on('data', (data) => (told.text += data))
  running.stderr.on('data', (data) => (told.text += data))
  const exited = new Promise((done) => running.once('exit', done))
  const kill = () => {
    running.kill('SIGKILL')
    return exited
  }
  test.after(() => void kill())
  return { told, exited, kill }
}
