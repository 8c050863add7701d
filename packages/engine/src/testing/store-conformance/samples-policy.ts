import type { DayRecord } from '../../capabilities/analytics/index.ts'
import type { Reservation } from '../../capabilities/limits/index.ts'
import type {
  ApprovalTask,
  DecisionRecord,
  PolicyRecord,
  PolicySubject,
} from '../../capabilities/policy/index.ts'
import type { RiskProfile } from '../../capabilities/risk/index.ts'
import { sat, type WithdrawalId } from '../../kernel/index.ts'
import { digest, scriptOf, walletIdOf } from './samples.ts'

const T0 = 1_700_000_000_000
export const requestIdOf = (number: number) =>
  `wdr_${String(number).padStart(6, '0')}` as WithdrawalId

export const policySubjectOf = (
  number: number,
  more: Partial<PolicySubject> = {},
): PolicySubject => ({
  withdrawal: requestIdOf(number),
  wallet: walletIdOf(1),
  amount: sat(10_000n + BigInt(number)),
  maxFee: sat(1000n),
  address: `bcrt1q${number}`,
  script: scriptOf(number),
  initiator: 'api:key_1',
  at: T0 + number,
  metadata: { text: 'a "quoted" 🟧 text' },
  ...more,
})
export const profileOf = (number: number, more: Partial<RiskProfile> = {}): RiskProfile => ({
  subject: `user/${number}`,
  recent: [
    { withdrawal: requestIdOf(1), at: T0, amount: sat(5n) },
    { withdrawal: requestIdOf(2), at: T0 + 1, amount: sat(7n) },
  ],
  habit: {
    paid: 3,
    total: 2n ** 60n,
    largest: sat(2_100_000_000_000_000n),
    firstPaidAt: T0,
    hours: Array.from({ length: 24 }, (_, i) => i),
  },
  ...more,
})
export const decisionOf = (number: number, more: Partial<DecisionRecord> = {}): DecisionRecord => {
  const subject = more.subject ?? policySubjectOf(number)
  return {
    subject,
    facts: {
      at: subject.at,
      amount: subject.amount,
      profile: profileOf(number),
      paidToDestination: 2,
      lastHour: { amount: 2n ** 55n, count: 1 },
      lastDay: { amount: 7n, count: 3 },
    },
    verdict: {
      decision: 'hold',
      reasons: [
        { code: 'limit/day', effect: 'hold', message: 'over', details: { used_sat: 1, ok: true } },
      ],
      score: 40,
      policyVersion: 3,
      rule: 'large',
      approvals: { needed: 2, from: ['treasury'] },
      transactionApprovals: 1,
      digest: digest(number, 5),
    },
    number,
    state: 'reserved',
    ...more,
  }
}
export const policyOf = (version: number, more: Partial<PolicyRecord> = {}): PolicyRecord => ({
  version,
  status: 'draft',
  name: `Spring ${version} ☕`,
  document: `{"name":"Spring ${version} ☕"}`,
  digest: digest(version, 6),
  createdAt: T0 + version,
  createdBy: 'operator:ann',
  ...more,
})
export const taskOf = (number: number, more: Partial<ApprovalTask> = {}): ApprovalTask => ({
  subject: { kind: 'withdrawal', id: requestIdOf(number) },
  hash: digest(number, 5),
  requirements: [{ needed: 2, members: ['operator:ann', 'operator:bob'] }, { needed: 1 }],
  initiators: ['api:key_1'],
  at: T0 + number,
  ...more,
})
export const reservationOf = (number: number, more: Partial<Reservation> = {}): Reservation => ({
  withdrawal: requestIdOf(number),
  subjects: ['platform', 'user/1'],
  amount: sat(100n),
  at: T0 + number,
  ...more,
})
export const dayRecordOf = (day: string, number = 1): DayRecord => ({
  day,
  wallet: walletIdOf(number),
  customer: '',
  requested: 3,
  requestedSat: 2n ** 58n,
  settled: 2,
  settledSat: 20n,
  reversed: 1,
  reversedSat: 10n,
  feesSat: 5n,
  confirmed: 2,
  confirmMs: 1_200_000,
})
