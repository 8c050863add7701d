import {
  type Clock,
  type Entropy,
  type Network,
  newId,
  ok,
  type Refusal,
  type Result,
  refuse,
  Secret,
  type Sha256,
  shareRuns,
  type Transactor,
} from '../../kernel/index.ts'
import { againAfterConflict, doOnce, type Once, type OnceRefusal } from '../idempotency/index.ts'
import { type ChangeRefusal, isOperator, judgeGrant, unknownWallet, writeDown } from './changes.ts'
import {
  type KeyChanges,
  type KeyInput,
  type KeyInputRefusal,
  type KeySettings,
  readSettings,
} from './input.ts'
import { allows, isAddressAllowed, losesLastAdmin, modeOf } from './policy.ts'
import type { ApiKeyRecord, KeyMode, KeyPage, Scope } from './ports.ts'
import { hashOfToken, hintOf, isSameHash, modeOfToken, newToken } from './token.ts'
import type { AccessTx } from './transaction.ts'
import { createUses } from './uses.ts'

export interface AccessDeps {
  readonly store: Transactor<AccessTx>
  readonly clock: Clock
  readonly entropy: Entropy
  /** The one network of this engine: it says which keys may be used here. */
  readonly network: Network
  /** Portable code unless given. */
  readonly sha256?: Sha256
}
export type KeyRefusal = Refusal<
  'KEY_UNKNOWN' | 'KEY_EXPIRED' | 'KEY_REVOKED' | 'KEY_ADDRESS_FORBIDDEN' | 'KEY_MODE'
>
export interface CreatedKey {
  readonly key: ApiKeyRecord
  /** The whole token. Shown here and never again: only its hash is kept. */
  readonly secret: Secret<string>
}
export interface ForcedBy {
  /** Takes the last key that may do everything away all the same. Only an actor `operator:<name>` can. */
  readonly force?: boolean
}
type Changed = Promise<Result<ApiKeyRecord, KeyInputRefusal | ChangeRefusal>>

export interface Access {
  /** What keys of this engine say of themselves. */
  readonly mode: KeyMode
  /**
   * Makes a key. An actor `api:<key id>` can give only what that key has itself: scopes, wallets, addresses, time.
   * @param once its `answer` gets the record without the secret: a request that is sent again cannot show it again
   */
  create(
    input: KeyInput,
    actor: string,
    once?: Once<ApiKeyRecord>,
  ): Promise<Result<CreatedKey, KeyInputRefusal | ChangeRefusal | OnceRefusal>>
  get(id: string): Promise<ApiKeyRecord | undefined>
  /** Newest first, also those that expired or were revoked. */
  list(page: KeyPage): Promise<readonly ApiKeyRecord[]>
  /** Changes a key that is not revoked; works from the commit on, in every process. The same again changes nothing. */
  update(id: string, changes: KeyChanges, actor: string, by?: ForcedBy): Changed
  /** Ends a key for ever; works from the commit on, in every process. A second time changes nothing. */
  revoke(id: string, actor: string, by?: ForcedBy): Changed
  /**
   * The key behind a token, if it may be used from this address at this time (milliseconds since the epoch). Nothing is
   * cached, so that a revoked key ends everywhere at once; requests of one moment share a read. Notes the use for `touch`.
   */
  authenticate(
    token: string,
    address: string,
    at: number,
  ): Promise<Result<ApiKeyRecord, KeyRefusal>>
  allows(key: Pick<ApiKeyRecord, 'scopes'>, scope: Scope): boolean
  /** Writes last uses down, at most one a minute for each key: call it every few seconds, and at the end. Answers for how many keys. */
  touch(): Promise<number>
}

/** Requests that share one read at most. */
const SHARED = 64

export function createAccess(deps: AccessDeps): Access {
  const { store, network, sha256 } = deps
  const mode = modeOf(network)
  const uses = createUses(store)
  // A call joins a read that has not begun: it sees every change that was committed before it.
  const find = shareRuns(async (hashes: readonly string[]) => {
    const keys = await store.read((tx) => tx.access.byHashes(hashes))
    return hashes.map((hash) => keys.find((key) => isSameHash(key.hash, hash)))
  }, SHARED)
  return {
    mode,
    create: (input, actor, once) => createKey(deps, input, actor, once),
    get: (id) => store.read((tx) => tx.access.key(id)),
    list: (page) => store.read((tx) => tx.access.list(page)),
    update: (id, changes, actor, by) => updateKey(deps, id, changes, actor, by),
    revoke: (id, actor, by) => revokeKey(deps, id, actor, by),
    async authenticate(token, address, at) {
      const theirs = modeOfToken(token)
      if (theirs === undefined) return unknown()
      if (theirs !== mode)
        return refuse('KEY_MODE', `a ${theirs} key cannot be used here: this is ${mode}`, {
          details: { mode },
        })
      const hash = hashOfToken(token, sha256)
      const key = await find(hash)
      if (!key) return unknown()
      if (key.revokedAt !== undefined) return refuse('KEY_REVOKED', 'the API key was revoked')
      if (key.expiresAt !== undefined && key.expiresAt <= at)
        return refuse('KEY_EXPIRED', 'the API key has expired')
      if (!isAddressAllowed(key, address))
        return refuse('KEY_ADDRESS_FORBIDDEN', 'the API key may not be used from this address')
      uses.note(key, at, address)
      return ok(key)
    },
    allows,
    touch: () => uses.flush(),
  }
}

