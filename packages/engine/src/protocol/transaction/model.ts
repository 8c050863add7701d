import type { OutPoint, Sat } from '../../kernel/index.ts'

/** One spent outpoint. `witness` is empty for an input without one. */
export interface TransactionInput extends OutPoint {
  readonly script: Uint8Array
  /** Unsigned 32 bits; below 0xfffffffe it signals replaceability (BIP 125). */
  readonly sequence: number
  readonly witness: readonly Uint8Array[]
}

export interface TransactionOutput {
  readonly amount: Sat
  readonly script: Uint8Array
}

/** A transaction as it stands in its bytes; ids and sizes are computed from it, never stored beside it. */
export interface Transaction {
  /** Unsigned 32 bits. */
  readonly version: number
  readonly inputs: readonly TransactionInput[]
  readonly outputs: readonly TransactionOutput[]
  /** Unsigned 32 bits: a height below 500,000,000, seconds since the epoch from there on. */
  readonly lockTime: number
}

/** The txid of the outpoint that only a coinbase spends. */
const NO_TXID = '0'.repeat(64)

export const isNullOutPoint = (point: OutPoint): boolean =>
  point.vout === 0xffff_ffff && point.txid === NO_TXID

/** True for the transaction that creates the coins of a block. */
export const isCoinbase = (transaction: Transaction): boolean =>
  transaction.inputs.length === 1 &&
  transaction.inputs[0] !== undefined &&
  isNullOutPoint(transaction.inputs[0])
