import type {
  Account,
  AccountTotals,
  LedgerEntry,
  LedgerRows,
} from '../../capabilities/ledger/index.ts'
import { assert } from '../../kernel/index.ts'
import { compareText } from './order.ts'
import type { Session } from './session.ts'
import { Counter, firstOf, GroupIndex, SortedIndex, Table, UniqueIndex } from './table.ts'

export function ledgerTables() {
  const byKey = new UniqueIndex<LedgerEntry>('posting key', (row) => row.key)
  const byNumber = new SortedIndex<LedgerEntry>((row) => [row.number])
  const byAccount = new GroupIndex<LedgerEntry>((row) => [...new Set([row.debit, row.credit])])
  const byOrder = new GroupIndex<LedgerEntry>(({ order }) => (order === undefined ? [] : [order]))
  const byPayment = new GroupIndex<LedgerEntry>(({ payment }) =>
    payment === undefined ? [] : [payment],
  )
  const byPath = new SortedIndex<AccountTotals>((row) => [row.account])
  return {
    byKey,
    byNumber,
    byAccount,
    byOrder,
    byPayment,
    byPath,
    entries: new Table<LedgerEntry>('entries', (row) => String(row.number), [
      byKey,
      byNumber,
      byAccount,
      byOrder,
      byPayment,
    ]),
    totals: new Table<AccountTotals>('accounts', (row) => row.account, [byPath]),
    number: new Counter(),
  }
}

const nothing = (account: Account): AccountTotals => ({ account, debits: 0n, credits: 0n })
const plus = (a: AccountTotals, debits: bigint, credits: bigint): AccountTotals => ({
  account: a.account,
  debits: a.debits + debits,
  credits: a.credits + credits,
})

export function ledgerRows(tables: ReturnType<typeof ledgerTables>, session: Session): LedgerRows {
  const { entries, byKey, byNumber, byAccount, byOrder, byPayment, byPath, totals, number } = tables
  const move = (account: Account, debits: bigint, credits: bigint) =>
    totals.put(session, plus(totals.get(account) ?? nothing(account), debits, credits))
  return {
    post: async (at, postings) => {
      session.requireWriter()
      return postings.map((posting) => {
        assert(byKey.key(posting.key) === undefined, `posting ${posting.key} is booked already`)
        const entry: LedgerEntry = { ...posting, number: number.next(session), at }
        entries.put(session, entry)
        move(posting.debit, posting.amount, 0n)
        move(posting.credit, 0n, posting.amount)
        return entry
      })
    },
    totals: async (accounts) => accounts.map((account) => totals.get(account) ?? nothing(account)),
    accounts: async (prefix, after, limit) =>
      firstOf(
        totals.rows(byPath.ascending(after === undefined ? undefined : [after])),
        limit,
        (row) => row.account.startsWith(prefix),
      ),
    recount: async (prefix) => {
      const sums = new Map<Account, AccountTotals>()
      const add = (account: Account, debits: bigint, credits: bigint) => {
        if (!account.startsWith(prefix)) return
        sums.set(account, plus(sums.get(account) ?? nothing(account), debits, credits))
      }
      for (const { debit, credit, amount } of entries.all()) {
        add(debit, amount, 0n)
        add(credit, 0n, amount)
      }
      return [...sums.values()].sort((a, b) => compareText(a.account, b.account))
    },
    entries: async ({ account, order, payment, wallet, after = 0, limit }) => {
      const groups = [
        ...(account === undefined ? [] : [byAccount.keys(account)]),
        ...(order === undefined ? [] : [byOrder.keys(order)]),
        ...(payment === undefined ? [] : [byPayment.keys(payment)]),
      ]
      const [group] = groups
      const keys = group
        ? [...group].filter((key) => Number(key) > after).sort((a, b) => Number(a) - Number(b))
        : byNumber.ascending([after])
      return firstOf(
        entries.rows(keys),
        limit,
        (row) =>
          (account === undefined || row.debit === account || row.credit === account) &&
          (order === undefined || row.order === order) &&
          (payment === undefined || row.payment === payment) &&
          (wallet === undefined || row.wallet === wallet),
      )
    },
  }
}
