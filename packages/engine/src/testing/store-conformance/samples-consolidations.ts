import type { ConsolidationRecord } from '../../capabilities/consolidation/index.ts'
import { type ConsolidationId, sat, satPerKvB } from '../../kernel/index.ts'
import { walletIdOf } from './samples.ts'
import { spendIdOf } from './samples-payouts.ts'

export const consolidationIdOf = (number: number) =>
  `cns_${String(number).padStart(6, '0')}` as ConsolidationId

export const consolidationOf = (
  number: number,
  more: Partial<ConsolidationRecord> = {},
): ConsolidationRecord => ({
  id: consolidationIdOf(number),
  wallet: walletIdOf(1),
  status: 'planned',
  trigger: 'request',
  group: 'customer',
  scripts: 30,
  inputs: 30,
  coins: 41,
  amount: sat(2_100_000_000_000_000n),
  fee: sat(2_082n),
  rate: satPerKvB(1_000n),
  longTermRate: satPerKvB(10_000n),
  saving: 17_638n,
  breakEvenRate: satPerKvB(9_471n),
  spend: spendIdOf(number),
  reachedAt: { planned: 5 },
  createdBy: 'operator:ann ☕',
  createdAt: number,
  updatedAt: number,
  ...more,
})
