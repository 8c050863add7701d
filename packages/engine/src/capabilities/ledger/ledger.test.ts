import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { type OrderId, sat, type WalletId, type WithdrawalId } from '../../kernel/index.ts'
import {
  assertBooks,
  coinsAccount,
  expectedAccount,
  HOUSE,
  heldAccount,
  type LedgerRows,
  NETWORK_FEES,
  naturalSide,
  overdraft,
  owedAccount,
  type Posting,
  parseAccount,
  pendingAccount,
  spentAccount,
  unassignedAccount,
  verifyBooks,
  walletBalance,
} from './index.ts'

const wallet = 'wal_1' as WalletId
const order = 'ord_1' as OrderId
let keys = 0
const post = (debit: string, credit: string, amount: bigint): Posting => ({
  key: `test/${keys++}`,
  kind: 'credit',
  debit,
  credit,
  amount: sat(amount),
  wallet,
})
const credit = (amount: bigint) => post(coinsAccount(wallet), owedAccount('cus_1'), amount)

describe('account names', () => {
  test.each([
    [coinsAccount(wallet), 'coins/wal_1', 'debit'],
    [pendingAccount(wallet), 'pending/wal_1', 'debit'],
    [expectedAccount(order), 'expected/ord_1', 'credit'],
    [expectedAccount(wallet), 'expected/wal_1', 'credit'],
    [owedAccount('a/b c'), 'owed/a/b c', 'credit'],
    [unassignedAccount(wallet), 'unassigned/wal_1', 'credit'],
    [spentAccount(wallet), 'spent/wal_1', undefined],
    [heldAccount('wdr_1' as WithdrawalId), 'held/wdr_1', 'credit'],
    [NETWORK_FEES, 'fees/network', 'debit'],
  ])('%s', (account, text, side) => {
    expect(account).toBe(text)
    expect(naturalSide(account)).toBe(side)
    expect(parseAccount(account)).toEqual({
      kind: text.slice(0, text.indexOf('/')),
      owner: text.slice(text.indexOf('/') + 1),
    })
  })
  test.each(['', 'coins', 'coins/', 'keld/x', 'Coins/x', '/x', 'house/', 'house/x'])(
    '%j is none',
    (text) => {
      expect(parseAccount(text)).toBeUndefined()
    },
  )
  test('the house has no owner and no natural side', () => {
    expect(parseAccount(HOUSE)).toEqual({ kind: 'house', owner: '' })
    expect(naturalSide(HOUSE)).toBeUndefined()
  })
})

describe('the books', () => {
  test('an overdraft is counted on the natural side', () => {
    expect(overdraft({ account: 'coins/w', debits: 1n, credits: 3n })).toBe(2n)
    expect(overdraft({ account: 'coins/w', debits: 3n, credits: 1n })).toBe(0n)
    expect(overdraft({ account: 'owed/c', debits: 3n, credits: 1n })).toBe(2n)
    expect(overdraft({ account: 'owed/c', debits: 1n, credits: 3n })).toBe(0n)
    expect(overdraft({ account: 'spent/w', debits: 1n, credits: 3n })).toBe(0n)
  })

  test('I7: a transaction that would take an account below zero is not committed', async () => {
    const store = createMemoryStore()
    const commit = (posting: Posting) =>
      store.transact(async (tx) => {
        await tx.ledger.post(1, [posting])
        await assertBooks(tx, [posting.debit, posting.credit])
      })
    await commit(credit(100n))
    await commit(post(owedAccount('cus_1'), coinsAccount(wallet), 60n))
    await expect(commit(post(owedAccount('cus_1'), coinsAccount(wallet), 41n))).rejects.toThrow(
      'I7: account owed/cus_1 would be 1 sat below zero',
    )
    expect(await verifyBooks(store)).toEqual({ ok: true, accounts: 2, differences: [] })
  })

  test('a wallet shows its layers', async () => {
    const store = createMemoryStore()
    await store.transact((tx) =>
      tx.ledger.post(1, [
        post(pendingAccount(wallet), expectedAccount(order), 7n),
        credit(100n),
        post(coinsAccount(wallet), unassignedAccount(wallet), 20n),
        post(spentAccount(wallet), coinsAccount(wallet), 30n),
      ]),
    )
    expect(await store.read((tx) => walletBalance(tx, wallet))).toEqual({
      coins: 90n,
      pending: 7n,
      unassigned: 20n,
      spent: 30n,
    })
    const none = await store.read((tx) => walletBalance(tx, 'wal_9' as WalletId))
    expect(none).toEqual({ coins: 0n, pending: 0n, unassigned: 0n, spent: 0n })
  })

  test('I8: a recount names every total that drifted, to the satoshi', async () => {
    const store = createMemoryStore()
    await store.transact((tx) => tx.ledger.post(1, [credit(100n)]))
    const drifted = {
      ...store,
      read: <T>(work: (tx: { readonly ledger: LedgerRows }) => Promise<T>) =>
        store.read((tx) =>
          work({
            ledger: {
              ...tx.ledger,
              accounts: async (...args) =>
                (await tx.ledger.accounts(...args)).map((totals) =>
                  totals.account === 'owed/cus_1' ? { ...totals, credits: 99n } : totals,
                ),
            },
          }),
        ),
    }
    expect((await verifyBooks(drifted)).differences).toEqual([
      { kind: 'total_differs', account: 'owed/cus_1', side: 'credits', kept: 99n, counted: 100n },
    ])
  })

  test('a recount finds what is below zero and what does not balance', async () => {
    const totals = [
      { account: 'coins/w', debits: 1n, credits: 2n },
      { account: 'owed/c', debits: 0n, credits: 5n },
    ]
    const ledger = {
      accounts: async () => totals,
      recount: async () => totals,
    } as Partial<LedgerRows> as LedgerRows
    const store = {
      transact: <T>(work: (tx: { ledger: LedgerRows }) => Promise<T>) => work({ ledger }),
      read: <T>(work: (tx: { ledger: LedgerRows }) => Promise<T>) => work({ ledger }),
    }
    expect((await verifyBooks(store)).differences).toEqual([
      { kind: 'below_zero', account: 'coins/w', by: 1n },
      { kind: 'unbalanced', debits: 1n, credits: 7n },
    ])
  })

  test('I1, I8: whatever is posted, both sides stay equal and every running total is the sum of its entries', async () => {
    const accounts = ['coins/wal_1', 'owed/a', 'owed/b', 'spent/wal_1', 'expected/ord_1']
    const posting = fc.record({
      debit: fc.constantFrom(...accounts),
      credit: fc.constantFrom(...accounts),
      amount: fc.bigInt({ min: 0n, max: 2_100_000_000_000_000n }),
      fails: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(posting, { maxLength: 4 }), { maxLength: 8 }),
        async (commits) => {
          const store = createMemoryStore()
          for (const postings of commits)
            await store
              .transact(async (tx) => {
                await tx.ledger.post(
                  1,
                  postings.map(({ debit, credit, amount }) => post(debit, credit, amount)),
                )
                if (postings.some(({ fails }) => fails)) throw new RangeError('undo')
              })
              .catch(() => {})
          const { differences } = await verifyBooks(store)
          expect(differences.filter(({ kind }) => kind !== 'below_zero')).toEqual([])
        },
      ),
    )
  })
})
