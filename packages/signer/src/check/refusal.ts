/** Why nothing was signed. A closed list; README.md says what each means. */
export type Reason =
  // The receipt.
  | 'receipt_invalid'
  | 'receipt_expired'
  | 'receipt_mismatch'
  | 'receipt_replayed'
  | 'approvals_missing'
  // The wallet.
  | 'wallet_unknown'
  // The transaction.
  | 'malformed'
  | 'version'
  | 'already_final'
  | 'amount_range'
  | 'negative_fee'
  | 'fee_too_high'
  | 'fee_too_low'
  | 'dust'
  | 'locktime'
  | 'sequence'
  | 'sighash'
  | 'duplicate_input'
  | 'foreign_input'
  | 'previous_tx_required'
  | 'previous_tx_mismatch'
  | 'utxo_mismatch'
  | 'script_mismatch'
  | 'foreign_signature'
  | 'foreign_xpub'
  | 'unknown_output'
  | 'change_not_ours'
  | 'change_path'
  | 'request_mismatch'
  | 'weight'
  // The limits of this signer.
  | 'limit_transaction'
  | 'limit_day'

export interface Fault {
  readonly reason: Reason
  /** For people; names inputs, outputs and amounts, never keys. */
  readonly detail: string
}

export const fault = (reason: Reason, detail: string): Fault => ({ reason, detail })
