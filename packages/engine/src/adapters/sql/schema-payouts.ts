/** The tables of payouts as rows: see `schema.ts`. */
export interface FundsRow {
  wallet: string
  queued: bigint
  fence: bigint
}
export interface LeaseRow {
  txid: Uint8Array
  vout: bigint
  wallet: string
  amount: bigint
  spend: string
  fence: bigint
  at: bigint
}
export interface FreezeRow {
  txid: Uint8Array
  vout: bigint
  wallet: string
  amount: bigint
  reason: string
  actor: string
  at: bigint
}
export interface SpendRow {
  id: string
  wallet: string
  purpose: string
  parent: string | null
  status: string
  anchor_txid: Uint8Array
  anchor_vout: bigint
  fence: bigint
  versions: bigint
  current_version: string
  mined_version: string | null
  mined_txid: Uint8Array | null
  mined_height: bigint | null
  mined_hash: Uint8Array | null
  cancelling: bigint
  bump_at: bigint | null
  created_by: string
  created_at: bigint
  updated_at: bigint
}
export interface SpendVersionRow {
  id: string
  spend: string
  wallet: string
  number: bigint
  kind: string
  status: string
  tx_version: bigint
  lock_time: bigint
  fee: bigint
  rate: bigint
  weight: bigint
  max_fee: bigint
  max_rate: bigint
  hash: Uint8Array
  txid: Uint8Array | null
  approvals_needed: bigint
  policy_version: bigint
  exposed_at: bigint | null
  rejected_by: string | null
  rejected_reason: string | null
  rejected_at: bigint | null
  final_weight: bigint | null
  sends: bigint
  sent_answer: string | null
  sent_reason: string | null
  sent_at: bigint | null
  next_at: bigint | null
  claimed_until: bigint | null
  created_by: string
  created_at: bigint
  updated_at: bigint
  inputs: string
  outputs: string
  psbt: Uint8Array
  raw: Uint8Array | null
}
export interface WithdrawalRow {
  id: string
  wallet: string
  external_id: string
  digest: Uint8Array
  address: string
  script: Uint8Array
  amount: bigint
  fee_payer: string
  priority: string | null
  rate: bigint | null
  deadline: bigint | null
  max_fee: bigint
  max_rate: bigint
  customer: string | null
  user_id: string | null
  description: string | null
  metadata: string
  initiator: string
  decision: string
  score: bigint
  reasons: string
  policy_version: bigint
  approvals_needed: bigint
  transaction_approvals: bigint
  reserved: bigint
  status: string
  reached_at: string
  ended_by: string | null
  ended_reason: string | null
  ended_at: bigint | null
  cancel_by: string | null
  cancel_reason: string | null
  cancel_at: bigint | null
  spend: string | null
  output_txid: Uint8Array | null
  output_vout: bigint | null
  txid: Uint8Array | null
  paid: bigint | null
  fee_share: bigint | null
  posted: bigint
  plan_at: bigint | null
  waits_for: string | null
  created_at: bigint
  updated_at: bigint
}
/** The part of a withdrawal that changes after it was asked for, with its id and the hash of what was asked for. */
export type WithdrawalProgressRow = Pick<
  WithdrawalRow,
  | 'id'
  | 'digest'
  | 'reserved'
  | 'status'
  | 'reached_at'
  | 'ended_by'
  | 'ended_reason'
  | 'ended_at'
  | 'cancel_by'
  | 'cancel_reason'
  | 'cancel_at'
  | 'spend'
  | 'output_txid'
  | 'output_vout'
  | 'txid'
  | 'paid'
  | 'fee_share'
  | 'posted'
  | 'plan_at'
  | 'waits_for'
  | 'updated_at'
>
export interface WithdrawalMetadataRow {
  withdrawal_id: string
  key: string
  value: string
}

export interface PayoutSchema {
  wallet_funds: FundsRow
  coin_leases: LeaseRow
  coin_freezes: FreezeRow
  spends: SpendRow
  spend_versions: SpendVersionRow
  withdrawals: WithdrawalRow
  withdrawal_metadata: WithdrawalMetadataRow
}
