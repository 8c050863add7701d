import {
  type Clock,
  type Json,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Transactor,
} from '../../kernel/index.ts'
import { type AuditRows, appendAudit } from '../audit/index.ts'
import type { EventRows } from '../events/index.ts'
import type { AlertRecord, AlertRows, NewAlert } from './ports.ts'

/** The row doors of this capability. */
export interface AlertsTx {
  readonly alerts: AlertRows
  readonly events: EventRows
  readonly audit: AuditRows
}

const dataOf = (alert: AlertRecord): { readonly [key: string]: Json } => ({
  alert: alert.id,
  kind: alert.kind,
  severity: alert.severity,
  subject: alert.subject,
  message: alert.message,
  // Whoever may see only some wallets finds it where every event has it.
  ...(alert.data['wallet'] === undefined ? {} : { wallet: alert.data['wallet'] }),
  data: alert.data,
})

/**
 * Raises alerts in the transaction of what they speak of; a key that was raised before is silent. Each new one writes the
 * event `alert.raised`. `at` in milliseconds since the epoch. Answers those that are new.
 */
export async function raiseAlerts(
  tx: Pick<AlertsTx, 'alerts' | 'events'>,
  at: number,
  alerts: readonly NewAlert[],
): Promise<readonly AlertRecord[]> {
  if (alerts.length === 0) return []
  const raised = await tx.alerts.raise(at, alerts)
  if (raised.length > 0)
    await tx.events.append(
      at,
      raised.map((alert) => ({ type: 'alert.raised', subject: alert.id, data: dataOf(alert) })),
    )
  return raised
}

export interface Alerts {
  /** An operator has seen it. Audited; the first one to say so stays on record, a second one changes nothing. */
  acknowledge(
    id: string,
    by: { readonly actor: string; readonly note?: string },
  ): Promise<Result<AlertRecord, Refusal<'NOT_FOUND'>>>
  get(id: string): Promise<AlertRecord | undefined>
  list(filter: Parameters<AlertRows['list']>[0]): Promise<readonly AlertRecord[]>
}

export function createAlerts({
  store,
  clock,
}: {
  readonly store: Transactor<AlertsTx>
  readonly clock: Clock
}): Alerts {
  return {
    acknowledge: (id, { actor, note = '' }) =>
      store.transact(async (tx) => {
        // Every acknowledgement needs the head of the trail: taking it first lets one operator at a time decide.
        await tx.audit.lockHead()
        const alert = await tx.alerts.alert(id)
        if (!alert) return refuse('NOT_FOUND', `no alert ${id}`, { param: 'id', details: { id } })
        if (alert.acknowledged) return ok(alert)
        const at = clock.now()
        const seen: AlertRecord = { ...alert, acknowledged: { at, by: actor, note } }
        await tx.alerts.save(seen)
        await appendAudit(tx, at, [
          { actor, action: 'alert.acknowledge', subject: id, details: { key: alert.key, note } },
        ])
        await tx.events.append(at, [
          { type: 'alert.acknowledged', subject: id, data: { ...dataOf(alert), by: actor, note } },
        ])
        return ok(seen)
      }),
    get: (id) => store.read((tx) => tx.alerts.alert(id)),
    list: (filter) => store.read((tx) => tx.alerts.list(filter)),
  }
}
