import { toHex, tryFromHex } from '../chain/bytes.ts'
import { decodeTransaction } from '../chain/transaction.ts'
import { DevnetError, must } from '../failure.ts'
import type { Entry } from './entry.ts'
import type { Label, WalletHead, WalletState } from './wallet.ts'

/** All wallets of a devnet, loaded and not, as plain values. */
export interface WalletsState {
  readonly loaded: readonly WalletState[]
  readonly stored: readonly WalletState[]
  readonly created: number
}
/** One of many small texts that wallets are kept in, with its key: a transaction more is a row more. */
export type WalletRow = readonly [key: string, text: string]

const isTransaction = (value: unknown): value is { readonly raw: Uint8Array } =>
  typeof value === 'object' && value !== null && 'wtxid' in value && 'raw' in value
/** JSON with transactions in hex, amounts as `{ "sat": "1" }`, maps and sets as lists. */
export const keptText = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return { sat: part.toString() }
    if (part instanceof Map || part instanceof Set) return [...part]
    return isTransaction(part) ? toHex(part.raw) : part
  })

interface KeptEntry extends Omit<Entry, 'transaction' | 'notes' | 'mempoolConflicts'> {
  readonly transaction: string
  readonly notes: readonly (readonly [string, string])[]
  readonly mempoolConflicts: readonly string[]
}
function entryOf(value: unknown): Entry {
  const kept = value as KeptEntry
  const raw = must(tryFromHex(kept.transaction), 'a kept transaction is hex')
  return {
    ...kept,
    transaction: must(decodeTransaction(raw), 'a kept transaction decodes'),
    notes: new Map(kept.notes),
    mempoolConflicts: new Set(kept.mempoolConflicts),
  }
}
/** What `keptText` makes of it. */
type Kept<T extends WalletHead> = Omit<T, 'payRate'> & {
  readonly payRate: { readonly sat: string }
}
type KeptWallet = Kept<WalletState>
const payRateOf = ({ payRate }: Kept<WalletHead>): bigint => BigInt(payRate.sat)
const walletOf = (kept: KeptWallet): WalletState => ({
  ...kept,
  payRate: payRateOf(kept),
  entries: kept.entries.map(entryOf),
})
interface KeptWallets {
  readonly loaded: readonly KeptWallet[]
  readonly stored: readonly KeptWallet[]
  readonly created: number
}
/** The wallets of `keptText(state)`. @throws DevnetError DEVNET_USAGE on other text. */
export function parseState(text: string): WalletsState {
  try {
    const { loaded, stored, created } = JSON.parse(text) as KeptWallets
    return { loaded: loaded.map(walletOf), stored: stored.map(walletOf), created }
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault)
    throw new DevnetError('DEVNET_USAGE', `not the wallets of a devnet: ${reason}`)
  }
}

// --- rows -----------------------------------------------------------------------------------------
/** What wallets there are, in their order. */
export interface WalletsIndex {
  readonly loaded: readonly string[]
  readonly stored: readonly string[]
  readonly created: number
}
export const INDEX_KEY = 'index'
type RowKind = 'head' | 'label' | 'entry'
const keyOf = (wallet: string, kind: RowKind, id = ''): string => JSON.stringify([wallet, kind, id])
export const indexRow = (index: WalletsIndex): WalletRow => [INDEX_KEY, JSON.stringify(index)]
export const headRow = (head: WalletHead): WalletRow => [keyOf(head.name, 'head'), keptText(head)]
export const labelRow = (wallet: string, address: string, label: Label): WalletRow => [
  keyOf(wallet, 'label', address),
  JSON.stringify(label),
]
export const entryRow = (wallet: string, entry: Entry): WalletRow => [
  keyOf(wallet, 'entry', entry.transaction.txid),
  keptText(entry),
]
/** All rows of a wallet that is not loaded. */
export function rowsOf({ labels, entries, nextOrder: _, ...head }: WalletState): WalletRow[] {
  const { name } = head
  return [
    headRow(head),
    ...labels.map(([address, label]) => labelRow(name, address, label)),
    ...entries.map((entry) => entryRow(name, entry)),
  ]
}

interface Parts {
  head: WalletHead | undefined
  readonly labels: [string, Label][]
  readonly entries: Entry[]
}
/** The wallets that these rows are. @throws on rows that nobody wrote like this. */
export function stateOfRows(rows: ReadonlyMap<string, string>): WalletsState {
  const wallets = new Map<string, Parts>()
  for (const [key, text] of rows) {
    if (key === INDEX_KEY) continue
    const [name, kind, id]: [string, RowKind, string] = JSON.parse(key)
    const parts: Parts = wallets.get(name) ?? { head: undefined, labels: [], entries: [] }
    wallets.set(name, parts)
    const value: unknown = JSON.parse(text)
    if (kind === 'head') {
      const kept = value as Kept<WalletHead>
      parts.head = { ...kept, payRate: payRateOf(kept) }
    } else if (kind === 'label') parts.labels.push([id, value as Label])
    else parts.entries.push(entryOf(value))
  }
  const index: WalletsIndex = JSON.parse(must(rows.get(INDEX_KEY), 'wallets have an index'))
  const walletOf = (name: string): WalletState => {
    const { head, labels, entries } = must(wallets.get(name), 'a wallet has rows')
    entries.sort((a, b) => a.order - b.order)
    const nextOrder = (entries.at(-1)?.order ?? -1) + 1
    const { lastBlock, ...rest } = must(head, 'a wallet has a head')
    // In the order of `save`, so that the text of both is the same.
    return { ...rest, labels, entries, ...(lastBlock ? { lastBlock } : {}), nextOrder }
  }
  const { loaded, stored, created } = index
  return { loaded: loaded.map(walletOf), stored: stored.map(walletOf), created }
}
