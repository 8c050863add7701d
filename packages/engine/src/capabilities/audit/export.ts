import type { Transactor } from '../../kernel/index.ts'
import { canonicalJson } from './canonical.ts'
import type { AuditEntry, AuditFilter } from './ports.ts'
import { type AuditTx, entriesOf } from './service.ts'

const COLUMNS = [
  'number',
  'time',
  'at_ms',
  'actor',
  'action',
  'subject',
  'details',
  'previous',
  'hash',
]

/**
 * A cell as RFC 4180 writes it. Text that a spreadsheet would run as a formula gets an apostrophe in front: an order's
 * description comes from outside, and the person who opens the export is an auditor.
 */
export function csvCell(text: string): string {
  const safe = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\r\n`

/** One entry as a line of CSV (RFC 4180, lines end in CRLF), columns as in the header of `exportAudit`. */
export const csvOf = (entry: AuditEntry): string =>
  csvLine([
    String(entry.number),
    new Date(entry.at).toISOString(),
    String(entry.at),
    entry.actor,
    entry.action,
    entry.subject,
    canonicalJson(entry.details),
    entry.previous,
    entry.hash,
  ])

/** One entry as a line of JSON: everything that is needed to hash it again. */
export const jsonLineOf = (entry: AuditEntry): string =>
  `${canonicalJson({
    number: entry.number,
    at: entry.at,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    details: entry.details,
    previous: entry.previous,
    hash: entry.hash,
  })}\n`

/**
 * The trail, or the part that matches, as text for people outside: pieces to be written one after the other. `csv` is for
 * reading in a spreadsheet (cells that look like formulas are changed); `jsonl` is exact and can be verified.
 */
export async function* exportAudit(
  store: Transactor<AuditTx>,
  filter: Omit<AuditFilter, 'limit'>,
  format: 'csv' | 'jsonl',
): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine(COLUMNS)
  for await (const entry of entriesOf(store, filter))
    yield format === 'csv' ? csvOf(entry) : jsonLineOf(entry)
}
