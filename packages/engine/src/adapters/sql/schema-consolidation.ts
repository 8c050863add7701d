/** The table of consolidations as rows; see `schema.ts` for the kinds of its columns. */
export interface ConsolidationProgressRow {
  id: string
  status: string
  txid: Uint8Array | null
  reached_at: string
  updated_at: bigint
}
export interface ConsolidationRow extends ConsolidationProgressRow {
  wallet: string
  cause: string
  kind: string
  scripts: bigint
  inputs: bigint
  coins: bigint
  amount: bigint
  fee: bigint
  rate: bigint
  long_term_rate: bigint
  saving: bigint
  break_even_rate: bigint
  spend: string
  created_by: string
  created_at: bigint
}
export interface ConsolidationSchema {
  consolidations: ConsolidationRow
}
