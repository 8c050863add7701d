import type { Originated, Transactor } from '../../kernel/index.ts'
import { type AuditAnchor, type AuditBreak, breakAt, GENESIS, link } from './policy.ts'
import type { AuditEntry, AuditFilter, AuditRows, NewAuditEntry, OriginatedEntry } from './ports.ts'

const PAGE = 1000
/** The row door of this capability. */
export interface AuditTx extends Originated {
  readonly audit: AuditRows
}

/**
 * Writes entries into the trail, in the transaction of what they speak of (I22). Takes the lock on the newest entry, which
 * every writer needs: call it late in a transaction. `at` in milliseconds since the epoch. The request that an entry or its
 * transaction was made for stands in its details as `request_id`.
 */
export async function appendAudit(
  tx: AuditTx,
  at: number,
  entries: readonly OriginatedEntry[],
): Promise<readonly AuditEntry[]> {
  if (entries.length === 0) return []
  const named = entries.map(({ origin = tx.origin, ...entry }): NewAuditEntry => {
    if (!origin) return entry
    return { ...entry, details: { ...entry.details, request_id: origin.requestId } }
  })
  const linked = link(await tx.audit.lockHead(), at, named)
  await tx.audit.insert(linked)
  return linked
}

export type AuditVerdict =
  | { readonly ok: true; readonly entries: number; readonly head: AuditAnchor }
  | { readonly ok: false; readonly broken: AuditBreak }

/**
 * Verifies the whole trail from its first entry (I21), a page at a time. An edit, a removal, an insertion and a swap show
 * by themselves; a cut tail or a trail written anew shows only against an `anchor` kept outside the database.
 */
export async function verifyAudit(
  store: Transactor<AuditTx>,
  anchor?: AuditAnchor,
): Promise<AuditVerdict> {
  let before: AuditAnchor | undefined
  for await (const entry of entriesOf(store, {})) {
    const broken = breakAt(before, entry, anchor)
    if (broken) return { ok: false, broken }
    before = { number: entry.number, hash: entry.hash }
  }
  const head = before ?? { number: 0, hash: GENESIS }
  if (anchor && anchor.number > head.number)
    return { ok: false, broken: { number: head.number + 1, reason: 'anchor_missing' } }
  return { ok: true, entries: head.number, head }
}

/** The newest number and hash: what to write down elsewhere as an anchor. */
export async function auditHead(store: Transactor<AuditTx>): Promise<AuditAnchor> {
  // A lock on the newest entry is the one question that names it without reading the trail.
  const head = await store.transact((tx) => tx.audit.lockHead())
  return head ? { number: head.number, hash: head.hash } : { number: 0, hash: GENESIS }
}

/** Every entry that matches, in order of number, read a page at a time, so that a long trail never stands in memory. */
export async function* entriesOf(
  store: Transactor<AuditTx>,
  filter: Omit<AuditFilter, 'limit'>,
): AsyncGenerator<AuditEntry> {
  let after = filter.after ?? 0
  for (;;) {
    const page = await store.read((tx) => tx.audit.list({ ...filter, after, limit: PAGE }))
    yield* page
    after = page.at(-1)?.number ?? after
    if (page.length < PAGE) return
  }
}
