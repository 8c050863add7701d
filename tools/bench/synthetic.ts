/** Made-up bytes in the shape of real ones, the same in every run. */
import { type OutPoint, sat, toHex, txid } from '@kaccy/bitcoin/kernel'
import { merkleRoot } from '@kaccy/bitcoin/protocol/block'
import {
  doubleSha256,
  encodeTransaction,
  type Transaction,
  weightOf,
  writeCompactSize,
} from '@kaccy/bitcoin/protocol/transaction'

/** A generator that gives the same numbers for the same seed (xorshift32). */
export interface Random {
  /** A whole number from 0 to `below - 1`. */
  int(below: number): number
  bytes(length: number): Uint8Array
}
export function seeded(seed: number): Random {
  let state = Math.imul(seed, 0x9e3779b1) | 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  for (let i = 0; i < 16; i++) next()
  return {
    int: (below) => next() % below,
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
  }
}

/** P2WPKH script number `i`: 22 bytes that look random. */
export function scriptNumber(i: number, salt: number): Uint8Array {
  const script = new Uint8Array(22)
  script.set([0, 20])
  let word = Math.imul(i + 1, 0x9e3779b1) ^ salt
  for (let at = 2; at < 22; at += 4) {
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35) ^ (word >>> 16) ^ i
    script.set([word, word >>> 8, word >>> 16, word >>> 24], at)
  }
  return script
}

/** An output script by the mix of a usual block. */
function outputScript(random: Random): Uint8Array {
  const kind = random.int(100)
  if (kind < 55) return Uint8Array.of(0, 20, ...random.bytes(20))
  if (kind < 75) return Uint8Array.of(0x51, 32, ...random.bytes(32))
  if (kind < 85) return Uint8Array.of(0x76, 0xa9, 20, ...random.bytes(20), 0x88, 0xac)
  if (kind < 95) return Uint8Array.of(0xa9, 20, ...random.bytes(20), 0x87)
  if (kind < 98) return Uint8Array.of(0, 32, ...random.bytes(32))
  return Uint8Array.of(0x6a, 40, ...random.bytes(40))
}

function transaction(random: Random): Transaction {
  const isSegwit = random.int(100) >= 8
  const inputs = Array.from({ length: 1 + random.int(3) }, () => ({
    txid: txid(toHex(random.bytes(32))),
    vout: random.int(4),
    script: isSegwit ? new Uint8Array(0) : random.bytes(107),
    sequence: 0xffff_fffd,
    witness: isSegwit ? [random.bytes(72), random.bytes(33)] : [],
  }))
  const outputs = Array.from({ length: 1 + random.int(4) }, () => ({
    amount: sat(BigInt(random.int(1_000_000_000))),
    script: outputScript(random),
  }))
  return { version: 2, inputs, outputs, lockTime: 0 }
}

export interface SyntheticBlock {
  readonly bytes: Uint8Array
  readonly transactions: number
}
/**
 * A block of nearly 4,000,000 weight units. Every 900th output pays one of `ours`, every 900th input spends one of `coins`.
 */
export function fullBlock(
  seed: number,
  ours: (i: number) => Uint8Array,
  coins: OutPoint[],
): SyntheticBlock {
  const random = seeded(seed)
  const list: Transaction[] = []
  let weight = 400
  let outputs = 0
  while (weight < 3_990_000) {
    const made = transaction(random)
    const [input] = made.inputs
    const [output] = made.outputs
    outputs += made.outputs.length
    const isOurs = input !== undefined && output !== undefined && outputs % 900 < 3
    const coin = coins[outputs % Math.max(1, coins.length)]
    const hit = isOurs
      ? {
          ...made,
          inputs: [{ ...input, ...coin }, ...made.inputs.slice(1)],
          outputs: [{ ...output, script: ours(random.int(1_000_000)) }, ...made.outputs.slice(1)],
        }
      : made
    list.push(hit)
    weight += weightOf(hit)
  }
  const parts = list.map((one) => encodeTransaction(one))
  const size = parts.reduce((sum, part) => sum + part.length, 83)
  const bytes = new Uint8Array(size)
  const leaves = list.map((one) => doubleSha256(encodeTransaction(one, 'without-witness')))
  bytes.set(merkleRoot(leaves).root, 36)
  let at = writeCompactSize(bytes, 80, list.length)
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { bytes: bytes.subarray(0, at), transactions: list.length }
}
