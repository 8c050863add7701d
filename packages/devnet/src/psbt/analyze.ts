import type { TransactionOutput } from '../chain/transaction.ts'
import { Provider } from '../descriptor/provider.ts'
import { rateOf } from '../mempool/policy.ts'
import { isUnspendable } from '../script/script.ts'
import { sigopCost } from '../script/sigops.ts'
import type { SignatureData } from '../sign/data.ts'
import { type Psbt, type PsbtInput, spentOutput } from './psbt.ts'
import { extract, isSpent, type Signing, signInput, signingOf } from './update.ts'

/** Who has to act next, from first to last. */
const ROLES = ['creator', 'updater', 'signer', 'finalizer', 'extractor'] as const
export type Role = (typeof ROLES)[number]
export interface InputAnalysis {
  readonly hasUtxo: boolean
  readonly isFinal: boolean
  readonly next: Role
  readonly missing?: SignatureData['missing']
}
export interface Analysis {
  readonly inputs: readonly InputAnalysis[]
  readonly next: Role
  /** Satoshi. */
  readonly fee?: bigint
  readonly vsize?: number
  /** Satoshi per 1000 vbytes. */
  readonly rate?: bigint
  readonly error?: string
}
const MAX_MONEY = 2_100_000_000_000_000n
const isMoney = (value: bigint): boolean => value >= 0n && value <= MAX_MONEY
const invalid = (error: string): Analysis => ({ inputs: [], next: 'creator', error })
const earliest = (roles: readonly Role[]): Role =>
  ROLES[Math.min(4, ...roles.map((role) => ROLES.indexOf(role)))] ?? 'extractor'

function analyzeInput(psbt: Psbt, index: number, signing: Signing): InputAnalysis {
  const utxo = spentOutput(psbt, index)
  if (isSpent(psbt, index, signing)) return { hasUtxo: true, isFinal: true, next: 'extractor' }
  const options = { type: 1, finalize: true }
  const { complete, data } = signInput(psbt, index, new Provider(), signing, options)
  const hasUtxo = utxo !== undefined
  if (complete) return { hasUtxo, isFinal: false, next: 'finalizer' }
  // Told by a witness UTXO alone and needing none of its protection: Core reports nothing missing.
  const witnessless = !psbt.inputs[index]?.nonWitnessUtxo && data?.witness === false
  const missing = witnessless ? undefined : data?.missing
  const other = missing?.publicKeys.length || missing?.redeemScript || missing?.witnessScript
  const next = missing && !other && missing.signatures.length > 0 ? 'signer' : 'updater'
  return { hasUtxo, isFinal: false, next, ...(missing ? { missing } : {}) }
}
/** What each input lacks, who acts next, and what the transaction will weigh and pay. Works on the PSBT that it is given. */
export function analyze(psbt: Psbt): Analysis {
  const signing = signingOf(psbt)
  const inputs: InputAnalysis[] = []
  let inside = 0n
  for (let index = 0; index < psbt.inputs.length; index++) {
    const utxo = spentOutput(psbt, index)
    if (utxo) {
      inside += utxo.value
      if (!isMoney(utxo.value) || !isMoney(inside)) {
        return invalid(`PSBT is not valid. Input ${index} has invalid value`)
      }
      if (isUnspendable(utxo.script)) {
        return invalid(`PSBT is not valid. Input ${index} spends unspendable output`)
      }
    }
    inputs.push(analyzeInput(psbt, index, signing))
  }
  const next = earliest(inputs.map((input) => input.next))
  if (inputs.some(({ hasUtxo }) => !hasUtxo)) return { inputs, next }
  let outside = 0n
  for (const { value } of psbt.transaction.outputs) {
    outside += value
    if (!isMoney(value) || !isMoney(outside)) {
      return invalid('PSBT is not valid. Output amount invalid')
    }
  }
  const fee = inside - outside
  const vsize = estimateSize(psbt, signing)
  return { inputs, next, fee, ...(vsize ? { vsize, rate: rateOf(fee, vsize) } : {}) }
}
function estimateSize(psbt: Psbt, signing: Signing): number | undefined {
  const options = { type: 1, finalize: true, measure: true }
  for (let index = 0; index < psbt.inputs.length; index++) {
    if (!signInput(psbt, index, new Provider(), signing, options).complete) return undefined
  }
  const whole = extract(psbt)
  const spent = psbt.inputs.map((_: PsbtInput, at) => spentOutput(psbt, at) as TransactionOutput)
  const coins = spent.map((coin) => ({ ...coin, height: 1, coinbase: false }))
  // Core counts a signature operation as 20 vbytes where that is more.
  return Math.max(whole.vsize, Math.ceil((sigopCost(whole, coins) * 20) / 4))
}
