import type { Kind, Wallet } from '../bitcoin/descriptor.ts'
import { MAX_SAT, type Tx, type TxOutput, writeTx } from '../bitcoin/transaction.ts'
import { type Fault, fault } from './refusal.ts'

/** Of one transaction, in satoshis and satoshis per 1000 virtual bytes. */
export interface FeeLimits {
  readonly maxFee: bigint
  readonly maxRate: bigint
  readonly minRate: bigint
}

/** A signature with low R and its sighash byte. */
const ECDSA = 71
const MAX_WEIGHT = 400_000

/** Bytes of input script and witness of one input once it is signed. */
function spendSize({ kind, threshold, keys }: Wallet): { script: number; witness: number } {
  const single = 1 + 1 + ECDSA + 1 + 33
  const multisigScript = 3 + 34 * keys.length
  const multisig =
    1 + 1 + threshold * (1 + ECDSA) + (multisigScript < 0xfd ? 1 : 3) + multisigScript
  const sizes: Readonly<Record<Kind, { script: number; witness: number }>> = {
    pkh: { script: 1 + ECDSA + 1 + 33, witness: 1 },
    wpkh: { script: 0, witness: single },
    'sh(wpkh)': { script: 23, witness: single },
    tr: { script: 0, witness: 1 + 1 + 64 },
    'wsh(sortedmulti)': { script: 0, witness: multisig },
    'sh(wsh(sortedmulti))': { script: 35, witness: multisig },
  }
  return sizes[kind]
}

/** The weight once all signatures are there. */
export function weightOf(wallet: Wallet, tx: Tx): number {
  const { script, witness } = spendSize(wallet)
  const base = writeTx(tx, []).length + tx.inputs.length * script
  return base * 4 + (wallet.kind === 'pkh' ? 0 : 2 + tx.inputs.length * witness)
}

const sum = (outputs: readonly TxOutput[]) =>
  outputs.reduce((total, { amount }) => total + amount, 0n)

/** The fee with everything that is wrong with it; no fee where amounts are not known. */
export function checkFee(
  wallet: Wallet,
  tx: Tx,
  coins: readonly (TxOutput | undefined)[],
  limits: FeeLimits,
): { readonly fee: bigint; readonly faults: readonly Fault[] } {
  const known = coins.flatMap((coin) => coin ?? [])
  if (known.length < tx.inputs.length) return { fee: 0n, faults: [] }
  const faults: Fault[] = []
  const [inSum, outSum] = [sum(known), sum(tx.outputs)]
  if (inSum > MAX_SAT || outSum > MAX_SAT || known.some(({ amount }) => amount > MAX_SAT)) {
    faults.push(fault('amount_range', 'amounts add up to more than 21 million BTC'))
  }
  const fee = inSum - outSum
  const weight = weightOf(wallet, tx)
  const vsize = BigInt(Math.ceil(weight / 4))
  if (weight > MAX_WEIGHT) faults.push(fault('weight', `a weight of ${weight} is not relayed`))
  if (fee < 0n)
    faults.push(fault('negative_fee', `the outputs are ${-fee} sat more than the coins`))
  else if (fee > limits.maxFee) {
    faults.push(fault('fee_too_high', `the fee of ${fee} sat is above ${limits.maxFee}`))
  } else if (fee * 1000n > limits.maxRate * vsize) {
    const what = `the fee of ${fee} sat for ${vsize} vB is above ${limits.maxRate} sat/kvB`
    faults.push(fault('fee_too_high', what))
  } else if (fee * 1000n < limits.minRate * vsize) {
    const what = `the fee of ${fee} sat for ${vsize} vB is below ${limits.minRate} sat/kvB`
    faults.push(fault('fee_too_low', what))
  }
  return { fee, faults }
}
