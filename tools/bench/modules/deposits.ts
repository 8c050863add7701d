import { createEngine, type Engine } from '@kaccy/bitcoin'
import { systemEntropy, systemSha256 } from '@kaccy/bitcoin/adapters/system'
import { sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { type Home, homes } from '../homes.ts'
import { type Report, type Rounds, rateLine, rates } from '../measure.ts'
import { paying, StandIn } from '../stand-in.ts'

export const name = 'deposits'

/** The account key of BIP 84's own example, as a test network writes it. */
const XPUB =
  'vpub5Y6cjg78GGuNLsaPhmYsiw4gYX3HoQiRBiSwDaBXKUafCt9bNwWQiitDk5VZ5BVxYnQdwoTyXSs2JHRPAgjAvtbBrf8ZhDYe2jWAqvZVnsc'
const AMOUNT = 100_000n
const ROUNDS: Rounds = { rounds: 3, milliseconds: 400 }

interface Shop {
  readonly engine: Engine
  readonly node: StandIn
  readonly wallet: WalletId
  /** Orders that wait for their payment, oldest first. */
  readonly scripts: Uint8Array[]
}

async function openShop({ store }: Home): Promise<Shop> {
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
  const registered = await engine.wallets.register(input, 'operator:bench')
  if (!registered.ok) throw new TypeError(registered.error.message)
  return { engine, node, wallet: registered.value.wallet.id, scripts: [] }
}

/** Makes so many orders at the same moment; answers how many. */
async function order({ engine, wallet, scripts }: Shop, count: number): Promise<number> {
  const made = Array.from({ length: count }, () =>
    engine.orders.create(
      {
        wallet,
        amount: sat(AMOUNT),
        thresholds: { confirmed: 1, fullConfirmed: 1, finalized: 6 },
      },
      'operator:bench',
    ),
  )
  for (const result of await Promise.all(made)) {
    if (!result.ok) throw new TypeError(result.error.message)
    scripts.push(result.value.order.script)
  }
  return count
}

/** What a program without a plan does for each payment. */
async function insertOne(home: Home, number: number): Promise<number> {
  await home.insertOne(number)
  return 1
}

/** One block that pays so many waiting orders, read and committed: matched, credited, booked, told, audited. */
async function payAll(shop: Shop, nonce: () => number): Promise<number> {
  const due = shop.scripts.splice(0)
  shop.node.mine(due.map((script) => paying([script], nonce(), AMOUNT)))
  await shop.engine.sync()
  return due.length
}

async function measure(home: Home, report: Report): Promise<void> {
  const shop = await openShop(home)
  let number = 1
  const next = () => number++
  const figures: Record<string, number> = {}
  let usual = 0
  for (const size of [100, 1000]) {
    let spentMs = 0
    let paid = 0
    for (let round = 0; round < 3; round++) {
      await order(shop, size)
      const start = performance.now()
      paid += await payAll(shop, next)
      spentMs += performance.now() - start
    }
    figures[`${size} a block`] = (paid / spentMs) * 1000
    const plain = await rates({ usual: () => insertOne(home, next()) }, ROUNDS)
    usual = Math.max(usual, plain.usual)
  }
  for (const [what, value] of Object.entries(figures))
    report(
      rateLine(
        `deposits to ${home.name}, ${what}`,
        'payments/s',
        value,
        'one plain insert a commit',
        usual,
      ),
    )
  const created = await rates(
    {
      one: () => order(shop, 1),
      many: () => order(shop, 32),
      plain: () => insertOne(home, next()),
    },
    ROUNDS,
  )
  const baseline = 'one plain insert a commit'
  report(
    rateLine(
      `orders to ${home.name}, one at a time`,
      'orders/s',
      created.one,
      baseline,
      created.plain,
    ),
  )
  report(
    rateLine(
      `orders to ${home.name}, 32 at once`,
      'orders/s',
      created.many,
      baseline,
      created.plain,
    ),
  )
}

export async function run(report: Report): Promise<void> {
  for (const open of await homes()) {
    const home = await open()
    try {
      await measure(home, report)
    } finally {
      await home.close()
    }
  }
}
