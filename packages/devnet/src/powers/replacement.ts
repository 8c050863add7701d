import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import type { Mempool } from '../mempool/mempool.ts'
import { dustThreshold, feeAt, INCREMENTAL_FEE_RATE, rateOf } from '../mempool/policy.ts'
import type { PoolEntry } from '../mempool/pool.ts'
import { type Payment, wholeSatoshi } from './payment.ts'

export interface ReplaceOptions {
  /** Everything but the fee goes to this address: the double spend of a payment. */
  readonly to?: string
  /** Other outputs; the rest goes back to the stranger. Default: the same outputs, the fee taken from our change. */
  readonly outs?: readonly Payment[]
  /** Satoshi. Default: just enough for the rules of replacement. */
  readonly fee?: bigint | number
  /** Satoshi per vbyte. */
  readonly feeRate?: bigint | number
  /** 32-byte private keys for coins that are not the stranger's or the miner's. */
  readonly keys?: readonly Uint8Array[]
}
/** Outputs that stay as they are, and one that takes what is left when it is worth it. */
export interface Draft {
  readonly fixed: readonly TransactionOutput[]
  readonly rest: { readonly script: Uint8Array; readonly at: number }
}

export const sumOf = (outputs: readonly TransactionOutput[]): bigint =>
  outputs.reduce((sum, { value }) => sum + value, 0n)

/** The old outputs, with the last one that is ours as the one that pays for the fee. */
export function sameOutputs(
  { outputs }: Transaction,
  isOurs: (script: Uint8Array) => boolean,
  change: Uint8Array,
): Draft {
  const at = outputs.findLastIndex(({ script }) => isOurs(script))
  const own = outputs[at]
  if (!own) return { fixed: outputs, rest: { script: change, at: outputs.length } }
  return { fixed: outputs.toSpliced(at, 1), rest: { script: own.script, at } }
}
/** All outputs when `left` satoshi remain beside the fixed ones and the fee. */
export function settle({ fixed, rest }: Draft, left: bigint): readonly TransactionOutput[] {
  const output = { value: left, script: rest.script }
  return left >= dustThreshold(output) && left > 0n ? fixed.toSpliced(rest.at, 0, output) : fixed
}

/**
 * Satoshi that the replacement of `entry` pays: what the caller says, else just enough for BIP 125 rules 3 and 4, a better fee
 * rate and the mempool's minimum. Sizes are estimated from above, so that the rate holds.
 */
export function replacementFee(
  mempool: Mempool,
  entry: PoolEntry,
  options: ReplaceOptions,
  grown: { readonly inputs: number; readonly outputs: number },
): bigint {
  if (options.fee !== undefined) return wholeSatoshi(options.fee)
  const { transaction, fee } = entry
  const longer = transaction.inputs.length + 69 * grown.inputs + 43 * Math.max(0, grown.outputs)
  const size = transaction.vsize + longer
  if (options.feeRate !== undefined) return feeAt(wholeSatoshi(options.feeRate) * 1000n, size)
  const { pool } = mempool
  const family = pool.entries.get(transaction.txid)?.withDescendants.fees ?? fee
  const needs = [
    family + feeAt(INCREMENTAL_FEE_RATE, size),
    feeAt(rateOf(fee, transaction.vsize) + INCREMENTAL_FEE_RATE, size),
    feeAt(mempool.minFeeRate, size),
  ]
  return needs.reduce((most, need) => (need > most ? need : most))
}
