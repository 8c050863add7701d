import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sat, type Txid, type WalletId, type WithdrawalId } from '../../kernel/index.ts'
import { overdraft } from '../ledger/index.ts'
import type { VersionRecord } from '../spending/index.ts'
import { bookChange } from './books.ts'
import type { FeePayer, WithdrawalRecord, WithdrawalStatus } from './ports.ts'
import { partsOf, splitFee } from './shares.ts'

const amounts = fc.array(fc.bigInt(0n, 50_000n), { minLength: 1, maxLength: 30 })

describe('shares of a fee', () => {
  test('sum to the whole where the ceilings hold it, and are as equal as they can be (W20)', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 200_000n), amounts, (fee, ceilings) => {
        const shares = splitFee(sat(fee), ceilings.map(sat))
        const room = ceilings.reduce((a, b) => a + b, 0n)
        expect(shares.reduce((a, b) => a + b, 0n)).toBe(fee < room ? fee : room)
        const free = shares.filter((share, i) => share < (ceilings[i] ?? 0n))
        for (const [i, share] of shares.entries()) {
          expect(share <= (ceilings[i] ?? 0n)).toBe(true)
          // Nobody gives more than one satoshi above somebody who could give more.
          for (const other of free) expect(share <= other + 1n).toBe(true)
        }
      }),
    )
  })
  test('go to nobody who is not in the transaction', () => {
    expect(splitFee(sat(10n), [])).toEqual([])
    expect(splitFee(sat(10n), [sat(3n), sat(9n), sat(9n)])).toEqual([3n, 4n, 3n])
    expect(splitFee(sat(10n), [sat(3n), sat(3n)])).toEqual([3n, 3n])
  })
})

const wdr = (n: number) => `wdr_${n}` as WithdrawalId
const script = Uint8Array.of(0, 20)
type Output = { readonly amount: bigint; readonly to?: readonly number[] }
const versionOf = (
  fee: bigint,
  outputs: readonly Output[],
): Pick<VersionRecord, 'transaction' | 'fee' | 'txid'> => ({
  txid: 'a'.repeat(64) as Txid,
  fee: sat(fee),
  transaction: {
    version: 2,
    lockTime: 0,
    inputs: [],
    outputs: outputs.map(({ amount, to }) => ({
      script,
      amount: sat(amount),
      role: to
        ? { kind: 'payment', withdrawals: to.map(wdr) }
        : { kind: 'change', branch: 1, index: 0 },
    })),
  },
})

test('each withdrawal of a transaction knows its output, what it gets and what it bears', () => {
  const one = (n: number, amount: bigint, feePayer: FeePayer = 'platform', maxFee = 1000n) => ({
    id: wdr(n),
    amount: sat(amount),
    feePayer,
    maxFee: sat(maxFee),
  })
  const version = versionOf(1001n, [
    { amount: 500n, to: [1] },
    { amount: 9n },
    { amount: 700n, to: [2, 3] },
  ])
  const parts = partsOf(version, [one(1, 500n), one(2, 300n, 'customer', 100n), one(3, 400n)])
  const txid = 'a'.repeat(64)
  expect(Object.fromEntries(parts)).toEqual({
    wdr_1: { output: { txid, vout: 0 }, paid: 500n, feeShare: 451n },
    wdr_2: { output: { txid, vout: 2 }, paid: 300n, feeShare: 100n },
    wdr_3: { output: { txid, vout: 2 }, paid: 400n, feeShare: 450n },
  })
  const short = versionOf(20n, [
    { amount: 490n, to: [1] },
    { amount: 690n, to: [2, 3] },
  ])
  const bearing = partsOf(short, [
    one(1, 500n, 'recipient'),
    one(2, 301n, 'recipient'),
    one(3, 400n, 'recipient'),
  ])
  expect([...bearing.values()].map(({ paid, feeShare }) => [paid, feeShare])).toEqual([
    [490n, 10n],
    [295n, 6n],
    [395n, 5n],
  ])
  expect(() =>
    partsOf(versionOf(1n, [{ amount: 501n, to: [1] }]), [one(1, 500n, 'recipient')]),
  ).toThrow()
})

