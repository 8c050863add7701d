import { satText, shortened } from './amount.ts'
import type { Books } from './model.ts'
import type { Paint } from './paint.ts'
import { renderTable } from './table.ts'

/** `owed/ord_…a1b2`: the kind of the account and enough of its owner. */
const accountName = (account: string): string => {
  const at = account.indexOf('/')
  return at < 0 ? account : `${account.slice(0, at + 1)}${shortened(account.slice(at + 1), 4, 4)}`
}
const signed = (amount: bigint): string => (amount < 0n ? `-${satText(-amount)}` : satText(amount))

/** Every account with both sides, and their sum, which is zero. */
export function renderAccounts(accounts: Books['accounts'], paint: Paint): string[] {
  const sum = accounts.reduce((total, { debits, credits }) => total + debits - credits, 0n)
  const rows = [
    ...accounts.map(({ account, debits, credits }) => ({
      name: accountName(account),
      debits: satText(debits),
      credits: satText(credits),
      balance: signed(debits - credits),
    })),
    { name: 'sum', debits: '', credits: '', balance: signed(sum) },
  ]
  return renderTable(
    [
      { title: 'account', cell: (row) => row.name },
      { title: 'debits', align: 'right', cell: (row) => row.debits },
      { title: 'credits', align: 'right', cell: (row) => row.credits },
      {
        title: 'balance',
        align: 'right',
        cell: (row) => row.balance,
        meaning: (row) => (row.name === 'sum' ? 'strong' : undefined),
      },
    ],
    rows,
    paint,
  )
}

const renderEntries = (entries: Books['entries'], paint: Paint): string[] =>
  renderTable(
    [
      { title: 'entry', align: 'right', cell: (row) => String(row.number) },
      {
        title: 'what',
        cell: (row) => row.kind,
        meaning: ({ kind }) =>
          kind === 'credit' ? 'good' : kind === 'reversal' ? 'bad' : undefined,
      },
      { title: 'amount', align: 'right', cell: (row) => satText(row.amount) },
      { title: 'from', cell: (row) => accountName(row.credit) },
      { title: 'to', cell: (row) => accountName(row.debit) },
    ],
    entries,
    paint,
  )

/** The books at the end: every account with both sides, every entry, and what was checked. */
export function renderBooks(books: Books, paint: Paint): string[] {
  const { accounts, entries } = books
  const sum = accounts.reduce((total, { debits, credits }) => total + debits - credits, 0n)
  const check = (passed: boolean, text: string) =>
    passed ? `${paint('good', '✓')} ${text}` : `${paint('bad', '✗')} ${text}`
  const head = shortened(books.auditHead, 8, 4)
  const lines = [
    ...renderAccounts(accounts, paint),
    '',
    ...renderEntries(entries, paint),
    '',
    check(sum === 0n, `the accounts add up to ${signed(sum)}`),
    check(books.verified, `every account was counted again from its ${entries.length} entries`),
    check(
      books.auditEntries > 0,
      `the audit trail verifies: ${books.auditEntries} entries, head ${head}`,
    ),
    check(
      books.drift === 0n,
      `${books.coins} coins held against the node: drift ${signed(books.drift)}`,
    ),
  ]
  return lines.map((line) => (line === '' ? '' : `  ${line}`))
}
