import { sat } from '../../kernel/index.ts'
import { expect, test } from 'vitest'
import { withoutCulprit } from './batches.ts'
import type { WithdrawalRecord } from './ports.ts'

const asked = (...amounts: readonly number[]) =>
  amounts.map((amount) => ({ amount: sat(BigInt(amount)) }) as WithdrawalRecord)
const amountsOf = (rest: readonly WithdrawalRecord[]) => rest.map(({ amount }) => Number(amount))

test('what the coins cannot pay is left out at once, the largest first', () => {
  const members = asked(5, 50, 7, 40, 30)
  expect(amountsOf(withoutCulprit('FUNDS_INSUFFICIENT', members, 45n))).toEqual([5, 7, 30])
  // Enough but for the fee: only the largest one makes room.
  expect(amountsOf(withoutCulprit('FUNDS_INSUFFICIENT', members, 140n))).toEqual([5, 7, 40, 30])
  expect(withoutCulprit('FUNDS_INSUFFICIENT', members, 0n)).toEqual([])
})
