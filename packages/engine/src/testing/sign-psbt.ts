import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { AssertionError, assert, equalBytes } from '../kernel/index.ts'
import { derivePrivate, type ExtendedPrivateKey, fingerprintOf } from '../protocol/keys/index.ts'
import {
  type PartialSignature,
  type Psbt,
  type PsbtInput,
  type Spendable,
  Verifier,
} from '../protocol/psbt/index.ts'
import { joinBytes } from '../protocol/script/index.ts'
import { SIGHASH } from '../protocol/sighash/index.ts'

/** What a signer for tests can be told to do. */
export interface SignOptions {
  /** Another hash type than the one the input asks for. */
  readonly hashType?: number
}

const { Fn, BASE } = secp256k1.Point

/** The secret of the taproot output key. Source: BIP 341, taproot_tweak_seckey. */
function tweakedSecret(secret: Uint8Array, merkleRoot: Uint8Array = new Uint8Array()): Uint8Array {
  const point = BASE.multiply(Fn.fromBytes(secret))
  const scalar = Fn.fromBytes(secret)
  const even = point.toBytes(true)[0] === 2 ? scalar : Fn.neg(scalar)
  const tweak = schnorr.utils.taggedHash('TapTweak', point.toBytes(true).subarray(1), merkleRoot)
  return Fn.toBytes(Fn.add(even, Fn.fromBytes(tweak)))
}

function ecdsa(
  verifier: Verifier,
  index: number,
  spendable: Spendable,
  secret: Uint8Array,
  hashType: number,
): PartialSignature | undefined {
  const { rule } = spendable
  const publicKey = secp256k1.getPublicKey(secret, true)
  const shown = { publicKey, signature: Uint8Array.of(0x30) }
  if (verifier.fault(index, spendable, shown)?.code === 'SIGNATURE_FOREIGN') return undefined
  assert(rule.hash !== 'taproot', 'an ECDSA signature for a taproot coin')
  const digest = verifier.digest(index, spendable, hashType)
  const der = secp256k1.sign(digest, secret, { prehash: false, format: 'der' })
  return { publicKey, signature: joinBytes(der, Uint8Array.of(hashType)) }
}

function taproot(
  verifier: Verifier,
  index: number,
  { rule }: Spendable,
  secret: Uint8Array,
  hashType: number,
): Uint8Array | undefined {
  const tweaked = [tweakedSecret(secret, verifier.psbt.inputs[index]?.tapMerkleRoot), secret]
  const outputKey = rule.publicKeys[0] ?? new Uint8Array()
  const own = tweaked.find((one) => equalBytes(schnorr.getPublicKey(one), outputKey))
  if (!own) return undefined
  const digest = verifier.taprootDigest(index, hashType)
  if (!digest) throw new AssertionError(`nothing to sign with the hash type ${hashType}`)
  const signature = schnorr.sign(digest, own, new Uint8Array(32))
  return hashType === SIGHASH.DEFAULT ? signature : joinBytes(signature, Uint8Array.of(hashType))
}

/**
 * A signer for tests: signs every input that one of the keys may sign, and asks nothing. Its signatures are the same each time.
 * @throws AssertionError for an input that cannot be spent as it stands.
 */
export function signPsbt(
  psbt: Psbt,
  secrets: readonly Uint8Array[],
  options: SignOptions = {},
): Psbt {
  const verifier = new Verifier(psbt)
  const inputs = psbt.inputs.map((input, i): PsbtInput => {
    const spendable = verifier.spendable(i)
    assert('rule' in spendable, `input ${i} cannot be spent as it stands`)
    const isTaproot = spendable.rule.hash === 'taproot'
    const usual = isTaproot ? SIGHASH.DEFAULT : SIGHASH.ALL
    const hashType = options.hashType ?? input.sighash ?? usual
    if (isTaproot) {
      const [tapSignature] = secrets.flatMap(
        (secret) => taproot(verifier, i, spendable, secret, hashType) ?? [],
      )
      return tapSignature ? { ...input, tapSignature } : input
    }
    const made = secrets.flatMap((secret) => ecdsa(verifier, i, spendable, secret, hashType) ?? [])
    const isNew = ({ publicKey }: PartialSignature) =>
      !input.signatures.some((other) => equalBytes(other.publicKey, publicKey))
    const signatures = [...input.signatures, ...made.filter(isNew)]
    return { ...input, signatures }
  })
  return { ...psbt, inputs }
}

/** The keys below a master key that the inputs of a PSBT name, as a hardware wallet finds them. */
export function secretsFor(psbt: Psbt, master: ExtendedPrivateKey): Uint8Array[] {
  const fingerprint = fingerprintOf(master.publicKey)
  const origins = psbt.inputs.flatMap((input) => [...input.origins, ...input.tapOrigins])
  return origins.flatMap((origin) => {
    if (origin.fingerprint !== fingerprint) return []
    const key = derivePrivate(master, origin.path)
    assert(key.ok, 'a path that no key has')
    const { publicKey, privateKey } = key.value
    const shown = origin.publicKey.length === 32 ? publicKey.subarray(1) : publicKey
    // A device answers only for the key that the file names at the path.
    return equalBytes(shown, origin.publicKey) ? [privateKey.reveal()] : []
  })
}
