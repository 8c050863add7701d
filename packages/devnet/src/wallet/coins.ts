import type { TransactionOutput } from '../chain/transaction.ts'
import { FAMILY_LIMITS } from '../mempool/policy.ts'
import { spendingWeight } from '../sign/transaction.ts'
import type { Entry } from './entry.ts'
import type { Wallet } from './wallet.ts'

/** An unspent output of a wallet as a spender sees it. */
export interface WalletCoin {
  readonly key: string
  readonly txid: string
  readonly vout: number
  readonly output: TransactionOutput
  readonly entry: Entry
  readonly depth: number
  readonly safe: boolean
}
export interface CoinFilter {
  readonly minDepth?: number
  readonly maxDepth?: number
  readonly includeUnsafe?: boolean
  readonly includeImmature?: boolean
  readonly includeLocked?: boolean
  readonly minAmount?: bigint
  readonly maxAmount?: bigint
  /** Stops once this much is found. */
  readonly minSum?: bigint
  /** Stops at this many; 0 for no end. */
  readonly maxCount?: number
}
/** What the wallet can spend, oldest first. Source: Core's AvailableCoins. */
export function availableCoins(wallet: Wallet, filter: CoinFilter = {}): readonly WalletCoin[] {
  const { ledger } = wallet
  const { minDepth = 0, maxDepth = 9_999_999, minAmount = 0n, maxAmount } = filter
  const seen = new Map<string, boolean>()
  const coins: WalletCoin[] = []
  let sum = 0n
  for (const [key, { txid, vout }] of ledger.open) {
    const entry = ledger.entries.get(txid)
    const output = entry?.transaction.outputs[vout]
    if (!entry || !output) continue
    const depth = ledger.depth(entry)
    if (depth < 0 || depth < minDepth || depth > maxDepth) continue
    if (depth === 0 && entry.standing.kind !== 'mempool') continue
    if (!filter.includeImmature && ledger.isImmature(entry)) continue
    if (output.value < minAmount || (maxAmount !== undefined && output.value > maxAmount)) continue
    if (!filter.includeLocked && wallet.locks.has(key)) continue
    if (ledger.isSpent(key)) continue
    // Of two that replace each other only one will confirm: what builds on either may vanish.
    const replacing = entry.notes.has('replaces_txid') || entry.notes.has('replaced_by_txid')
    const safe = ledger.isTrusted(entry, seen) && !(depth === 0 && replacing)
    if (!safe && !filter.includeUnsafe) continue
    coins.push({ key, txid, vout, output, entry, depth, safe })
    sum += output.value
    if (filter.minSum !== undefined && sum >= filter.minSum) break
    if (filter.maxCount && coins.length >= filter.maxCount) break
  }
  return coins
}
/** Most weight that spending takes; undefined when the wallet cannot. */
export const coinWeight = (
  wallet: Wallet,
  output: TransactionOutput,
): ReturnType<typeof spendingWeight> => {
  const provider = wallet.providerOf(output.script)
  return provider && spendingWeight(output.script, provider)
}
/** True when a transaction on this unconfirmed coin would be one too many for the mempool. */
export function isTooDeep(wallet: Wallet, { txid, depth }: WalletCoin): boolean {
  if (depth > 0) return false
  const { pool } = wallet.host.regtest.mempool
  const own = pool.entries.get(txid)
  if (!own) return false
  if (own.withAncestors.count >= FAMILY_LIMITS.ancestors) return true
  return [txid, ...pool.ancestors(own.transaction)].some((member) => {
    const count = pool.entries.get(member)?.withDescendants.count ?? 0
    return count >= FAMILY_LIMITS.descendants
  })
}
export interface Balance {
  /** Satoshi each. */
  readonly trusted: bigint
  readonly pending: bigint
  readonly immature: bigint
}
/** Source: Core's GetBalance. */
export function balanceOf(wallet: Wallet, minDepth = 0): Balance {
  const { ledger } = wallet
  const seen = new Map<string, boolean>()
  let trusted = 0n
  let pending = 0n
  let immature = 0n
  for (const [key, { txid, vout }] of ledger.open) {
    const entry = ledger.entries.get(txid)
    const value = entry?.transaction.outputs[vout]?.value
    if (!entry || value === undefined) continue
    if (ledger.isImmature(entry)) {
      if (entry.standing.kind === 'confirmed') immature += value
      continue
    }
    if (ledger.isSpent(key)) continue
    const depth = ledger.depth(entry)
    if (ledger.isTrusted(entry, seen)) {
      if (depth >= minDepth) trusted += value
    } else if (depth === 0 && entry.standing.kind === 'mempool') pending += value
  }
  return { trusted, pending, immature }
}
