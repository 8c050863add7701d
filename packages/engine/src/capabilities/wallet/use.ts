import type { WalletId } from '../../kernel/index.ts'
import { noteGap, noteOverlap } from './gap.ts'
import { advanceReach, type GapReport } from './policy.ts'
import { createScriptPool, type ScriptPool } from './pool.ts'
import type { AddressRecord, KeychainRecord, WalletRecord, WalletRows } from './ports.ts'
import type { AddressTx } from './reveal.ts'
import { growWindow, type WatchedScript } from './window.ts'

export interface UseReport {
  /** Scripts that are watched from this commit on: a block with payments to them may be this very one, scan it again. */
  readonly watched: readonly WatchedScript[]
  readonly gaps: readonly (GapReport & { readonly wallet: WalletId })[]
}

/**
 * Records that addresses received a payment, in the transaction that records the payment. Repeating it changes nothing.
 *
 * An index that nobody was given here, but somebody paid, was handed out elsewhere from the same keys: everything up to
 * it is skipped from now on. The window grows beyond it, and the gap is measured anew.
 *
 * @param addresses as this transaction read them
 * @param at milliseconds since the epoch
 */
export async function markUsed(
  tx: AddressTx,
  addresses: readonly AddressRecord[],
  at: number,
  pool: ScriptPool = createScriptPool(),
): Promise<UseReport> {
  const unused = addresses.filter(isUnused)
  if (unused.length === 0) return { watched: [], gaps: [] }
  const report: { watched: WatchedScript[]; gaps: UseReport['gaps'][number][] } = {
    watched: [],
    gaps: [],
  }
  // All keychains before anything else: what is inserted below takes locks that a reveal takes after its keychain.
  const groups = byKeychain(unused)
  const keychains: (KeychainRecord | undefined)[] = []
  for (const { wallet, branch } of groups)
    keychains.push(await tx.wallet.lockKeychain(wallet, branch))
  for (const [i, group] of groups.entries()) {
    const keychain = keychains[i]
    const wallet = await tx.wallet.wallet(group.wallet)
    if (!keychain || !wallet) continue
    // Read again under the lock: an address may have been handed out since.
    const rows = (await tx.wallet.addressesByScripts(group.scripts)).filter(isUnused)
    if (rows.length === 0) continue
    const { watched, gap } = await useOf(tx, at, wallet, keychain, rows, pool)
    report.watched.push(...watched)
    report.gaps.push({ ...gap, wallet: wallet.id })
  }
  return report
}

const isUnused = (row: AddressRecord): boolean => row.firstUsedAt === undefined

async function useOf(
  tx: AddressTx,
  at: number,
  wallet: WalletRecord,
  keychain: KeychainRecord,
  rows: readonly AddressRecord[],
  pool: ScriptPool,
) {
  await tx.wallet.saveAddresses(
    rows.map((row) => ({
      ...row,
      // Whoever paid has seen it: never again free, never handed out anew.
      state: 'revealed' as const,
      shown: true,
      revealedAt: row.revealedAt ?? at,
      firstUsedAt: at,
    })),
  )
  const used = rows.map((row) => row.index).sort((a, b) => a - b)
  const highest = used.at(-1) ?? -1
  const nextIndex = Math.max(keychain.nextIndex, highest + 1)
  const growth = await growWindow(tx, wallet, keychain, nextIndex, pool)
  await noteOverlap(tx, at, wallet, keychain.branch, growth)
  const after: KeychainRecord = {
    ...keychain,
    nextIndex,
    watchedTo: growth.watchedTo,
    lastUsed: Math.max(keychain.lastUsed, highest),
    reach: await reachAfter(tx.wallet, wallet, keychain, used),
  }
  await tx.wallet.saveKeychain(after)
  pool.note(after)
  return { watched: growth.added, gap: await noteGap(tx, at, wallet, keychain, after) }
}

/** The new reach; looks beyond the newly used indexes only where coins lay hidden behind a gap until now. */
async function reachAfter(
  rows: WalletRows,
  wallet: WalletRecord,
  keychain: KeychainRecord,
  used: readonly number[],
): Promise<number> {
  const { branch } = keychain
  const last = Math.max(keychain.lastUsed, used.at(-1) ?? -1)
  let reach = advanceReach(keychain.reach, used, wallet.gapLimit)
  while (reach < last) {
    const next = await rows.listAddresses({
      wallet: wallet.id,
      branch,
      ...(reach < 0 ? {} : { after: { wallet: wallet.id, branch, index: reach } }),
      limit: wallet.gapLimit,
    })
    const known = next.filter((row) => row.firstUsedAt !== undefined).map((row) => row.index)
    const further = advanceReach(reach, known, wallet.gapLimit)
    if (further === reach) break
    reach = further
  }
  return reach
}

/** Groups in lock order: by wallet, then branch. */
function byKeychain(rows: readonly AddressRecord[]) {
  const groups = new Map<string, { wallet: WalletId; branch: number; scripts: Uint8Array[] }>()
  for (const row of rows) {
    const key = `${row.wallet}/${row.branch}`
    const group = groups.get(key)
    if (group) group.scripts.push(row.script)
    else groups.set(key, { wallet: row.wallet, branch: row.branch, scripts: [row.script] })
  }
  return [...groups.values()].sort((a, b) => compare(a.wallet, b.wallet) || a.branch - b.branch)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
