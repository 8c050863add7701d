import { type Static, type TSchema, Type } from 'typebox'
import {
  after,
  Id,
  Limit,
  listOf,
  named,
  nullable,
  object,
  ref,
  SatoshiOut,
  Timestamp,
  words,
} from './basics.ts'
import { BYTES } from '../bytes-body.ts'
import { Block } from './payments.ts'

export const VERSION_STATUSES = [
  'created',
  'partially_signed',
  'signed',
  'finalized',
  'broadcast',
  'rejected',
  'replaced',
  'evicted',
  'confirmed',
] as const
export const SPEND_STATUSES = ['open', 'mined', 'settled', 'dropped', 'lost'] as const
export const PURPOSES = ['payout', 'consolidation', 'child'] as const
const Outpoint = { txid: Type.String(), vout: Type.Integer() }

export const PsbtSchema = named(
  'Psbt',
  object(
    {
      id: Id('psb', 'Id of the transaction to sign'),
      spend: Id('spd', 'The spend that it is a version of'),
      wallet: Id('wal', 'Whose coins it moves'),
      number: Type.Integer({ description: 'From 1, within its spend' }),
      kind: words(['payment', 'bump', 'cancel'], 'cancel: it pays only ourselves'),
      status: words(VERSION_STATUSES),
      hash: Type.String({
        description: 'Id of the unsigned transaction: what people approve and signers are bound to',
      }),
      txid: nullable(
        Type.String({ description: 'Known before it is signed, unless an input is legacy' }),
      ),
      fee_sat: SatoshiOut('Inputs less outputs'),
      fee_rate_sat_kvb: Type.Integer({ description: 'Satoshi for 1000 vbytes; 1 sat/vB is 1000' }),
      weight: Type.Integer({ description: 'Weight units with all signatures, worst case' }),
      max_fee_sat: SatoshiOut('Above it nothing is signed or sent'),
      max_fee_rate_sat_kvb: Type.Integer({ description: 'Above it nothing is signed or sent' }),
      lock_time: Type.Integer(),
      inputs: Type.Array(object({ ...Outpoint, amount_sat: SatoshiOut('What it brings') })),
      outputs: Type.Array(
        object({
          address: nullable(Type.String()),
          amount_sat: SatoshiOut('What it pays'),
          role: words(['payment', 'change']),
          withdrawals: Type.Array(Id('wdr', 'A withdrawal that it pays')),
        }),
      ),
      approvals_needed: Type.Integer({
        description: 'People who must approve `hash` before anybody is asked to sign',
      }),
      policy_version: Type.Integer(),
      exposed_at: nullable(
        Timestamp(
          'When it was first shown to somebody who can sign: from then on only a conflicting transaction undoes it',
        ),
      ),
      rejected: nullable(
        object({ by: Type.String(), reason: Type.String(), at: Timestamp('When') }),
      ),
      sends: Type.Integer({ description: 'How often it was handed to a node' }),
      last_send: nullable(
        object({
          answer: words(['accepted', 'already_known', 'refused', 'unknown']),
          reason: nullable(Type.String({ description: "The node's own words" })),
          at: Timestamp('When'),
        }),
      ),
      created_by: Type.String({ description: 'Actor, as in the audit trail' }),
      created_at: Timestamp('When it was planned'),
      updated_at: Timestamp('When it changed last'),
    },
    { description: 'One transaction: planned here, signed elsewhere, sent and followed' },
  ),
)
export type PsbtJson = Static<typeof PsbtSchema>
export const PsbtList = listOf(PsbtSchema)

