import { createCipheriv } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'

/** The prime 2^3072 - 1103717. Source: Core, MuHash3072. */
const MODULUS = (1n << 3072n) - 1_103_717n
const SIZE = 384
const ZEROS = new Uint8Array(SIZE)

/** A number of 3072 bits for an element: its SHA256 as key of a ChaCha20 stream. */
function numberOf(element: Uint8Array): bigint {
  const stream = createCipheriv('chacha20', sha256(element), new Uint8Array(16))
  const bytes = stream.update(ZEROS)
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}
/** A hash of a set that does not depend on the order of its elements: their product. Source: Core, MuHash3072. */
export function coinSetHash(elements: Iterable<Uint8Array>): Uint8Array {
  let product = 1n
  for (const element of elements) product = (product * numberOf(element)) % MODULUS
  const hex = product.toString(16).padStart(SIZE * 2, '0')
  return sha256(Buffer.from(hex, 'hex').reverse())
}
