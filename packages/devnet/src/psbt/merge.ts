import { toHex } from '../chain/bytes.ts'
import { newPsbt, type Psbt, type PsbtInput, type PsbtOutput } from './psbt.ts'

const add = <T>(into: Map<string, T>, from: ReadonlyMap<string, T>): void => {
  for (const [key, value] of from) if (!into.has(key)) into.set(key, value)
}
function mergeInput(into: PsbtInput, from: PsbtInput): void {
  into.nonWitnessUtxo ??= from.nonWitnessUtxo
  into.witnessUtxo ??= from.witnessUtxo
  add(into.signatures, from.signatures)
  for (const kind of ['ripemd160', 'sha256', 'hash160', 'hash256'] as const) {
    add(into.preimages[kind], from.preimages[kind])
  }
  add(into.keys, from.keys)
  add(into.unknown, from.unknown)
  add(into.tapScriptSignatures, from.tapScriptSignatures)
  add(into.tapScripts, from.tapScripts)
  add(into.tapOrigins, from.tapOrigins)
  into.redeemScript ??= from.redeemScript
  into.witnessScript ??= from.witnessScript
  into.finalScriptSig ??= from.finalScriptSig
  into.finalWitness ??= from.finalWitness
  into.tapKeySignature ??= from.tapKeySignature
  into.tapInternalKey ??= from.tapInternalKey
  into.tapMerkleRoot ??= from.tapMerkleRoot
}
function mergeOutput(into: PsbtOutput, from: PsbtOutput): void {
  add(into.keys, from.keys)
  add(into.unknown, from.unknown)
  add(into.tapOrigins, from.tapOrigins)
  into.redeemScript ??= from.redeemScript
  into.witnessScript ??= from.witnessScript
  into.tapInternalKey ??= from.tapInternalKey
  if (into.tapTree.length === 0) into.tapTree = from.tapTree
}
function mergeXpubs(into: Psbt, from: Psbt): void {
  const id = ({ xpub, origin }: Psbt['xpubs'][number]) =>
    `${toHex(xpub)} ${origin.fingerprint} ${origin.path}`
  const known = new Set(into.xpubs.map(id))
  into.xpubs.push(...from.xpubs.filter((xpub) => !known.has(id(xpub))))
}
/** Everything that PSBTs of one transaction hold, in the first of them. False when they are of different transactions. */
export function combine([first, ...rest]: readonly Psbt[]): Psbt | undefined {
  if (!first) return undefined
  for (const other of rest) {
    if (other.transaction.txid !== first.transaction.txid) return undefined
    first.inputs.forEach((input, at) => {
      mergeInput(input, other.inputs[at] as PsbtInput)
    })
    first.outputs.forEach((output, at) => {
      mergeOutput(output, other.outputs[at] as PsbtOutput)
    })
    mergeXpubs(first, other)
    add(first.unknown, other.unknown)
  }
  return first
}
/** The outpoint that stands in several of them. */
export interface DoubleInput {
  readonly txid: string
  readonly vout: number
}
/** One transaction with all inputs and outputs; signatures are left out, for they no longer hold. */
export function joinAll(psbts: readonly Psbt[]): Psbt | DoubleInput {
  const version = Math.max(1, ...psbts.map(({ transaction }) => transaction.version))
  const locktime = Math.min(0xffffffff, ...psbts.map(({ transaction }) => transaction.locktime))
  const inputs = psbts.flatMap(({ transaction }) => transaction.inputs)
  const seen = new Set<string>()
  for (const { key, sequence, txid, vout } of inputs) {
    if (seen.has(`${key} ${sequence}`)) return { txid, vout }
    seen.add(`${key} ${sequence}`)
  }
  const outputs = psbts.flatMap(({ transaction }) => transaction.outputs)
  const joined = newPsbt({ version, inputs, outputs, locktime })
  joined.inputs = psbts.flatMap((psbt) => psbt.inputs)
  for (const input of joined.inputs) {
    input.signatures.clear()
    input.finalScriptSig = undefined
    input.finalWitness = undefined
  }
  joined.outputs = psbts.flatMap((psbt) => psbt.outputs)
  for (const psbt of psbts) add(joined.unknown, psbt.unknown)
  return joined
}
