import { sha256 } from '@noble/hashes/sha2.js'
import { equalBytes, type Sha256 } from '../../kernel/index.ts'
import { type TransactionScan, txidBytesAt, wtxidBytesAt } from '../transaction/index.ts'

export interface MerkleRoot {
  /** 32 bytes in wire order. */
  readonly root: Uint8Array
  /**
   * Two equal halves were hashed somewhere: other lists, with the last ones repeated, have the same root, so the root proves
   * nothing about the number of transactions (CVE-2012-2459). Such a block is refused.
   */
  readonly isAmbiguous: boolean
}

/** Hash of two neighbours. `pair` is 64 bytes. */
export const hashPair = (pair: Uint8Array, hash: Sha256 = sha256): Uint8Array => hash(hash(pair))

/** Root of a merkle tree. @param leaves at least one hash, 32 bytes each, in wire order. */
export function merkleRoot(leaves: readonly Uint8Array[], hash: Sha256 = sha256): MerkleRoot {
  let level = leaves
  let isAmbiguous = false
  const pair = new Uint8Array(64)
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array
      const right = level[i + 1]
      if (right !== undefined && equalBytes(left, right)) isAmbiguous = true
      pair.set(left, 0)
      pair.set(right ?? left, 32)
      above.push(hashPair(pair, hash))
    }
    level = above
  }
  return { root: level[0] ?? new Uint8Array(32), isAmbiguous }
}

/** Merkle root over the txids of a scanned block. Hashes every transaction. */
export function merkleRootOf(scan: TransactionScan, hash: Sha256 = sha256): MerkleRoot {
  const leaves = Array.from({ length: scan.transactionCount }, (_, t) => txidBytesAt(scan, t, hash))
  return merkleRoot(leaves, hash)
}

/** Merkle root over the wtxids, the coinbase counting as zeros (BIP 141). Hashes every transaction. */
export function witnessRootOf(scan: TransactionScan): MerkleRoot {
  const leaves = Array.from({ length: scan.transactionCount }, (_, t) =>
    t === 0 ? new Uint8Array(32) : wtxidBytesAt(scan, t),
  )
  return merkleRoot(leaves)
}
