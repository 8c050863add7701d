import { type Static, Type } from 'typebox'
import {
  AFTER_NUMBER,
  after,
  Id,
  Limit,
  listOf,
  named,
  nullable,
  object,
  ref,
  SatoshiOut,
  SatoshiSum,
  Timestamp,
  TimestampIn,
  words,
} from './basics.ts'

export const POLICY_STATUSES = ['draft', 'tested', 'enabled', 'retired'] as const
export const DECISIONS = ['allow', 'hold', 'deny'] as const

const Document = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    additionalProperties: true,
    description,
  })
const EXAMPLE = {
  name: 'Shop',
  zone: 'Europe/Berlin',
  limits: [{ name: 'single', per: 'platform', window: 'single', amount_sat: 100_000_000 }],
  rules: [{ name: 'small', when: { amount_sat: { most: 5_000_000 } }, decision: 'allow' }],
  otherwise: 'hold',
  tests: [
    { name: 'small', request: { amount_sat: 1_000 }, expect: { decision: 'allow', rule: 'small' } },
  ],
}

/** Body of `POST /v1/policies`. */
export const PolicyRequest = object(
  {
    document: Document('The policy: limits, lists, risk, rules, approvals, and its own test cases'),
  },
  { examples: [{ document: EXAMPLE }] },
)

export const PolicySchema = named(
  'Policy',
  object(
    {
      version: Type.Integer({ description: 'From 1; 0 is the built-in one' }),
      status: words(POLICY_STATUSES),
      name: Type.String(),
      document: Document('As it was proposed; it never changes'),
      digest: Type.String({ description: 'SHA-256 of the document in canonical form (RFC 8785)' }),
      created_by: Type.String({ description: 'Actor, as in the audit trail' }),
      created_at: Timestamp('When it was proposed'),
      tested_by: nullable(Type.String()),
      tested_at: nullable(Timestamp('When it passed its tests')),
      enabled_by: nullable(Type.String()),
      enabled_at: nullable(Timestamp('When it came into force')),
      retired_at: nullable(Timestamp('When another one took its place')),
    },
    { description: 'What payouts are decided by; exactly one version is in force' },
  ),
)
export type PolicyJson = Static<typeof PolicySchema>
export const PolicyList = listOf(PolicySchema)
export const PolicyQuery = object({ limit: Limit, after: after(AFTER_NUMBER) })
export const PolicyPath = object({
  policy: Type.Integer({ minimum: 0, maximum: 0x7fff_ffff, description: 'Version of the policy' }),
})

export const PolicyTestSchema = named(
  'PolicyTest',
  object(
    {
      ok: Type.Boolean({ description: 'It may be enabled' }),
      cases: Type.Integer({ description: 'How many of its own cases were run' }),
      failures: Type.Array(
        object({
          name: Type.String({ description: 'Of the case' }),
          what: Type.String({ description: 'Which part of what it expects' }),
          expected: Type.String(),
          got: Type.String(),
        }),
      ),
      findings: Type.Array(Type.String(), {
        description: 'Rules that can never decide, approvals that nobody can give, …',
      }),
    },
    { description: 'A policy held against its own cases' },
  ),
)
export type PolicyTestJson = Static<typeof PolicyTestSchema>

/** Body of `POST /v1/policies/{version}/replay`. */
export const ReplayRequest = object(
  {
    from: TimestampIn('Requests made at or after'),
    until: Type.Optional(TimestampIn('Requests made before; default: now')),
    list: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: 'Differences to name; default 100. All are counted',
      }),
    ),
  },
  { examples: [{ from: '2026-05-01T00:00:00Z' }] },
)
const Short = object({
  policy_version: Type.Integer(),
  decision: words(DECISIONS),
  score: Type.Integer(),
  rule: nullable(Type.String()),
  approvals: Type.Integer(),
  transaction_approvals: Type.Integer(),
  reasons: Type.Array(object({ code: Type.String(), message: Type.String() })),
})
export const ReplaySchema = named(
  'PolicyReplay',
  object(
    {
      version: Type.Integer({ description: 'The policy that was asked' }),
      from: Timestamp('Begin'),
      until: Timestamp('End'),
      requests: Type.Integer({ description: 'Requests that were decided in this time' }),
      different: Type.Integer({ description: 'How many it decides otherwise' }),
      changes: Type.Array(
        object({
          change: Type.String({ description: '`allow>hold`, …' }),
          count: Type.Integer(),
          amount_sat: SatoshiSum('Of these requests'),
        }),
      ),
      differences: Type.Array(
        object({
          withdrawal: Id('wdr', 'The request'),
          at: Timestamp('When it was decided'),
          amount_sat: SatoshiOut('What was asked for'),
          user: nullable(Type.String()),
          before: Short,
          after: Short,
        }),
      ),
    },
    { description: 'What a policy would have decided otherwise; nothing is changed by asking' },
  ),
)
export type ReplayJson = Static<typeof ReplaySchema>

export const LimitUseSchema = named(
  'LimitUse',
  object(
    {
      name: Type.String(),
      per: words(['platform', 'user', 'customer', 'wallet', 'destination']),
      subject: Type.String({ description: '`platform`, `user/<id>`, …' }),
      window: object({
        kind: words(['single', 'rolling', 'calendar']),
        ms: nullable(Type.Integer({ description: 'How far a rolling window looks back' })),
        unit: nullable(words(['day', 'week', 'month'])),
        zone: nullable(Type.String({ description: 'IANA time zone' })),
      }),
      over: words(['hold', 'deny'], 'What happens to a request that goes over it'),
      amount_sat: nullable(SatoshiOut('The most')),
      count: nullable(Type.Integer({ description: 'The most requests' })),
      used_sat: nullable(SatoshiSum('What is used; null for limits of a single request')),
      used_count: nullable(Type.Integer()),
      left_sat: nullable(SatoshiSum('What is left')),
      left_count: nullable(Type.Integer()),
      resets_at: nullable(Timestamp('When there is room again')),
      policy_version: Type.Integer(),
    },
    { description: 'One limit in force, and what is used of it, pending requests included' },
  ),
)
export type LimitUseJson = Static<typeof LimitUseSchema>
export const LimitUses = object({ data: Type.Array(ref(LimitUseSchema)) })
const Named = (description: string) =>
  Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$', description }),
  )
export const LimitQuery = object({
  user: Named('Also limits of this user'),
  customer: Named('Also limits of this customer'),
  wallet: Type.Optional(Id('wal', 'Also limits of this wallet')),
  address: Named('Also limits of this destination'),
})
