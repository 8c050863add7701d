import { type Static, Type } from 'typebox'
import { after, listOf, Limit, named, nullable, object, Timestamp, Word, words } from './basics.ts'

export const ALERT_KINDS = [
  'discrepancy',
  'late_payment',
  'address_reuse',
  'unmatched_payment',
  'deposit_reversed',
  'large_deposit',
  'gap_warning',
  'chain_stalled',
  'deep_reorg',
  'node_behind',
  'drift',
  'invariant_broken',
  'rescan_failed',
  'webhook_paused',
  'signer_refused',
  'foreign_spend',
  'spend_lost',
  'spend_reopened',
  'broadcast_refused',
  'bump_impossible',
  'withdrawal_held',
  'withdrawal_failed',
  'account_overdrawn',
  'withdrawal_risk',
] as const

const AlertId = Type.String({
  pattern: '^alr_\\d{1,15}$',
  description: 'Id of the alert',
  examples: ['alr_7'],
})
export const AlertSchema = named(
  'Alert',
  object(
    {
      id: AlertId,
      kind: words(ALERT_KINDS),
      severity: words(['info', 'warning', 'critical']),
      subject: Type.String({ description: 'Id of what it speaks of' }),
      message: Type.String({ description: 'For people' }),
      data: Type.Record(Type.String(), Type.Unknown()),
      at: Timestamp('When it was raised'),
      acknowledged: nullable(
        object(
          { at: Timestamp('When'), by: Type.String(), note: Type.String() },
          { description: 'Who has seen it first' },
        ),
      ),
    },
    { description: 'What a person should look at' },
  ),
)
export type AlertJson = Static<typeof AlertSchema>
export const AlertList = listOf(AlertSchema)
export const AlertQuery = object({
  limit: Limit,
  after: after('^alr_\\d{1,15}$'),
  open: Type.Optional(
    Type.Boolean({ description: 'true: only those that nobody has acknowledged' }),
  ),
  kind: Type.Optional(words(ALERT_KINDS)),
  subject: Type.Optional(Word(200, 'About this order, payment, wallet or webhook')),
})
export const AlertPath = object({ alert: AlertId })
/** Body of `POST /v1/alerts/{id}/acknowledge`. */
export const AcknowledgeRequest = object({
  note: Type.Optional(Type.String({ maxLength: 1_000, description: 'What came of it' })),
})
