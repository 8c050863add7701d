import type { Signing } from '../home/journal.ts'
import type { OpenWallet } from '../home/registry.ts'
import type { Counter } from '../limits.ts'
import type { Receipt } from '../receipt.ts'
import { type Fault, fault } from './refusal.ts'

/** A receipt from further in the future means that one of the clocks is wrong. */
const SKEW = 5 * 60 * 1000

/** Holds a verified receipt against the clock, the transaction, and what was signed before. */
export function checkReceipt(
  { issuedAt, expiresAt, txHash, nonce }: Receipt,
  hash: string,
  now: number,
  longest: number,
  counter: Counter,
): Fault | undefined {
  if (expiresAt <= now) return fault('receipt_expired', 'the receipt is too old')
  if (issuedAt > now + SKEW) return fault('receipt_invalid', 'the receipt is from the future')
  if (expiresAt - issuedAt > longest) {
    return fault('receipt_invalid', `the receipt lives longer than ${longest} ms`)
  }
  if (txHash !== hash) return fault('receipt_mismatch', 'the receipt is for another transaction')
  const used = counter.txOf(nonce)
  return used !== undefined && used !== hash
    ? fault('receipt_replayed', 'the receipt was used for another transaction')
    : undefined
}

/** Holds what would be signed against the limits of its wallet. */
export function checkLimits(
  { limits, name }: OpenWallet,
  { approvals, initiators }: Receipt,
  signing: Signing,
  counter: Counter,
): Fault[] {
  const faults: Fault[] = []
  const people = new Set(approvals.map(({ by }) => by).filter((by) => !initiators.includes(by)))
  if (people.size < limits.min_approvals) {
    const what = `${people.size} approvals of others than who asked, ${limits.min_approvals} are needed`
    faults.push(fault('approvals_missing', what))
  }
  if (signing.spent_sat > limits.max_transaction_sat) {
    const what = `${signing.spent_sat} sat leave the wallet, ${limits.max_transaction_sat} may at once`
    faults.push(fault('limit_transaction', what))
  }
  const day = counter.day(name, signing.at) + signing.counted_sat
  // What was counted already may be signed again.
  if (signing.counted_sat > 0 && day > limits.max_day_sat) {
    const what = `${day} sat would have left within 24 hours, ${limits.max_day_sat} may`
    faults.push(fault('limit_day', what))
  }
  return faults
}
