import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Engine } from '@kaccy/bitcoin'
import type { SqlStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemTimers } from '@kaccy/bitcoin/adapters/system'
import { EngineError, type Logger, type OrderId } from '@kaccy/bitcoin/kernel'
import { orThrow } from '../failure.ts'
import { createApp } from '../http/index.ts'

/** What of the demo can be asked from outside while it runs. */
export interface Served {
  readonly url: string
  readonly payUrl: string
  /** A key of mode `dev` that may do everything in this demo. */
  readonly token: string
  /** The file that holds it. */
  readonly keyFile: string
  close(): Promise<void>
}
export interface ServeDemo {
  readonly engine: Engine
  readonly store: SqlStore
  readonly order: OrderId
  /** Where the key lies. */
  readonly folder: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly logger: Logger
}

const ACTOR = 'operator:demo'
const HOST = '127.0.0.1'
const MINUTE_LIMIT = 100_000

/**
 * The HTTP interface and the checkout page over the engine of the demo, on loopback.
 * @throws EngineError USAGE_INVALID when somebody else has the port
 */
export async function serveDemo(options: ServeDemo): Promise<Served> {
  const { engine, store, order, folder, logger } = options
  const { host } = options.listen
  // Links need the port before anything listens on it.
  const port = options.listen.port === 0 ? await freePort(host) : options.listen.port
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const app = await createApp({
    engine,
    network: 'regtest',
    clock: systemClock,
    logger,
    pay: { head: () => store.read((tx) => tx.events.head()), timers: systemTimers },
    settings: {
      publicUrl: url,
      trustedProxies: [],
      allowedAddresses: [],
      origins: [],
      bodyLimit: 65_536,
      requestsPerMinute: { address: MINUTE_LIMIT, key: MINUTE_LIMIT },
    },
  })
  const keyFile = join(folder, 'demo.key')
  const token = await tokenIn(keyFile, engine)
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw new EngineError('USAGE_INVALID', `--listen: ${host}:${port} cannot be had`, {
      details: { param: '--listen', reason: String((cause as NodeJS.ErrnoException).code) },
      cause,
    })
  })
  return { url, payUrl: `${url}/pay/${order}`, token, keyFile, close: () => app.close() }
}

/** The key of an earlier run where it still opens, or a new one. */
async function tokenIn(file: string, engine: Engine): Promise<string> {
  if (existsSync(file)) {
    const token = readFileSync(file, 'utf8').trim()
    const known = await engine.access.authenticate(token, HOST, systemClock.now())
    if (known.ok) return token
  }
  const made = orThrow(await engine.access.create({ name: 'demo', scopes: ['admin'] }, ACTOR))
  const token = made.secret.reveal()
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
