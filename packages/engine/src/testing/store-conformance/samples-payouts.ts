import type { FreezeRecord, LeaseRecord } from '../../capabilities/coins/index.ts'
import type {
  PlannedInput,
  PlannedOutput,
  SpendRecord,
  VersionRecord,
} from '../../capabilities/spending/index.ts'
import type { WithdrawalRecord } from '../../capabilities/withdrawals/index.ts'
import {
  type OutPoint,
  type PsbtId,
  type SpendId,
  sat,
  satPerKvB,
  type WithdrawalId,
  weight,
} from '../../kernel/index.ts'
import { digest, pointOf, scriptOf, txidOf, walletIdOf } from './samples.ts'

const NOW = 1_700_000_000_000
const padded = (number: number) => String(number).padStart(6, '0')
export const spendIdOf = (number: number) => `spd_${padded(number)}` as SpendId
export const psbtIdOf = (number: number) => `psb_${padded(number)}` as PsbtId
export const withdrawalIdOf = (number: number) => `wdr_${padded(number)}` as WithdrawalId

export const leaseOf = (
  point: OutPoint,
  spend: number,
  more: Partial<LeaseRecord> = {},
): LeaseRecord => ({
  point,
  wallet: walletIdOf(1),
  amount: sat(50_000n),
  spend: spendIdOf(spend),
  fence: spend,
  at: NOW + spend,
  ...more,
})
export const freezeOf = (point: OutPoint, more: Partial<FreezeRecord> = {}): FreezeRecord => ({
  point,
  wallet: walletIdOf(1),
  amount: sat(50_000n),
  reason: 'somebody asked where it came from ☕',
  by: 'operator:ann',
  at: NOW,
  ...more,
})

export const spendOf = (number: number, more: Partial<SpendRecord> = {}): SpendRecord => ({
  id: spendIdOf(number),
  wallet: walletIdOf(1),
  purpose: 'payout',
  status: 'open',
  anchor: pointOf(number, 4_294_967_295),
  fence: number,
  versions: 1,
  current: psbtIdOf(number),
  cancelling: false,
  createdBy: 'engine',
  createdAt: NOW + number,
  updatedAt: NOW + number,
  ...more,
})

export const plannedInputOf = (number: number): PlannedInput => ({
  ...pointOf(number, number),
  amount: sat(50_000n + BigInt(number)),
  script: scriptOf(number),
  branch: 0,
  index: number,
  sequence: 0xffff_fffd,
})
const outputsOf = (number: number): readonly PlannedOutput[] => [
  {
    script: scriptOf(number + 1),
    amount: sat(40_000n),
    role: { kind: 'payment', withdrawals: [withdrawalIdOf(number), withdrawalIdOf(number + 1)] },
  },
  {
    script: scriptOf(number + 2),
    amount: sat(9_000n),
    role: { kind: 'change', branch: 1, index: number },
  },
]
export const versionOf = (number: number, more: Partial<VersionRecord> = {}): VersionRecord => ({
  id: psbtIdOf(number),
  spend: spendIdOf(number),
  wallet: walletIdOf(1),
  number: 1,
  kind: 'payment',
  status: 'created',
  transaction: {
    version: 2,
    lockTime: 800_000,
    inputs: [plannedInputOf(number)],
    outputs: outputsOf(number),
  },
  fee: sat(1_000n),
  rate: satPerKvB(2_500n),
  weight: weight(561),
  maxFee: sat(10_000n),
  maxRate: satPerKvB(25_000n),
  hash: digest(number, 5),
  psbt: Uint8Array.from([0x70, 0x73, 0x62, 0x74, 0xff, number & 0xff]),
  approvalsNeeded: 0,
  policyVersion: 0,
  sends: 0,
  createdBy: 'engine',
  createdAt: NOW + number,
  updatedAt: NOW + number,
  ...more,
})
/** Everything that a version can have. */
export const fullVersionOf = (number: number): VersionRecord =>
  versionOf(number, {
    kind: 'cancel',
    status: 'rejected',
    fee: sat(2_100_000_000_000_000n),
    rate: satPerKvB(9_000_000_000_000_000_000n),
    txid: txidOf(number),
    approvalsNeeded: 2,
    policyVersion: 7,
    exposedAt: 11,
    rejected: { by: 'operator:bob', reason: 'not ours ☕', at: 12 },
    raw: new Uint8Array(100_000).fill(number),
    finalWeight: weight(560),
    sends: 3,
    lastSend: { answer: 'refused', reason: 'min relay fee not met, 100 < 141', at: 13 },
    nextAt: 14,
    claimedUntil: 15,
    createdBy: 'api:key_1',
  })

export const withdrawalOf = (
  number: number,
  more: Partial<WithdrawalRecord> = {},
): WithdrawalRecord => ({
  id: withdrawalIdOf(number),
  wallet: walletIdOf(1),
  externalId: `payout ${number} ☕`,
  digest: digest(number, 6),
  address: `bcrt1qto${number}`,
  script: scriptOf(number),
  amount: sat(40_000n + BigInt(number)),
  feePayer: 'platform',
  speed: { kind: 'priority', priority: 'normal' },
  maxFee: sat(10_000n),
  maxRate: satPerKvB(25_000n),
  metadata: {},
  initiator: 'api:key_1',
  verdict: {
    decision: 'allow',
    score: 0,
    reasons: [],
    policyVersion: 0,
    approvalsNeeded: 0,
    transactionApprovals: 0,
  },
  reserved: sat(50_000n + BigInt(number)),
  status: 'requested',
  reachedAt: { requested: NOW + number },
  posted: 0,
  createdAt: NOW + number,
  updatedAt: NOW + number,
  ...more,
})
/** Everything that a withdrawal can have. */
export const fullWithdrawalOf = (number: number): WithdrawalRecord =>
  withdrawalOf(number, {
    amount: sat(2_100_000_000_000_000n),
    feePayer: 'customer',
    speed: { kind: 'rate', rate: satPerKvB(12_345n) },
    customer: 'cus ☕',
    user: 'usr "7"',
    description: 'refund of order 7',
    metadata: { shop: '7', 'a "b"': '', __proto__x: 'y' },
    verdict: {
      decision: 'hold',
      score: 73,
      reasons: [
        { code: 'LARGE', message: 'more than 1 BTC ☕' },
        { code: 'NEW_DESTINATION', message: '' },
      ],
      policyVersion: 4,
      approvalsNeeded: 2,
      transactionApprovals: 1,
    },
    status: 'cancelled',
    reachedAt: { requested: 5, approved: 6, cancelled: 9 },
    ended: { by: 'operator:ann', reason: 'asked for ☕', at: 9 },
    cancelAsked: { by: 'operator:ann', reason: 'asked for ☕', at: 8 },
    spend: spendIdOf(3),
    output: pointOf(3, 4_294_967_295),
    txid: txidOf(3),
    paid: sat(1n),
    feeShare: sat(0n),
    posted: 4,
    planAt: 77,
    waitsFor: 'COINS_MISSING',
  })
