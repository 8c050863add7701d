import type { ApiKeyRecord, KeyMode } from '@kaccy/bitcoin/access'
import type { Network } from '@kaccy/bitcoin/kernel'
import type { Principal } from '../principal.ts'
import type { CreatedKeyJson, KeyJson, SelfJson } from '../schemas/keys.ts'
import { time, timeOrNull } from './basics.ts'

/** A key as the API shows it: never its token or its hash. */
export const keyJson = (key: ApiKeyRecord): KeyJson => ({
  id: key.id,
  name: key.name,
  mode: key.mode,
  scopes: [...key.scopes],
  wallets: key.wallets ? [...key.wallets] : null,
  addresses: key.addresses ? [...key.addresses] : null,
  hint: key.hint,
  metadata: { ...key.metadata },
  created_at: time(key.createdAt),
  created_by: key.createdBy,
  expires_at: timeOrNull(key.expiresAt),
  revoked_at: timeOrNull(key.revokedAt),
  last_used_at: timeOrNull(key.lastUsedAt),
  last_used_from: key.lastUsedFrom ?? null,
})

/** @param token undefined where it must not be kept, or is not known any more */
export const createdKeyJson = (key: ApiKeyRecord, token?: string): CreatedKeyJson => ({
  ...keyJson(key),
  token: token ?? null,
})

export const selfJson = (
  { actor, id, scopes, wallets }: Principal,
  mode: KeyMode,
  network: Network,
): SelfJson => ({
  actor,
  key: id.startsWith('key_') ? id : null,
  scopes: [...scopes],
  wallets: wallets ? [...wallets] : null,
  mode,
  network,
})
