import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import { Provider } from '../descriptor/provider.ts'
import { must } from '../failure.ts'
import { classifyScript } from '../script/script.ts'
import type { SignatureHasher } from '../script/sighash.ts'
import { spendError } from '../sign/check.ts'
import { EMPTY, type SignatureData } from '../sign/data.ts'
import { produceSignature } from '../sign/produce.ts'
import { hasherFor, inputSigner, type Signer, sizeSigner } from '../sign/signer.ts'
import { dataFromInput, dataFromOutput, dataIntoInput, dataIntoOutput } from './data.ts'
import { isFinal, type Psbt, type PsbtInput, spentOutput, spentOutputs } from './psbt.ts'

/** The transaction of a PSBT with what its signatures commit to, computed once for all inputs. */
export interface Signing {
  readonly spent: readonly (TransactionOutput | undefined)[]
  readonly hasher: SignatureHasher
}
export function signingOf(psbt: Psbt): Signing {
  const spent = spentOutputs(psbt)
  return { spent, hasher: hasherFor(psbt.transaction, spent) }
}
/** Whether the final fields of an input really spend its output. */
export function isSpent(psbt: Psbt, index: number, { spent, hasher }: Signing): boolean {
  const input = psbt.inputs[index]
  const coin = spentOutput(psbt, index)
  if (!input || !coin) return false
  const taproot = classifyScript(coin.script).kind === 'witness_v1_taproot'
  // A taproot signature commits to all spent outputs: without them it proves nothing.
  if (taproot && spent.includes(undefined)) return false
  const spend = { scriptSig: input.finalScriptSig ?? EMPTY, stack: input.finalWitness ?? [] }
  return spendError({ transaction: psbt.transaction, index, coin, hasher }, spend) === undefined
}
export interface SignOptions {
  /** 0 is the default of each script. */
  readonly type: number
  readonly finalize: boolean
  /** Stand-ins instead of signatures: for measuring. */
  readonly measure?: boolean
}
/** Fills in what `provider` knows of an input and signs it where there are secrets. Returns whether it is complete, and what was found. */
export function signInput(
  psbt: Psbt,
  index: number,
  provider: Provider,
  signing: Signing,
  options: SignOptions,
): { readonly complete: boolean; readonly data?: SignatureData } {
  const input = psbt.inputs[index] as PsbtInput
  if (!options.measure && isSpent(psbt, index, signing)) return { complete: true }
  const coin = spentOutput(psbt, index)
  if (!coin) return { complete: false }
  const data = dataFromInput(input)
  const signer: Signer = options.measure
    ? sizeSigner
    : inputSigner(psbt.transaction, signing.spent, index, options.type, signing.hasher)
  const complete = produceSignature(provider, signer, coin.script, data)
  // Told by a witness UTXO alone, the amount is only safe when the signature commits to it.
  if (!input.nonWitnessUtxo && !data.witness) return { complete: false, data }
  if (!options.finalize) data.complete = false
  dataIntoInput(input, data)
  if (data.witness) input.witnessUtxo = coin
  return { complete, data }
}
/** Puts what `provider` knows of an output into it, so that signers recognise their change. */
export function updateOutput(psbt: Psbt, index: number, provider: Provider): void {
  const output = psbt.outputs[index]
  const script = psbt.transaction.outputs[index]?.script
  if (!output || !script) return
  const data = dataFromOutput(output)
  const nothing: Signer = {
    ecdsa: () => undefined,
    schnorr: () => undefined,
    check: () => 'UNKNOWN_ERROR',
  }
  produceSignature(provider.hiding({ secrets: true }), nothing, script, data)
  dataIntoOutput(output, data)
}
/** Previous transactions are superfluous when every input is taproot: its signatures commit to all amounts. */
export function dropPreviousTransactions(psbt: Psbt, type: number): void {
  if ((type & 0x80) !== 0) return
  const taprootOnly = psbt.inputs.every(
    ({ witnessUtxo }) => witnessUtxo && classifyScript(witnessUtxo.script).version > 0,
  )
  if (!taprootOnly) return
  for (const input of psbt.inputs) input.nonWitnessUtxo = undefined
}
/** Combines what is there into final fields. True when every input is complete. */
export function finalize(psbt: Psbt): boolean {
  const signing = signingOf(psbt)
  let complete = true
  psbt.inputs.forEach((_, index) => {
    const options = { type: 1, finalize: true }
    if (!signInput(psbt, index, new Provider(), signing, options).complete) complete = false
  })
  return complete
}
/** The signed transaction of a PSBT whose inputs are all final. */
export function extract(psbt: Psbt): Transaction {
  const inputs = psbt.transaction.inputs.map((input, at) => ({
    ...input,
    script: psbt.inputs[at]?.finalScriptSig ?? EMPTY,
    witness: psbt.inputs[at]?.finalWitness ?? [],
  }))
  const raw = encodeTransaction({ ...psbt.transaction, inputs })
  return (
    decodeTransaction(raw) ??
    must(psbt.inputs.length === 0 ? psbt.transaction : undefined, 'a signed transaction decodes')
  )
}
export const unsignedInputs = (psbt: Psbt): number =>
  psbt.inputs.filter((input) => !isFinal(input)).length
