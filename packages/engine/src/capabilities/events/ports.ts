import type { Json, Origin } from '../../kernel/index.ts'

export interface NewEvent {
  /** `resource.what`, see the list in the capability's README. */
  readonly type: string
  /** Id of the order, payment, wallet … it speaks of: the stream that keeps its order. */
  readonly subject: string
  readonly data: { readonly [key: string]: Json }
  /** The request that caused it; undefined when the engine did by itself. */
  readonly origin?: Origin
}
export interface EngineEvent extends NewEvent {
  /** Dense, from 1, in commit order: a consumer with a cursor can never skip one. */
  readonly seq: number
  /** `evt_<seq>`. */
  readonly id: string
  readonly at: number
}
export interface EventFilter {
  readonly after: number
  readonly limit: number
  readonly subject?: string
  readonly types?: readonly string[]
}
export interface EventRows {
  /** Numbers are taken from one counter row that is locked last, so they are dense and in commit order. */
  append(at: number, events: readonly NewEvent[]): Promise<readonly EngineEvent[]>
  list(filter: EventFilter): Promise<readonly EngineEvent[]>
  /** The newest sequence number; 0 when there is none. */
  head(): Promise<number>
  /** How far a named subscriber has got; 0 for a new one. */
  cursor(subscriber: string): Promise<number>
  saveCursor(subscriber: string, seq: number): Promise<void>
}
