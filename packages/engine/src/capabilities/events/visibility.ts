import type { WalletId } from '../../kernel/index.ts'
import type { EngineEvent } from './ports.ts'

/** What somebody may see: scopes of access, and the wallets that it is limited to. */
export interface EventGrant {
  /** `events:read`, `orders:read`, …; `admin` is all of them. */
  readonly scopes: readonly string[]
  /** Absent: every wallet, and what belongs to none. */
  readonly wallets?: readonly WalletId[]
}

/** Everything, as the operator of the process sees it. */
export const EVERYTHING: EventGrant = { scopes: ['admin'] }

/** The scope that reads events of an area; what is not named here is for `admin` alone. */
const SCOPE_OF: ReadonlyMap<string, string> = new Map([
  ['order', 'orders:read'],
  ['payment', 'payments:read'],
  ['wallet', 'wallets:read'],
  ['withdrawal', 'withdrawals:read'],
  ['consolidation', 'withdrawals:read'],
  ['psbt', 'psbts:read'],
  ['policy', 'policies:read'],
  ['chain', 'chain:read'],
  ['alert', 'alerts:read'],
  ['webhook', 'webhooks:read'],
  ['key', 'keys:read'],
])

/** The part of a type before its first dot. */
export const areaOf = (type: string): string => {
  const dot = type.indexOf('.')
  return dot < 0 ? type : type.slice(0, dot)
}

/**
 * Whether an event may be shown. It needs `events:read` and the scope of its area. Who is limited to wallets sees what names
 * one of them in `data.wallet`, and what happens to the chain, which is public; nothing else.
 */
export function mayEventBeSeen(
  event: Pick<EngineEvent, 'type' | 'data'>,
  { scopes, wallets }: EventGrant,
): boolean {
  const area = areaOf(event.type)
  if (!mayReadArea(area, scopes)) return false
  if (wallets === undefined || area === 'chain') return true
  const { wallet } = event.data
  return typeof wallet === 'string' && (wallets as readonly string[]).includes(wallet)
}

/** Whether these scopes show events of this area at all. */
export function mayReadArea(area: string, scopes: readonly string[]): boolean {
  if (scopes.includes('admin')) return true
  const needed = SCOPE_OF.get(area)
  return needed !== undefined && scopes.includes('events:read') && scopes.includes(needed)
}

/** Whether a type is meant by one of these patterns: exact, `area.*`, or `*`. */
export const matchesType = (type: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => pattern === type || pattern === '*' || pattern === `${areaOf(type)}.*`)
