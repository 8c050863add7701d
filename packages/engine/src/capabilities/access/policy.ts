import type { Network, WalletId } from '../../kernel/index.ts'
import { type IpRange, isInside, parseIp, parseIpRange } from '../../protocol/ip/index.ts'
import type { ApiKeyRecord, Grant, KeyMode, Scope } from './ports.ts'

/** Every scope, in the order in which records hold them. */
export const SCOPES = [
  'wallets:read',
  'wallets:write',
  'orders:read',
  'orders:write',
  'payments:read',
  'withdrawals:read',
  'withdrawals:write',
  'withdrawals:approve',
  'psbts:read',
  'psbts:sign',
  'policies:read',
  'policies:write',
  'chain:read',
  'events:read',
  'webhooks:read',
  'webhooks:write',
  'keys:read',
  'keys:write',
  'audit:read',
  'alerts:read',
  'alerts:write',
  'admin',
] as const satisfies readonly Scope[]
export const isScope = (value: unknown): value is Scope =>
  (SCOPES as readonly unknown[]).includes(value)

export const modeOf = (network: Network): KeyMode => {
  if (network === 'main') return 'live'
  return network === 'regtest' ? 'dev' : 'test'
}

/** True when the key may do what asks for `scope`. */
export const allows = ({ scopes }: Pick<Grant, 'scopes'>, scope: Scope): boolean =>
  scopes.includes('admin') || scopes.includes(scope)

/** True when the key may know of this wallet and of all that belongs to it. */
export const seesWallet = ({ wallets }: Pick<Grant, 'wallets'>, wallet: string): boolean =>
  wallets === undefined || wallets.includes(wallet as WalletId)

/** True when one of the ranges holds the address. An address that cannot be read is in none. */
export function isAddressAllowed({ addresses }: Pick<Grant, 'addresses'>, from: string): boolean {
  if (addresses === undefined) return true
  const address = parseIp(from)
  if (!address) return false
  return addresses.some((text) => {
    const range = parseIpRange(text)
    return range !== undefined && isInside(address, range)
  })
}

const covers = (outer: IpRange, inner: IpRange): boolean =>
  inner.bits >= outer.bits && isInside(inner.base, outer)

function coversAddresses(outer: readonly string[], inner: readonly string[]): boolean {
  const ranges = outer.flatMap((text) => parseIpRange(text) ?? [])
  return inner.every((text) => {
    const range = parseIpRange(text)
    return range !== undefined && ranges.some((wide) => covers(wide, range))
  })
}

/** The field in which `gift` is wider than what `giver` has itself; undefined when it may be given. */
export function grantFault(
  giver: Grant,
  gift: Grant,
): 'scopes' | 'wallets' | 'addresses' | 'expires_at' | undefined {
  if (!gift.scopes.every((scope) => allows(giver, scope))) return 'scopes'
  if (giver.wallets && !gift.wallets?.every((wallet) => seesWallet(giver, wallet))) return 'wallets'
  if (giver.addresses && !(gift.addresses && coversAddresses(giver.addresses, gift.addresses)))
    return 'addresses'
  const { expiresAt } = giver
  if (expiresAt !== undefined && !(gift.expiresAt !== undefined && gift.expiresAt <= expiresAt))
    return 'expires_at'
  return undefined
}

/** A key gives only what it has: scopes, wallets, addresses and time. */
export const mayGrant = (giver: Grant, gift: Grant): boolean =>
  grantFault(giver, gift) === undefined

/** Until when the key may do everything everywhere: Infinity for ever, undefined when it may not. Milliseconds since the epoch. */
export const adminUntilOf = (
  key: Pick<ApiKeyRecord, 'scopes' | 'wallets' | 'expiresAt' | 'revokedAt'>,
): number | undefined =>
  key.scopes.includes('admin') && key.wallets === undefined && key.revokedAt === undefined
    ? (key.expiresAt ?? Number.POSITIVE_INFINITY)
    : undefined

/**
 * True when a change would leave nobody who may do everything: now, or one day because only keys that expire are left.
 * @param others until when the most lasting other admin key stands
 */
export function losesLastAdmin(
  before: ApiKeyRecord,
  after: ApiKeyRecord,
  others: number | undefined,
  at: number,
): boolean {
  const standing = (key: ApiKeyRecord) => {
    const until = adminUntilOf(key) ?? 0
    return Math.max(until > at ? until : 0, others ?? 0)
  }
  const [was, is] = [standing(before), standing(after)]
  if (was === 0) return false
  return is === 0 || (!Number.isFinite(was) && Number.isFinite(is))
}
