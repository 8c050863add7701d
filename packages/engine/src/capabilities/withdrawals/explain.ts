import type { PsbtId, Txid } from '../../kernel/index.ts'
import type { WithdrawalRecord } from './ports.ts'

export interface Explanation {
  readonly withdrawal: WithdrawalRecord
  /** The facts that led to its status, one sentence each, oldest first. */
  readonly because: readonly string[]
  /** What would change it next. */
  readonly next: readonly string[]
  /** Who must act for it to go on; empty when the engine or the chain goes on by itself. */
  readonly waitsFor: readonly string[]
  /** Transactions that could still pay it: at most one of them ever can. */
  readonly candidates: readonly {
    readonly psbt: PsbtId
    readonly txid?: Txid
    readonly status: string
  }[]
}
