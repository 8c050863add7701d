import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { equal, fromHex, join, toHex } from '../bytes.ts'
import { SignerBug } from '../failure.ts'

const ALL = 1
const ORDER = secp256k1.Point.Fn.ORDER

/**
 * An ECDSA signature with the sighash byte ALL: low S, and R below 2^255, so that it never has more than 71 bytes. RFC 6979 with a counter as extra
 * data until R is low, as Bitcoin Core does: the same hash gives the same signature.
 */
export function signEcdsa(hash: Uint8Array, privateKey: Uint8Array): Uint8Array {
  for (let counter = 0; counter < 1000; counter++) {
    const extra = new Uint8Array(32)
    new DataView(extra.buffer).setUint32(0, counter, true)
    const compact = secp256k1.sign(hash, privateKey, {
      prehash: false,
      lowS: true,
      ...(counter === 0 ? {} : { extraEntropy: extra }),
    })
    if ((compact[0] as number) >= 0x80) continue
    const der = secp256k1.Signature.fromBytes(compact, 'compact').toBytes('der')
    const signature = join(der, ALL)
    // A fault of memory or processor while signing could give the key away; it does not leave unseen.
    if (!verifyEcdsa(signature, hash, secp256k1.getPublicKey(privateKey, true))) break
    return signature
  }
  throw new SignerBug('a signature that does not verify')
}

/** Strict DER, low S, ALL. */
export function verifyEcdsa(signature: Uint8Array, hash: Uint8Array, key: Uint8Array): boolean {
  if (signature.at(-1) !== ALL) return false
  const der = signature.subarray(0, -1)
  try {
    const parsed = secp256k1.Signature.fromBytes(der, 'der')
    if (!equal(parsed.toBytes('der'), der)) return false
    return secp256k1.verify(der, hash, key, { prehash: false, lowS: true, format: 'der' })
  } catch {
    return false // no signature or no key
  }
}

/** The private key of a taproot output without scripts. Source: BIP 341, BIP 86. */
export function taprootSecret(privateKey: Uint8Array): Uint8Array {
  const publicKey = secp256k1.getPublicKey(privateKey, true)
  const secret = BigInt(`0x${toHex(privateKey)}`)
  const even = publicKey[0] === 2 ? secret : ORDER - secret
  const tweak = BigInt(`0x${toHex(schnorr.utils.taggedHash('TapTweak', publicKey.subarray(1)))}`)
  return fromHex(((even + tweak) % ORDER).toString(16).padStart(64, '0'))
}

/** A BIP 340 signature; `auxiliary` are 32 fresh random bytes. Type DEFAULT adds no byte. */
export function signSchnorr(
  hash: Uint8Array,
  privateKey: Uint8Array,
  type: number,
  auxiliary: Uint8Array,
): Uint8Array {
  const signature = schnorr.sign(hash, privateKey, auxiliary)
  if (!schnorr.verify(signature, hash, schnorr.getPublicKey(privateKey))) {
    throw new SignerBug('a signature that does not verify')
  }
  return type === 0 ? signature : join(signature, type)
}

/** 64 bytes for DEFAULT, 65 for ALL. */
export function verifySchnorr(
  signature: Uint8Array,
  hash: (type: number) => Uint8Array,
  outputKey: Uint8Array,
): boolean {
  const type = signature.length === 65 ? (signature[64] as number) : 0
  if (signature.length === 65 ? type !== ALL : signature.length !== 64) return false
  try {
    return schnorr.verify(signature.subarray(0, 64), hash(type), outputKey)
  } catch {
    return false // no signature or no key
  }
}
