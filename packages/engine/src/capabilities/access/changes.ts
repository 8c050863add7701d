import { type Json, type Refusal, refuse } from '../../kernel/index.ts'
import { appendAudit } from '../audit/index.ts'
import { grantFault } from './policy.ts'
import type { ApiKeyRecord, Grant } from './ports.ts'
import type { AccessTx } from './transaction.ts'

export type ChangeRefusal = Refusal<
  | 'NOT_FOUND'
  | 'WALLET_NOT_FOUND'
  | 'KEY_REVOKED'
  | 'KEY_ALREADY_REVOKED'
  | 'KEY_GRANT_FORBIDDEN'
  | 'KEY_LAST_ADMIN'
>

const KEY_ACTOR = /^api:(.+)$/
export const isOperator = (actor: string): boolean => /^operator:./.test(actor)

const forbidden = (param: string | undefined, message: string) =>
  refuse('KEY_GRANT_FORBIDDEN', message, param === undefined ? {} : { param }).error

/**
 * Whether this actor may give `gift`. A key is read in the same transaction: one that was revoked or narrowed a moment ago
 * gives nothing that it no longer has.
 * @param isOwn the gift is the key that exists already, which is to be changed: then no field of the request is to blame
 */
export async function judgeGrant(
  tx: Pick<AccessTx, 'access'>,
  actor: string,
  gift: Grant,
  at: number,
  isOwn = false,
): Promise<Refusal<'KEY_GRANT_FORBIDDEN'> | undefined> {
  const id = KEY_ACTOR.exec(actor)?.[1]
  if (id === undefined) return undefined
  const giver = await tx.access.key(id)
  const stands = giver && giver.revokedAt === undefined && (giver.expiresAt ?? at + 1) > at
  if (!stands) return forbidden(undefined, 'a key that does not stand gives nothing')
  const fault = grantFault(giver, gift)
  if (fault === undefined) return undefined
  return isOwn
    ? forbidden(undefined, 'the key may do more than the one that wants to change it')
    : forbidden(fault, `${fault} go beyond what the key has that gives them`)
}

/** The first wallet that does not exist, as a refusal. */
export async function unknownWallet(
  tx: Pick<AccessTx, 'wallet'>,
  { wallets }: Grant,
): Promise<Refusal<'WALLET_NOT_FOUND'> | undefined> {
  if (wallets === undefined) return undefined
  const known = new Set((await tx.wallet.wallets()).map(({ id }) => id))
  const wallet = wallets.find((id) => !known.has(id))
  if (wallet === undefined) return undefined
  const more = { param: 'wallets', details: { wallet } }
  return refuse('WALLET_NOT_FOUND', 'no wallet has this id', more).error
}

const time = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString()

/** The key as events and audit entries show it: what it opens, and nothing of the secret. */
export const keySnapshot = (key: ApiKeyRecord): Record<string, Json> => ({
  key: key.id,
  name: key.name,
  mode: key.mode,
  scopes: key.scopes,
  wallets: key.wallets ?? null,
  addresses: key.addresses ?? null,
  expires_at: time(key.expiresAt),
  revoked_at: time(key.revokedAt),
})

const EVENTS = {
  'key.create': 'key.created',
  'key.update': 'key.updated',
  'key.revoke': 'key.revoked',
} as const

/** Audit entry and event of one change of a key. */
export async function writeDown(
  tx: Pick<AccessTx, 'audit' | 'events'>,
  at: number,
  actor: string,
  action: keyof typeof EVENTS,
  key: ApiKeyRecord,
  more: Readonly<Record<string, Json>> = {},
): Promise<void> {
  const data = { ...keySnapshot(key), ...more }
  await appendAudit(tx, at, [{ actor, action, subject: key.id, details: data }])
  await tx.events.append(at, [{ type: EVENTS[action], subject: key.id, data }])
}
