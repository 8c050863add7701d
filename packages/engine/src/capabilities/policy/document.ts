import type { Sat } from '../../kernel/index.ts'
import type { LimitRule, Sum } from '../limits/index.ts'
import type { RiskSettings } from '../risk/index.ts'
import type { ApprovalsNeeded, Decision } from './subject.ts'

/** From `least` to `most`, both included; an absent end is open. */
export interface Range<T> {
  readonly least?: T
  readonly most?: T
}
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun'
export const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/** What a request has to be for a rule: all of what is named, and one of each list. */
export interface Conditions {
  readonly wallets?: readonly string[]
  readonly users?: readonly string[]
  readonly customers?: readonly string[]
  readonly initiators?: readonly string[]
  /** Scripts in hex: the union of the lists that the document names. */
  readonly destinations?: readonly string[]
  /** Whether nothing was paid there for this user before. */
  readonly newDestination?: boolean
  readonly amount?: Range<Sat>
  readonly score?: Range<number>
  /** Hours of the day in the document's zone, 0 to 23. */
  readonly hours?: readonly number[]
  readonly weekdays?: readonly Weekday[]
  readonly metadata?: Readonly<Record<string, string>>
}
export interface Rule {
  readonly name: string
  readonly when: Conditions
  readonly decision: Decision
  readonly approvals?: ApprovalsNeeded
  readonly transactionApprovals?: ApprovalsNeeded
}

/** A request as a policy looks at it. */
export interface RequestView {
  readonly amount: Sat
  readonly wallet: string
  readonly user?: string
  readonly customer?: string
  readonly initiator: string
  /** The script in hex; empty where a test case names no address. */
  readonly destination: string
  readonly at: number
  readonly metadata: Readonly<Record<string, string>>
}

/** A request and what is known, with the answer that the author expects. */
export interface PolicyCase {
  readonly name: string
  readonly request: RequestView
  readonly given: {
    readonly score: number
    readonly paidToDestination: number
    /** By the name of a limit. */
    readonly used: ReadonlyMap<string, Sum>
  }
  readonly expect: {
    readonly decision: Decision
    /** `null`: no rule matched. */
    readonly rule?: string | null
    readonly approvals?: number
    readonly transactionApprovals?: number
    /** Codes that stand among the reasons. */
    readonly reasons?: readonly string[]
  }
}

/** A policy, read. */
export interface Policy {
  readonly name: string
  /** Of calendar windows, hours and weekdays. */
  readonly zone: string
  /** Actors by the name of their group. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  /** Scripts (hex) that are never paid, whatever else is said. */
  readonly deny: ReadonlySet<string>
  /** When given, only these scripts are ever paid. */
  readonly only?: ReadonlySet<string>
  readonly limits: readonly LimitRule[]
  readonly risk: RiskSettings
  /** The first that matches decides. */
  readonly rules: readonly Rule[]
  /** Amounts in satoshi from which on the rules are stricter, or may be: what a request is kept below to pass. */
  readonly thresholds: readonly bigint[]
  /** What no rule matches. */
  readonly otherwise: Decision
  /** Who approves what is held, unless the rule says. */
  readonly approvals: ApprovalsNeeded
  readonly transactionApprovals: ApprovalsNeeded
  /** Whether the next policy has to be enabled by somebody who did not write it. */
  readonly secondPerson: boolean
  readonly tests: readonly PolicyCase[]
}
