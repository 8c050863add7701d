import { ByteReader, ByteWriter, equalBytes, hashBytes, sha256d, toReversedHex } from './bytes.ts'
import { NULL_HASH, readTransaction, type Transaction } from './transaction.ts'

export interface BlockHeader {
  readonly version: number
  readonly prev: string
  readonly merkleRoot: string
  /** Seconds since the epoch. */
  readonly time: number
  readonly bits: number
  readonly nonce: number
  readonly hash: string
  readonly bytes: Uint8Array
}
export interface Block {
  readonly header: BlockHeader
  readonly transactions: readonly Transaction[]
  readonly raw: Uint8Array
  readonly strippedSize: number
  readonly weight: number
}

export const REGTEST_BITS = 0x207fffff
/** Regtest halves every 150 blocks. Source: Core's chain parameters. */
export const subsidyAt = (height: number): bigint => {
  const halvings = Math.floor(height / 150)
  return halvings >= 64 ? 0n : 5_000_000_000n >> BigInt(halvings)
}
/** At regtest difficulty the target is 7fffff0000...: only the top three bytes of the hash matter. */
export function meetsRegtestTarget(hash: Uint8Array): boolean {
  const top = hash[31] ?? 0xff
  if (top !== 0x7f) return top < 0x7f
  if (hash[30] !== 0xff || hash[29] !== 0xff) return true
  for (let i = 28; i >= 0; i--) if (hash[i] !== 0) return false
  return true
}

export function readHeader(bytes: Uint8Array): BlockHeader {
  const reader = new ByteReader(bytes)
  const version = reader.u32() | 0
  const prev = toReversedHex(reader.take(32))
  const merkleRoot = toReversedHex(reader.take(32))
  const time = reader.u32()
  const bits = reader.u32()
  const nonce = reader.u32()
  const own = bytes.slice(0, 80)
  const hash = toReversedHex(sha256d(own))
  return { version, prev, merkleRoot, time, bits, nonce, hash, bytes: own }
}

/** Undefined unless the bytes begin with a whole block; what follows it is left out, as Core does. */
export function decodeBlock(raw: Uint8Array): Block | undefined {
  try {
    const reader = new ByteReader(raw, 80)
    const count = reader.size()
    const transactions: Transaction[] = []
    for (let left = count; left > 0; left--) transactions.push(readTransaction(reader))
    return assembleBlock(readHeader(raw.subarray(0, 80)), transactions, raw.slice(0, reader.at))
  } catch {
    return undefined
  }
}
function assembleBlock(
  header: BlockHeader,
  transactions: readonly Transaction[],
  raw: Uint8Array,
): Block {
  let saved = 0
  for (const transaction of transactions) saved += transaction.raw.length - transaction.strippedSize
  const strippedSize = raw.length - saved
  return { header, transactions, raw, strippedSize, weight: strippedSize * 3 + raw.length }
}

/** The root, and whether the list was bent by repeating its tail (CVE-2012-2459). */
export function merkleRoot(leaves: readonly Uint8Array[]): { root: Uint8Array; mutated: boolean } {
  let level: readonly Uint8Array[] = leaves
  let mutated = false
  const pair = new Uint8Array(64)
  while (level.length > 1) {
    const next: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array
      const right = level[i + 1] ?? left
      if (i + 1 < level.length && equalBytes(left, right)) mutated = true
      pair.set(left, 0)
      pair.set(right, 32)
      next.push(sha256d(pair))
    }
    level = next
  }
  return { root: level[0] ?? new Uint8Array(32), mutated }
}
export const transactionMerkle = (transactions: readonly Transaction[]) =>
  merkleRoot(transactions.map((transaction) => hashBytes(transaction.txid)))

/** BIP 141: commitment over the wtxids (zeros for the coinbase, which is not in `rest`) and the reserved value. */
export function witnessCommitment(rest: readonly Transaction[], reserved: Uint8Array): Uint8Array {
  const leaves = [NULL_HASH, ...rest.map((transaction) => transaction.wtxid)].map(hashBytes)
  const both = new Uint8Array(64)
  both.set(merkleRoot(leaves).root, 0)
  both.set(reserved, 32)
  return sha256d(both)
}
export const COMMITMENT_PREFIX = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed)
/** Index of the last output that carries a witness commitment, or -1. */
export function commitmentIndex(coinbase: Transaction): number {
  for (let i = coinbase.outputs.length - 1; i >= 0; i--) {
    const script = coinbase.outputs[i]?.script
    if (script && script.length >= 38 && equalBytes(script.subarray(0, 6), COMMITMENT_PREFIX)) {
      return i
    }
  }
  return -1
}

/** Tries nonces until the hash meets the regtest target: two tries on average. */
export function grindBlock(
  fields: { readonly version: number; readonly prev: string; readonly time: number },
  transactions: readonly Transaction[],
): Block {
  const root = transactionMerkle(transactions).root
  const bytes = new ByteWriter()
    .u32(fields.version)
    .put(hashBytes(fields.prev))
    .put(root)
    .u32(fields.time)
    .u32(REGTEST_BITS)
    .u32(0)
    .done()
  let digest = sha256d(bytes)
  let nonce = 0
  while (!meetsRegtestTarget(digest)) {
    nonce += 1
    for (let i = 0; i < 4; i++) bytes[76 + i] = (nonce >>> (8 * i)) & 0xff
    digest = sha256d(bytes)
  }
  const header: BlockHeader = {
    version: fields.version,
    prev: fields.prev,
    merkleRoot: toReversedHex(root),
    time: fields.time,
    bits: REGTEST_BITS,
    nonce,
    hash: toReversedHex(digest),
    bytes,
  }
  return encodeBlock(header, transactions)
}
/** A block of a finished header and its transactions. */
export function encodeBlock(header: BlockHeader, transactions: readonly Transaction[]): Block {
  const writer = new ByteWriter().put(header.bytes).size(transactions.length)
  for (const transaction of transactions) writer.put(transaction.raw)
  return assembleBlock(header, transactions, writer.done())
}

const GENESIS_HEX =
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4adae5494dffff7f20020000000101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000'
/** The genesis block of Core's regtest, as hex. */
export const genesisHex = GENESIS_HEX
