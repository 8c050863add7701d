import type { Txid } from '../../kernel/index.ts'
import { TransactionScan } from '../../protocol/transaction/index.ts'
import { REORGANISATIONS } from './catch-up.ts'
import type { ChainTx, FollowerOptions } from './follower-options.ts'
import { absenceOf } from './policy.ts'
import type { ChainSource, MatchedTx } from './ports.ts'
import { matchTransaction } from './scan.ts'

const TRANSACTIONS_PER_BATCH = 200
/** Which life of the node's mempool we looked at last; kept in the store, because we may restart together. */
const EPOCH = 'mempool_epoch'

/** What was read already, and what it was read for. */
interface Known {
  readonly txids: ReadonlySet<Txid>
  /** Those that touch what we watch: few, and another process may judge them otherwise than we did. */
  readonly ours: ReadonlySet<Txid>
  readonly knowledge: string
  readonly reason: string
}
const NOTHING: Known = { txids: new Set(), ours: new Set(), knowledge: '', reason: '' }

export interface MempoolReader {
  /**
   * Looks at the mempool and commits the difference. False when the chain moved meanwhile, for then what is absent may just
   * have been mined, or when another process committed a look of its own, which may be the newer one: nothing
   * was committed then.
   */
  read(degraded: boolean): Promise<boolean>
  forget(): void
}

export function createMempoolReader<Tx extends ChainTx>(
  options: FollowerOptions<Tx>,
): MempoolReader {
  const { source, store, watch, consumer, clock } = options
  const scratch = new TransactionScan(1)
  let known = NOTHING

  async function matchFresh(fresh: readonly Txid[]): Promise<MatchedTx[]> {
    const size = options.transactionsPerBatch ?? TRANSACTIONS_PER_BATCH
    const matched: MatchedTx[] = []
    for (let i = 0; i < fresh.length; i += size) {
      const group = fresh.slice(i, i + size)
      const raw = await source.mempoolTransactions(group)
      await watch.refresh()
      for (const [at, bytes] of raw.entries()) {
        const found = bytes && matchTransaction(bytes, watch, scratch)
        if (found && found.txid === group[at]) matched.push(found)
      }
    }
    return withFeeRates(source, matched)
  }

  /** How the store stands before the node is asked. */
  const standing = () =>
    store.read(async (tx) => ({
      epoch: await tx.chain.memo(EPOCH),
      tip: await tx.chain.tip(),
      knowledge: await consumer.knowledge(tx),
      // Another branch, or keys that were not watched: then everything is read again, whichever process knows of it.
      reason: `${await tx.chain.memo(REORGANISATIONS)} ${await consumer.audience(tx)}`,
    }))

  return {
    forget() {
      known = NOTHING
    },
    async read(degraded) {
      const before = await standing()
      const view = await source.mempool(before.epoch)
      const look = { ...view, previousEpoch: before.epoch, size: view.txids.length, degraded }
      const absence = absenceOf({ ...look, previousSize: known.txids.size })
      const isSame = before.epoch === view.epoch && before.reason === known.reason
      const seen = isSame ? known : NOTHING
      const isAlone = before.knowledge === seen.knowledge
      const matched = await matchFresh(
        view.txids.filter((txid) => !seen.txids.has(txid) || (!isAlone && seen.ours.has(txid))),
      )
      const { tip } = before
      if (!tip || (await source.info()).tip.hash !== tip.hash) return false
      const present = new Set(view.txids)
      const knowledge = await store.transact(async (tx) => {
        if ((await tx.chain.lockCursor())?.hash !== tip.hash) return undefined
        if ((await consumer.knowledge(tx)) !== before.knowledge) return undefined
        if (before.epoch !== view.epoch) await tx.chain.saveMemo(EPOCH, view.epoch)
        await consumer.moveMempool(tx, {
          matched,
          has: (txid) => present.has(txid),
          absence,
          tip: { height: tip.height, hash: tip.hash },
          at: clock.now(),
        })
        return consumer.knowledge(tx)
      })
      if (knowledge === undefined) return false
      const ours = new Set(matched.map(({ txid }) => txid))
      for (const txid of seen.ours) if (present.has(txid)) ours.add(txid)
      known = { txids: present, ours, knowledge, reason: before.reason }
      options.metrics.gauge('kaccy_mempool_transactions', present.size)
      return true
    },
  }
}

/** Asks what our payments pay in fees, for statistics: only of those few, and without insisting on an answer. */
async function withFeeRates(
  source: ChainSource,
  matched: readonly MatchedTx[],
): Promise<MatchedTx[]> {
  if (matched.length === 0 || !source.feeRates) return [...matched]
  const rates = await source.feeRates(matched.map((transaction) => transaction.txid))
  return matched.map((transaction, i) => {
    const feeRate = rates[i]
    return feeRate === undefined ? transaction : { ...transaction, feeRate }
  })
}
