import type { WalletId } from '../../kernel/index.ts'

/** What a key may do: the area, and whether it may change something there. `admin` is all of it. */
export type Scope =
  | 'wallets:read'
  | 'wallets:write'
  | 'orders:read'
  | 'orders:write'
  | 'payments:read'
  | 'withdrawals:read'
  | 'withdrawals:write'
  | 'withdrawals:approve'
  | 'psbts:read'
  | 'psbts:sign'
  | 'policies:read'
  | 'policies:write'
  | 'chain:read'
  | 'events:read'
  | 'webhooks:read'
  | 'webhooks:write'
  | 'keys:read'
  | 'keys:write'
  | 'audit:read'
  | 'alerts:read'
  | 'alerts:write'
  | 'admin'

/** Which networks a key is for: `dev` regtest, `test` the public test networks, `live` real money. */
export type KeyMode = 'dev' | 'test' | 'live'

/** What a key opens. A missing limit limits nothing. */
export interface Grant {
  readonly scopes: readonly Scope[]
  /** Only these wallets, with their orders, payments, coins and events. */
  readonly wallets?: readonly WalletId[]
  /** Only from these addresses: `192.0.2.0/24`, `2001:db8::1`. */
  readonly addresses?: readonly string[]
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

/** An API key as it is kept: everything but the secret. */
export interface ApiKeyRecord extends Grant {
  /** `key_…`; stands as `api:<id>` in the audit trail. */
  readonly id: string
  readonly name: string
  readonly mode: KeyMode
  readonly metadata: Readonly<Record<string, string>>
  /** The last four characters of the token, by which people tell keys apart. */
  readonly hint: string
  /** SHA-256 of the whole token, 64 hex digits. For nobody's eyes: not in answers, events or logs. */
  readonly hash: string
  readonly createdAt: number
  /** Actor, as in the audit trail. */
  readonly createdBy: string
  readonly revokedAt?: number
  /** To the minute. */
  readonly lastUsedAt?: number
  readonly lastUsedFrom?: string
}

/** One use of a key, to be written down later. */
export interface KeyUse {
  readonly id: string
  readonly at: number
  readonly from?: string
}

/** Rows of this capability. */
export interface AccessRows {
  /** @throws EngineError STORE_CONFLICT when the id or the hash exists */
  insert(key: ApiKeyRecord): Promise<void>
  key(id: string): Promise<ApiKeyRecord | undefined>
  /** In any order. */
  byHashes(hashes: readonly string[]): Promise<readonly ApiKeyRecord[]>
  /** Writes what people change; the last use stays as it is stored. @throws AssertionError for an unknown id */
  save(key: ApiKeyRecord): Promise<void>
  /** Newest first; `before` is an id. */
  list(page: KeyPage): Promise<readonly ApiKeyRecord[]>
  /**
   * Of the keys that may do everything everywhere, beside `except`, that are not revoked and stand beyond `at`: until when
   * the most lasting one does. Infinity for one that never expires; undefined when there is none.
   */
  adminUntil(at: number, except: string): Promise<number | undefined>
  /** Notes last uses; one older than what is stored changes nothing. */
  touch(uses: readonly KeyUse[]): Promise<void>
}
export interface KeyPage {
  readonly before?: string
  readonly limit: number
}
