import { sha256 } from '@noble/hashes/sha2.js'
import {
  fromHex,
  type Txid,
  toReversedHex,
  type Weight,
  type Wtxid,
  weight,
} from '../../kernel/index.ts'
import { compactSizeLength, writeCompactSize, writeUint32 } from './compact-size.ts'
import type { Transaction, TransactionInput, TransactionOutput } from './model.ts'

/** Twice SHA-256: the hash of ids, headers and merkle trees. */
export const doubleSha256 = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))

export const hasWitness = (transaction: Transaction): boolean =>
  transaction.inputs.some((input) => input.witness.length > 0)

const sized = (bytes: Uint8Array): number => compactSizeLength(bytes.length) + bytes.length

/** Bytes without marker, flag and witness: what the txid is made of. */
export function strippedSize({ inputs, outputs }: Transaction): number {
  let size = 8 + compactSizeLength(inputs.length) + compactSizeLength(outputs.length)
  for (const input of inputs) size += 40 + sized(input.script)
  for (const output of outputs) size += 8 + sized(output.script)
  return size
}

function witnessSize(transaction: Transaction): number {
  if (!hasWitness(transaction)) return 0
  let size = 2
  for (const { witness } of transaction.inputs) {
    size += compactSizeLength(witness.length)
    for (const item of witness) size += sized(item)
  }
  return size
}

/** Weight units (BIP 141): four for a byte of the body, one for a byte of the witness. */
export const weightOf = (transaction: Transaction): Weight =>
  weight(4 * strippedSize(transaction) + witnessSize(transaction))

/** Virtual bytes (BIP 141): a quarter of the weight, rounded up. */
export const vsizeOf = (transaction: Transaction): number => Math.ceil(weightOf(transaction) / 4)

/** Serialises with the witness where there is one (BIP 144), or always without it. */
export function encodeTransaction(
  transaction: Transaction,
  form: 'with-witness' | 'without-witness' = 'with-witness',
): Uint8Array {
  const withWitness = form === 'with-witness' && hasWitness(transaction)
  const extra = withWitness ? witnessSize(transaction) : 0
  const bytes = new Uint8Array(strippedSize(transaction) + extra)
  let at = writeUint32(bytes, 0, transaction.version)
  if (withWitness) {
    bytes[at + 1] = 1
    at += 2
  }
  at = writeCompactSize(bytes, at, transaction.inputs.length)
  for (const input of transaction.inputs) at = writeInput(bytes, at, input)
  at = writeCompactSize(bytes, at, transaction.outputs.length)
  for (const output of transaction.outputs) at = writeOutput(bytes, at, output)
  if (withWitness) {
    for (const { witness } of transaction.inputs) {
      at = writeCompactSize(bytes, at, witness.length)
      for (const item of witness) at = writeSized(bytes, at, item)
    }
  }
  writeUint32(bytes, at, transaction.lockTime)
  return bytes
}

function writeSized(bytes: Uint8Array, at: number, content: Uint8Array): number {
  const from = writeCompactSize(bytes, at, content.length)
  bytes.set(content, from)
  return from + content.length
}

function writeInput(bytes: Uint8Array, at: number, input: TransactionInput): number {
  bytes.set(fromHex(input.txid).reverse(), at)
  const script = writeUint32(bytes, at + 32, input.vout)
  return writeUint32(bytes, writeSized(bytes, script, input.script), input.sequence)
}

function writeOutput(bytes: Uint8Array, at: number, output: TransactionOutput): number {
  const low = Number(output.amount & 0xffff_ffffn)
  const high = Number(output.amount >> 32n)
  return writeSized(bytes, writeUint32(bytes, writeUint32(bytes, at, low), high), output.script)
}

/** The id under which everybody knows a transaction; a witness does not change it. */
export const txidOf = (transaction: Transaction): Txid =>
  toReversedHex(doubleSha256(encodeTransaction(transaction, 'without-witness'))) as Txid

/** The id that covers the witness as well (BIP 141). */
export const wtxidOf = (transaction: Transaction): Wtxid =>
  toReversedHex(doubleSha256(encodeTransaction(transaction))) as Wtxid
