import { type OutPoint, outPointKey, type Txid } from '../../kernel/index.ts'
import type { TxRecord } from '../deposits/index.ts'
import { MOST_GENERATIONS, type Scene } from './judge.ts'
import type { VersionRecord } from './ports.ts'
import type { SpendingTx } from './transaction.ts'

/**
 * The views of versions, of what spends their coins and of what made them: two questions, however many spends, and two more for
 * each generation of makers that are not mined.
 */
export async function look(
  tx: SpendingTx,
  versions: readonly VersionRecord[],
): Promise<Pick<Scene, 'transactions' | 'spenders' | 'makers'>> {
  const seen = new Seen(tx)
  const inputs = versions.flatMap(({ transaction }) => transaction.inputs)
  await seen.meet([
    ...versions.flatMap(({ txid }) => txid ?? []),
    ...inputs.map(({ txid }) => txid),
  ])
  await seen.watch(inputs)
  let young: readonly OutPoint[] = inputs
  for (let i = 0; i < MOST_GENERATIONS && young.length > 0; i++)
    young = await seen.meetMakers(young)
  return seen
}

/** What has been asked for so far. */
class Seen {
  readonly transactions = new Map<Txid, TxRecord>()
  readonly spenders = new Map<string, TxRecord[]>()
  readonly makers = new Map<Txid, readonly OutPoint[]>()
  readonly #tx: SpendingTx

  constructor(tx: SpendingTx) {
    this.#tx = tx
  }
  async meet(txids: readonly Txid[]): Promise<void> {
    const missing = [...new Set(txids)].filter((txid) => !this.transactions.has(txid))
    if (missing.length === 0) return
    for (const record of await this.#tx.deposits.transactions(missing))
      this.transactions.set(record.txid, record)
  }
  /** Who spends these outpoints. */
  async watch(points: readonly OutPoint[]): Promise<void> {
    const asked = new Map<string, OutPoint>()
    for (const { txid, vout } of points) {
      const key = outPointKey({ txid, vout })
      if (!this.spenders.has(key)) asked.set(key, { txid, vout })
    }
    if (asked.size === 0) return
    for (const key of asked.keys()) this.spenders.set(key, [])
    for (const rival of await this.#tx.deposits.spendersOf([...asked.values()])) {
      this.transactions.set(rival.txid, rival)
      for (const key of rival.inputs.map(outPointKey))
        if (asked.has(key)) this.spenders.get(key)?.push(rival)
    }
  }
  /** The makers of these coins that are not mined, and who spends what they need. Answers what they spend. */
  async meetMakers(points: readonly OutPoint[]): Promise<readonly OutPoint[]> {
    const fresh = [...new Set(points.map(({ txid }) => txid))].filter((txid) => {
      const isMined = this.transactions.get(txid)?.view.state === 'mined'
      return !isMined && !this.makers.has(txid)
    })
    const needed: OutPoint[] = []
    for (const txid of fresh) {
      const known = this.transactions.get(txid)?.inputs
      // One of our own that no node has shown us yet is known by its plan.
      const version = known ? undefined : await this.#tx.spending.versionByTxid(txid)
      const inputs = known ?? version?.transaction.inputs ?? []
      this.makers.set(txid, inputs)
      needed.push(...inputs)
    }
    await this.meet(needed.map(({ txid }) => txid))
    await this.watch(needed)
    return needed
  }
}
