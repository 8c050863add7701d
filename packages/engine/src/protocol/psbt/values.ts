import { MAX_SAT, sat, toHex } from '../../kernel/index.ts'
import type { KeyOrigin } from '../keys/index.ts'
import { hasPublicKeyShape } from '../script/index.ts'
import {
  compactSize,
  compactSizeLength,
  type TransactionOutput,
  uint32,
} from '../transaction/index.ts'

/** What is wrong with a field; a text for people. */
export type Fault = string
export const AMOUNT_FAULT: Fault = 'has an amount outside 0 to 21 million BTC'

const FINGERPRINT = 4
const MAX_TAPROOT_DEPTH = 128

/** The number that fills `value`, or undefined. */
export const readUint32 = (value: Uint8Array): number | undefined =>
  value.length === 4 ? uint32(value, 0) : undefined

/** The compact size that fills `value`, or undefined. */
export function readCount(value: Uint8Array): number | undefined {
  const count = compactSize(value, 0)
  return count >= 0 && compactSizeLength(count) === value.length ? count : undefined
}

/** Eight bytes, little endian, signed as in a transaction; undefined outside 0 to 21 million BTC. */
export function readAmount(value: Uint8Array, at = 0): TransactionOutput['amount'] | undefined {
  const amount = (BigInt(uint32(value, at + 4)) << 32n) | BigInt(uint32(value, at))
  return amount > MAX_SAT ? undefined : sat(amount)
}

/** A fingerprint and steps of four bytes each. Source: BIP 174. */
export function readOrigin(value: Uint8Array): KeyOrigin | undefined {
  if (value.length < FINGERPRINT || value.length % 4 !== 0) return undefined
  const path: number[] = []
  for (let at = FINGERPRINT; at < value.length; at += 4) path.push(uint32(value, at))
  return path.length > 255
    ? undefined
    : { fingerprint: toHex(value.subarray(0, FINGERPRINT)), path }
}

/** The leaves that a taproot key stands in, and its origin. Source: BIP 371. */
export function readTapOrigin(
  value: Uint8Array,
): (KeyOrigin & { readonly leafHashes: readonly Uint8Array[] }) | undefined {
  const count = compactSize(value, 0)
  if (count < 0) return undefined
  const from = compactSizeLength(count)
  const end = from + 32 * count
  if (end > value.length) return undefined
  const origin = readOrigin(value.subarray(end))
  const leafHashes = Array.from({ length: count }, (_, i) =>
    value.subarray(from + 32 * i, from + 32 * i + 32),
  )
  return origin && { ...origin, leafHashes }
}

/** A witness stack that fills `value`. */
export function readStack(value: Uint8Array): Uint8Array[] | undefined {
  const count = compactSize(value, 0)
  if (count < 0) return undefined
  let at = compactSizeLength(count)
  if (count > value.length - at) return undefined
  const stack: Uint8Array[] = []
  for (let i = 0; i < count; i++) {
    const length = compactSize(value, at)
    if (length < 0) return undefined
    at += compactSizeLength(length)
    if (at + length > value.length) return undefined
    stack.push(value.subarray(at, at + length))
    at += length
  }
  return at === value.length ? stack : undefined
}

/** An output as a transaction has it, that fills `value`; a text says why it is none. */
export function readOutput(value: Uint8Array): TransactionOutput | Fault {
  const length = value.length < 9 ? -1 : compactSize(value, 8)
  const from = 8 + compactSizeLength(length)
  if (length < 0 || from + length !== value.length) return 'has an output that cannot be read'
  const amount = readAmount(value)
  return amount === undefined ? AMOUNT_FAULT : { amount, script: value.subarray(from) }
}

/** True for depth, leaf version and script of the leaves of one whole binary tree, depth first. Source: BIP 371. */
export function isTapTree(value: Uint8Array): boolean {
  // Leaves fill the tree from the left: `open` are the depths at which a right-hand branch is still to come.
  const open: number[] = [0]
  let at = 0
  while (at < value.length) {
    const depth = value[at] ?? 0
    const version = value[at + 1] ?? 1
    const length = compactSize(value, at + 2)
    if (depth > MAX_TAPROOT_DEPTH || (version & 1) !== 0 || length < 0) return false
    at += 2 + compactSizeLength(length) + length
    let branch = open.pop()
    if (branch === undefined || branch > depth) return false
    while (branch < depth) open.push(++branch)
  }
  return at === value.length && value.length > 0 && open.length === 0
}

/** True for a key as ECDSA scripts have it. Whether it lies on the curve is known when a signature of it is verified. */
export const isEcdsaKey = hasPublicKeyShape

const isCompressed = (key: Uint8Array): boolean =>
  key.length === 33 && (key[0] === 2 || key[0] === 3)

/** True for compressed keys one after the other, at least one. */
export function areCompressedKeys(value: Uint8Array): boolean {
  if (value.length === 0 || value.length % 33 !== 0) return false
  for (let at = 0; at < value.length; at += 33) {
    if (!isCompressed(value.subarray(at, at + 33))) return false
  }
  return true
}
