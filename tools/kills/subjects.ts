import type { Store } from '@kaccy/bitcoin'
import { verifyAudit } from '@kaccy/bitcoin/audit'
import { verifyBooks } from '@kaccy/bitcoin/ledger'
import { dump } from './dump.ts'

/** Numbers that depend on who was first among things that have nothing to do with each other. */
const NUMBERS = new Set(['seq', 'number', 'previous', 'hash'])
const NUMBERED = new Set(['event', 'audit', 'entry', 'fact', 'alert'])
interface Line {
  readonly [field: string]: unknown
}

/** Whose story a record belongs to: within one the order counts, between two it does not. */
const subjectOf = (name: string, line: Line): string =>
  `${name} ${line['payment'] ?? line['txid'] ?? line['subject'] ?? ''}`

/** A dump as stories by subject, without the numbers that several processes hand out in another order than one. */
export async function stories(store: Store): Promise<ReadonlyMap<string, readonly string[]>> {
  const all = new Map<string, string[]>()
  for (const text of await dump(store)) {
    const name = text.slice(0, text.indexOf(' '))
    if (!NUMBERED.has(name)) {
      all.set(text, [text])
      continue
    }
    // Alerts are numbered too, and the events about them are named by their numbers.
    const told = text.slice(name.length + 1).replace(/alr_\d+/g, 'alr')
    const line: Line = JSON.parse(told)
    const fields = Object.entries(line).filter(
      ([field]) => !NUMBERS.has(field) && !(field === 'id' && name !== 'entry'),
    )
    const key = subjectOf(name, line)
    const story = all.get(key) ?? []
    story.push(JSON.stringify(Object.fromEntries(fields)))
    all.set(key, story)
  }
  // All alerts are one subject here: which of two came first says nothing.
  for (const [key, story] of all) if (/^(event alr|alert )/.test(key)) story.sort()
  return all
}

/** What must hold in every store by itself, however many wrote into it; empty when it does. */
export async function unsound(store: Store): Promise<readonly string[]> {
  const faults: string[] = []
  const audit = await verifyAudit(store)
  if (!audit.ok) faults.push(`the audit trail breaks at ${audit.broken.number}`)
  const books = await verifyBooks(store)
  if (!books.ok) faults.push(`the books differ: ${books.differences.map(({ kind }) => kind)}`)
  const limit = 1_000_000
  const [events, entries, head] = await store.read(async (tx) => [
    await tx.events.list({ after: 0, limit }),
    await tx.ledger.entries({ limit }),
    await tx.events.head(),
  ])
  if (events.length !== head || events.some((event, i) => event.seq !== i + 1))
    faults.push('the events are not dense')
  if (entries.some((entry, i) => entry.number !== i + 1)) faults.push('the ledger is not dense')
  const live = new Map<string, number>()
  for (const { kind, payment = '' } of entries) {
    if (kind === 'credit' || kind === 'change') live.set(payment, (live.get(payment) ?? 0) + 1)
    if (kind === 'reversal' || kind === 'unchange') live.set(payment, (live.get(payment) ?? 0) - 1)
  }
  for (const [payment, credits] of live)
    if (credits < 0 || credits > 1) faults.push(`${payment} has ${credits} live credits (I2)`)
  return faults
}

/** First subjects whose stories differ. */
export function differences(
  ours: ReadonlyMap<string, readonly string[]>,
  theirs: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const found: string[] = []
  for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
    const [mine, yours] = [ours.get(key) ?? [], theirs.get(key) ?? []]
    for (let i = 0; i < Math.max(mine.length, yours.length); i++) {
      if (mine[i] === yours[i]) continue
      found.push(`${key}, ${i + 1}\n  several: ${mine[i]}\n  twin:    ${yours[i]}`)
      break
    }
  }
  return found.slice(0, 20)
}
