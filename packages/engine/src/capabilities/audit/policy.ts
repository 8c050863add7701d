import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { toHex } from '../../kernel/index.ts'
import { canonicalJson } from './canonical.ts'
import type { AuditEntry, NewAuditEntry } from './ports.ts'

/** What the first entry of every trail names as the one before it. */
export const GENESIS = '0'.repeat(64)

/** SHA-256 over the canonical JSON of everything in the entry but its own hash. */
export const hashOf = (entry: Omit<AuditEntry, 'hash'>): string =>
  toHex(
    sha256(
      utf8ToBytes(
        canonicalJson({
          number: entry.number,
          at: entry.at,
          actor: entry.actor,
          action: entry.action,
          subject: entry.subject,
          details: entry.details,
          previous: entry.previous,
        }),
      ),
    ),
  )

/**
 * The entries that follow `head`, each bound to the one before it. The trail's time never runs backwards, whatever the
 * clock does: a later entry is not dated before an earlier one.
 */
export function link(
  head: Pick<AuditEntry, 'number' | 'hash' | 'at'> | undefined,
  now: number,
  entries: readonly NewAuditEntry[],
): readonly AuditEntry[] {
  const at = Math.max(now, head?.at ?? 0)
  let number = head?.number ?? 0
  let previous = head?.hash ?? GENESIS
  return entries.map(({ actor, action, subject, details }) => {
    number += 1
    const bare = { number, at, actor, action, subject, details, previous }
    const entry = { ...bare, hash: hashOf(bare) }
    previous = entry.hash
    return entry
  })
}

/** A hash of the trail that was written down elsewhere: it fixes everything up to its number. */
export interface AuditAnchor {
  readonly number: number
  readonly hash: string
}
/** Why a trail does not verify, and at which number. */
export interface AuditBreak {
  readonly number: number
  readonly reason:
    | 'number_missing'
    | 'previous_differs'
    | 'hash_differs'
    | 'anchor_differs'
    | 'anchor_missing'
}

/** Holds the next entry against the one before it and the anchor. Undefined when it fits. */
export function breakAt(
  before: AuditAnchor | undefined,
  entry: AuditEntry,
  anchor: AuditAnchor | undefined,
): AuditBreak | undefined {
  const expected = (before?.number ?? 0) + 1
  if (entry.number !== expected) return { number: expected, reason: 'number_missing' }
  if (entry.previous !== (before?.hash ?? GENESIS))
    return { number: expected, reason: 'previous_differs' }
  if (entry.hash !== hashOf(entry)) return { number: expected, reason: 'hash_differs' }
  if (anchor?.number === expected && anchor.hash !== entry.hash)
    return { number: expected, reason: 'anchor_differs' }
  return undefined
}
