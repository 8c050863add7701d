import { SCOPES } from '@kaccy/bitcoin/access'
import { type Route, routeTable } from '@kaccy/bitcoin-server/http'
import {
  assert,
  type ConsolidationId,
  type OrderId,
  type SpendId,
  type WalletId,
} from '@kaccy/bitcoin/kernel'
import { consolidationOf } from '@kaccy/bitcoin/testing'
import type { Scope } from '@kaccy/bitcoin/access'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOUR } from '../deposits/till.ts'
import { Paying } from './paying.ts'
import { partsOf, type Served } from './served.ts'

/** Ids of one owner, by the name that a path or a body calls them. */
type Owned = Readonly<Record<string, string>>

let paying: Paying
let served: Served
let foreign: Owned
let own: Owned
let routes: readonly Route[]
// biome-ignore lint/suspicious/noExplicitAny: a document is looked into everywhere
let document: any
let unknown: Owned
const UNKNOWN: Owned = {
  wallet: 'wal_00000000000000000000000000',
  order: 'ord_00000000000000000000000000',
  payment: 'pay_00000000000000000000000000',
  webhook: 'whk_00000000000000000000000000',
  delivery: 'dlv_00000000000000000000000000',
  key: 'key_00000000000000000000000000',
  alert: 'alr_999999',
  withdrawal: 'wdr_00000000000000000000000000',
  psbt: 'psb_00000000000000000000000000',
  spend: 'spd_00000000000000000000000000',
  consolidation: 'cns_00000000000000000000000000',
}
/** What is no id: any value will do. */
const PLAIN: Owned = { branch: '0', index: '0', policy: '999999' }

beforeAll(async () => {
  paying = await Paying.open()
  served = paying.served
  const { till } = served
  const other = await till.register({ account: 1 })
  await till.look()
  own = await stock(till.wallet)
  foreign = await stock(other)
  // The same form, another transaction.
  unknown = { ...UNKNOWN, payment: (own['payment'] ?? '').replaceAll(/[1-9](?=.*[_:])/g, '0') }
  document = (await served.call('GET', '/openapi.json')).json
  routes = routeTable(partsOf(till)).flatMap((resource) => resource.routes)
}, 60_000)
afterAll(() => paying.close())

/** Something of every kind that belongs to one wallet. */
async function stock(wallet: WalletId): Promise<Owned> {
  const { till } = served
  const token = await served.key(['admin'], [wallet])
  const order = await till.order({ amount: 50_000, wallet })
  const paid = till.devnet.pay(order.address, 50_000n)
  await till.mine(1)
  const [payment] = await till.payments(order)
  assert(payment && paid, 'a payment')
  await paying.fund(300_000, wallet)
  const planned = await paying.planned(`payout of ${wallet}`, { wallet })
  const webhook = await served.call('POST', '/v1/webhooks', {
    token,
    body: { url: 'https://receiver.example/hooks', event_types: ['*'] },
  })
  assert(webhook.status === 201, webhook.text)
  const consolidation = await consolidated(wallet)
  const self = await served.call('GET', '/v1/self', { token })
  return {
    wallet,
    order: order.id,
    payment: payment.id,
    webhook: webhook.json.id,
    key: self.json.id,
    withdrawal: planned.id,
    psbt: planned.psbt,
    spend: planned.spend,
    consolidation,
  }
}

/** A run as it is kept, without the coins that it takes to make one. */
async function consolidated(wallet: WalletId): Promise<string> {
  const id = `cns_of_${wallet.slice(4)}` as ConsolidationId
  const spend = `spd_of_${wallet.slice(4)}` as SpendId
  const run = consolidationOf(1, { id, wallet, spend })
  await served.till.store.transact((tx) => tx.consolidations.insert(run))
  return id
}

// biome-ignore lint/suspicious/noExplicitAny: examples of every shape
const exampleOf = ({ method, url }: Route): any => {
  const path = url.replaceAll(/:(\w+)/g, '{$1}')
  const content = document.paths[path]?.[method.toLowerCase()]?.requestBody?.content
  return content?.['application/json']?.example
}

/** Puts ids of one owner wherever the body names a thing. */
const withIds = (value: unknown, ids: Owned): unknown => {
  if (Array.isArray(value)) return value.map((item) => withIds(item, ids))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const id = ids[name.replace(/s$/, '')]
      if (id === undefined || typeof member === 'object') {
        if (id !== undefined && Array.isArray(member)) return [name, [id]]
        return [name, withIds(member, ids)]
      }
      return [name, id]
    }),
  )
}

interface Got {
  readonly status: number
  readonly code: string | undefined
  readonly text: string
}

