import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { dayOf, sat, type WalletId } from '../../kernel/index.ts'
import {
  applyToDay,
  type DayChange,
  type DayMove,
  emptyDay,
  recordDays,
  withdrawalDays,
} from './index.ts'

const KEY = { day: '2027-03-28', wallet: 'wal_1' as WalletId, customer: '' }
const apply = (...moves: readonly DayMove[]) => moves.reduce(applyToDay, emptyDay(KEY))

test('everything that happens to a withdrawal moves the sums of its day', () => {
  const amount = sat(100n)
  expect(apply({ kind: 'requested', amount }, { kind: 'requested', amount })).toMatchObject({
    requested: 2,
    requestedSat: 200n,
  })
  expect(apply({ kind: 'settled', amount })).toMatchObject({ settled: 1, settledSat: 100n })
  expect(apply({ kind: 'settled', amount }, { kind: 'unsettled', amount })).toEqual(emptyDay(KEY))
  expect(apply({ kind: 'reversed', amount })).toMatchObject({ reversed: 1, reversedSat: 100n })
  const fee = (before: bigint, after: bigint): DayMove => ({
    kind: 'fee',
    before: sat(before),
    after: sat(after),
  })
  expect(apply(fee(0n, 10n), fee(10n, 25n), fee(25n, 20n)).feesSat).toBe(20n)
  expect(apply({ kind: 'confirmed', ms: 600 }, { kind: 'confirmed', ms: 400 })).toMatchObject({
    confirmed: 2,
    confirmMs: 1000,
  })
  expect(apply({ kind: 'confirmed', ms: 600 }, { kind: 'unconfirmed', ms: 600 })).toEqual(
    emptyDay(KEY),
  )
})

test('the sums of all days are those of a recount', async () => {
  const change = fc.record({
    wallet: fc.constantFrom('wal_1' as WalletId, 'wal_2' as WalletId),
    customer: fc.constantFrom('', 'a', 'b'),
    requestedAt: fc.integer({ min: 1_800_000_000_000, max: 1_800_000_000_000 + 3 * 86_400_000 }),
    move: fc.oneof(
      fc.record({
        kind: fc.constantFrom('requested' as const, 'settled' as const, 'reversed' as const),
        amount: fc.bigInt(0n, 1000n).map(sat),
      }),
      fc.record({ kind: fc.constant('confirmed' as const), ms: fc.nat({ max: 1000 }) }),
    ),
  }) satisfies fc.Arbitrary<DayChange>
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 8 }),
      async (commits) => {
        const store = createMemoryStore()
        for (const changes of commits) await store.transact((tx) => recordDays(tx, changes))
        const all = commits.flat()
        const pages: Awaited<ReturnType<typeof withdrawalDays>>[number][] = []
        for (;;) {
          const before = pages.at(-1)
          const page = await store.read((tx) =>
            withdrawalDays(tx, { limit: 3, ...(before ? { before } : {}) }),
          )
          pages.push(...page)
          if (page.length < 3) break
        }
        const keys = new Set(
          all.map((one) => [dayOf(one.requestedAt), one.wallet, one.customer].join()),
        )
        expect(pages.map(({ day, wallet, customer }) => [day, wallet, customer].join())).toEqual(
          [...keys].sort().reverse(),
        )
        for (const row of pages) {
          const ours = all.filter(
            (one) =>
              dayOf(one.requestedAt) === row.day &&
              one.wallet === row.wallet &&
              one.customer === row.customer,
          )
          const of = (kind: string) =>
            ours.flatMap(({ move }) => (move.kind === kind ? [move] : []))
          const sum = (kind: string) =>
            of(kind).reduce((total, move) => total + ('amount' in move ? move.amount : 0n), 0n)
          expect([row.requested, row.requestedSat]).toEqual([
            of('requested').length,
            sum('requested'),
          ])
          expect([row.settled, row.settledSat]).toEqual([of('settled').length, sum('settled')])
          expect([row.reversed, row.reversedSat]).toEqual([of('reversed').length, sum('reversed')])
          expect(row.confirmed).toBe(of('confirmed').length)
        }
      },
    ),
    { numRuns: 50 },
  )
})
