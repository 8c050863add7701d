import type { Signing } from './home/journal.ts'

export const DAY = 24 * 60 * 60 * 1000

/** Transactions of which at most one can be mined, because they all spend the coins in `common`. */
interface Group {
  common: Set<string>
  /** The most that one of them spends. */
  spent: number
}

/** What was signed lately, for limits and against replayed receipts. Built from the journal, and grows with it. */
export interface Counter {
  /** What a transaction would add to the day of its wallet: nothing twice, and for a replacement only what it spends more. */
  added(signing: Pick<Signing, 'wallet' | 'tx_hash' | 'coins' | 'spent_sat'>): number
  /** Satoshis counted in the 24 hours up to `now`. */
  day(wallet: string, now: number): number
  /** The transaction that this receipt was used for. */
  txOf(nonce: string): string | undefined
  count(signing: Signing): void
}

export function createCounter(records: readonly Signing[]): Counter {
  const groups = new Map<string, Group>()
  const transactions = new Set<string>()
  const receipts = new Map<string, string>()
  const days = new Map<string, Signing[]>()
  const keyOf = (wallet: string, coin: string) => `${wallet} ${coin}`

  const groupOf = (wallet: string, coins: readonly string[]): Group | undefined =>
    coins
      .flatMap((coin) => groups.get(keyOf(wallet, coin)) ?? [])
      .reduce<Group | undefined>(
        (best, next) => (best && best.spent >= next.spent ? best : next),
        undefined,
      )

  const count = (signing: Signing) => {
    const { wallet, coins, spent_sat: spent, tx_hash: hash, nonce } = signing
    receipts.set(nonce, hash)
    days.set(wallet, [...(days.get(wallet) ?? []), signing])
    if (transactions.has(keyOf(wallet, hash))) return
    transactions.add(keyOf(wallet, hash))
    const group = groupOf(wallet, coins)
    if (!group) {
      const made = { common: new Set(coins), spent }
      for (const coin of coins) groups.set(keyOf(wallet, coin), made)
      return
    }
    // Only what all of them have in common keeps more than one from being mined.
    for (const coin of group.common) {
      if (coins.includes(coin)) continue
      group.common.delete(coin)
      groups.delete(keyOf(wallet, coin))
    }
    group.spent = Math.max(group.spent, spent)
  }
  for (const record of records) count(record)

  return {
    added({ wallet, tx_hash: hash, coins, spent_sat: spent }) {
      if (transactions.has(keyOf(wallet, hash))) return 0
      return Math.max(0, spent - (groupOf(wallet, coins)?.spent ?? 0))
    },
    day(wallet, now) {
      const recent = (days.get(wallet) ?? []).filter(({ at }) => at > now - DAY)
      days.set(wallet, recent)
      return recent.reduce((sum, { counted_sat: counted }) => sum + counted, 0)
    },
    txOf: (nonce) => receipts.get(nonce),
    count,
  }
}
