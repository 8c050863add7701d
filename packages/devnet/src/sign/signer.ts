import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex } from '../chain/bytes.ts'
import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import type { Provider } from '../descriptor/provider.ts'
import { SignatureHasher } from '../script/sighash.ts'
import type { ScriptError } from '../script/errors.ts'
import { spendError } from './check.ts'

/** Makes the signatures for one input, or stand-ins of the same size. */
export interface Signer {
  /** With the hash type at the end; undefined without the key. `id` is the hash of the public key. */
  readonly ecdsa: (
    provider: Provider,
    id: string,
    code: Uint8Array,
    segwit: boolean,
  ) => Uint8Array | undefined
  /**
   * Key path: `root` undefined signs with the key as it is, otherwise with the key tweaked by it (empty: no scripts).
   * Script path: with the key as it is, for this leaf.
   */
  readonly schnorr: (
    provider: Provider,
    xOnly: Uint8Array,
    root: Uint8Array | undefined,
    leafHash?: Uint8Array,
  ) => Uint8Array | undefined
  /** Undefined when the spend holds. */
  readonly check: (scriptSig: Uint8Array, stack: readonly Uint8Array[]) => ScriptError | undefined
}
const MAX_MONEY = 2_100_000_000_000_000n

/** DER, low S and, as Core does, ground until `r` is short: 71 bytes with the hash type at most. Deterministic (RFC 6979). */
export function signEcdsa(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const options = { prehash: false, lowS: true, format: 'compact' } as const
  let compact = secp256k1.sign(digest, secret, options)
  const extraEntropy = new Uint8Array(32)
  for (let counter = 1; (compact[0] ?? 0) >= 0x80; counter++) {
    new DataView(extraEntropy.buffer).setUint32(0, counter, true)
    compact = secp256k1.sign(digest, secret, { ...options, extraEntropy })
  }
  return secp256k1.Signature.fromBytes(compact, 'compact').toBytes('der')
}
/** The secret of a taproot output key. Source: BIP 341. */
function tweakSecret(secret: Uint8Array, root: Uint8Array): Uint8Array {
  const { Fn } = secp256k1.Point
  const point = secp256k1.getPublicKey(secret, true)
  const scalar = Fn.fromBytes(secret)
  const hash = schnorr.utils.taggedHash('TapTweak', point.subarray(1), root)
  const tweak = Fn.create(BigInt(`0x${toHex(hash)}`))
  return Fn.toBytes(Fn.add(point[0] === 2 ? scalar : Fn.neg(scalar), tweak))
}

/** Signs one input. `spent` has a hole where a spent output is not known: taproot then cannot be signed. */
export function inputSigner(
  transaction: Transaction,
  spent: readonly (TransactionOutput | undefined)[],
  index: number,
  type: number,
  hasher: SignatureHasher = hasherFor(transaction, spent),
): Signer {
  const coin = spent[index]
  const whole = !spent.includes(undefined)
  return {
    ecdsa: (provider, id, code, segwit) => {
      const secret = provider.secrets.get(id)
      if (!secret || !coin) return undefined
      if (segwit && provider.publicKeys.get(id)?.length === 65) return undefined
      // A segwit signature commits to the amount: without one there is none.
      if (segwit && coin.value > MAX_MONEY) return undefined
      const own = type === 0 ? 1 : type
      const digest = segwit
        ? hasher.segwit(index, code, coin.value, own)
        : hasher.legacy(index, code, own)
      return Uint8Array.of(...signEcdsa(digest, secret), own)
    },
    schnorr: (provider, xOnly, root, leafHash) => {
      const secret = provider.secretOfXOnly(xOnly)
      const digest = whole && secret ? hasher.taproot(index, type, { leafHash }) : undefined
      if (!secret || !digest) return undefined
      const key = root === undefined ? secret : tweakSecret(secret, root)
      const signature = schnorr.sign(digest, key, new Uint8Array(32))
      return type === 0 ? signature : Uint8Array.of(...signature, type)
    },
    check: (scriptSig, stack) => {
      if (!coin) return 'SCRIPT_ERR_UNKNOWN_ERROR' as ScriptError
      return spendError({ transaction, index, coin, hasher }, { scriptSig, stack })
    },
  }
}
/** One hasher serves all inputs of a transaction. Unknown outputs stand as empty ones. */
export function hasherFor(
  transaction: Transaction,
  spent: readonly (TransactionOutput | undefined)[],
): SignatureHasher {
  const none: TransactionOutput = { value: 0n, script: new Uint8Array() }
  return new SignatureHasher(
    transaction,
    transaction.inputs.map((_, at) => spent[at] ?? none),
  )
}
/** Signatures of the right size and no worth, for measuring. */
export const sizeSigner: Signer = {
  ecdsa: () => new Uint8Array(71),
  schnorr: () => new Uint8Array(64),
  check: () => undefined,
}
/** As `sizeSigner`, with room for a hash type behind a Schnorr signature: how Core's wallet measures. */
export const wideSigner: Signer = { ...sizeSigner, schnorr: () => new Uint8Array(65) }
/** Signs nothing itself: puts together what is already there, and checks it. */
export const assemblerOf = (signer: Signer): Signer => ({
  ecdsa: () => undefined,
  schnorr: () => undefined,
  check: signer.check,
})
