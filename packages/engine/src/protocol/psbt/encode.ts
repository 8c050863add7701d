import { base64 } from '@scure/base'
import { fromHex } from '../../kernel/index.ts'
import { joinBytes } from '../script/index.ts'
import {
  compactSizeLength,
  encodeTransaction,
  type TransactionInput,
  type TransactionOutput,
  writeCompactSize,
  writeUint32,
} from '../transaction/index.ts'
import { FINAL_SEQUENCE, GLOBAL, INPUT, MAGIC, OUTPUT } from './fields.ts'
import type { Psbt, PsbtInput, PsbtOrigin, PsbtOutput, PsbtPair, PsbtVersion } from './model.ts'

const NO_DATA = new Uint8Array()

/** Pairs of one map on their way to bytes. */
class PairList {
  readonly pairs: PsbtPair[] = []

  /** Adds a pair when there is a value. `data` is the key behind the type. */
  put(type: number, value: Uint8Array | undefined, data: Uint8Array = NO_DATA): void {
    if (!value) return
    const key = new Uint8Array(1 + data.length)
    key[0] = type
    key.set(data, 1)
    this.pairs.push({ type, key, value })
  }
  number(type: number, value: number | undefined): void {
    if (value !== undefined) this.put(type, uint32Bytes(value))
  }
}

function uint32Bytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  let at = 0
  for (const value of values) at = writeUint32(bytes, at, value)
  return bytes
}

function countBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(compactSizeLength(count))
  writeCompactSize(bytes, 0, count)
  return bytes
}

const sized = (content: Uint8Array): Uint8Array => joinBytes(countBytes(content.length), content)

function amountBytes(amount: bigint): Uint8Array {
  return uint32Bytes(Number(amount & 0xffff_ffffn), Number(amount >> 32n))
}

const originBytes = ({ fingerprint, path }: Pick<PsbtOrigin, 'fingerprint' | 'path'>): Uint8Array =>
  joinBytes(fromHex(fingerprint), uint32Bytes(...path))

const tapOriginBytes = (origin: PsbtOrigin): Uint8Array => {
  const leaves = origin.leafHashes ?? []
  return joinBytes(countBytes(leaves.length), ...leaves, originBytes(origin))
}

const outputBytes = ({ amount, script }: TransactionOutput): Uint8Array =>
  joinBytes(amountBytes(amount), sized(script))

function globalPairs(psbt: Psbt, version: PsbtVersion): PairList {
  const { transaction, inputs, outputs, xpubs, fallbackLockTime, modifiable, layout } = psbt
  const list = new PairList()
  if (version === 0) list.put(GLOBAL.UNSIGNED_TX, encodeTransaction(transaction, 'without-witness'))
  for (const xpub of xpubs) list.put(GLOBAL.XPUB, originBytes(xpub), xpub.extendedKey)
  if (version === 2) {
    list.number(GLOBAL.TX_VERSION, transaction.version)
    // A file of version 0 knows one lock time only; the inputs of version 2 would otherwise be the only ones to say it.
    const fallback = psbt.version === 0 ? transaction.lockTime : fallbackLockTime
    list.number(GLOBAL.FALLBACK_LOCKTIME, fallback)
    list.put(GLOBAL.INPUT_COUNT, countBytes(inputs.length))
    list.put(GLOBAL.OUTPUT_COUNT, countBytes(outputs.length))
    if (modifiable !== undefined) list.put(GLOBAL.TX_MODIFIABLE, Uint8Array.of(modifiable))
  }
  const isSaid = psbt.version === 0 && layout?.includes(GLOBAL.VERSION)
  if (version === 2 || isSaid) list.number(GLOBAL.VERSION, version)
  return list
}

