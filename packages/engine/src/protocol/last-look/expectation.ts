import type { OutPoint, Sat, SatPerKvB, Txid } from '../../kernel/index.ts'
import type { Descriptor } from '../descriptor/index.ts'

/** A coin that the transaction must spend, from the facts of the chain and of our leases; never from the PSBT. */
export interface LookCoin extends OutPoint {
  readonly amount: Sat
  readonly script: Uint8Array
  /** Where the wallet's descriptor makes this script. */
  readonly branch: number
  readonly index: number
  /** The planned sequence number of the input, unsigned 32 bits. */
  readonly sequence: number
}

/** One request that the transaction must pay. */
export interface LookPayment {
  /** For messages: the id of the withdrawal. */
  readonly id: string
  readonly script: Uint8Array
  readonly amount: Sat
}

/** One output that goes back to us: the descriptor's branch 1 at `index`. */
export interface LookChange {
  readonly index: number
  readonly amount: Sat
}

/** Ceilings of one transaction. All three of the fee hold at once. */
export interface LookLimits {
  readonly maxFee: Sat
  /** Of the sum of all outputs, in parts per million. Undefined for transactions that are mostly fee: children that pay for parents. */
  readonly maxFeePpm?: number
  readonly maxRate: SatPerKvB
  /** What a node relays at least. */
  readonly minRate: SatPerKvB
  /** The rate that decides what is dust; a default node uses 3000. */
  readonly dustRate: SatPerKvB
  /** Weight units; what a node relays is 400,000 at most. */
  readonly maxWeight: number
}

/** All that the engine knows and decided about a transaction, without looking at the transaction. */
export interface LookExpectation {
  readonly descriptor: Descriptor
  readonly coins: readonly LookCoin[]
  /** The coin that all versions of the spend have in common (I4). */
  readonly anchor: OutPoint
  readonly payments: readonly LookPayment[]
  readonly change: readonly LookChange[]
  /** One above the highest change index that was ever handed out: what lies beyond nobody would find again. */
  readonly changeEnd: number
  readonly version: number
  readonly lockTime: number
  /** The id of the unsigned transaction that was planned, approved and stored. For segwit without redeem scripts it is the final id. */
  readonly unsignedTxid: Txid
  readonly limits: LookLimits
  /** The tip for which the transaction has to be final in the next block. */
  readonly tip: { readonly height: number; readonly medianTime: number }
}
