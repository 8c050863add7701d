import {
  assert,
  type OutPoint,
  outPointKey,
  paymentId,
  type Sat,
  type WalletId,
} from '../../kernel/index.ts'
import { NETWORK_FEES, spentAccount } from './accounts.ts'
import type { LedgerEntry, LedgerRows, Posting } from './ports.ts'

/** A spend whose miners are paid for once at most: it is known by the coin that each of its transactions spends. */
export interface FeeOf {
  readonly wallet: WalletId
  readonly anchor: OutPoint
  /** What its buried transaction paid; undefined while none is buried, or after that one was reorganised away. */
  readonly fee: Sat | undefined
}

/**
 * Makes the books say what miners were paid by one spend: the entries that are missing for that, none when they say so
 * already. The caller holds the lock of the spend and posts them in the same transaction.
 */
export async function networkFeePostings(
  tx: { readonly ledger: LedgerRows },
  { wallet, anchor, fee }: FeeOf,
): Promise<readonly Posting[]> {
  const payment = paymentId(anchor)
  const entries = await tx.ledger.entries({ payment, account: NETWORK_FEES, limit: 1000 })
  const booked = liveFee(entries)
  if (booked === fee) return []
  const spent = spentAccount(wallet)
  const post = (kind: 'fee' | 'unfee', amount: Sat, more: number): Posting => ({
    key: `fee/${outPointKey(anchor)}/${entries.length + more}`,
    kind,
    ...(kind === 'fee'
      ? { debit: NETWORK_FEES, credit: spent }
      : { debit: spent, credit: NETWORK_FEES }),
    amount,
    wallet,
    payment,
  })
  const undone = booked === undefined ? [] : [post('unfee', booked, 1)]
  return fee === undefined ? undone : [...undone, post('fee', fee, 1 + undone.length)]
}

/** What the entries of one spend say in the end: a fee, and each counter entry undoes the one before it. */
function liveFee(entries: readonly LedgerEntry[]): Sat | undefined {
  let live: Sat | undefined
  for (const { kind, amount } of entries) {
    assert(kind === 'fee' ? live === undefined : live === amount, 'fee entries alternate')
    live = kind === 'fee' ? amount : undefined
  }
  return live
}
