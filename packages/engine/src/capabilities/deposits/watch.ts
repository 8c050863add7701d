import type { OutPoint, Transactor } from '../../kernel/index.ts'
import type { Watch, WatchIn } from '../chain/index.ts'
import type { WatchedScripts } from '../wallet/index.ts'
import type { DepositsTx } from './transaction.ts'

const PAGE = 5000

/**
 * What the follower looks for: the scripts of all wallets, every coin of ours that is unspent, and every coin that an
 * unconfirmed payment spends, for whoever spends it otherwise takes the payment away. Coins that another process
 * recorded are found by its facts: their numbers are dense and in commit order, so none is ever skipped.
 */
export function createWatch(
  store: Transactor<DepositsTx>,
  scripts: WatchedScripts,
): WatchIn<DepositsTx> {
  const add = (point: OutPoint): void => scripts.addOutpoint(point)
  /** Coins of all facts up to this number are watched; undefined until the first load. */
  let upTo: number | undefined
  return {
    async refresh() {
      await scripts.refresh()
      const known = upTo
      const newest = await store.read((tx) =>
        known === undefined ? loadCoins(tx, add) : takeUp(tx, known, add),
      )
      upTo = Math.max(upTo ?? 0, newest)
    },
    async refreshIn(tx) {
      const grew = await scripts.refreshIn(tx)
      const known = upTo ?? 0
      return (await takeUp(tx, known, add)) > known || grew
    },
    hasScript: scripts.hasScript,
    hasOutpoint: scripts.hasOutpoint,
    addOutpoint: add,
  }
}
type Add = Watch['addOutpoint']

async function loadCoins(tx: DepositsTx, add: Add): Promise<number> {
  const newest = await tx.deposits.newestFact()
  let after: Parameters<typeof tx.deposits.listPayments>[0]['after']
  for (;;) {
    const page = await tx.deposits.listPayments({
      unspentOnly: true,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    for (const payment of page) add(payment.point)
    after = page.at(-1)?.id
    if (page.length < PAGE) break
  }
  for (const { inputs } of await tx.deposits.unconfirmed()) for (const point of inputs) add(point)
  return newest
}

/** Watches the coins of every transaction that a fact after `number` speaks of; answers the newest number. */
async function takeUp(tx: DepositsTx, number: number, add: Add): Promise<number> {
  let newest = number
  for (;;) {
    const facts = await tx.deposits.factsAfter(newest, PAGE)
    const txids = [...new Set(facts.map((fact) => fact.txid))]
    if (txids.length > 0) {
      for (const { point } of await tx.deposits.paymentsOfTransactions(txids)) add(point)
      for (const { inputs } of await tx.deposits.transactions(txids))
        for (const point of inputs) add(point)
    }
    newest = facts.at(-1)?.number ?? newest
    if (facts.length < PAGE) return newest
  }
}
