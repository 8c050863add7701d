import type { AlertRows } from '../alerts/index.ts'
import type { AuditRows } from '../audit/index.ts'
import type { EventRows } from '../events/index.ts'
import type { Originated, WithdrawalId } from '../../kernel/index.ts'
import type { LimitRows } from '../limits/index.ts'
import type { RiskFacts, RiskRows } from '../risk/index.ts'
import type { PolicySubject, PolicyVerdict } from './subject.ts'

/** `draft` -> `tested` -> `enabled` -> `retired`, and back to `enabled`. The document never changes. */
export type PolicyStatus = 'draft' | 'tested' | 'enabled' | 'retired'
export interface PolicyRecord {
  /** From 1; 0 is the built-in one, which has no row. */
  readonly version: number
  readonly status: PolicyStatus
  readonly name: string
  /** The document as canonical JSON (RFC 8785). */
  readonly document: string
  /** SHA-256 of `document`, 64 hex digits. */
  readonly digest: string
  readonly createdAt: number
  readonly createdBy: string
  readonly testedAt?: number
  readonly testedBy?: string
  readonly enabledAt?: number
  readonly enabledBy?: string
  readonly retiredAt?: number
}

/** The one row that every decision, every release and every change of policy locks first. */
export interface PolicyHead {
  /** The version in force. */
  readonly enabled: number
  /** Of its document; absent for the built-in one. */
  readonly digest?: string
  /** The newest version. */
  readonly versions: number
  /** The newest number of a decision or a move. */
  readonly moves: number
}

/** What became of a request that was counted. */
export type MoveKind = 'released' | 'settled'
export interface Move {
  /** Dense, from 1, together with the numbers of decisions: the order in which everything happened. */
  readonly number: number
  readonly at: number
  readonly kind: MoveKind
  readonly withdrawal: WithdrawalId
}

/** A decision with everything it was made from, so that another policy can be asked the same later. */
export interface DecisionRecord {
  readonly subject: PolicySubject
  readonly facts: RiskFacts
  readonly verdict: PolicyVerdict
  /** Its place in the order of everything. */
  readonly number: number
  readonly state: 'denied' | 'reserved' | 'released' | 'settled'
}
export interface DecisionPage {
  /** Those with a greater number. */
  readonly after?: number
  readonly limit: number
}

/** What people approve: a request by its digest, or a transaction by its hash. */
export interface ApprovalSubject {
  readonly kind: 'withdrawal' | 'psbt'
  /** `wdr_…` or `psb_…`. */
  readonly id: string
}
/** So many different people, each of `members`; of anybody where it is absent. */
export interface ApprovalRequirement {
  readonly needed: number
  readonly members?: readonly string[]
}
/** What has to be approved, by whom, and by whom never. Fixed when it is made: a later policy changes nothing. */
export interface ApprovalTask {
  readonly subject: ApprovalSubject
  /** 64 hex digits: the digest of the request, the hash of the unsigned transaction. */
  readonly hash: string
  /** Each of them has to be met; one person may count for several. */
  readonly requirements: readonly ApprovalRequirement[]
  /** Actors who asked for it: none of them approves. */
  readonly initiators: readonly string[]
  readonly at: number
}
export interface Approval {
  readonly subject: ApprovalSubject
  readonly hash: string
  readonly by: string
  readonly at: number
}

/** Rows of this capability. */
export interface PolicyRows {
  /** Locks the head until the commit: take it after the funds of wallets, before ledger, audit and events. */
  lockHead(): Promise<PolicyHead>
  head(): Promise<PolicyHead>
  /** The head has to be locked. */
  saveHead(head: PolicyHead): Promise<void>

  /** @throws EngineError STORE_CONFLICT when the version exists */
  insert(policy: PolicyRecord): Promise<void>
  policy(version: number): Promise<PolicyRecord | undefined>
  /** Writes status and times; the document stays. @throws AssertionError for an unknown version */
  save(policy: PolicyRecord): Promise<void>
  /** Newest first; `before` is a version. */
  list(page: { readonly before?: number; readonly limit: number }): Promise<readonly PolicyRecord[]>

  /** @throws EngineError STORE_CONFLICT when the withdrawal was judged already */
  insertDecision(decision: DecisionRecord): Promise<void>
  decision(withdrawal: WithdrawalId): Promise<DecisionRecord | undefined>
  saveState(withdrawal: WithdrawalId, state: DecisionRecord['state']): Promise<void>
  /** In the order of their numbers. */
  decisions(page: DecisionPage): Promise<readonly DecisionRecord[]>
  addMove(move: Move): Promise<void>
  /** In the order of their numbers. */
  moves(page: DecisionPage): Promise<readonly Move[]>
  /** The least number of a decision or a move at or after a time; undefined when there is none. */
  firstNumber(from: number): Promise<number | undefined>

  /** @throws EngineError STORE_CONFLICT when there is one for this subject */
  insertTask(task: ApprovalTask): Promise<void>
  task(subject: ApprovalSubject): Promise<ApprovalTask | undefined>
  /** Locked until the commit. */
  lockTask(subject: ApprovalSubject): Promise<ApprovalTask | undefined>
  /** @throws EngineError STORE_CONFLICT when this actor approved this subject already */
  insertApproval(approval: Approval): Promise<void>
  /** In the order in which they were given. */
  approvals(subject: ApprovalSubject): Promise<readonly Approval[]>
}

/** The row doors that a decision needs. */
export interface PolicyTx extends Originated {
  readonly policy: PolicyRows
  readonly limits: LimitRows
  readonly risk: RiskRows
  readonly alerts: AlertRows
  readonly audit: AuditRows
  readonly events: EventRows
}
