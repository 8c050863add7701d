import type { Sat, WalletId, WithdrawalId } from '../../kernel/index.ts'

/** What a policy decides about: one request to pay. */
export interface PolicySubject {
  readonly withdrawal: WithdrawalId
  readonly wallet: WalletId
  readonly amount: Sat
  /** The most that its share of the network's fee may be. It is bound by approvals, but not counted by limits. */
  readonly maxFee: Sat
  /** In its canonical form, as `parseAddress` answers it. */
  readonly address: string
  readonly script: Uint8Array
  /** Who the platform pays for. */
  readonly user?: string
  readonly customer?: string
  /** Actor, as in the audit trail: `api:<key id>`, `operator:<name>`. Never approves. */
  readonly initiator: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly metadata: Readonly<Record<string, string>>
}

/** From the mildest to the strictest. */
export const DECISIONS = ['allow', 'hold', 'deny'] as const
export type Decision = (typeof DECISIONS)[number]

/** One part of a decision, with the numbers that explain it. */
export interface Reason {
  /** `limit/<name>`, `risk/<signal>`, `rule/<name>`, `destination`, `default`. */
  readonly code: string
  /** What this part alone would do; `note` for what only adds to the score. */
  readonly effect: Decision | 'note'
  readonly message: string
  readonly details: Readonly<Record<string, string | number | boolean>>
}

/** Who has to approve: so many different people, each of one of these groups; anybody who may approve where none is named. */
export interface ApprovalsNeeded {
  readonly needed: number
  /** Names of groups of the policy. */
  readonly from?: readonly string[]
}

export interface PolicyVerdict {
  readonly decision: Decision
  /** Strictest first. */
  readonly reasons: readonly Reason[]
  /** 0 (nothing unusual) to 100. */
  readonly score: number
  readonly policyVersion: number
  /** The rule that matched first; undefined when none did. */
  readonly rule?: string
  /** People who must approve the request; 0 unless it is held. */
  readonly approvals: ApprovalsNeeded
  /** How many people must approve the exact transaction (its hash) before it is signed. */
  readonly transactionApprovals: number
  /** Names of the groups that these people are of; anybody who may approve where none is named. */
  readonly transactionApprovers?: readonly string[]
  /** SHA-256 of everything that approvals of the request are bound to, 64 hex digits. */
  readonly digest: string
}