function inputPairs(input: PsbtInput, spends: TransactionInput, version: PsbtVersion): PairList {
  const list = new PairList()
  list.put(INPUT.NON_WITNESS_UTXO, input.previous && encodeTransaction(input.previous))
  list.put(INPUT.WITNESS_UTXO, input.witnessUtxo && outputBytes(input.witnessUtxo))
  for (const { publicKey, signature } of input.signatures) {
    list.put(INPUT.PARTIAL_SIG, signature, publicKey)
  }
  list.number(INPUT.SIGHASH_TYPE, input.sighash)
  list.put(INPUT.REDEEM_SCRIPT, input.redeemScript)
  list.put(INPUT.WITNESS_SCRIPT, input.witnessScript)
  for (const origin of input.origins) {
    list.put(INPUT.BIP32_DERIVATION, originBytes(origin), origin.publicKey)
  }
  list.put(INPUT.FINAL_SCRIPTSIG, input.finalScript)
  const { finalWitness } = input
  list.put(
    INPUT.FINAL_SCRIPTWITNESS,
    finalWitness && joinBytes(countBytes(finalWitness.length), ...finalWitness.map(sized)),
  )
  if (version === 2) {
    list.put(INPUT.PREVIOUS_TXID, fromHex(spends.txid).reverse())
    list.number(INPUT.OUTPUT_INDEX, spends.vout)
    const isSaid = input.layout?.includes(INPUT.SEQUENCE) ?? true
    if (isSaid || spends.sequence !== FINAL_SEQUENCE) list.number(INPUT.SEQUENCE, spends.sequence)
    list.number(INPUT.REQUIRED_TIME, input.requiredTime)
    list.number(INPUT.REQUIRED_HEIGHT, input.requiredHeight)
  }
  list.put(INPUT.TAP_KEY_SIG, input.tapSignature)
  for (const origin of input.tapOrigins) {
    list.put(INPUT.TAP_BIP32_DERIVATION, tapOriginBytes(origin), origin.publicKey)
  }
  list.put(INPUT.TAP_INTERNAL_KEY, input.tapInternalKey)
  list.put(INPUT.TAP_MERKLE_ROOT, input.tapMerkleRoot)
  return list
}

function outputPairs(output: PsbtOutput, pays: TransactionOutput, version: PsbtVersion): PairList {
  const list = new PairList()
  list.put(OUTPUT.REDEEM_SCRIPT, output.redeemScript)
  list.put(OUTPUT.WITNESS_SCRIPT, output.witnessScript)
  for (const origin of output.origins) {
    list.put(OUTPUT.BIP32_DERIVATION, originBytes(origin), origin.publicKey)
  }
  if (version === 2) {
    list.put(OUTPUT.AMOUNT, amountBytes(pays.amount))
    list.put(OUTPUT.SCRIPT, pays.script)
  }
  list.put(OUTPUT.TAP_INTERNAL_KEY, output.tapInternalKey)
  list.put(OUTPUT.TAP_TREE, output.tapTree)
  for (const origin of output.tapOrigins) {
    list.put(OUTPUT.TAP_BIP32_DERIVATION, tapOriginBytes(origin), origin.publicKey)
  }
  return list
}

/** The pairs in the order of the file they came from; by type where there was none. What is new to a file goes behind the rest. */
function ordered(
  { pairs }: PairList,
  kept: readonly PsbtPair[],
  layout: readonly number[] = [],
): PsbtPair[] {
  const all = [...pairs, ...kept].sort((a, b) => a.type - b.type)
  if (layout.every((type, i) => i === 0 || (layout[i - 1] ?? 0) <= type)) return all
  const queues = new Map<number, PsbtPair[]>()
  for (const pair of all) {
    const queue = queues.get(pair.type)
    if (queue) queue.push(pair)
    else queues.set(pair.type, [pair])
  }
  for (const queue of queues.values()) queue.reverse()
  const known = layout.flatMap((type) => queues.get(type)?.pop() ?? [])
  return [...known, ...[...queues.values()].flatMap((queue) => queue.reverse())]
}

function mapBytes(pairs: readonly PsbtPair[]): Uint8Array {
  let length = 1
  for (const { key, value } of pairs) {
    length += compactSizeLength(key.length) + key.length
    length += compactSizeLength(value.length) + value.length
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { key, value } of pairs) {
    for (const part of [key, value]) {
      at = writeCompactSize(bytes, at, part.length)
      bytes.set(part, at)
      at += part.length
    }
  }
  return bytes
}

/**
 * Writes a PSBT, in its own version unless another is wanted. What `parsePsbt` has read comes out byte for byte, our own
 * ordered by type. Version 0 has no place for required lock times and flags: the lock time that follows from them stays.
 */
export function encodePsbt(psbt: Psbt, version: PsbtVersion = psbt.version): Uint8Array {
  const { transaction, inputs, outputs } = psbt
  const isSame = version === psbt.version
  const maps = [ordered(globalPairs(psbt, version), psbt.kept, isSame ? psbt.layout : undefined)]
  for (const [i, spends] of transaction.inputs.entries()) {
    const input = inputs[i]
    if (input) maps.push(ordered(inputPairs(input, spends, version), input.kept, input.layout))
  }
  for (const [i, pays] of transaction.outputs.entries()) {
    const output = outputs[i]
    if (output) maps.push(ordered(outputPairs(output, pays, version), output.kept, output.layout))
  }
  return joinBytes(MAGIC, ...maps.map(mapBytes))
}

/** As `encodePsbt`, in base64. */
export const encodePsbtText = (psbt: Psbt, version?: PsbtVersion): string =>
  base64.encode(encodePsbt(psbt, version))
