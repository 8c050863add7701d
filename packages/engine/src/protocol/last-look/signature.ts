import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'

/** What is wrong with a signature; undefined when it is right. */
export type SignatureFault = 'sighash' | 'signature' | undefined

const ALL = 1

/** An integer of a DER signature: positive and without padding. Its end, or -1. */
function integerEnd(der: Uint8Array, at: number): number {
  const length = der[at + 1] ?? 0
  const first = der[at + 2] ?? 0x80
  if (der[at] !== 2 || length === 0 || length > 33 || first >= 0x80) return -1
  if (first === 0 && length > 1 && (der[at + 3] ?? 0) < 0x80) return -1
  return at + 2 + length
}

/** The one form of two positive integers that a node takes. Source: BIP 66. */
function isStrictDer(der: Uint8Array): boolean {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return false
  const middle = integerEnd(der, 2)
  return middle > 0 && integerEnd(der, middle) === der.length
}

/** An ECDSA signature with its sighash byte: ALL, strict DER (BIP 66), low S (BIP 146). */
export function ecdsaFault(
  signature: Uint8Array,
  hash: () => Uint8Array,
  publicKey: Uint8Array,
): SignatureFault {
  if (signature.at(-1) !== ALL) return 'sighash'
  const der = signature.subarray(0, -1)
  if (!isStrictDer(der)) return 'signature'
  try {
    const options = { prehash: false, lowS: true, format: 'der' } as const
    return secp256k1.verify(der, hash(), publicKey, options) ? undefined : 'signature'
  } catch {
    return 'signature' // a key or a number outside the curve
  }
}

/** A BIP 340 signature: 64 bytes (DEFAULT), or 65 with ALL. */
export function schnorrFault(
  signature: Uint8Array,
  hash: (type: 0 | 1) => Uint8Array,
  outputKey: Uint8Array,
): SignatureFault {
  if (signature.length === 65 && signature[64] !== ALL) return 'sighash'
  if (signature.length !== 64 && signature.length !== 65) return 'signature'
  const type = signature.length === 64 ? 0 : ALL
  try {
    return schnorr.verify(signature.subarray(0, 64), hash(type), outputKey)
      ? undefined
      : 'signature'
  } catch {
    return 'signature' // a key or a number outside the curve
  }
}