let asks = 0
async function ask(route: Route, ids: Owned, token: string | undefined): Promise<Got> {
  asks += 1
  const url = route.url.replaceAll(
    /:(\w+)/g,
    (_, name: string) => ids[name] ?? PLAIN[name] ?? unknown[name] ?? 'x_1',
  )
  const body = exampleOf(route)
  const answer = await served.app.inject({
    method: route.method,
    url,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      'idempotency-key': `ask-${asks}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { payload: JSON.stringify(withIds(body, ids)) }),
  })
  const isJson = String(answer.headers['content-type']).includes('json')
  const code = isJson && answer.payload.startsWith('{') ? answer.json().code : undefined
  return { status: answer.statusCode, code, text: answer.payload }
}

const isPublic = ({ scope }: Route) => scope === 'public'
const may = ({ scope }: Route, has: Scope) => scope === 'any' || has === 'admin' || has === scope
/** What changes something is asked last, so that the things are there for the others. */
const byHarm = (): readonly Route[] =>
  [...routes].sort((a, b) => Number(a.method !== 'GET') - Number(b.method !== 'GET'))

describe('every route', () => {
  it('is in the table', () => {
    expect(routes.length).toBeGreaterThan(30)
    // Otherwise it would be asked with no body, and prove nothing.
    for (const one of routes)
      if (one.schemas.body) expect([one.id, !exampleOf(one)]).toEqual([one.id, false])
  })

  it('with each single scope: only the one it names, and admin', async () => {
    const wrong: string[] = []
    let asked = 0
    for (const scope of SCOPES) {
      const token = await served.key([scope])
      for (const route of byHarm().filter((one) => !isPublic(one) && !may(one, scope))) {
        const { status, code } = await ask(route, own, token)
        asked += 1
        if (status !== 403 || code !== 'SCOPE_MISSING')
          wrong.push(`${route.id} with ${scope}: ${status} ${code}`)
      }
    }
    expect(wrong).toEqual([])
    expect(asked).toBeGreaterThan(400)
  }, 60_000)

  it('without a key, with an unknown, an expired and a revoked one', async () => {
    const { engine } = served.till
    const input = { name: 'x', scopes: ['admin'] as const }
    const expiring = await engine.access.create(
      { ...input, expiresAt: served.till.now + HOUR },
      'operator:test',
    )
    const revoked = await engine.access.create(input, 'operator:test')
    assert(expiring.ok && revoked.ok, 'keys')
    await engine.access.revoke(revoked.value.key.id, 'operator:test')
    served.till.now += HOUR
    const tokens = [
      ['TOKEN_MISSING', undefined],
      ['TOKEN_MISSING', ''],
      ['KEY_UNKNOWN', `${served.admin.slice(0, -3)}AAA`],
      ['KEY_EXPIRED', expiring.value.secret.reveal()],
      ['KEY_REVOKED', revoked.value.secret.reveal()],
    ] as const
    const wrong: string[] = []
    for (const [expected, token] of tokens)
      for (const route of byHarm().filter((one) => !isPublic(one))) {
        const { status, code } = await ask(route, own, token)
        // Guesses are counted; time passes between them.
        served.till.now += 10_000
        if (status !== 401 || code !== expected)
          wrong.push(`${route.id} for ${expected}: ${status} ${code}`)
      }
    expect(wrong).toEqual([])
  }, 60_000)

  it('with every scope, but for another wallet: as if it did not exist', async () => {
    const all = SCOPES.filter((scope) => scope !== 'admin')
    const wrong: string[] = []
    let named = 0
    for (const scopes of [all, ['admin'] as const]) {
      const token = await served.key(scopes, [own['wallet'] as WalletId])
      for (const route of byHarm()) {
        const takesId =
          Object.keys(foreign).some((name) => route.url.includes(`:${name}`)) ||
          JSON.stringify(withIds(exampleOf(route) ?? null, foreign)).includes(
            foreign['wallet'] ?? '',
          )
        const theirs = await ask(route, foreign, token)
        for (const [name, id] of Object.entries(foreign))
          if (theirs.status < 300 && theirs.text.includes(id) && name !== 'key')
            wrong.push(`${route.id} shows the ${name} of another`)
        if (!takesId) continue
        named += 1
        const nobodys = await ask(route, unknown, token)
        if (theirs.status < 400) wrong.push(`${route.id} answers ${theirs.status}`)
        if (`${theirs.status} ${theirs.code}` !== `${nobodys.status} ${nobodys.code}`)
          wrong.push(
            `${route.id}: ${theirs.status} ${theirs.code}, and ${nobodys.status} ${nobodys.code} for what does not exist`,
          )
      }
    }
    expect(wrong).toEqual([])
    expect(named).toBeGreaterThan(30)
  }, 60_000)

  it('is still as it was for its owner', async () => {
    const order = await served.till.engine.orders.get(foreign['order'] as OrderId)
    expect(order?.state.status).toBe('full_confirmed')
    const answer = await served.call('GET', `/v1/wallets/${foreign['wallet']}`)
    expect([answer.status, answer.json.status ?? 'active']).toEqual([200, 'active'])
    const hook = await served.call('GET', `/v1/webhooks/${foreign['webhook']}`)
    expect([hook.status, hook.json.status]).toEqual([200, 'active'])
  })
})
