import type { Json } from '../../kernel/index.ts'

export type AlertKind =
  | 'discrepancy'
  | 'late_payment'
  | 'address_reuse'
  | 'unmatched_payment'
  | 'deposit_reversed'
  | 'large_deposit'
  | 'gap_warning'
  | 'chain_stalled'
  | 'deep_reorg'
  | 'node_behind'
  | 'drift'
  | 'invariant_broken'
  | 'rescan_failed'
  | 'webhook_paused'
  | 'signer_refused'
  | 'foreign_spend'
  | 'spend_lost'
  | 'spend_reopened'
  | 'broadcast_refused'
  | 'bump_impossible'
  | 'withdrawal_risk'
  | 'withdrawal_held'
  | 'withdrawal_failed'
  | 'account_overdrawn'

export interface NewAlert {
  /** The same key raises once: a repeated fact does not ring again. */
  readonly key: string
  readonly kind: AlertKind
  readonly severity: 'info' | 'warning' | 'critical'
  readonly subject: string
  readonly message: string
  readonly data: { readonly [key: string]: Json }
}
export interface AlertRecord extends NewAlert {
  readonly id: string
  readonly at: number
  readonly acknowledged?: { readonly at: number; readonly by: string; readonly note: string }
}
export interface AlertRows {
  /** Inserts those whose key is new and returns them. Ids are `alr_<n>`, dense in insertion order. */
  raise(at: number, alerts: readonly NewAlert[]): Promise<readonly AlertRecord[]>
  alert(id: string): Promise<AlertRecord | undefined>
  save(alert: AlertRecord): Promise<void>
  /** Newest first; `before` is an id. */
  list(filter: {
    readonly open?: boolean
    readonly kind?: AlertKind
    readonly subject?: string
    readonly before?: string
    readonly limit: number
  }): Promise<readonly AlertRecord[]>
}
