import { feeFor, type Sat } from '../../kernel/index.ts'
import type { LookExpectation } from './expectation.ts'
import { fault, type LookFault } from './fault.ts'
import type { SeenTransaction } from './read.ts'

const MILLION = 1_000_000n
/** What a node relays: smaller ones could pass for a node of a merkle tree (CVE-2017-12842). */
const LEAST_SIZE = 65
/** Below it a lock time is a height, from there on seconds. */
const TIME_FROM = 500_000_000
const FINAL = 0xffff_ffff

const sum = (amounts: Iterable<{ readonly amount: bigint }>): bigint => {
  let total = 0n
  for (const { amount } of amounts) total += amount
  return total
}

/** Satoshis of all coins less those of all outputs; below zero when the outputs are more. */
export const feeOf = (seen: SeenTransaction, { coins }: LookExpectation): bigint =>
  sum(coins) - sum(seen.outputs)

/** The fee is within all three ceilings and enough to be relayed. */
export function feeFaults(seen: SeenTransaction, expected: LookExpectation): LookFault[] {
  const { limits, payments } = expected
  const fee = feeOf(seen, expected)
  if (fee < 0n) return [fault('negative_fee', `the outputs are ${-fee} sat more than the coins`)]
  const faults: LookFault[] = []
  const details = { fee_sat: Number(fee) }
  const above = (ceiling: bigint, name: string) => {
    if (fee <= ceiling) return
    const what = `the fee of ${fee} sat is above ${ceiling} sat, the ${name}`
    faults.push(fault('fee_too_high', what, { ...details, ceiling_sat: Number(ceiling) }))
  }
  above(limits.maxFee, 'absolute ceiling')
  above(feeFor(limits.maxRate, seen.weight), `ceiling of ${limits.maxRate} sat/kvB`)
  if (limits.maxFeePpm !== undefined) {
    const base = payments.length > 0 ? sum(payments) : sum(seen.outputs)
    above((base * BigInt(limits.maxFeePpm)) / MILLION, `ceiling of ${limits.maxFeePpm} ppm`)
  }
  const least: Sat = feeFor(limits.minRate, seen.weight)
  if (fee < least) {
    const what = `the fee of ${fee} sat is below ${least} sat, what is relayed`
    faults.push(fault('fee_too_low', what, details))
  }
  return faults
}

/** Version, lock time, size and the planned id. */
export function frameFaults(seen: SeenTransaction, expected: LookExpectation): LookFault[] {
  const { version, lockTime, unsignedTxid, limits, tip } = expected
  const faults: LookFault[] = []
  if (seen.version !== version || version < 1 || version > 3) {
    faults.push(fault('version', `version ${seen.version} instead of ${version}`))
  }
  if (seen.lockTime !== lockTime) {
    faults.push(fault('locktime', `lock time ${seen.lockTime} instead of ${lockTime}`))
  }
  const now = seen.lockTime < TIME_FROM ? tip.height + 1 : tip.medianTime
  // A lock time counts only while one input leaves its sequence open.
  if (seen.lockTime >= now && seen.inputs.some(({ sequence }) => sequence !== FINAL)) {
    const what = `lock time ${seen.lockTime} is not final in the next block`
    faults.push(fault('locktime', what, { lock_time: seen.lockTime, height: tip.height }))
  }
  if (seen.unsignedTxid !== unsignedTxid) {
    const what = `the transaction is ${seen.unsignedTxid} before signing, planned was ${unsignedTxid}`
    faults.push(fault('unsigned_txid', what, { planned: unsignedTxid }))
  }
  if (seen.weight > limits.maxWeight || seen.strippedSize < LEAST_SIZE) {
    const what = `a weight of ${seen.weight} with ${seen.strippedSize} bytes is not relayed`
    faults.push(fault('weight', what, { weight: seen.weight }))
  }
  return faults
}
