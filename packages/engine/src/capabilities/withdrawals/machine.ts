import type { SpendId } from '../../kernel/index.ts'
import type { WithdrawalStatus } from './ports.ts'

/** Everything that decides what may become of a withdrawal. */
export interface WithdrawalState {
  readonly status: WithdrawalStatus
  /** The spend that serves it, or that served it in the end. */
  readonly spend?: SpendId
  /** A signer has seen a transaction that pays it: from then on only a buried conflicting spend ends it unpaid. */
  readonly exposed: boolean
  /** Final bytes of a transaction that pays it are stored. */
  readonly signed: boolean
  readonly cancelAsked: boolean
}

/** What can happen to a withdrawal. Those of a spend name it: news of another spend change nothing. */
export type WithdrawalEvent = Readonly<
  | { type: 'approved' | 'rejected' | 'cancel' }
  /** A spend was planned that pays it. */
  | { type: 'planned'; spend: SpendId }
  /** The spend was given up before anybody who can sign saw it. */
  | { type: 'dropped'; spend: SpendId }
  | { type: 'exposed' | 'signed'; spend: SpendId }
  /** A version of the spend is in the best chain; `pays`: it pays this withdrawal. */
  | { type: 'mined' | 'buried'; spend: SpendId; pays: boolean }
  /** No version of the spend is in the best chain any more. */
  | { type: 'reorged'; spend: SpendId }
  /** A buried transaction that is none of ours spends a coin that every version needs. */
  | { type: 'lost'; spend: SpendId }
>

/** What the books do in the same commit. */
export type BookMove = 'hold' | 'release' | 'capture' | 'uncapture'
/** What the wallet's queue does in the same commit. */
export type QueueMove = 'enter' | 'leave'
export interface Step {
  readonly state: WithdrawalState
  readonly books: readonly BookMove[]
  readonly queue?: QueueMove
}
