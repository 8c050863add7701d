import {
  type BlockHash,
  equalBytes,
  ok,
  type Result,
  type Txid,
  toReversedHex,
} from '../../kernel/index.ts'
import { compactSize, compactSizeLength, uint32 } from '../transaction/index.ts'
import {
  type BlockHeader,
  type BlockRefusal,
  blockHashOf,
  decodeHeader,
  HEADER_LENGTH,
  refuseBlock,
} from './header.ts'
import { hashPair } from './merkle.ts'

/** What a proof of inclusion (`gettxoutproof`) says. */
export interface TransactionProof {
  readonly header: BlockHeader
  readonly hash: BlockHash
  /** How many transactions the block has. */
  readonly total: number
  /** The proven transactions with their position in the block, in block order. */
  readonly transactions: readonly { readonly txid: Txid; readonly index: number }[]
}

/** A transaction has at least 60 bytes without witness, so a block of 1,000,000 has at most so many. */
const MOST_TRANSACTIONS = Math.floor(1_000_000 / 60)

/**
 * Reads a partial merkle tree (the form of `gettxoutproof` and of BIP 37's merkleblock) and proves it against the merkle
 * root of its header. Whether that header is in the best chain, and has the work it claims, is for the caller to check; so is
 * `total` against the block itself: with another count, an inner node of the tree could pose as a transaction.
 * Refuses unused hashes or flags and everything else that would let one proof be written in two ways.
 */
export function readTransactionProof(bytes: Uint8Array): Result<TransactionProof, BlockRefusal> {
  const no = (fault: string) => refuseBlock(`proof ${fault}`)
  const header = decodeHeader(bytes)
  const hash = blockHashOf(bytes)
  if (!header.ok || hash === undefined || bytes.length < HEADER_LENGTH + 4) return no('is cut off')
  const total = uint32(bytes, HEADER_LENGTH)
  if (total === 0 || total > MOST_TRANSACTIONS) return no('has an impossible count of transactions')
  let at = HEADER_LENGTH + 4
  const hashCount = compactSize(bytes, at)
  if (hashCount < 0 || hashCount > total) return no('has a bad count of hashes')
  at += compactSizeLength(hashCount)
  if (at + 32 * hashCount > bytes.length) return no('is cut off')
  const hashes = bytes.subarray(at, at + 32 * hashCount)
  at += 32 * hashCount
  const flagBytes = compactSize(bytes, at)
  at += compactSizeLength(flagBytes)
  if (flagBytes < 0 || at + flagBytes !== bytes.length) return no('has bad flags')
  const tree = new PartialTree(total, hashes, bytes.subarray(at))
  const root = tree.root()
  if (root === undefined) return no('does not hold together')
  if (toReversedHex(root) !== header.value.merkleRoot) return no('belongs to another block')
  return ok({ header: header.value, hash, total, transactions: tree.matches })
}

/** Walks the tree from its root, taking one flag a node and one hash where the walk ends. */
class PartialTree {
  readonly matches: { txid: Txid; index: number }[] = []
  readonly #total: number
  readonly #hashes: Uint8Array
  readonly #flags: Uint8Array
  #nextHash = 0
  #nextFlag = 0

  constructor(total: number, hashes: Uint8Array, flags: Uint8Array) {
    this.#total = total
    this.#hashes = hashes
    this.#flags = flags
  }

  root(): Uint8Array | undefined {
    let height = 0
    while (this.#width(height) > 1) height++
    const root = this.#node(height, 0)
    const isUsedUp =
      this.#nextHash * 32 === this.#hashes.length &&
      Math.ceil(this.#nextFlag / 8) === this.#flags.length
    if (!isUsedUp) return undefined
    for (let flag = this.#nextFlag; flag < this.#flags.length * 8; flag++) {
      if (this.#flag(flag)) return undefined
    }
    return root
  }

  /** Nodes at this height, leaves being at 0. */
  #width(height: number): number {
    return Math.ceil(this.#total / 2 ** height)
  }

  #flag(index: number): boolean {
    return (((this.#flags[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1
  }

  #node(height: number, position: number): Uint8Array | undefined {
    if (this.#nextFlag >= this.#flags.length * 8) return undefined
    const leadsToMatch = this.#flag(this.#nextFlag++)
    if (height === 0 || !leadsToMatch) {
      const from = this.#nextHash++ * 32
      if (from + 32 > this.#hashes.length) return undefined
      const hash = this.#hashes.subarray(from, from + 32)
      if (leadsToMatch) this.matches.push({ txid: toReversedHex(hash) as Txid, index: position })
      return hash
    }
    const left = this.#node(height - 1, 2 * position)
    if (left === undefined) return undefined
    let right: Uint8Array | undefined = left
    if (2 * position + 1 < this.#width(height - 1)) {
      right = this.#node(height - 1, 2 * position + 1)
      // Equal halves that are not the tree's odd end let one transaction be proven at two positions (CVE-2012-2459).
      if (right === undefined || equalBytes(left, right)) return undefined
    }
    const pair = new Uint8Array(64)
    pair.set(left, 0)
    pair.set(right, 32)
    return hashPair(pair)
  }
}
