import { fromHex } from '../../kernel/index.ts'
import {
  compactSizeLength,
  type TransactionInput,
  type TransactionOutput,
  writeCompactSize,
  writeUint32,
} from '../transaction/index.ts'

/** Writes an amount in 8 bytes, little endian, and answers the offset behind it. */
export function writeAmount(bytes: Uint8Array, at: number, amount: bigint): number {
  writeUint32(bytes, at, Number(amount & 0xffff_ffffn))
  return writeUint32(bytes, at + 4, Number(amount >> 32n))
}

/** Length and content; answers the offset behind it. */
export function writeSized(bytes: Uint8Array, at: number, content: Uint8Array): number {
  const from = writeCompactSize(bytes, at, content.length)
  bytes.set(content, from)
  return from + content.length
}

export const sizedLength = (content: Uint8Array): number =>
  compactSizeLength(content.length) + content.length

/** The 36 bytes of every outpoint, one after the other. */
export function outPointBytes(inputs: readonly TransactionInput[]): Uint8Array {
  const bytes = new Uint8Array(36 * inputs.length)
  let at = 0
  for (const { txid, vout } of inputs) {
    bytes.set(fromHex(txid).reverse(), at)
    at = writeUint32(bytes, at + 32, vout)
  }
  return bytes
}

export function sequenceBytes(inputs: readonly TransactionInput[]): Uint8Array {
  const bytes = new Uint8Array(4 * inputs.length)
  let at = 0
  for (const { sequence } of inputs) at = writeUint32(bytes, at, sequence)
  return bytes
}

export function outputBytes(outputs: readonly TransactionOutput[]): Uint8Array {
  let length = 0
  for (const { script } of outputs) length += 8 + sizedLength(script)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { amount, script } of outputs) {
    at = writeSized(bytes, writeAmount(bytes, at, amount), script)
  }
  return bytes
}

export function amountBytes(outputs: readonly TransactionOutput[]): Uint8Array {
  const bytes = new Uint8Array(8 * outputs.length)
  let at = 0
  for (const { amount } of outputs) at = writeAmount(bytes, at, amount)
  return bytes
}

export function scriptBytes(outputs: readonly TransactionOutput[]): Uint8Array {
  let length = 0
  for (const { script } of outputs) length += sizedLength(script)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const { script } of outputs) at = writeSized(bytes, at, script)
  return bytes
}
