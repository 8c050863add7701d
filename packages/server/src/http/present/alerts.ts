import type { AlertRecord } from '@kaccy/bitcoin/alerts'
import type { AlertJson } from '../schemas/alerts.ts'
import { time } from './basics.ts'

/** An alert as the API shows it. */
export const alertJson = (alert: AlertRecord): AlertJson => ({
  id: alert.id,
  kind: alert.kind,
  severity: alert.severity,
  subject: alert.subject,
  message: alert.message,
  data: { ...alert.data },
  at: time(alert.at),
  acknowledged: alert.acknowledged
    ? {
        at: time(alert.acknowledged.at),
        by: alert.acknowledged.by,
        note: alert.acknowledged.note,
      }
    : null,
})
