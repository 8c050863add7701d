import { hash160 } from '../script/index.ts'
import type { PartialSignature } from './model.ts'

/** Compares bytes as a dictionary does. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** A new list in the order of its keys. */
export const byKey = <T>(list: readonly T[], key: (item: T) => Uint8Array): T[] =>
  [...list].sort((a, b) => compareBytes(key(a), key(b)))

/** Signatures in the order of the hashes of their keys, which is how Bitcoin Core writes them. */
export function inOrder(signatures: readonly PartialSignature[]): PartialSignature[] {
  const hashed = signatures.map((item) => ({ item, hash: hash160(item.publicKey) }))
  return byKey(hashed, ({ hash }) => hash).map(({ item }) => item)
}
