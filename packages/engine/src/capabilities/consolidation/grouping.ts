import { feeFor, type Sat, type SatPerKvB, toHex, type Weight } from '../../kernel/index.ts'
import type { Coin } from '../coins/index.ts'
import type { GroupKind } from './ports.ts'

/** A coin, and whom its script was given to. */
export interface KnownCoin {
  readonly coin: Coin
  /** Of our own spending; a payment to an order or to nobody otherwise. */
  readonly isChange: boolean
  /** The order whose script it is. */
  readonly order?: { readonly customer?: string }
}
/** Coins that may be spent together without saying more about us than the policy lets be said. */
export interface CoinGroup {
  readonly kind: GroupKind
  /** Within its kind. */
  readonly key: string
  /** Smallest first. */
  readonly coins: readonly Coin[]
}

/** What tells strangers least comes first. */
const RANK: readonly GroupKind[] = ['script', 'change', 'unassigned', 'customer', 'mixed']

/**
 * The coins that payouts do not need: without the largest ones that make up `keep`, which serve a payout with the fewest inputs.
 * Nothing when all together do not make it up. Smallest first.
 */
export function spareCoins(coins: readonly Coin[], keep: bigint): readonly Coin[] {
  const ascending = coins.toSorted(bySize)
  let kept = 0n
  let count = ascending.length
  while (kept < keep) {
    const largest = ascending[count - 1]
    if (!largest) return []
    kept += largest.amount
    count -= 1
  }
  return ascending.slice(0, count)
}

/** Coins that are worth more than their own input costs now: others would only be burnt. */
export const worthSpending = (
  coins: readonly Coin[],
  rate: SatPerKvB,
  inputWeight: Weight,
): readonly Coin[] => coins.filter(({ amount }) => amount > feeFor(rate, inputWeight))

/** Coins up to this size; all of them without one. */
export const notAbove = (coins: readonly Coin[], largest: Sat | undefined): readonly Coin[] =>
  largest === undefined ? coins : coins.filter(({ amount }) => amount <= largest)

/**
 * Every group that a transaction may be made of, those that say least first, then the largest. Coins of one script are never told
 * apart: whoever spends one of them has said all that spending the others can say.
 */
export function groupsOf(
  coins: readonly KnownCoin[],
  { linksCustomers }: { readonly linksCustomers: boolean },
): readonly CoinGroup[] {
  const found = new Map<string, { kind: GroupKind; key: string; coins: Coin[] }>()
  const put = (kind: GroupKind, key: string, members: readonly Coin[]): void => {
    const place = `${kind}/${key}`
    const group = found.get(place) ?? { kind, key, coins: [] }
    for (const coin of members) group.coins.push(coin)
    found.set(place, group)
  }
  for (const [script, members] of Map.groupBy(coins, ({ coin }) => toHex(coin.script))) {
    const own = members.map(({ coin }) => coin)
    put('script', script, own)
    const wider = widerGroup(members)
    if (wider) put(wider.kind, wider.key, own)
    if (linksCustomers) put('mixed', '', own)
  }
  return [...found.values()]
    .map((group) => ({ ...group, coins: group.coins.toSorted(bySize) }))
    .sort(byRank)
}

/** With whom a script may be linked: an order binds it to its customer, whatever else was paid there. */
function widerGroup(
  members: readonly KnownCoin[],
): { readonly kind: GroupKind; readonly key: string } | undefined {
  const order = members.find((member) => member.order)?.order
  if (order)
    return order.customer === undefined ? undefined : { kind: 'customer', key: order.customer }
  const isChange = members.some((member) => member.isChange)
  return { kind: isChange ? 'change' : 'unassigned', key: '' }
}

/** The first group that has enough coins for a transaction, cut to the most that one may have. */
export function chooseGroup(
  groups: readonly CoinGroup[],
  { minInputs, most }: { readonly minInputs: number; readonly most: number },
): CoinGroup | undefined {
  if (most < minInputs) return undefined
  const group = groups.find(({ coins }) => coins.length >= minInputs)
  return group && { ...group, coins: group.coins.slice(0, most) }
}

/** By amount, then by outpoint, so that everybody chooses the same. */
function bySize(a: Coin, b: Coin): number {
  if (a.amount !== b.amount) return a.amount < b.amount ? -1 : 1
  if (a.point.txid !== b.point.txid) return a.point.txid < b.point.txid ? -1 : 1
  return a.point.vout - b.point.vout
}
function byRank(a: CoinGroup, b: CoinGroup): number {
  const rank = RANK.indexOf(a.kind) - RANK.indexOf(b.kind)
  if (rank !== 0) return rank
  return b.coins.length - a.coins.length || (a.key < b.key ? -1 : 1)
}
