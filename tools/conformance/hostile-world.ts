import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Engine } from '@kaccy/bitcoin'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { assert, silentLogger } from '@kaccy/bitcoin/kernel'
import { createApp, type HttpSettings, type Route } from '@kaccy/bitcoin-server/http'
import { createDevnetInProcess, type Devnet } from '@kaccy/devnet'
import Database from 'better-sqlite3'
import { devnetSource } from '../regtest/devnet-source.ts'

/** Of published test words (BIP 39, "abandon … about"), account 0 of BIP 84 on test chains. */
const XPUB =
  'tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M'
const SETTINGS: HttpSettings = {
  trustedProxies: [],
  allowedAddresses: [],
  origins: [],
  bodyLimit: 65_536,
  requestsPerMinute: { address: 1_000_000, key: 1_000_000 },
}
/** Stands for the routes that move money, of which there are none yet: it requires a key. */
const moves: Route = {
  method: 'POST',
  url: '/v1/test/moves',
  id: 'testMoves',
  tag: 'Test',
  summary: 'requires a key',
  scope: 'any',
  once: 'around',
  requiresKey: true,
  schemas: { answers: { 204: { type: 'null' } as object } },
  handle: async () => ({ status: 204 }),
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}
export interface Asked {
  readonly method?: string
  /** Sent as it is, without tidying up. */
  readonly path: string
  readonly body?: string
  readonly key?: string | null
  /** Which of the two processes. */
  readonly instance?: number
}

/** Two servers over one SQLite file and one devnet, as hostile clients reach them. */
export class HostileWorld {
  readonly wallet: string
  readonly #token: string
  readonly #urls: readonly string[]
  readonly #end: () => Promise<void>
  private constructor(
    wallet: string,
    token: string,
    urls: readonly string[],
    end: () => Promise<void>,
  ) {
    this.wallet = wallet
    this.#token = token
    this.#urls = urls
    this.#end = end
  }
  static async open(): Promise<HostileWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'kaccy-hostile-'))
    const devnet = createDevnetInProcess({ seed: 'hostile', clock: () => systemClock.now() })
    const ends: (() => Promise<unknown>)[] = []
    const engines: Engine[] = []
    const urls: string[] = []
    for (const migrate of [true, false]) {
      const { engine, url, end } = await openServer(join(folder, 'store.db'), migrate, devnet)
      engines.push(engine)
      urls.push(url)
      ends.push(end)
    }
    const [engine] = engines
    assert(engine, 'an engine')
    await engine.sync()
    const made = await engine.wallets.register(
      { name: 'hostile', xpub: XPUB, scriptType: 'p2wpkh' },
      'operator:conformance',
    )
    assert(made.ok, made.ok ? '' : made.error.message)
    await engine.sync()
    const key = await engine.access.create({ name: 'x', scopes: ['admin'] }, 'operator:conformance')
    assert(key.ok, 'a key')
    return new HostileWorld(made.value.wallet.id, key.value.secret.reveal(), urls, async () => {
      for (const end of ends) await end()
      await rm(folder, { recursive: true, force: true })
    })
  }
  /** @throws Error when Node itself refuses to send it, or the connection breaks */
  ask({ method = 'GET', path, body, key = null, instance = 0 }: Asked): Promise<Answered> {
    const { hostname, port } = new URL(this.#urls[instance] ?? '')
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === null ? {} : { 'idempotency-key': key }),
    }
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
        )
      })
      asked.on('error', reject)
      asked.end(body)
    })
  }
  post(path: string, body: string, more: Omit<Asked, 'path' | 'method' | 'body'> = {}) {
    return this.ask({ method: 'POST', path, body, ...more })
  }
  close(): Promise<void> {
    return this.#end()
  }
}

async function openServer(path: string, migrate: boolean, devnet: Devnet) {
  const database = new Database(path)
  const engine = await createEngine({
    network: 'regtest',
    store: await openStore({ dialect: 'sqlite', database, migrate }),
    source: devnetSource(devnet),
    clock: systemClock,
    entropy: systemEntropy,
  })
  const app = await createApp({
    engine,
    network: 'regtest',
    clock: systemClock,
    logger: silentLogger,
    settings: SETTINGS,
    more: [{ named: [], routes: [moves] }],
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    engine,
    url,
    async end() {
      await app.close()
      database.close()
    },
  }
}
