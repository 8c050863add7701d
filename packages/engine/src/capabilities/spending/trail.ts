import { type AlertsTx, type NewAlert, raiseAlerts } from '../alerts/index.ts'
import { type AuditTx, appendAudit, type OriginatedEntry } from '../audit/index.ts'
import { appendEvents, type NewEvent } from '../events/index.ts'

/**
 * What one transaction has to write down at its end. The heads of the audit trail and of the events are locks that every writer
 * needs: everybody who takes part in a transaction puts in what he has to say, and it is written once, in one order.
 */
export interface Trail {
  readonly audits: OriginatedEntry[]
  readonly alerts: NewAlert[]
  readonly events: NewEvent[]
}
export const emptyTrail = (): Trail => ({ audits: [], alerts: [], events: [] })

/** Writes the trail and empties it. The last thing in a transaction. `at` in milliseconds since the epoch. */
export async function writeTrail(
  tx: AuditTx & Pick<AlertsTx, 'alerts' | 'events'>,
  at: number,
  { audits, alerts, events }: Trail,
): Promise<void> {
  await appendAudit(tx, at, audits.splice(0))
  await raiseAlerts(tx, at, alerts.splice(0))
  await appendEvents(tx, at, events.splice(0))
}
