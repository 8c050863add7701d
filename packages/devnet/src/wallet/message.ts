import { secp256k1 } from '@noble/curves/secp256k1.js'
import { base64 } from '@scure/base'
import { ByteWriter, sha256d, toHex } from '../chain/bytes.ts'
import { hash160 } from '../script/script.ts'

const MAGIC = new TextEncoder().encode('Bitcoin Signed Message:\n')
const digestOf = (message: string): Uint8Array =>
  sha256d(new ByteWriter().script(MAGIC).script(new TextEncoder().encode(message)).done())

/** A signature of a message in base64, from which the key can be recovered. */
export function signMessage(message: string, secret: Uint8Array, compressed: boolean): string {
  const options = { prehash: false, format: 'recovered' } as const
  const [recovery = 0, ...rest] = secp256k1.sign(digestOf(message), secret, options)
  return base64.encode(Uint8Array.of(27 + recovery + (compressed ? 4 : 0), ...rest))
}
/** Whether the owner of this key hash signed the message; undefined when the signature is not base64. */
export function verifyMessage(
  message: string,
  signature: string,
  keyHash: Uint8Array,
): boolean | undefined {
  let bytes: Uint8Array
  try {
    bytes = base64.decode(signature)
  } catch {
    return undefined
  }
  const header = (bytes[0] ?? 0) - 27
  if (bytes.length !== 65 || header < 0) return false
  try {
    const own = Uint8Array.of(header & 3, ...bytes.subarray(1))
    const key = secp256k1.recoverPublicKey(own, digestOf(message), { prehash: false })
    const shown = secp256k1.Point.fromBytes(key).toBytes((header & 4) !== 0)
    return toHex(hash160(shown)) === toHex(keyHash)
  } catch {
    // No key fits such numbers: nobody signed it.
    return false
  }
}
