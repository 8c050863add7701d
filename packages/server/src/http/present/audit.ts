import type { AuditEntry, AuditVerdict } from '@kaccy/bitcoin/audit'
import type { AuditEntryJson, AuditVerdictJson } from '../schemas/audit.ts'
import { time } from './basics.ts'

/** An entry of the trail as the API shows it. */
export const auditEntryJson = (entry: AuditEntry): AuditEntryJson => ({
  number: entry.number,
  at: time(entry.at),
  at_ms: entry.at,
  actor: entry.actor,
  action: entry.action,
  subject: entry.subject,
  details: { ...entry.details },
  previous: entry.previous,
  hash: entry.hash,
})

export function auditVerdictJson(verdict: AuditVerdict): AuditVerdictJson {
  if (!verdict.ok) {
    const { number, reason } = verdict.broken
    return { ok: false, entries: null, head: null, broken: { number, reason } }
  }
  const { number, hash } = verdict.head
  return { ok: true, entries: verdict.entries, head: { number, hash }, broken: null }
}
