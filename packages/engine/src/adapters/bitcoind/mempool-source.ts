import type { MempoolSource, MempoolStanding } from '../../capabilities/spending/index.ts'
import { satPerKvB } from '../../kernel/index.ts'
import type { MempoolEntry } from './calls/mempool.ts'
import type { BitcoindSource } from './source.ts'

/** Core's default, also for nodes that do not say theirs: 1 sat/vB (-incrementalrelayfee). */
const INCREMENTAL_RATE = satPerKvB(1000n)

/** What the node's mempool holds of our transactions, and what it demands of their replacements. */
export const createBitcoindMempool = (
  source: Pick<BitcoindSource, 'client' | 'capabilities'>,
): MempoolSource => ({
  async standings(txids) {
    const { methods } = await source.capabilities()
    // btcd has no such call: nothing is known, and the caller counts by his own plan.
    if (!methods.getmempoolentry) return txids.map(() => undefined)
    const entries = await Promise.all(txids.map((txid) => source.client.getMempoolEntry(txid)))
    return entries.map((entry) => entry && standingOf(entry))
  },
  async rules() {
    const { minRate, minRelayRate, incrementalRelayRate } = await source.client.getMempoolInfo()
    const floors = [minRate, minRelayRate].flatMap((rate) => rate ?? [])
    const floor = floors.reduce((most, rate) => (rate > most ? rate : most), satPerKvB(0n))
    return {
      incrementalRate: incrementalRelayRate ?? INCREMENTAL_RATE,
      minRate: floor > 0n ? floor : INCREMENTAL_RATE,
    }
  },
})

const standingOf = (entry: MempoolEntry): MempoolStanding => ({
  fee: entry.fee,
  vsize: entry.vsize,
  ancestors: {
    count: entry.ancestorCount,
    vsize: entry.ancestorSize,
    fees: entry.ancestorFees,
  },
  descendants: {
    count: entry.descendantCount,
    vsize: entry.descendantSize,
    fees: entry.descendantFees,
  },
})
