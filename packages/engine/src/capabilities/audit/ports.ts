import type { Json, Origin } from '../../kernel/index.ts'

export interface NewAuditEntry {
  /** Who caused it: `engine`, `operator:<name>`, `api:<key id>`. */
  readonly actor: string
  /** `area.verb`: `order.create`, `deposit.credit`, … */
  readonly action: string
  /** Id of what it happened to. */
  readonly subject: string
  readonly details: { readonly [key: string]: Json }
}
/** An entry to be written, with its request where the transaction does not know it: it becomes `request_id` in the details. */
export interface OriginatedEntry extends NewAuditEntry {
  readonly origin?: Origin | undefined
}
export interface AuditEntry extends NewAuditEntry {
  /** Dense, from 1. */
  readonly number: number
  /** Milliseconds since the epoch; never before the entry before it. */
  readonly at: number
  /** Hash of the entry before (64 zeros for the first), and of this one: SHA-256 over a canonical form. */
  readonly previous: string
  readonly hash: string
}
export interface AuditFilter {
  readonly actor?: string
  readonly subject?: string
  /** Exact action or, ending in `.`, all actions of an area. */
  readonly action?: string
  /** Inclusive lower and exclusive upper bound, milliseconds since the epoch. */
  readonly from?: number
  readonly until?: number
  /** Exclusive lower bound of `number`. */
  readonly after?: number
  /** Exclusive upper bound of `number`: with `newestFirst` the cursor of the next page. */
  readonly before?: number
  /** Descending by `number`; ascending otherwise. */
  readonly newestFirst?: boolean
  readonly limit: number
}
export interface AuditRows {
  /** The newest entry, locked against other writers until the transaction ends. */
  lockHead(): Promise<AuditEntry | undefined>
  /** @throws AssertionError unless the entries follow the newest by number and not before it in time. */
  insert(entries: readonly AuditEntry[]): Promise<void>
  list(filter: AuditFilter): Promise<readonly AuditEntry[]>
}
