import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { assert, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import { batchCurve } from './batch-curve.ts'
import type { Curve } from './curve.ts'
import { type ExtendedKey, fingerprintOf, publicKeyOf } from './extended.ts'
import { HARDENED, isHardened, isPlainIndex, type KeyPath, MAX_DEPTH } from './path.ts'

/** A public key with its chain code: the place from which addresses are derived. */
export interface PublicNode {
  readonly key: ExtendedKey
  /** One step down. @throws AssertionError unless 0 to 2^31 - 1. Source: BIP 32, CKDpub. */
  child(index: number): PublicNode
  /**
   * The compressed public keys `from` to `from + count - 1`; each costs one multiplication by G and an
   * addition, the rest is shared. @throws AssertionError for a range that leaves 0 to 2^31 - 1.
   */
  deriveMany(from: number, count: number): Uint8Array[]
}

interface Tweaks {
  readonly tweak: Uint8Array
  readonly chainCode: Uint8Array
}

/** The HMAC state after the chain code is kept: half of the hashing of each child is shared. */
function tweaker({ publicKey, chainCode }: ExtendedKey): (index: number) => Tweaks {
  const keyed = hmac.create(sha512, chainCode)
  const data = new Uint8Array(37)
  data.set(publicKey)
  const view = new DataView(data.buffer)
  return (index) => {
    view.setUint32(33, index)
    const hash = keyed.clone().update(data).digest()
    return { tweak: hash.subarray(0, 32), chainCode: hash.slice(32) }
  }
}

/** Opens an extended key for derivation; a private key is reduced to its public part first. */
export function publicNode(extended: ExtendedKey, curve: Curve = batchCurve): PublicNode {
  const key = publicKeyOf(extended)
  const tweaksOf = tweaker(key)
  const fingerprint = fingerprintOf(key.publicKey)
  return {
    key,
    child(index) {
      assert(isPlainIndex(index), `no public child ${index}`)
      assert(key.depth < MAX_DEPTH, 'no child below depth 255')
      const { tweak, chainCode } = tweaksOf(index)
      const [publicKey] = curve.addTweaks(key.publicKey, [tweak])
      assert(publicKey, 'the curve returned no key')
      const { version, depth } = key
      const child = {
        version,
        depth: depth + 1,
        parentFingerprint: fingerprint,
        index,
        chainCode,
        publicKey,
      }
      return publicNode(child, curve)
    },
    deriveMany(from, count) {
      assert(
        isPlainIndex(from) && Number.isInteger(count) && count >= 0,
        `no children ${from}+${count}`,
      )
      assert(from + count <= HARDENED, `children ${from}+${count} leave the range`)
      const tweaks = Array.from({ length: count }, (_, i) => tweaksOf(from + i).tweak)
      return curve.addTweaks(key.publicKey, tweaks)
    },
  }
}

/** Walks a path of plain steps. Refuses hardened steps: they need the private key. */
export function derivePublic(
  key: ExtendedKey,
  path: KeyPath,
): Result<PublicNode, Refusal<'KEY_HARDENED' | 'KEY_PATH'>> {
  if (path.some(isHardened)) {
    return refuse('KEY_HARDENED', 'a hardened step cannot be derived from a public key', {
      param: 'path',
    })
  }
  if (!path.every(isPlainIndex))
    return refuse('KEY_PATH', 'a child index is not within 0 to 2147483647', { param: 'path' })
  if (key.depth + path.length > MAX_DEPTH)
    return refuse('KEY_PATH', 'the path goes below depth 255', { param: 'path' })
  let node = publicNode(key)
  for (const index of path) node = node.child(index)
  return ok(node)
}