/** One transaction with everything that decides whether it is signed and sent. */
export const SignablePsbtSchema = named(
  'SignablePsbt',
  object(
    {
      ...PsbtSchema.properties,
      is_current: Type.Boolean({
        description: 'Whether it is the version that is worked on: others take no signatures',
      }),
      signatures: Type.Array(
        object({
          have: Type.Integer(),
          need: Type.Integer(),
          missing: Type.Array(Type.String(), {
            description: 'Fingerprints of keys that could still sign, 8 hex digits each',
          }),
        }),
        { description: 'How far each input is, in their order' },
      ),
      approvals: object({
        have: Type.Integer(),
        need: Type.Integer(),
        complete: Type.Boolean(),
        given: Type.Array(object({ by: Type.String(), at: Timestamp('When') })),
        initiators: Type.Array(Type.String(), {
          description: 'Who asked for what it pays: they never approve it',
        }),
      }),
      psbt: nullable(
        Type.String({
          description:
            'Base64 (BIP 174), with every verified signature so far; null where it is not for you to sign, or not yet',
        }),
      ),
      receipt: nullable(
        Type.String({
          description:
            'The policy receipt that goes with it to a signer, one line, for seven days; null as `psbt`, and where the server has no receipt key',
        }),
      ),
    },
    { description: 'A transaction together with what a signer needs' },
  ),
)
export type SignablePsbtJson = Static<typeof SignablePsbtSchema>

/** The same as JSON, or the bytes alone by `Accept`. */
export const PsbtAnswer = {
  description: 'The transaction; with `Accept: application/octet-stream` its bytes alone',
  content: {
    'application/json': { schema: ref(SignablePsbtSchema) },
    [BYTES]: { schema: { type: 'string', format: 'binary' } },
  },
} as unknown as TSchema

export const PsbtPath = object({ psbt: Id('psb', 'Id of the transaction') })
export const PsbtQuery = object({
  limit: Limit,
  after: after('^psb_[\\w-]{1,160}$'),
  wallet: Type.Optional(Id('wal', 'Of this wallet')),
  status: Type.Optional(words(VERSION_STATUSES)),
})
export type PsbtQueryText = Static<typeof PsbtQuery>
/** Query of `GET /v1/psbts/{id}`. */
export const PsbtLook = object({
  peek: Type.Optional(
    Type.Boolean({
      description: 'Look without taking: `psbt` stays null, nothing counts as shown',
    }),
  ),
})

/** Body of `POST /v1/psbts/{id}/signatures`. */
export const SignaturesRequest = object(
  {
    psbt: Type.String({
      minLength: 1,
      maxLength: 5_000_000,
      description: 'Base64: the PSBT with signatures (BIP 174)',
    }),
  },
  { examples: [{ psbt: 'cHNidP8BAAoCAAAAAAAAAAAAAA==' }] },
)
export const TakenSchema = named(
  'TakenSignatures',
  object(
    {
      ...PsbtSchema.properties,
      added: Type.Integer({ description: 'Signatures that were new' }),
    },
    { description: 'The transaction after its signatures were taken' },
  ),
)
export type TakenJson = Static<typeof TakenSchema>

/** Body of `POST /v1/psbts/{id}/approve`. */
export const PsbtApproval = object({
  hash: Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: 'The `hash` that you saw: another transaction is another approval',
  }),
})

export const SpendSchema = named(
  'Spend',
  object(
    {
      id: Id('spd', 'Id of the spend'),
      wallet: Id('wal', 'Whose coins it moves'),
      purpose: words(PURPOSES, 'child: it pays for a parent of ours that is too cheap'),
      parent: nullable(Id('spd', 'The spend whose change a child spends')),
      status: words(
        SPEND_STATUSES,
        'open: every version may still be mined; dropped: nobody was ever asked to sign; lost: another transaction took its coins',
      ),
      anchor: object(Outpoint, {
        description: 'The coin that every version spends: at most one of them can be mined',
      }),
      current: Id('psb', 'The version that is signed and sent now'),
      mined: nullable(
        object({ psbt: Id('psb', 'Which version'), txid: Type.String(), block: Block }),
      ),
      cancelling: Type.Boolean({ description: 'The current version pays only ourselves' }),
      bump_at: nullable(Timestamp('When a higher fee is considered next')),
      versions: Type.Array(ref(PsbtSchema), { description: 'Every transaction, oldest first' }),
      created_by: Type.String(),
      created_at: Timestamp('When it was planned'),
      updated_at: Timestamp('When it changed last'),
    },
    { description: 'One intention to move coins, with all transactions that could carry it out' },
  ),
)
export type SpendJson = Static<typeof SpendSchema>
export const SpendPath = object({ spend: Id('spd', 'Id of the spend') })
