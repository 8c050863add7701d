import { equalBytes, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import type { KeyOrigin } from '../keys/index.ts'
import {
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../transaction/index.ts'
import type { Psbt, PsbtInput, PsbtOrigin, PsbtOutput, PsbtPair, PsbtXpub } from './model.ts'
import { asText } from './pairs.ts'
import { byKey, compareBytes, inOrder } from './sort.ts'
import { isSameTransaction } from './take.ts'

export type CombineRefusal = Refusal<'PSBT_DIFFERENT_TRANSACTION' | 'PSBT_CONFLICT'>

/** Joins the two sides of one map and remembers the first field in which they contradict each other. */
class Join {
  conflict: string | undefined

  /** The value that one of them has, or both. */
  one<T>(field: string, a: T | undefined, b: T | undefined, isSame: (a: T, b: T) => boolean) {
    if (a !== undefined && b !== undefined && !isSame(a, b)) this.conflict ??= field
    return a ?? b
  }
  bytes(field: string, a: Uint8Array | undefined, b: Uint8Array | undefined) {
    return this.one(field, a, b, equalBytes)
  }
  number(field: string, a: number | undefined, b: number | undefined) {
    return this.one(field, a, b, (left, right) => left === right)
  }
  /** Everything of both; what has the same key has to be the same. */
  all<T>(
    field: string,
    a: readonly T[],
    b: readonly T[],
    key: (item: T) => Uint8Array,
    isSame: (a: T, b: T) => boolean,
  ): T[] {
    const list = new Map(a.map((item) => [asText(key(item)), item]))
    for (const item of b) {
      const name = asText(key(item))
      const other = list.get(name)
      if (other === undefined) list.set(name, item)
      else if (!isSame(other, item)) this.conflict ??= field
    }
    return byKey([...list.values()], key)
  }
}

type Origin = KeyOrigin & Pick<PsbtOrigin, 'leafHashes'>
const isSameOrigin = (a: Origin, b: Origin): boolean =>
  a.fingerprint === b.fingerprint &&
  a.path.length === b.path.length &&
  a.path.every((step, i) => step === b.path[i]) &&
  (a.leafHashes ?? []).length === (b.leafHashes ?? []).length &&
  (a.leafHashes ?? []).every((leaf, i) => equalBytes(leaf, b.leafHashes?.[i] ?? new Uint8Array()))
const isSameOutput = (a: TransactionOutput, b: TransactionOutput): boolean =>
  a.amount === b.amount && equalBytes(a.script, b.script)
const isSameStack = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((item, i) => equalBytes(item, b[i] ?? new Uint8Array()))
const isSameBytes = (a: Transaction, b: Transaction): boolean =>
  a === b || equalBytes(encodeTransaction(a), encodeTransaction(b))
const isSamePair = (a: PsbtPair, b: PsbtPair): boolean => equalBytes(a.value, b.value)

const originKey = ({ publicKey }: PsbtOrigin): Uint8Array => publicKey
const pairKey = ({ key }: PsbtPair): Uint8Array => key
const xpubKey = ({ extendedKey }: PsbtXpub): Uint8Array => extendedKey

/** A field only where it has a value. */
const set = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V }

/** Of two signatures of one key both may be good; the same one has to be taken whoever comes first. */
const lesser = (a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined =>
  a && b ? (compareBytes(a, b) <= 0 ? a : b) : (a ?? b)

function joinSignatures(a: PsbtInput, b: PsbtInput): PsbtInput['signatures'] {
  const list = new Map(a.signatures.map((item) => [asText(item.publicKey), item]))
  for (const item of b.signatures) {
    const name = asText(item.publicKey)
    const signature = lesser(list.get(name)?.signature, item.signature) ?? item.signature
    list.set(name, { ...item, signature })
  }
  return inOrder([...list.values()])
}

function joinInput(join: Join, a: PsbtInput, b: PsbtInput): PsbtInput {
  return {
    signatures: joinSignatures(a, b),
    origins: join.all('bip32_derivation', a.origins, b.origins, originKey, isSameOrigin),
    tapOrigins: join.all('tap_derivation', a.tapOrigins, b.tapOrigins, originKey, isSameOrigin),
    kept: join.all('unknown', a.kept, b.kept, pairKey, isSamePair),
    ...set('tapSignature', lesser(a.tapSignature, b.tapSignature)),
    ...set('previous', join.one('non_witness_utxo', a.previous, b.previous, isSameBytes)),
    ...set('witnessUtxo', join.one('witness_utxo', a.witnessUtxo, b.witnessUtxo, isSameOutput)),
    ...set('sighash', join.number('sighash_type', a.sighash, b.sighash)),
    ...set('redeemScript', join.bytes('redeem_script', a.redeemScript, b.redeemScript)),
    ...set('witnessScript', join.bytes('witness_script', a.witnessScript, b.witnessScript)),
    ...set('finalScript', join.bytes('final_scriptsig', a.finalScript, b.finalScript)),
    ...set('finalWitness', join.one('final_witness', a.finalWitness, b.finalWitness, isSameStack)),
    ...set('requiredTime', join.number('required_time', a.requiredTime, b.requiredTime)),
    ...set('requiredHeight', join.number('required_height', a.requiredHeight, b.requiredHeight)),
    ...set('tapInternalKey', join.bytes('tap_internal_key', a.tapInternalKey, b.tapInternalKey)),
    ...set('tapMerkleRoot', join.bytes('tap_merkle_root', a.tapMerkleRoot, b.tapMerkleRoot)),
  }
}

function joinOutput(join: Join, a: PsbtOutput, b: PsbtOutput): PsbtOutput {
  return {
    origins: join.all('bip32_derivation', a.origins, b.origins, originKey, isSameOrigin),
    tapOrigins: join.all('tap_derivation', a.tapOrigins, b.tapOrigins, originKey, isSameOrigin),
    kept: join.all('unknown', a.kept, b.kept, pairKey, isSamePair),
    ...set('redeemScript', join.bytes('redeem_script', a.redeemScript, b.redeemScript)),
    ...set('witnessScript', join.bytes('witness_script', a.witnessScript, b.witnessScript)),
    ...set('tapInternalKey', join.bytes('tap_internal_key', a.tapInternalKey, b.tapInternalKey)),
    ...set('tapTree', join.bytes('tap_tree', a.tapTree, b.tapTree)),
  }
}

/** Joins map by map; both lists have the length that the transaction gives them. */
function joinMaps<T>(
  a: readonly T[],
  b: readonly T[],
  name: string,
  join: (join: Join, a: T, b: T) => T,
): Result<T[], CombineRefusal> {
  const joined: T[] = []
  for (const [i, left] of a.entries()) {
    const step = new Join()
    joined.push(join(step, left, b[i] ?? left))
    if (step.conflict !== undefined) return conflict(`${name} ${i}`, step.conflict)
  }
  return ok(joined)
}

const conflict = (where: string, field: string): Result<never, CombineRefusal> =>
  refuse('PSBT_CONFLICT', `${where}: the two say different things about ${field}`, {
    details: { map: where, field },
  })

/**
 * Everything that two PSBTs of one transaction know. The order of the two makes no difference, and doing it twice changes nothing.
 * Nothing is verified: between parties that do not trust each other use `takeSignatures`. Version 2 wins over 0.
 * Source: BIP 174, combiner.
 */
export function combinePsbts(a: Psbt, b: Psbt): Result<Psbt, CombineRefusal> {
  if (!isSameTransaction(a, b)) {
    return refuse('PSBT_DIFFERENT_TRANSACTION', 'the two PSBTs belong to different transactions')
  }
  const inputs = joinMaps(a.inputs, b.inputs, 'input', joinInput)
  if (!inputs.ok) return inputs
  const outputs = joinMaps(a.outputs, b.outputs, 'output', joinOutput)
  if (!outputs.ok) return outputs
  const join = new Join()
  const xpubs = join.all('xpub', a.xpubs, b.xpubs, xpubKey, isSameOrigin)
  const kept = join.all('unknown', a.kept, b.kept, pairKey, isSamePair)
  const fallback = join.number('fallback_locktime', a.fallbackLockTime, b.fallbackLockTime)
  const modifiable = join.number('tx_modifiable', a.modifiable, b.modifiable)
  if (join.conflict !== undefined) return conflict('the first map', join.conflict)
  return ok({
    version: a.version === 2 || b.version === 2 ? 2 : 0,
    transaction: a.transaction,
    inputs: inputs.value,
    outputs: outputs.value,
    xpubs,
    kept,
    ...set('fallbackLockTime', fallback),
    ...set('modifiable', modifiable),
  })
}
