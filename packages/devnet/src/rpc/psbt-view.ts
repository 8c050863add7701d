import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check } from '@scure/base'
import { toHex } from '../chain/bytes.ts'
import type { TransactionOutput } from '../chain/transaction.ts'
import { formatPath } from '../descriptor/keypath.ts'
import type { Analysis, InputAnalysis } from '../psbt/analyze.ts'
import { sortedXpubs } from '../psbt/encode.ts'
import type { Proprietary, Psbt, PsbtInput, PsbtOutput } from '../psbt/psbt.ts'
import { classifyScript, scriptToAsm } from '../script/script.ts'
import { type KnownKey, sortedByKey, type TapOrigin } from '../sign/data.ts'
import type { Json } from './json.ts'
import { sighashName } from './values.ts'
import { scriptView, transactionView } from './view.ts'

type View = { readonly [key: string]: Json | undefined }
const base58check = createBase58check(sha256)
const MAX_MONEY = 2_100_000_000_000_000n
const isMoney = (value: bigint): boolean => value >= 0n && value <= MAX_MONEY
/** Core leaves empty members out. */
const some = <T>(list: readonly T[]): readonly T[] | undefined =>
  list.length > 0 ? list : undefined
const hexMap = (map: ReadonlyMap<string, Uint8Array>): View | undefined =>
  map.size > 0
    ? Object.fromEntries(sortedByKey(map).map(([key, value]) => [key, toHex(value)]))
    : undefined

const innerScript = (script: Uint8Array | undefined): View | undefined =>
  script && {
    asm: scriptToAsm(script),
    hex: toHex(script),
    type: classifyScript(script).kind,
  }
const keyViews = (keys: ReadonlyMap<string, KnownKey>): readonly View[] =>
  sortedByKey(keys).map(([pubkey, { origin }]) => ({
    pubkey,
    master_fingerprint: origin.fingerprint,
    path: `m${formatPath(origin.path)}`,
  }))
const tapOriginViews = (origins: ReadonlyMap<string, TapOrigin>): readonly View[] =>
  sortedByKey(origins).map(([pubkey, { leafHashes, origin }]) => ({
    pubkey,
    master_fingerprint: origin.fingerprint,
    path: `m${formatPath(origin.path)}`,
    leaf_hashes: [...leafHashes].sort(),
  }))
const proprietaryViews = (list: readonly Proprietary[]): readonly View[] =>
  [...list]
    .sort((a, b) => (toHex(a.key) < toHex(b.key) ? -1 : 1))
    .map(({ identifier, subtype, key, value }) => ({
      identifier: toHex(identifier),
      subtype,
      key: toHex(key),
      value: toHex(value),
    }))
const leafViews = (input: PsbtInput): readonly View[] =>
  sortedByKey(input.tapScripts).map(([, { script, version, controls }]) => ({
    script: toHex(script),
    leaf_ver: version,
    control_blocks: [...controls].sort(),
  }))
const leafSignatureViews = (input: PsbtInput): readonly View[] =>
  sortedByKey(input.tapScriptSignatures).map(([id, signature]) => ({
    pubkey: id.slice(0, 64),
    leaf_hash: id.slice(64),
    sig: toHex(signature),
  }))

