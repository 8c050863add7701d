import {
  isPrintable,
  metadataFault,
  ok,
  type Refusal,
  type Result,
  refuse,
  type WalletId,
} from '../../kernel/index.ts'
import { parseIpRange } from '../../protocol/ip/index.ts'
import { isScope, SCOPES } from './policy.ts'
import type { ApiKeyRecord, Grant, Scope } from './ports.ts'

/** What a caller asks for; a missing limit limits nothing. */
export interface KeyInput extends Omit<Grant, 'scopes'> {
  readonly name: string
  readonly scopes: readonly string[]
  readonly metadata?: Readonly<Record<string, string>>
}
/** What changes; null takes a limit away. */
export interface KeyChanges {
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly wallets?: readonly WalletId[] | null
  readonly addresses?: readonly string[] | null
  readonly expiresAt?: number | null
  readonly metadata?: Readonly<Record<string, string>>
}
/** The part of a record that people decide. */
export type KeySettings = Grant & Pick<ApiKeyRecord, 'name' | 'metadata'>
export type KeyInputRefusal = Refusal<'FIELD_INVALID'>

const MOST_NAME = 100
const MOST_ENTRIES = 100
const MOST_LIFE_MS = 10 * 366 * 24 * 60 * 60 * 1000

const invalid = (param: string, reason: string): Result<never, KeyInputRefusal> =>
  refuse('FIELD_INVALID', `${param} ${reason}`, { param })

function readScopes(scopes: readonly string[]): Result<readonly Scope[], KeyInputRefusal> {
  const unknown = scopes.find((scope) => !isScope(scope))
  if (unknown !== undefined)
    return refuse('FIELD_INVALID', `scopes may be ${SCOPES.join(', ')}`, { param: 'scopes' })
  const chosen = SCOPES.filter((scope) => scopes.includes(scope))
  return chosen.length > 0 ? ok(chosen) : invalid('scopes', 'must name at least one')
}

/** A limit is a list of something: an empty one would be a key that opens nothing. */
function readList<T extends string>(
  param: string,
  list: readonly T[] | undefined | null,
  what: string,
  isGood: (entry: T) => boolean,
): Result<readonly T[] | undefined, KeyInputRefusal> {
  if (list === undefined || list === null) return ok(undefined)
  const entries = [...new Set(list)]
  if (entries.length < 1 || entries.length > MOST_ENTRIES)
    return invalid(param, `must have 1 to ${MOST_ENTRIES} entries, or be left out`)
  return entries.every(isGood) ? ok(entries) : invalid(param, `must be ${what}`)
}

const isRange = (text: string): boolean =>
  typeof text === 'string' && parseIpRange(text) !== undefined
const isName = (text: string): boolean => typeof text === 'string' && isPrintable(text, 255)

/**
 * Everything that can be judged without the store, in the form in which it is kept: scopes in their order, no entry twice.
 * @param before what stands now: what is not named stays, and its expiry may have passed since it was accepted
 */
export function readSettings(
  input: KeyInput | KeyChanges,
  now: number,
  before?: KeySettings,
): Result<KeySettings, KeyInputRefusal> {
  const name = (input.name ?? before?.name ?? '').trim()
  if (!isPrintable(name, MOST_NAME))
    return invalid('name', `must have 1 to ${MOST_NAME} printable characters`)
  const scopes = readScopes(input.scopes ?? before?.scopes ?? [])
  if (!scopes.ok) return scopes
  const given = <K extends 'wallets' | 'addresses' | 'expiresAt'>(key: K) =>
    input[key] === undefined ? before?.[key] : input[key]
  const wallets = readList('wallets', given('wallets'), 'wallet ids', isName)
  if (!wallets.ok) return wallets
  const ranges = 'addresses or ranges such as 192.0.2.0/24 or 2001:db8::1'
  const addresses = readList('addresses', given('addresses'), ranges, isRange)
  if (!addresses.ok) return addresses
  const expiresAt = given('expiresAt') ?? undefined
  if (expiresAt !== undefined && expiresAt !== before?.expiresAt && !isExpiry(expiresAt, now))
    return invalid('expires_at', 'must lie in the future, ten years ahead at most')
  const metadata = input.metadata ?? before?.metadata ?? {}
  const fault = metadataFault(metadata)
  if (fault !== undefined) return refuse('FIELD_INVALID', fault, { param: 'metadata' })
  return ok({
    name,
    scopes: scopes.value,
    ...(wallets.value === undefined ? {} : { wallets: wallets.value }),
    ...(addresses.value === undefined ? {} : { addresses: addresses.value }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    metadata,
  })
}

const isExpiry = (at: number, now: number): boolean =>
  Number.isSafeInteger(at) && at > now && at <= now + MOST_LIFE_MS
