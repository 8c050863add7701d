import { toHex, type WalletId } from '../../kernel/index.ts'
import { isRanged } from './derivation.ts'
import { lookaheadOf, windowEnd } from './policy.ts'
import type { ScriptPool } from './pool.ts'
import type { AddressRecord, KeychainRecord, WalletRecord, WalletRows } from './ports.ts'

/** A script that is watched from this transaction on. */
export type WatchedScript = Pick<AddressRecord, 'wallet' | 'branch' | 'index' | 'script'>

/** Rows of one statement: below the parameter limits of every database. */
const ROWS_PER_STATEMENT = 500

export interface WindowGrowth {
  readonly watchedTo: number
  readonly added: readonly AddressRecord[]
  /** The wallet that already watches the next script; the window ends before it. */
  readonly overlap?: WalletId
}

/**
 * Watches ahead: stores the scripts up to where the window of a keychain must end when `next` is its next index.
 * The caller holds the keychain's lock and saves `watchedTo` in the same transaction (I15).
 */
export async function growWindow(
  tx: { readonly wallet: WalletRows },
  wallet: WalletRecord,
  keychain: KeychainRecord,
  next: number,
  pool: ScriptPool,
): Promise<WindowGrowth> {
  const end = isRanged(wallet.descriptor)
    ? windowEnd(keychain.watchedTo, next, lookaheadOf(wallet, keychain.branch))
    : keychain.watchedTo
  if (end === keychain.watchedTo) return { watchedTo: end, added: [] }
  const derived = pool.take(wallet, keychain.branch, keychain.watchedTo, end)
  const rows = derived.map(({ script, address }, offset) =>
    watchedRow(wallet.id, keychain.branch, keychain.watchedTo + offset, script, address),
  )
  const taken = await firstTaken(tx.wallet, rows)
  const fresh = taken ? rows.slice(0, taken.at) : rows
  await insertRows(tx.wallet, fresh)
  return {
    watchedTo: keychain.watchedTo + fresh.length,
    added: fresh,
    ...(taken ? { overlap: taken.by } : {}),
  }
}

export const watchedRow = (
  wallet: WalletId,
  branch: number,
  index: number,
  script: Uint8Array,
  address: string,
): AddressRecord => ({ wallet, branch, index, script, address, state: 'watched', shown: false })

/** Position of the first row whose script a wallet has already, and that wallet. */
export async function firstTaken(
  rows: WalletRows,
  wanted: readonly AddressRecord[],
): Promise<{ readonly at: number; readonly by: WalletId } | undefined> {
  for (let from = 0; from < wanted.length; from += ROWS_PER_STATEMENT) {
    const part = wanted.slice(from, from + ROWS_PER_STATEMENT)
    const existing = await rows.addressesByScripts(part.map((row) => row.script))
    if (existing.length === 0) continue
    const owners = new Map(existing.map((row) => [toHex(row.script), row.wallet]))
    for (const [offset, row] of part.entries()) {
      const by = owners.get(toHex(row.script))
      if (by !== undefined) return { at: from + offset, by }
    }
  }
  return undefined
}

export async function insertRows(
  rows: WalletRows,
  addresses: readonly AddressRecord[],
): Promise<void> {
  for (let from = 0; from < addresses.length; from += ROWS_PER_STATEMENT)
    await rows.insertAddresses(addresses.slice(from, from + ROWS_PER_STATEMENT))
}
