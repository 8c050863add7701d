import { createHash } from 'node:crypto'
import { ripemd160 } from '@noble/hashes/legacy.js'

/** A transaction as it lies on the wire. The generator shares no code with what it tests, so it has one of its own. */
export interface WireInput {
  txid: string
  vout: number
  script: Uint8Array
  sequence: number
  witness: readonly Uint8Array[]
}
export interface WireOutput {
  value: bigint
  script: Uint8Array
}
export interface WireTransaction {
  version: number
  inputs: WireInput[]
  outputs: WireOutput[]
  locktime: number
}

export const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest())
export const hash256 = (bytes: Uint8Array): Uint8Array => sha256(sha256(bytes))
export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
export const reversedHex = (bytes: Uint8Array): string => hex(bytes.toReversed())

export type Part = Uint8Array | readonly number[]
export function concat(...parts: readonly Part[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}
function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
  return bytes
}
export function compact(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value)
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >> 8)
  return concat([0xfe], u32(value))
}
export const sized = (bytes: Uint8Array): Uint8Array => concat(compact(bytes.length), bytes)

export function encode(transaction: WireTransaction, witness = true): Uint8Array {
  const { inputs, outputs } = transaction
  const extended = witness && inputs.some((input) => input.witness.length > 0)
  const parts: Part[] = [u32(transaction.version >>> 0)]
  if (extended) parts.push([0, 1])
  parts.push(compact(inputs.length))
  for (const { txid, vout, script, sequence } of inputs) {
    parts.push(unhex(txid).reverse(), u32(vout), sized(script), u32(sequence))
  }
  parts.push(compact(outputs.length))
  for (const { value, script } of outputs) parts.push(u64(value), sized(script))
  if (extended) {
    for (const input of inputs) {
      parts.push(compact(input.witness.length), ...input.witness.map(sized))
    }
  }
  parts.push(u32(transaction.locktime))
  return concat(...parts)
}
export const txidOf = (transaction: WireTransaction): string =>
  reversedHex(hash256(encode(transaction, false)))
export const wtxidOf = (transaction: WireTransaction): string =>
  reversedHex(hash256(encode(transaction)))
export function vsizeOf(transaction: WireTransaction): number {
  return Math.ceil((encode(transaction, false).length * 3 + encode(transaction).length) / 4)
}

/** Root over hashes in wire order. */
export function merkle(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array
      next.push(hash256(concat(left, level[i + 1] ?? left)))
    }
    level = next
  }
  return level[0] ?? new Uint8Array(32)
}
