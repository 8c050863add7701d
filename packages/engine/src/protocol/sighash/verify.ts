import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { isScriptSignature } from '../multisig/index.ts'

/**
 * True when `signature` (strict DER, low S, one byte of hash type) signs `digest`. High S is refused although consensus
 * takes it: nodes do not relay it. Never throws. Source: BIP 66, BIP 146.
 */
export function verifyEcdsa(
  signature: Uint8Array,
  digest: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (!isScriptSignature(signature)) return false
  try {
    const der = signature.subarray(0, -1)
    return secp256k1.verify(der, digest, publicKey, { prehash: false, format: 'der', lowS: true })
  } catch {
    // A key or number outside the curve: it signs nothing.
    return false
  }
}

/** True when the 64 bytes of `signature` sign `digest`. Never throws. Source: BIP 340. */
export function verifySchnorr(
  signature: Uint8Array,
  digest: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  try {
    return schnorr.verify(signature, digest, publicKey)
  } catch {
    // A key outside the curve: it signs nothing.
    return false
  }
}
