import { equal, Reader, toHex } from '../bytes.ts'
import { type Place, placeOf, type Wallet, type WalletKey } from '../bitcoin/descriptor.ts'
import type { Pair } from '../psbt/psbt.ts'

/** What a PSBT says about a key: where it comes from. */
interface Origin {
  /** Compressed or x-only. */
  readonly publicKey: Uint8Array
  readonly fingerprint: string
  readonly path: readonly number[]
}

const readOrigin = (publicKey: Uint8Array, value: Uint8Array): Origin | undefined => {
  if (value.length < 4 || value.length % 4 !== 0) return undefined
  const reader = new Reader(value)
  const fingerprint = toHex(reader.take(4))
  return {
    publicKey,
    fingerprint,
    path: Array.from({ length: value.length / 4 - 1 }, () => reader.u32()),
  }
}

/** Derivations of BIP 174, and those of BIP 371 that are of the key path; undefined where one cannot be read. */
export function originsOf(plain: readonly Pair[], taproot: readonly Pair[]): Origin[] | undefined {
  const origins = [
    ...plain.map(({ keyData, value }) =>
      keyData.length === 33 ? readOrigin(keyData, value) : undefined,
    ),
    ...taproot.map(({ keyData, value }) =>
      // The first byte counts leaf hashes: a key of the key path has none.
      keyData.length === 32 && value[0] === 0 ? readOrigin(keyData, value.subarray(1)) : undefined,
    ),
  ]
  const read = origins.flatMap((origin) => origin ?? [])
  return read.length === origins.length ? read : undefined
}

/** The last two steps of an origin that begins as this key's does. */
function stepsBelow(key: WalletKey, { fingerprint, path }: Origin): readonly number[] | undefined {
  const isBelow = fingerprint === key.fingerprint && key.path.every((step, i) => step === path[i])
  return isBelow ? path.slice(key.path.length) : undefined
}

export type Claim =
  | { readonly found: 'place'; readonly place: Place }
  /** No origin names a key of the wallet. */
  | { readonly found: 'nothing' }
  /** Below a key of the wallet, at a place where the wallet has none or would not be looked for. */
  | { readonly found: 'path' }
  /** A place of the wallet, with keys that are not the wallet's there. */
  | { readonly found: 'keys' }

/**
 * Which place of the wallet the origins claim, and whether every key stands there. Names of fingerprints and paths prove
 * nothing: the keys are derived again.
 */
export function claimOf(wallet: Wallet, origins: readonly Origin[], indexMax: number): Claim {
  const claims = origins.flatMap((origin) =>
    wallet.keys.flatMap((key, at) => {
      const steps = stepsBelow(key, origin)
      return steps ? [{ steps, at, origin }] : []
    }),
  )
  const [first] = claims
  if (!first) return { found: 'nothing' }
  const [branch, index = -1] = first.steps
  const isSame = claims.every(
    ({ steps }) => steps.length === 2 && steps[0] === branch && steps[1] === index,
  )
  if (!isSame || (branch !== 0 && branch !== 1) || index > indexMax || index < 0) {
    return { found: 'path' }
  }
  const place = placeOf(wallet, branch, index)
  const isOurs = claims.every(({ at, origin }) => {
    const derived = place.publicKeys[at] as Uint8Array
    const same = origin.publicKey.length === 32 ? derived.subarray(1) : derived
    return equal(same, origin.publicKey)
  })
  // Every origin has to be one of ours: a stranger's beside them would be a co-signer nobody registered.
  return isOurs && claims.length === origins.length ? { found: 'place', place } : { found: 'keys' }
}