const unknown = () => refuse('KEY_UNKNOWN', 'the API key is not known')

async function createKey(
  { store, clock, entropy, network, sha256 }: AccessDeps,
  input: KeyInput,
  actor: string,
  once: Once<ApiKeyRecord> | undefined,
): ReturnType<Access['create']> {
  const at = clock.now()
  const settings = readSettings(input, at)
  if (!settings.ok) return settings
  const mode = modeOf(network)
  const token = newToken(mode, entropy)
  const key: ApiKeyRecord = {
    id: newId('key', clock, entropy),
    mode,
    ...settings.value,
    hint: hintOf(token),
    hash: hashOfToken(token, sha256),
    createdAt: at,
    createdBy: actor,
  }
  const made = await againAfterConflict(() =>
    store.transact((tx) =>
      doOnce<ApiKeyRecord, ChangeRefusal>(tx, once, at, async () => {
        // Every change of a key needs the head of the trail: taking it first lets one at a time decide.
        await tx.audit.lockHead()
        const no = (await judgeGrant(tx, actor, key, at)) ?? (await unknownWallet(tx, key))
        if (no) return { ok: false, error: no }
        await tx.access.insert(key)
        await writeDown(tx, at, actor, 'key.create', key)
        return ok(key)
      }),
    ),
  )
  return made.ok ? ok({ key: made.value, secret: new Secret(token) }) : made
}

/** Reads one key while nobody else can change any, and lets `work` decide. */
const change = <R extends Refusal>(
  { store, clock }: AccessDeps,
  id: string,
  work: (
    tx: AccessTx,
    key: ApiKeyRecord,
    at: number,
  ) => Promise<Result<ApiKeyRecord, R | ChangeRefusal>>,
): Promise<Result<ApiKeyRecord, R | ChangeRefusal>> =>
  store.transact(async (tx) => {
    await tx.audit.lockHead()
    const key = await tx.access.key(id)
    if (!key) return refuse('NOT_FOUND', `no key ${id}`, { param: 'id', details: { id } })
    return work(tx, key, clock.now())
  })

/** Refuses to take away the last key that may do everything, unless an operator insists. */
async function judgeLast(
  tx: AccessTx,
  before: ApiKeyRecord,
  after: ApiKeyRecord,
  at: number,
  isForced: boolean,
): Promise<Refusal<'KEY_LAST_ADMIN'> | undefined> {
  if (isForced) return undefined
  const others = await tx.access.adminUntil(at, before.id)
  if (!losesLastAdmin(before, after, others, at)) return undefined
  return refuse('KEY_LAST_ADMIN', 'no other key may do everything, now or for ever').error
}

const FIELDS: Readonly<Record<keyof KeySettings, string>> = {
  name: 'name',
  scopes: 'scopes',
  wallets: 'wallets',
  addresses: 'addresses',
  expiresAt: 'expires_at',
  metadata: 'metadata',
}
/** Names of the fields in which two keys differ, in the caller's words. */
const changedFields = (before: KeySettings, after: KeySettings): readonly string[] =>
  Object.entries(FIELDS)
    .filter(([field]) => {
      const text = (settings: KeySettings) => JSON.stringify(settings[field as keyof KeySettings])
      return text(before) !== text(after)
    })
    .map(([, name]) => name)

const updateKey = (
  deps: AccessDeps,
  id: string,
  changes: KeyChanges,
  actor: string,
  { force = false }: ForcedBy = {},
) =>
  change<KeyInputRefusal>(deps, id, async (tx, key, at) => {
    if (key.revokedAt !== undefined)
      return refuse('KEY_ALREADY_REVOKED', 'a revoked key stays as it is')
    const settings = readSettings(changes, at, key)
    if (!settings.ok) return settings
    const { wallets: _, addresses: __, expiresAt: ___, ...fixed } = key
    const next: ApiKeyRecord = { ...fixed, ...settings.value }
    const changed = changedFields(key, next)
    if (changed.length === 0) return ok(key)
    const isForced = force && isOperator(actor)
    const no =
      (await judgeGrant(tx, actor, key, at, true)) ??
      (await judgeGrant(tx, actor, next, at)) ??
      (changed.includes('wallets') ? await unknownWallet(tx, next) : undefined) ??
      (await judgeLast(tx, key, next, at, isForced))
    if (no) return { ok: false, error: no }
    await tx.access.save(next)
    await writeDown(tx, at, actor, 'key.update', next, { changed })
    return ok(next)
  })

const revokeKey = (deps: AccessDeps, id: string, actor: string, { force = false }: ForcedBy = {}) =>
  change<never>(deps, id, async (tx, key, at) => {
    if (key.revokedAt !== undefined) return ok(key)
    const next: ApiKeyRecord = { ...key, revokedAt: at }
    const isForced = force && isOperator(actor)
    const no =
      (await judgeGrant(tx, actor, key, at, true)) ?? (await judgeLast(tx, key, next, at, isForced))
    if (no) return { ok: false, error: no }
    await tx.access.save(next)
    await writeDown(tx, at, actor, 'key.revoke', next)
    return ok(next)
  })
