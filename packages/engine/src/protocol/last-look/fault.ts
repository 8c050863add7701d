import type { Details } from '../../kernel/index.ts'

/** Why a transaction may not leave. A closed list. */
export type LookReason =
  | 'malformed'
  | 'version'
  | 'locktime'
  | 'sequence'
  | 'unsigned_txid'
  | 'duplicate_input'
  | 'foreign_input'
  | 'missing_input'
  | 'anchor_missing'
  | 'coin_not_ours'
  | 'unknown_output'
  | 'payment_missing'
  | 'change_missing'
  | 'change_index'
  | 'dust'
  | 'amount_range'
  | 'negative_fee'
  | 'fee_too_high'
  | 'fee_too_low'
  | 'weight'
  | 'script_shape'
  | 'sighash'
  | 'annex'
  | 'signature'

/** One thing that is wrong; all of them are reported. */
export interface LookFault {
  readonly reason: LookReason
  readonly message: string
  readonly details: Details
}

export const fault = (reason: LookReason, message: string, details: Details = {}): LookFault => ({
  reason,
  message,
  details,
})
