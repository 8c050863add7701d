import { type Static, Type } from 'typebox'
import {
  AFTER_NUMBER,
  after,
  Limit,
  listOf,
  named,
  nullable,
  object,
  Timestamp,
  TimestampIn,
  Word,
  words,
} from './basics.ts'

export const AuditEntrySchema = named(
  'AuditEntry',
  object(
    {
      number: Type.Integer({ description: 'Dense, from 1' }),
      at: Timestamp('When it happened'),
      at_ms: Type.Integer({
        description: 'The same, milliseconds since the epoch: what the hash is taken over',
      }),
      actor: Type.String({ description: '`engine`, `operator:<name>`, `api:<key id>`' }),
      action: Type.String({ description: '`area.verb`' }),
      subject: Type.String(),
      details: Type.Record(Type.String(), Type.Unknown()),
      previous: Type.String({ description: 'Hash of the entry before' }),
      hash: Type.String({ description: 'SHA-256 over the entry' }),
    },
    { description: 'One entry of the trail; each binds the one before it by its hash' },
  ),
)
export type AuditEntryJson = Static<typeof AuditEntrySchema>
export const AuditList = listOf(AuditEntrySchema)

const Filters = {
  actor: Type.Optional(Word(200, 'Of one actor')),
  subject: Type.Optional(Word(300, 'About one thing')),
  action: Type.Optional(
    Type.String({
      maxLength: 100,
      pattern: '^[a-z_]+\\.(?:[a-z_.]+)?$',
      description: 'of one kind, or of an area: `order.`',
    }),
  ),
  from: Type.Optional(TimestampIn('At or after')),
  until: Type.Optional(TimestampIn('Before')),
}
export const AuditQuery = object({
  limit: Limit,
  after: after(AFTER_NUMBER),
  order: Type.Optional(
    words(
      ['newest', 'oldest'],
      'Which come first; default newest. With oldest, `after` is a number to go on from',
    ),
  ),
  ...Filters,
})
export const ExportQuery = object({
  format: Type.Optional(
    words(
      ['csv', 'jsonl'],
      'csv is for spreadsheets; jsonl is exact and can be verified (default)',
    ),
  ),
  ...Filters,
})
export type AuditFilterText = Static<typeof ExportQuery>

const Anchor = { number: Type.Integer(), hash: Type.String() }
export const AuditHeadSchema = named(
  'AuditHead',
  object(Anchor, {
    description: 'The newest entry: written down elsewhere, it fixes everything before it',
  }),
)
export const VerifyQuery = object({
  anchor: Type.Optional(
    Type.String({
      pattern: '^\\d{1,15}:[0-9a-f]{64}$',
      description: 'a head that you wrote down elsewhere: `number:hash`',
    }),
  ),
})
export const AuditVerdictSchema = named(
  'AuditVerdict',
  object({
    ok: Type.Boolean(),
    entries: nullable(
      Type.Integer({ description: 'How many were checked; null when it is broken' }),
    ),
    head: nullable(object(Anchor)),
    broken: nullable(
      object(
        { number: Type.Integer(), reason: Type.String() },
        { description: 'The first entry that does not fit' },
      ),
    ),
  }),
)
export type AuditVerdictJson = Static<typeof AuditVerdictSchema>
