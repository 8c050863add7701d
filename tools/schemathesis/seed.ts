import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LiveServer } from '../../e2e/live-server.ts'

type Json = { readonly [name: string]: unknown }
/** Ids that exist, by prefix: `wal`, `ord`, … */
export type Ids = Readonly<Record<string, readonly string[]>>
export interface Seeded {
  readonly server: LiveServer
  readonly ids: Ids
  readonly recovery: string
  /** Id of the key that the run uses. */
  readonly key: string
  close(): Promise<void>
}

const rows = async (server: LiveServer, path: string): Promise<readonly Json[]> =>
  (await server.done('GET', `${path}?limit=100`))['data'] as Json[]
const idsOf = (list: readonly Json[]): string[] => list.map(({ id }) => String(id))

/** A receiver that takes every delivery. */
async function openReceiver() {
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready))
  const { port } = receiver.address() as AddressInfo
  return { receiver, url: `http://127.0.0.1:${port}/` }
}

/** A server with something of everything: paid and unpaid orders, payments, deliveries, alerts, keys that nobody uses. */
export async function openSeeded(): Promise<Seeded> {
  const server = await LiveServer.open({
    environment: {
      KACCY_HTTP_WRONG_KEYS_PER_MINUTE: '10000000',
      KACCY_ALERTS_LARGE_DEPOSIT_SAT: '100000',
      KACCY_RATES_FIXED: 'EUR=57000.00',
      KACCY_LOG_LEVEL: 'error',
    },
  })
  const { devnet } = server
  // A fresh chain has nothing to estimate from, and the honest answer would be 503.
  devnet.posture.feeRate = 2_000n
  const { receiver, url } = await openReceiver()
  await server.done('POST', '/v1/webhooks', { url, event_types: ['*'] })
  const { id: wallet } = await server.wallet()
  const order = (more: Json) => server.done('POST', '/v1/orders', { wallet, ...more })
  const paid = await order({ amount_sat: 150_000, external_id: 'cart-1', metadata: { a: 'b' } })
  const under = await order({ amount_sat: 80_000, customer: 'ann' })
  for (let i = 0; i < 4; i++) await order({ amount_sat: 10_000 + i })
  devnet.pay(String(paid['address']), 150_000n)
  devnet.mine(3)
  devnet.pay(String(under['address']), 50_000n)
  for (let i = 0; i < 5; i++)
    await server.done('POST', '/v1/keys', { name: `spare ${i}`, scopes: ['orders:read'] })
  await server.until(`/v1/orders/${paid['id']}`, ({ status }) => status === 'full_confirmed')
  await server.until('/health/ready', ({ status }) => status === 'ready')
  await server.until(`/v1/wallets/${wallet}/balance`, (one) => Number(one['spendable_sat']) > 0)
  for (const name of ['payout-1', 'payout-2'])
    await server.call('POST', '/v1/withdrawals', {
      headers: { 'idempotency-key': name },
      body: {
        wallet,
        address: 'bcrt1qqv9pzxqlyckngw6zf9g9whn9d3eh4qvg0z9lm9',
        amount_sat: 20_000,
        external_id: name,
        priority: 'high',
      },
    })
  await server.until('/v1/psbts', ({ data }) => (data as Json[]).length > 0)
  await server.until('/v1/alerts', ({ data }) => (data as Json[]).length > 0)
  const [hook] = await rows(server, '/v1/webhooks')
  const deliveries = `/v1/webhooks/${hook?.['id']}/deliveries`
  await server.until(deliveries, ({ data }) => (data as Json[]).length > 5)
  const self = await server.done('GET', '/v1/self')
  const key = String(self['actor']).replace('api:', '')
  const keys = idsOf(await rows(server, '/v1/keys')).filter((id) => id !== key)
  return {
    server,
    key,
    recovery: (await server.call('GET', `/v1/wallets/${wallet}/recovery`)).text,
    ids: {
      wal: idsOf(await rows(server, '/v1/wallets')),
      ord: idsOf(await rows(server, '/v1/orders')),
      pay: idsOf(await rows(server, '/v1/payments')),
      whk: idsOf(await rows(server, '/v1/webhooks')),
      dlv: idsOf(await rows(server, deliveries)),
      alr: idsOf(await rows(server, '/v1/alerts')),
      wdr: idsOf(await rows(server, '/v1/withdrawals')),
      psb: idsOf(await rows(server, '/v1/psbts')),
      spd: (await rows(server, '/v1/psbts')).map(({ spend }) => String(spend)),
      key: keys,
    },
    async close() {
      await server.close()
      receiver.closeAllConnections()
      receiver.close()
    },
  }
}
