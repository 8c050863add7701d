import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevnet, type Devnet } from '@kaccy/devnet'
import { freePorts } from '../test/counterparts/process.ts'
import { type Ended, type Kaccy, runKaccy, type Said, startKaccy } from './kaccy.ts'

/** The account of the BIP 39 test words: public keys that everybody knows. */
export const XPUB =
  '[73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M'

export interface LiveOptions {
  /** `postgres://…`; without it a file of SQLite. */
  readonly database?: string
  /** Settings by environment, over those that a test needs. */
  readonly environment?: Readonly<Record<string, string>>
}
export interface Called {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Said
}

/** `kaccy serve` as its own process over a devnet with real RPC: started, killed and started again at one address. */
export class LiveServer {
  readonly devnet: Devnet
  readonly url: string
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** A key that may do everything, made by `kaccy key create` on the database. */
  token = ''
  #running: Kaccy | undefined

  private constructor(devnet: Devnet, folder: string, port: number, options: LiveOptions) {
    this.devnet = devnet
    this.folder = folder
    this.url = `http://127.0.0.1:${port}`
    this.environment = {
      KACCY_NETWORK: 'regtest',
      KACCY_DATABASE_URL: options.database ?? join(folder, 'kaccy.sqlite'),
      KACCY_NODE_URL: devnet.rpcUrl,
      KACCY_NODE_COOKIE_FILE: devnet.cookiePath,
      KACCY_CHAIN_POLL_MS: '200',
      KACCY_HTTP_LISTEN: `127.0.0.1:${port}`,
      KACCY_HTTP_PUBLIC_URL: this.url,
      KACCY_HTTP_REQUESTS_PER_MINUTE_ADDRESS: '10000000',
      KACCY_HTTP_REQUESTS_PER_MINUTE_KEY: '10000000',
      KACCY_WEBHOOKS_ALLOW: '127.0.0.0/8',
      KACCY_LOG_LEVEL: 'warn',
      ...options.environment,
    }
  }
  /** Makes chain, database, first key and server. */
  static async open(options: LiveOptions = {}): Promise<LiveServer> {
    const folder = await mkdtemp(join(tmpdir(), 'kaccy-live-'))
    const devnet = await createDevnet({ dir: folder })
    const [port = 0] = await freePorts(1)
    const server = new LiveServer(devnet, folder, port, options)
    server.token = await server.key('admin')
    await server.start()
    return server
  }
  /** Runs a command on the database. */
  command(...args: readonly string[]): Promise<Ended> {
    return runKaccy(args, this.environment, this.folder)
  }
  async key(scopes: string): Promise<string> {
    const { code, stdout, stderr } = await this.command(
      ...['key', 'create', '--name', 'first', '--scopes', scopes, '--token-only'],
    )
    if (code !== 0) throw new TypeError(stderr)
    return stdout.trim()
  }
  /** Starts the process; resolves once it answers requests. `flags` go to `kaccy serve`. */
  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const running = startKaccy(
      ['serve', '--json'],
      { ...this.environment, ...environment },
      this.folder,
    )
    this.#running = running
    await running.said(({ type }) => type === 'listening')
  }
  get running(): Kaccy {
    if (!this.#running) throw new TypeError('the server does not run')
    return this.#running
  }
  /** Sends the signal and waits for the end. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended> {
    this.running.process.kill(signal)
    const ended = await this.running.ended
    this.#running = undefined
    return ended
  }
  async call(method: string, path: string, called: Called = {}): Promise<Answered> {
    const { token = this.token, body, headers = {} } = called
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.includes('json') === true && text !== ''
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: isJson ? (JSON.parse(text) as Said) : {},
    }
  }
  /** Calls and insists on a success. @throws TypeError with the answer otherwise */
  async done(method: string, path: string, body?: unknown): Promise<Said> {
    const answer = await this.call(method, path, body === undefined ? {} : { body })
    if (answer.status >= 300)
      throw new TypeError(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.json
  }
  /** Asks until the answer fits. */
  async until(path: string, fits: (json: Said) => boolean): Promise<Said> {
    for (;;) {
      const { json } = await this.call('GET', path)
      if (fits(json)) return json
      await pause(50)
    }
  }
  wallet(): Promise<Said> {
    const body = { name: 'shop', xpub: XPUB, script_type: 'p2wpkh', lookahead: 200 }
    return this.done('POST', '/v1/wallets', body)
  }
  async close(): Promise<void> {
    if (this.#running) await this.end('SIGKILL')
    await this.devnet.close()
    if (existsSync(this.folder)) await rm(this.folder, { recursive: true, force: true })
  }
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))