const STATUSES: readonly WithdrawalStatus[] = [
  'requested',
  'approved',
  'rejected',
  'batched',
  'signing',
  'sending',
  'mined',
  'settled',
  'cancelled',
  'failed',
]
const walk = fc.record({
  payer: fc.constantFrom('platform', 'customer', 'recipient') as fc.Arbitrary<FeePayer>,
  customer: fc.boolean(),
  own: fc.constantFrom(undefined, 'wal_1', 'wal_2') as fc.Arbitrary<WalletId | undefined>,
  steps: fc.array(fc.tuple(fc.constantFrom(...STATUSES), fc.bigInt(0n, 900n)), { maxLength: 12 }),
})

test('whatever the statuses go through, the books say what the last one says, and nothing else', () => {
  fc.assert(
    fc.property(walk, ({ payer, customer, own, steps }) => {
      const isNamed = customer || payer === 'customer'
      const base = {
        id: wdr(1),
        wallet: 'wal_1' as WalletId,
        amount: sat(5000n),
        maxFee: sat(900n),
        feePayer: payer,
        posted: 0,
        ...(isNamed ? { customer: 'cus' } : {}),
      } as WithdrawalRecord
      const totals = new Map<string, { account: string; debits: bigint; credits: bigint }>()
      const keys = new Set<string>()
      let before: { record: WithdrawalRecord; own: WalletId | undefined } | undefined
      for (const [status, share] of [['requested', 0n] as const, ...steps]) {
        const paid = payer === 'recipient' ? 5000n - share : 5000n
        const next = {
          ...(before?.record ?? base),
          status,
          feeShare: sat(share),
          paid: sat(paid),
        } as WithdrawalRecord
        const { record, postings } = bookChange(before, { record: next, own })
        for (const { key, debit, credit, amount } of postings) {
          expect(keys.has(key)).toBe(false)
          keys.add(key)
          for (const account of [debit, credit])
            if (!totals.has(account)) totals.set(account, { account, debits: 0n, credits: 0n })
          const [d, c] = [totals.get(debit), totals.get(credit)]
          if (d) d.debits += amount
          if (c) c.credits += amount
        }
        before = { record, own }
        const balance = (account: string) => {
          const found = totals.get(account)
          return found ? found.credits - found.debits : 0n
        }
        const isHeld = ['requested', 'approved', 'batched', 'signing', 'sending', 'mined'].includes(
          status,
        )
        const hold = payer === 'customer' ? 5900n : 5000n
        const payerAccount = isNamed ? 'owed/cus' : 'house'
        const bears = payer === 'platform' ? 0n : share
        expect(balance('held/wdr_1')).toBe(isHeld ? hold : 0n)
        expect(overdraft({ account: 'held/wdr_1', debits: 0n, credits: 0n })).toBe(0n)
        const isPaid = status === 'settled'
        const out = isPaid ? paid : 0n
        const spent = own === undefined || own === 'wal_2' ? out : 0n
        expect(balance('spent/wal_1')).toBe(spent)
        expect(balance('spent/wal_2')).toBe(own === 'wal_2' ? -out : 0n)
        if (own !== undefined && isNamed) expect(balance(`unassigned/${own}`)).toBe(out)
        const taken = isHeld ? hold : isPaid ? paid + bears : 0n
        const returned = own !== undefined && !isNamed ? out : 0n
        const houseGets = isPaid ? bears : 0n
        if (isNamed) expect([balance(payerAccount), balance('house')]).toEqual([-taken, houseGets])
        else expect(balance('house')).toBe(houseGets + returned - taken)
      }
    }),
  )
})