function inputView(input: PsbtInput): View {
  const { witnessUtxo, nonWitnessUtxo, finalScriptSig, sighashType, preimages } = input
  const signatures = sortedByKey(input.signatures).map(
    ([, { publicKey, signature }]) => [toHex(publicKey), toHex(signature)] as const,
  )
  return {
    witness_utxo: witnessUtxo && {
      amount: witnessUtxo.value,
      scriptPubKey: scriptView(witnessUtxo.script),
    },
    non_witness_utxo: nonWitnessUtxo && transactionView(nonWitnessUtxo, { hex: false }),
    partial_signatures: signatures.length > 0 ? Object.fromEntries(signatures) : undefined,
    sighash: sighashType === undefined ? undefined : sighashName(sighashType),
    redeem_script: innerScript(input.redeemScript),
    witness_script: innerScript(input.witnessScript),
    bip32_derivs: some(keyViews(input.keys)),
    final_scriptSig: finalScriptSig && {
      asm: scriptToAsm(finalScriptSig, true),
      hex: toHex(finalScriptSig),
    },
    final_scriptwitness: input.finalWitness?.map(toHex),
    ripemd160_preimages: hexMap(preimages.ripemd160),
    sha256_preimages: hexMap(preimages.sha256),
    hash160_preimages: hexMap(preimages.hash160),
    hash256_preimages: hexMap(preimages.hash256),
    taproot_key_path_sig: input.tapKeySignature && toHex(input.tapKeySignature),
    taproot_script_path_sigs: some(leafSignatureViews(input)),
    taproot_scripts: some(leafViews(input)),
    taproot_bip32_derivs: some(tapOriginViews(input.tapOrigins)),
    taproot_internal_key: input.tapInternalKey && toHex(input.tapInternalKey),
    taproot_merkle_root: input.tapMerkleRoot && toHex(input.tapMerkleRoot),
    proprietary: some(proprietaryViews(input.proprietary)),
    unknown: hexMap(input.unknown),
  }
}
function outputView(output: PsbtOutput): View {
  const tree = output.tapTree.map(({ depth, version, script }) => ({
    depth,
    leaf_ver: version,
    script: toHex(script),
  }))
  return {
    redeem_script: innerScript(output.redeemScript),
    witness_script: innerScript(output.witnessScript),
    bip32_derivs: some(keyViews(output.keys)),
    taproot_internal_key: output.tapInternalKey && toHex(output.tapInternalKey),
    taproot_tree: some(tree),
    taproot_bip32_derivs: some(tapOriginViews(output.tapOrigins)),
    proprietary: some(proprietaryViews(output.proprietary)),
    unknown: hexMap(output.unknown),
  }
}
/** Satoshi that the transaction pays, where every spent output is known and no amount is impossible. */
function feeOf(psbt: Psbt): bigint | undefined {
  let inside = 0n
  for (const [at, input] of psbt.inputs.entries()) {
    const vout = psbt.transaction.inputs[at]?.vout ?? 0
    const coin: TransactionOutput | undefined =
      input.nonWitnessUtxo?.outputs[vout] ?? input.witnessUtxo
    if (!coin || !isMoney(coin.value)) return undefined
    inside += coin.value
    if (!isMoney(inside)) return undefined
  }
  let outside = 0n
  for (const { value } of psbt.transaction.outputs) {
    outside += value
    if (!isMoney(value) || !isMoney(outside)) return undefined
  }
  return inside - outside
}
/** `decodepsbt`. */
export function psbtView(psbt: Psbt): View {
  return {
    tx: transactionView(psbt.transaction, { hex: false }),
    global_xpubs: sortedXpubs(psbt.xpubs).map(({ xpub, origin }) => ({
      xpub: base58check.encode(xpub),
      master_fingerprint: origin.fingerprint,
      path: `m${formatPath(origin.path)}`,
    })),
    psbt_version: psbt.version ?? 0,
    proprietary: proprietaryViews(psbt.proprietary),
    unknown: hexMap(psbt.unknown) ?? {},
    inputs: psbt.inputs.map(inputView),
    outputs: psbt.outputs.map(outputView),
    fee: feeOf(psbt),
  }
}
function analysisOfInput({ hasUtxo, isFinal, next, missing }: InputAnalysis): View {
  const lacking: View = {
    pubkeys: some(missing?.publicKeys ?? []),
    redeemscript: missing?.redeemScript,
    witnessscript: missing?.witnessScript,
    signatures: some(missing?.signatures ?? []),
  }
  const lacks = Object.values(lacking).some((value) => value !== undefined)
  return { has_utxo: hasUtxo, is_final: isFinal, next, missing: lacks ? lacking : undefined }
}
/** `analyzepsbt`. */
export const analysisView = (analysis: Analysis): View => ({
  inputs: some(analysis.inputs.map(analysisOfInput)),
  estimated_vsize: analysis.vsize,
  estimated_feerate: analysis.rate,
  fee: analysis.fee,
  next: analysis.next,
  error: analysis.error,
})
