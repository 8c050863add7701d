import { SCOPES } from '@kaccy/bitcoin/access'
import { type Static, Type } from 'typebox'
import {
  after,
  Id,
  Limit,
  listOf,
  Metadata,
  named,
  nullable,
  object,
  Timestamp,
  TimestampIn,
  words,
} from './basics.ts'

const Scopes = Type.Array(words(SCOPES), {
  minItems: 1,
  maxItems: 50,
  description: 'What it may do; `admin` is all',
})
const Wallets = Type.Array(Id('wal', 'A wallet'), {
  minItems: 1,
  maxItems: 100,
  description: 'Limits it to these wallets, with their orders, payments and events',
})
const Addresses = Type.Array(Type.String({ maxLength: 100 }), {
  minItems: 1,
  maxItems: 100,
  description: 'Limits it to these addresses: `192.0.2.0/24`, `2001:db8::1`',
})
const Name = Type.String({ description: 'For people' })

/** Body of `POST /v1/keys`. */
export const KeyRequest = object(
  {
    name: Name,
    scopes: Scopes,
    wallets: Type.Optional(Wallets),
    addresses: Type.Optional(Addresses),
    expires_at: Type.Optional(TimestampIn('When it ends; ten years ahead at most')),
    metadata: Type.Optional(Metadata),
  },
  {
    examples: [
      { name: 'shop', scopes: ['orders:read', 'orders:write'], addresses: ['192.0.2.0/24'] },
    ],
  },
)
export type KeyRequestBody = Static<typeof KeyRequest>
/** Body of `PATCH /v1/keys/{id}`; null takes a limit away. */
export const KeyChange = object(
  {
    name: Type.Optional(Name),
    scopes: Type.Optional(Scopes),
    wallets: Type.Optional(nullable(Wallets)),
    addresses: Type.Optional(nullable(Addresses)),
    expires_at: Type.Optional(nullable(TimestampIn('When it ends'))),
    metadata: Type.Optional(Metadata),
  },
  { examples: [{ name: 'shop front', addresses: null }] },
)
export type KeyChangeBody = Static<typeof KeyChange>

const Fields = {
  id: Id('key', 'Id of the key; `api:<id>` in the audit trail'),
  name: Type.String(),
  mode: words(['dev', 'test', 'live'], 'Which networks it is for'),
  scopes: Type.Array(words(SCOPES)),
  wallets: nullable(Type.Array(Type.String())),
  addresses: nullable(Type.Array(Type.String())),
  hint: Type.String({ description: 'The last four characters of the token' }),
  metadata: Metadata,
  created_at: Timestamp('When it was made'),
  created_by: Type.String(),
  expires_at: nullable(Timestamp('When it ends')),
  revoked_at: nullable(Timestamp('When it was revoked')),
  last_used_at: nullable(Timestamp('When it was used last, to the minute')),
  last_used_from: nullable(Type.String({ description: 'The address it was used from last' })),
}
export const KeySchema = named('Key', object(Fields))
export const CreatedKeySchema = named(
  'CreatedKey',
  object(
    {
      ...Fields,
      token: nullable(
        Type.String({
          description:
            'The key itself. Shown once: only its hash is kept. Null in a repeated answer',
        }),
      ),
    },
    { description: 'A key as it is answered when it is made' },
  ),
)
export type KeyJson = Static<typeof KeySchema>
export type CreatedKeyJson = Static<typeof CreatedKeySchema>
export const KeyList = listOf(KeySchema)
export const KeyQuery = object({ limit: Limit, after: after('^key_[\\w-]{1,160}$') })
export const KeyPath = object({ key: Id('key', 'Id of the key') })

export const SelfSchema = named(
  'Self',
  object(
    {
      actor: Type.String({ description: 'How the caller stands in the audit trail' }),
      key: nullable(Id('key', 'The key that was used')),
      scopes: Type.Array(words(SCOPES)),
      wallets: nullable(Type.Array(Type.String(), { description: 'Null: all' })),
      mode: words(['dev', 'test', 'live']),
      network: Type.String(),
    },
    { description: 'Who the server takes the caller for' },
  ),
)
export type SelfJson = Static<typeof SelfSchema>
