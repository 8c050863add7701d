import { assert, type Transactor } from '../../kernel/index.ts'
import { naturalSide } from './accounts.ts'
import { debitBalance } from './balances.ts'
import type { Account, AccountTotals, LedgerRows, Posting } from './ports.ts'

const PAGE = 1000

/** How far an account is below zero on its natural side, in satoshi; 0n when it is not. */
export function overdraft(totals: AccountTotals): bigint {
  const side = naturalSide(totals.account)
  const balance = debitBalance(totals)
  if (side === 'debit' && balance < 0n) return -balance
  if (side === 'credit' && balance > 0n) return balance
  return 0n
}

/**
 * The accounts that these movements lower on their natural side: the others cannot be below zero because of them, and an
 * account that a reorganisation left there may always be paid into.
 */
export const loweredBy = (
  postings: readonly Pick<Posting, 'debit' | 'credit'>[],
): readonly Account[] => {
  const lowered = new Set<Account>()
  for (const { debit, credit } of postings) {
    if (naturalSide(debit) === 'credit') lowered.add(debit)
    if (naturalSide(credit) === 'debit') lowered.add(credit)
  }
  return [...lowered]
}

/** The accounts among these that are below zero on their natural side, with how far, in satoshi. */
export async function overdrawn(
  tx: { readonly ledger: LedgerRows },
  accounts: readonly Account[],
): Promise<readonly { readonly account: Account; readonly by: bigint }[]> {
  const totals = await tx.ledger.totals([...new Set(accounts)])
  return totals.flatMap((one) => {
    const by = overdraft(one)
    return by === 0n ? [] : [{ account: one.account, by }]
  })
}

/**
 * Holds the accounts that a transaction moved against I7, inside that transaction, so that nothing that breaks it is ever
 * committed. I1 holds by form: a posting has two sides of one amount.
 * @throws AssertionError naming the account that is below zero on its natural side.
 */
export async function assertBooks(
  tx: { readonly ledger: LedgerRows },
  accounts: readonly Account[],
): Promise<void> {
  for (const { account, by } of await overdrawn(tx, accounts))
    assert(false, `I7: account ${account} would be ${by} sat below zero`)
}

/** One thing that is wrong with the books, to the satoshi. */
export type BooksDifference = Readonly<
  | {
      kind: 'total_differs'
      account: Account
      side: 'debits' | 'credits'
      /** The running total, and what the entries add up to. */
      kept: bigint
      counted: bigint
    }
  | { kind: 'below_zero'; account: Account; by: bigint }
  | { kind: 'unbalanced'; debits: bigint; credits: bigint }
>
export interface BooksVerdict {
  readonly ok: boolean
  readonly accounts: number
  readonly differences: readonly BooksDifference[]
}

/**
 * Counts every account again from the entries and holds the running totals against it (I8), every account against zero
 * (I7) and all debits against all credits (I1). Reads everything in one snapshot: for a nightly check, not for a request.
 */
export function verifyBooks(
  store: Transactor<{ readonly ledger: LedgerRows }>,
): Promise<BooksVerdict> {
  return store.read(async ({ ledger }) => {
    const kept = await allTotals(ledger)
    const counted = new Map((await ledger.recount('')).map((totals) => [totals.account, totals]))
    const differences: BooksDifference[] = []
    let debits = 0n
    let credits = 0n
    for (const account of new Set([...kept.keys(), ...counted.keys()])) {
      const nothing = { account, debits: 0n, credits: 0n }
      const ours = kept.get(account) ?? nothing
      const theirs = counted.get(account) ?? nothing
      for (const side of ['debits', 'credits'] as const)
        if (ours[side] !== theirs[side])
          differences.push({
            kind: 'total_differs',
            account,
            side,
            kept: ours[side],
            counted: theirs[side],
          })
      const by = overdraft(theirs)
      if (by > 0n) differences.push({ kind: 'below_zero', account, by })
      debits += theirs.debits
      credits += theirs.credits
    }
    if (debits !== credits) differences.push({ kind: 'unbalanced', debits, credits })
    return { ok: differences.length === 0, accounts: counted.size, differences }
  })
}

async function allTotals(ledger: LedgerRows): Promise<ReadonlyMap<Account, AccountTotals>> {
  const all = new Map<Account, AccountTotals>()
  let after: Account | undefined
  for (;;) {
    const page = await ledger.accounts('', after, PAGE)
    for (const totals of page) all.set(totals.account, totals)
    after = page.at(-1)?.account
    if (page.length < PAGE) return all
  }
}
