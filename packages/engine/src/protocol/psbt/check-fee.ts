import { MAX_SAT, outPointKey } from '../../kernel/index.ts'
import { feeForVsize } from '../amounts/index.ts'
import { type Transaction, vsizeOf } from '../transaction/index.ts'
import { type PartFault, part } from './coin.ts'
import { LOCKTIME_THRESHOLD, FINAL_SEQUENCE } from './fields.ts'
import { finalInput } from './final.ts'
import type { PartialSignature } from './model.ts'
import type { PsbtPolicy } from './policy.ts'
import type { SpendRule } from './rule.ts'
import type { Verifier } from './verifier.ts'

/** Bytes of an ECDSA signature with its hash type: of a signer that looks for a small R, and the most there can be. */
const ECDSA = { least: 71, most: 72 } as const
const SCHNORR = { least: 64, most: 65 } as const

function placeholders(rule: SpendRule, size: 'least' | 'most'): PartialSignature[] {
  const length = rule.hash === 'taproot' ? SCHNORR[size] : ECDSA[size]
  const key = rule.publicKeys[0] ?? new Uint8Array(33)
  const signature = new Uint8Array(length)
  return Array.from({ length: rule.threshold }, () => ({ publicKey: key, signature }))
}

/** Virtual bytes of the transaction once it is signed; undefined where an input cannot be. */
export function signedVsize(verifier: Verifier, size: 'least' | 'most'): number | undefined {
  const { transaction } = verifier.psbt
  const inputs: Transaction['inputs'][number][] = []
  for (const [i, input] of transaction.inputs.entries()) {
    const rule = verifier.rule(i)
    if ('reason' in rule) return undefined
    inputs.push({ ...input, ...finalInput(rule, placeholders(rule, size)) })
  }
  return vsizeOf({ ...transaction, inputs })
}

function rateFaults(verifier: Verifier, fee: bigint, policy: PsbtPolicy): PartFault[] {
  const faults: PartFault[] = []
  const most = signedVsize(verifier, 'most')
  const least = signedVsize(verifier, 'least')
  if (most !== undefined && fee > feeForVsize(policy.maxFeeRate, most)) {
    faults.push(
      part('fee_too_high', `a fee of ${fee} sat for ${most} vB is above the highest rate`),
    )
  }
  if (least !== undefined && fee < feeForVsize(policy.minFeeRate, least)) {
    faults.push(part('fee_too_low', `a fee of ${fee} sat for ${least} vB is below the lowest rate`))
  }
  return faults
}

/** Amounts and fee. Without all coins there is no fee to be judged; the missing coin is a fault of its own. */
export function feeFaults(verifier: Verifier, policy: PsbtPolicy): PartFault[] {
  const { outputs } = verifier.psbt.transaction
  const out = outputs.reduce((sum, { amount }) => sum + amount, 0n)
  if (out > MAX_SAT) return [part('amount_range', 'the outputs are above 21 million BTC together')]
  let into = 0n
  for (const { coin } of verifier.coins) {
    if (!coin) return []
    into += coin.amount
  }
  if (into > MAX_SAT) return [part('amount_range', 'the coins are above 21 million BTC together')]
  const fee = into - out
  if (fee < 0n) return [part('negative_fee', `the outputs are ${-fee} sat above the coins`)]
  const faults = rateFaults(verifier, fee, policy)
  if (fee <= policy.maxFee) return faults
  return [
    ...faults,
    part('fee_too_high', `a fee of ${fee} sat; at most ${policy.maxFee} is allowed`),
  ]
}

/** Steps of a relative lock time, BIP 68; 0 where there is none. */
const relativeLock = (version: number, sequence: number): number =>
  version < 2 || (sequence & 0x8000_0000) !== 0 ? 0 : sequence & 0xffff

/** A transaction that could not be sent now may be sent when nobody expects it any more. */
export function timeFaults(
  { version, lockTime, inputs }: Transaction,
  { tipHeight, tipTime }: PsbtPolicy,
): PartFault[] {
  const faults: PartFault[] = []
  const isTimed = inputs.some(({ sequence }) => sequence !== FINAL_SEQUENCE)
  const limit = lockTime < LOCKTIME_THRESHOLD ? tipHeight : (tipTime ?? 0)
  if (isTimed && lockTime > limit) {
    faults.push(part('locktime', `the lock time ${lockTime} lies in the future`))
  }
  const locked = inputs.findIndex(({ sequence }) => relativeLock(version, sequence) > 0)
  if (locked >= 0) faults.push(part('locktime', `input ${locked} has a relative lock time`))
  return faults
}

/** Indexes of inputs that spend a coin which another one spends before them. */
export function repeatedInputs({ inputs }: Transaction): number[] {
  const seen = new Set<string>()
  return inputs.flatMap((input, i) => {
    const point = outPointKey(input)
    if (seen.has(point)) return [i]
    seen.add(point)
    return []
  })
}
