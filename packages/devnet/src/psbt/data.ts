import { toHex } from '../chain/bytes.ts'
import { hashKey } from '../descriptor/provider.ts'
import { taprootTree } from '../descriptor/taproot.ts'
import {
  EMPTY,
  type KnownKey,
  newSignatureData,
  type SignatureData,
  type TapData,
} from '../sign/data.ts'
import type { PsbtInput, PsbtOutput } from './psbt.ts'

const fillMissing = <T>(into: Map<string, T>, from: ReadonlyMap<string, T>): void => {
  for (const [key, value] of from) if (!into.has(key)) into.set(key, value)
}
const keysByHash = (keys: ReadonlyMap<string, KnownKey>): Map<string, KnownKey> =>
  new Map([...keys.values()].map((known) => [hashKey(known.publicKey), known]))
const keysByKey = (keys: ReadonlyMap<string, KnownKey>): Map<string, KnownKey> =>
  new Map([...keys.values()].map((known) => [toHex(known.publicKey), known]))

/** What an input of a PSBT tells a signer. */
export function dataFromInput(input: PsbtInput): SignatureData {
  const data = newSignatureData()
  if ((input.finalScriptSig?.length ?? 0) > 0 || input.finalWitness) {
    data.scriptSig = input.finalScriptSig ?? EMPTY
    data.stack = input.finalWitness ?? []
    data.complete = true
    return data
  }
  fillMissing(data.signatures, input.signatures)
  data.redeemScript = input.redeemScript
  data.witnessScript = input.witnessScript
  fillMissing(data.keys, keysByHash(input.keys))
  const { tap } = data
  tap.keySignature = input.tapKeySignature
  fillMissing(tap.scriptSignatures, input.tapScriptSignatures)
  tap.internalKey = input.tapInternalKey
  tap.merkleRoot = input.tapMerkleRoot
  for (const [id, leaf] of input.tapScripts) {
    tap.scripts.set(id, { ...leaf, controls: new Set(leaf.controls) })
  }
  copyOrigins(tap, input)
  return data
}
function copyOrigins(tap: TapData, from: Pick<PsbtInput, 'tapOrigins'>): void {
  for (const [key, { leafHashes, origin }] of from.tapOrigins) {
    tap.origins.set(key, { leafHashes: new Set(leafHashes), origin })
  }
}
/** Puts what a signer found into the input; a complete spend leaves only its final fields. */
export function dataIntoInput(input: PsbtInput, data: SignatureData): void {
  if (data.complete) {
    input.signatures.clear()
    input.keys.clear()
    input.redeemScript = undefined
    input.witnessScript = undefined
    if (data.scriptSig.length > 0) input.finalScriptSig = data.scriptSig
    if (data.stack.length > 0) input.finalWitness = data.stack
    return
  }
  fillMissing(input.signatures, data.signatures)
  input.redeemScript ??= data.redeemScript
  input.witnessScript ??= data.witnessScript
  fillMissing(input.keys, keysByKey(data.keys))
  const { tap } = data
  input.tapKeySignature = tap.keySignature ?? input.tapKeySignature
  fillMissing(input.tapScriptSignatures, tap.scriptSignatures)
  input.tapInternalKey = tap.internalKey ?? input.tapInternalKey
  input.tapMerkleRoot = tap.merkleRoot ?? input.tapMerkleRoot
  fillMissing(input.tapScripts, tap.scripts)
  fillMissing(input.tapOrigins, tap.origins)
}
export function dataFromOutput(output: PsbtOutput): SignatureData {
  const data = newSignatureData()
  data.redeemScript = output.redeemScript
  data.witnessScript = output.witnessScript
  fillMissing(data.keys, keysByHash(output.keys))
  if (output.tapTree.length > 0 && output.tapInternalKey) {
    const tree = taprootTree(output.tapInternalKey, output.tapTree)
    data.tap.internalKey = tree.internalKey
    data.tap.merkleRoot = tree.merkleRoot
  }
  copyOrigins(data.tap, output)
  return data
}
export function dataIntoOutput(output: PsbtOutput, data: SignatureData): void {
  output.redeemScript ??= data.redeemScript
  output.witnessScript ??= data.witnessScript
  fillMissing(output.keys, keysByKey(data.keys))
  const { tap } = data
  if (tap.internalKey) output.tapInternalKey = tap.internalKey
  if (tap.tree && tap.tree.leaves.length > 0) {
    output.tapTree = tap.tree.leaves.map(({ depth, version, script }) => ({
      depth,
      version,
      script,
    }))
  }
  fillMissing(output.tapOrigins, tap.origins)
}
