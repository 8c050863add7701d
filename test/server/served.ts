import { createApp, requestOrigin } from '@kaccy/bitcoin-server/http'
import { assert, type Logger, silentLogger, type WalletId } from '@kaccy/bitcoin/kernel'
import type { Scope } from '@kaccy/bitcoin/access'
import type { AppParts, HttpSettings } from '@kaccy/bitcoin-server/http'
import type { FastifyInstance } from 'fastify'
import { type ApiDocument, Conformance } from './conformance.ts'
import { Till, type TillOptions } from '../deposits/till.ts'

export const SETTINGS: HttpSettings = {
  trustedProxies: [],
  allowedAddresses: [],
  origins: [],
  bodyLimit: 65_536,
  requestsPerMinute: { address: 1_000_000, key: 1_000_000 },
}

export interface ServedOptions {
  readonly till?: TillOptions
  readonly settings?: Partial<HttpSettings>
  readonly logger?: Logger
  readonly parts?: Partial<AppParts>
  readonly port?: number
}
export interface Call {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Sent as it is, instead of `body`. */
  readonly raw?: string
}
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  readonly json: any
}

/** The HTTP interface over an engine on a devnet, listening on loopback. */
export class Served {
  readonly till: Till
  readonly app: FastifyInstance
  readonly url: string
  /** A key that may do everything. */
  readonly admin: string
  /** Every answer of `call` is held against the OpenAPI document. */
  readonly conformance: Conformance

  private constructor(till: Till, app: FastifyInstance, url: string, admin: string) {
    this.till = till
    this.app = app
    this.url = url
    this.admin = admin
    this.conformance = new Conformance(app.swagger() as unknown as ApiDocument)
  }
  static async open(options: ServedOptions = {}): Promise<Served> {
    const till = await Till.open({ origin: requestOrigin, ...options.till })
    const app = await createApp(partsOf(till, options))
    const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 })
    const admin = await keyFor(till, ['admin'])
    return new Served(till, app, url, admin)
  }
  key(scopes: readonly Scope[], wallets?: readonly WalletId[]): Promise<string> {
    return keyFor(this.till, scopes, wallets)
  }
  /** Calls as the administrator, unless another token is given; `token: ''` sends none. */
  async call(method: string, path: string, call: Call = {}): Promise<Answered> {
    const { token = this.admin, headers = {}, body, raw } = call
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { body: text }),
      redirect: 'manual',
    })
    const got = await answer.text()
    const type = answer.headers.get('content-type')
    this.conformance.check({ method, path, status: answer.status, type, text: got })
    const isJson = /json(?:;|$)/.test(type ?? '')
    return {
      status: answer.status,
      headers: answer.headers,
      text: got,
      json: isJson && got !== '' ? JSON.parse(got) : undefined,
    }
  }
  close(): Promise<void> {
    return this.app.close()
  }
}

/** What the HTTP interface over such an engine stands on. */
export const partsOf = (
  till: Till,
  { logger = silentLogger, settings, parts }: ServedOptions = {},
): AppParts => ({
  engine: till.engine,
  network: 'regtest',
  clock: { now: () => till.now },
  logger,
  settings: { ...SETTINGS, ...settings },
  ...parts,
})

async function keyFor(
  till: Till,
  scopes: readonly Scope[],
  wallets?: readonly WalletId[],
): Promise<string> {
  const made = await till.engine.access.create(
    { name: 'test', scopes, ...(wallets === undefined ? {} : { wallets }) },
    'operator:test',
  )
  assert(made.ok, made.ok ? '' : made.error.message)
  return made.value.secret.reveal()
}
