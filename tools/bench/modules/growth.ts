import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { appendAudit } from '@kaccy/bitcoin/audit'
import { blockHash } from '@kaccy/bitcoin/kernel'
import {
  addressOf,
  auditOf,
  eventOf,
  orderOf,
  paymentOf,
  postingOf,
  transactionOf,
} from '@kaccy/bitcoin/testing'
import { createWatchedScripts } from '@kaccy/bitcoin/wallet'
import { type Home, homes } from '../homes.ts'
import { costLine, type Report } from '../measure.ts'
import { openShop, order, pay, payAll, type Shop } from '../shop.ts'

export const name = 'growth'

/** Payments, orders, entries, events and audit entries of the past. */
const HISTORY = 100_000
const CHUNK = 5_000
const BLOCK = 100
/** Payments that an open deposit address has already. */
const EARLIER = 2_000

const MINED = { state: 'mined', block: { height: 1, hash: blockHash('ab'.repeat(32)) } } as const
/** What years of finished orders leave in the tables: nothing of it is due or unconfirmed. */
async function makeHistory({ store }: Home): Promise<void> {
  for (let from = 0; from < HISTORY; from += CHUNK) {
    const all = Array.from({ length: CHUNK }, (_, i) => from + i)
    await store.transact(async (tx) => {
      const state = { ...orderOf(0).state, status: 'finalized' } as const
      await tx.deposits.insertOrder(...all.map((n) => orderOf(n, { state })))
      await tx.wallet.insertAddresses(all.map((n) => addressOf(1, n)))
      await tx.deposits.saveTransactions(all.map((n) => transactionOf(n, { view: MINED })))
      const settled = all.map((n) => {
        const { dueHeight: _, ...payment } = paymentOf(n)
        return payment
      })
      await tx.deposits.savePayments(settled)
      const facts = all.map((n) => ({
        txid: transactionOf(n).txid,
        kind: 'mined' as const,
        at: 1,
      }))
      await tx.deposits.appendFacts(facts)
      await tx.ledger.post(
        1,
        all.map((n) => postingOf(n, { credit: `owed/${n}` })),
      )
      await appendAudit(
        tx,
        1,
        all.map((n) => auditOf(n)),
      )
      await tx.events.append(
        1,
        all.map((n) => eventOf(n)),
      )
    })
  }
}

async function bestOf(rounds: number, work: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) best = Math.min(best, await work())
  return best
}
const blockOf = (shop: Shop) => async () => {
  await order(shop, BLOCK)
  return payAll(shop)
}

/** The cost of one more payment to an address that many were paid to, beside one to a fresh address. */
async function openAddress(home: Home, shop: Shop, report: Report): Promise<void> {
  shop.scripts.length = 0
  await order(shop, 2, true)
  const [fresh, busy] = shop.scripts.splice(0)
  if (!fresh || !busy) throw new TypeError('two open addresses')
  await pay(
    shop,
    Array.from({ length: EARLIER }, () => busy),
  )
  for (let i = 0; i < 6; i++) await pay(shop, [])
  const first = await bestOf(5, () => pay(shop, [fresh]))
  const next = await bestOf(5, () => pay(shop, [busy]))
  const what = `one payment to an open address with ${EARLIER} before it, ${home.name}`
  report(costLine(what, 'ms', next, 'with few before it', first))
}

async function watched(home: Home, report: Report): Promise<void> {
  const scripts = createWatchedScripts({ store: home.store, entropy: systemEntropy })
  const start = performance.now()
  await scripts.refresh()
  const spent = performance.now() - start
  const count = scripts.size
  const rows = async () => {
    const begun = performance.now()
    for (let i = 0; i < 1000; i++)
      await home.store.read((tx) => tx.wallet.scripts(String(i % count), 1))
    return performance.now() - begun
  }
  const what = `load ${count.toLocaleString('en')} scripts into the watch set, ${home.name}`
  report(costLine(what, 'µs/script', (spent * 1000) / count, 'one by one', await bestOf(2, rows)))
}

export async function run(report: Report): Promise<void> {
  for (const open of await homes()) {
    const home = await open()
    try {
      const shop = await openShop(home)
      await blockOf(shop)()
      const before = await bestOf(5, blockOf(shop))
      await openAddress(home, shop, report)
      await makeHistory(home)
      const after = await bestOf(5, blockOf(shop))
      const what = `block of ${BLOCK} payments after ${HISTORY.toLocaleString('en')}, ${home.name}`
      report(costLine(what, 'ms', after, 'in an empty store', before))
      await watched(home, report)
    } finally {
      await home.close()
    }
  }
}
