import type { Txid } from '../../kernel/index.ts'
import { TransactionScan } from '../../protocol/transaction/index.ts'
import { atCursor } from './catch-up.ts'
import { type ChainTx, type FollowerOptions, readChain } from './follower-options.ts'
import { absenceOf } from './policy.ts'
import type { ChainSource, MatchedTx } from './ports.ts'
import { matchTransaction } from './scan.ts'

const TRANSACTIONS_PER_BATCH = 200
/** Which life of the node's mempool we looked at last; kept in the store, because we may restart together. */
const EPOCH = 'mempool_epoch'

export interface MempoolReader {
  /**
   * Looks at the mempool and commits the difference. False when the chain moved meanwhile: then what is absent may just
   * have been mined, so nothing was committed.
   */
  read(degraded: boolean): Promise<boolean>
  forget(): void
}

export function createMempoolReader<Tx extends ChainTx>(
  options: FollowerOptions<Tx>,
): MempoolReader {
  const { source, store, watch, consumer, clock } = options
  const scratch = new TransactionScan(1)
  /** The list of the last look: only transactions that are not in it have to be read. */
  let known: ReadonlySet<Txid> = new Set()

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

  return {
    forget() {
      known = new Set()
    },
    async read(degraded) {
      const before = await readChain(store, async (rows) => ({
        epoch: await rows.memo(EPOCH),
        tip: await rows.tip(),
      }))
      const view = await source.mempool(before.epoch)
      const look = { ...view, previousEpoch: before.epoch, size: view.txids.length, degraded }
      const absence = absenceOf({ ...look, previousSize: known.size })
      const seen = before.epoch === view.epoch ? known : new Set<Txid>()
      const matched = await matchFresh(view.txids.filter((txid) => !seen.has(txid)))
      const { tip } = before
      if (!tip || (await source.info()).tip.hash !== tip.hash) return false
      const present = new Set(view.txids)
      await store.transact(async (tx) => {
        await atCursor(tx, tip)
        if (before.epoch !== view.epoch) await tx.chain.saveMemo(EPOCH, view.epoch)
        await consumer.moveMempool(tx, {
          matched,
          has: (txid) => present.has(txid),
          absence,
          tip: { height: tip.height, hash: tip.hash },
          at: clock.now(),
        })
      })
      known = present
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
