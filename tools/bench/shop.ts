import { createEngine, type Engine } from '@kaccy/bitcoin'
import { systemEntropy, systemSha256 } from '@kaccy/bitcoin/adapters/system'
import { sat, type WalletId } from '@kaccy/bitcoin/kernel'
import type { Home } from './homes.ts'
import { paying, StandIn } from './stand-in.ts'

/** The account key of BIP 84's own example, as a test network writes it. */
const XPUB =
  'vpub5Y6cjg78GGuNLsaPhmYsiw4gYX3HoQiRBiSwDaBXKUafCt9bNwWQiitDk5VZ5BVxYnQdwoTyXSs2JHRPAgjAvtbBrf8ZhDYe2jWAqvZVnsc'
const AMOUNT = 100_000n
const ACTOR = 'operator:bench'
let nonce = 0

/** A shop on an engine with a stand-in node: it makes orders, its customers pay them in blocks. */
export interface Shop {
  readonly engine: Engine
  readonly node: StandIn
  readonly wallet: WalletId
  /** Orders that wait for their payment, oldest first. */
  readonly scripts: Uint8Array[]
}

export async function openShop({ store }: Pick<Home, 'store'>): Promise<Shop> {
  const node = new StandIn()
  const engine = await createEngine({
    network: 'regtest',
    store,
    source: node.source(),
    clock: { now: () => 1_780_000_000_000 },
    entropy: systemEntropy,
    sha256: systemSha256,
  })
  await engine.sync()
  const input = { name: 'bench', xpub: XPUB, anyDepth: true, lookahead: 2000 }
  const registered = await engine.wallets.register(input, ACTOR)
  if (!registered.ok) throw new TypeError(registered.error.message)
  return { engine, node, wallet: registered.value.wallet.id, scripts: [] }
}

/** Makes so many orders at the same moment; answers how many. Open ones take any amount any number of times. */
export async function order(shop: Shop, count: number, isOpen = false): Promise<number> {
  const input = {
    wallet: shop.wallet,
    thresholds: { confirmed: 1, fullConfirmed: 1, finalized: 6 },
    ...(isOpen ? {} : { amount: sat(AMOUNT) }),
  }
  const made = Array.from({ length: count }, () => shop.engine.orders.create(input, ACTOR))
  for (const result of await Promise.all(made)) {
    if (!result.ok) throw new TypeError(result.error.message)
    shop.scripts.push(result.value.order.script)
  }
  return count
}

/** Mines a block that pays each of these scripts once, each in a transaction of its own, and reads it. */
export async function pay(shop: Shop, scripts: readonly Uint8Array[]): Promise<number> {
  shop.node.mine(scripts.map((script) => paying([script], nonce++, AMOUNT)))
  const start = performance.now()
  await shop.engine.sync()
  return performance.now() - start
}

/** One block that pays all waiting orders: matched, credited, booked, told, audited. Answers milliseconds. */
export const payAll = (shop: Shop): Promise<number> => pay(shop, shop.scripts.splice(0))
