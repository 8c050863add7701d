import type { SendRecord, VersionRecord } from '../../capabilities/spending/index.ts'
import {
  AssertionError,
  fromHex,
  type PsbtId,
  type SpendId,
  sat,
  satPerKvB,
  toHex,
  txid,
  type WalletId,
  weight,
} from '../../kernel/index.ts'
import { int, maybeInt, num, ownBytes, present } from './doors.ts'
import type { SpendVersionRow } from './schema-payouts.ts'
import { inputsOf, inputsText, outputsOf, outputsText } from './version-text.ts'

export const versionRow = (version: VersionRecord): SpendVersionRow => ({
  id: version.id,
  spend: version.spend,
  wallet: version.wallet,
  number: int(version.number),
  kind: version.kind,
  status: version.status,
  tx_version: int(version.transaction.version),
  lock_time: int(version.transaction.lockTime),
  fee: version.fee,
  rate: version.rate,
  weight: int(version.weight),
  max_fee: version.maxFee,
  max_rate: version.maxRate,
  hash: fromHex(version.hash),
  txid: version.txid === undefined ? null : fromHex(version.txid),
  approvals_needed: int(version.approvalsNeeded),
  policy_version: int(version.policyVersion),
  exposed_at: maybeInt(version.exposedAt),
  rejected_by: version.rejected?.by ?? null,
  rejected_reason: version.rejected?.reason ?? null,
  rejected_at: maybeInt(version.rejected?.at),
  final_weight: maybeInt(version.finalWeight),
  sends: int(version.sends),
  sent_answer: version.lastSend?.answer ?? null,
  sent_reason: version.lastSend?.reason ?? null,
  sent_at: maybeInt(version.lastSend?.at),
  next_at: maybeInt(version.nextAt),
  claimed_until: maybeInt(version.claimedUntil),
  created_by: version.createdBy,
  created_at: int(version.createdAt),
  updated_at: int(version.updatedAt),
  inputs: inputsText(version.transaction.inputs),
  outputs: outputsText(version.transaction.outputs),
  psbt: version.psbt,
  raw: version.raw ?? null,
})

const time = (value: bigint | null): number | null => (value === null ? null : num(value))

function rejectedOf(row: SpendVersionRow): VersionRecord['rejected'] {
  const { rejected_by: by, rejected_reason: reason, rejected_at: at } = row
  if (at === null) return undefined
  return { by: by ?? '', reason: reason ?? '', at: num(at) }
}
const ANSWERS: readonly string[] = ['accepted', 'already_known', 'refused', 'unknown']
function lastSendOf({ id, sent_answer, sent_reason, sent_at }: SpendVersionRow) {
  if (sent_answer === null || sent_at === null) return undefined
  if (!ANSWERS.includes(sent_answer)) throw new AssertionError(`${id} was answered ${sent_answer}`)
  const answer = sent_answer as SendRecord['answer']
  return { answer, ...present('reason', sent_reason), at: num(sent_at) }
}

export const versionOf = (row: SpendVersionRow): VersionRecord => ({
  id: row.id as PsbtId,
  spend: row.spend as SpendId,
  wallet: row.wallet as WalletId,
  number: num(row.number),
  kind: row.kind as VersionRecord['kind'],
  status: row.status as VersionRecord['status'],
  transaction: {
    version: num(row.tx_version),
    lockTime: num(row.lock_time),
    inputs: inputsOf(row.inputs),
    outputs: outputsOf(row.outputs),
  },
  fee: sat(row.fee),
  rate: satPerKvB(row.rate),
  weight: weight(num(row.weight)),
  maxFee: sat(row.max_fee),
  maxRate: satPerKvB(row.max_rate),
  hash: toHex(row.hash),
  ...present('txid', row.txid === null ? null : txid(toHex(row.txid))),
  psbt: ownBytes(row.psbt),
  approvalsNeeded: num(row.approvals_needed),
  policyVersion: num(row.policy_version),
  ...present('exposedAt', time(row.exposed_at)),
  ...present('rejected', rejectedOf(row)),
  ...present('raw', row.raw === null ? null : ownBytes(row.raw)),
  ...present('finalWeight', row.final_weight === null ? null : weight(num(row.final_weight))),
  sends: num(row.sends),
  ...present('lastSend', lastSendOf(row)),
  ...present('nextAt', time(row.next_at)),
  ...present('claimedUntil', time(row.claimed_until)),
  createdBy: row.created_by,
  createdAt: num(row.created_at),
  updatedAt: num(row.updated_at),
})
