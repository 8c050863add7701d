import { type Block, type BlockHeader, readHeader } from './block.ts'
import { ByteReader, ByteWriter, equalBytes, hashBytes, sha256d, toReversedHex } from './bytes.ts'

/** No block holds more transactions than its weight has room for: 4,000,000 units of 240 each. */
const MAX_TRANSACTIONS = 16_666

const pair = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const both = new Uint8Array(64)
  both.set(left, 0)
  both.set(right, 32)
  return sha256d(both)
}
const widthAt = (count: number, height: number): number => Math.ceil(count / 2 ** height)
const heightOf = (count: number): number => {
  let height = 0
  while (widthAt(count, height) > 1) height += 1
  return height
}

/** A header with the part of its merkle tree that proves some of the block's transactions. Source: BIP 37, Core's `gettxoutproof`. */
export function encodeMerkleBlock(block: Block, txids: ReadonlySet<string>): Uint8Array {
  const leaves = block.transactions.map(({ txid }) => hashBytes(txid))
  const levels: (readonly Uint8Array[])[] = [leaves]
  for (let level = leaves; level.length > 1; levels.push(level)) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array
      above.push(pair(left, level[i + 1] ?? left))
    }
    level = above
  }
  const wanted = block.transactions.map(({ txid }) => txids.has(txid))
  const bits: boolean[] = []
  const hashes: Uint8Array[] = []
  const walk = (height: number, position: number): void => {
    const isParent = wanted.slice(position << height, (position + 1) << height).includes(true)
    bits.push(isParent)
    if (height === 0 || !isParent) {
      hashes.push(levels[height]?.[position] ?? new Uint8Array(32))
      return
    }
    walk(height - 1, position * 2)
    if (position * 2 + 1 < widthAt(leaves.length, height - 1)) walk(height - 1, position * 2 + 1)
  }
  walk(levels.length - 1, 0)
  const writer = new ByteWriter().put(block.header.bytes).u32(leaves.length).size(hashes.length)
  for (const hash of hashes) writer.put(hash)
  const packed = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, i) => {
    if (bit) packed[i >> 3] = (packed[i >> 3] ?? 0) | (1 << (i & 7))
  })
  return writer.script(packed).done()
}

export interface MerkleProof {
  readonly header: BlockHeader
  /** How many transactions the block has, as the proof says. */
  readonly count: number
  /** What the proof proves; undefined when it does not lead to the root of its header. */
  readonly txids: readonly string[] | undefined
}
/** Reads a proof. @throws TruncatedError when the bytes end early. */
export function decodeMerkleBlock(bytes: Uint8Array): MerkleProof {
  const reader = new ByteReader(bytes)
  const header = readHeader(reader.take(80))
  const count = reader.u32()
  const hashes: Uint8Array[] = []
  for (let left = reader.size(); left > 0; left--) hashes.push(reader.take(32))
  const packed = reader.script()
  const proven = extract(count, hashes, packed)
  const leads = proven && toReversedHex(proven.root) === header.merkleRoot
  return { header, count, txids: leads ? proven.matches.map(toReversedHex) : undefined }
}
function extract(
  count: number,
  hashes: readonly Uint8Array[],
  packed: Uint8Array,
): { readonly root: Uint8Array; readonly matches: readonly Uint8Array[] } | undefined {
  if (count === 0 || count > MAX_TRANSACTIONS) return undefined
  if (hashes.length > count || packed.length * 8 < hashes.length) return undefined
  const matches: Uint8Array[] = []
  let usedBits = 0
  let usedHashes = 0
  let isBad = false
  const walk = (height: number, position: number): Uint8Array => {
    const isParent = (((packed[usedBits >> 3] ?? 0) >> (usedBits & 7)) & 1) === 1
    if (usedBits >= packed.length * 8) isBad = true
    usedBits += 1
    if (isBad) return new Uint8Array(32)
    if (height === 0 || !isParent) {
      const hash = hashes[usedHashes]
      usedHashes += 1
      if (!hash) isBad = true
      else if (height === 0 && isParent) matches.push(hash)
      return hash ?? new Uint8Array(32)
    }
    const left = walk(height - 1, position * 2)
    if (position * 2 + 1 >= widthAt(count, height - 1)) return pair(left, left)
    const right = walk(height - 1, position * 2 + 1)
    // Two equal halves would let one transaction stand for two (CVE-2012-2459).
    if (equalBytes(left, right)) isBad = true
    return pair(left, right)
  }
  const root = walk(heightOf(count), 0)
  const isWhole = Math.ceil(usedBits / 8) === packed.length && usedHashes === hashes.length
  return isBad || !isWhole ? undefined : { root, matches }
}
