import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hash160, pushData } from '../script/script.ts'
import { SignatureHasher } from '../script/sighash.ts'
import { toHex } from './bytes.ts'
import { encodeTransaction, type Transaction, type TransactionOutput } from './transaction.ts'

/** A private key and the scripts that it can spend. For tests only: no protection of any kind. */
export interface TestKey {
  readonly secret: Uint8Array
  readonly publicKey: Uint8Array
  /** P2WPKH output script: the default form of this key. */
  readonly script: Uint8Array
}
const witnessScript = (publicKey: Uint8Array): Uint8Array =>
  Uint8Array.of(0, 20, ...hash160(publicKey))

export function testKey(secret: Uint8Array): TestKey {
  const publicKey = secp256k1.getPublicKey(secret, true)
  return { secret, publicKey, script: witnessScript(publicKey) }
}
/** The same key for the same words, everywhere. */
export const namedKey = (name: string): TestKey => testKey(sha256(new TextEncoder().encode(name)))

type Fits = { readonly key: TestKey; readonly kind: 'wpkh' | 'tr' | 'pkh' | 'sh' }
/** Output scripts of one key in hex, by the way they are spent: all single-key forms. */
export function scriptsOfKey(key: TestKey): ReadonlyMap<string, Fits['kind']> {
  const hash = hash160(key.publicKey)
  const xOnly = key.publicKey.subarray(1)
  const tweaked = taprootTweak(key.secret)
  return new Map<string, Fits['kind']>([
    [toHex(key.script), 'wpkh'],
    [toHex(Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac)), 'pkh'],
    [toHex(Uint8Array.of(0xa9, 20, ...hash160(key.script), 0x87)), 'sh'],
    [toHex(Uint8Array.of(0x51, 32, ...schnorr.getPublicKey(tweaked))), 'tr'],
    [toHex(Uint8Array.of(0x51, 32, ...xOnly)), 'tr'],
  ])
}
/** The secret of the output key without script tree. Source: BIP 86, BIP 341. */
function taprootTweak(secret: Uint8Array): Uint8Array {
  const { Fn } = secp256k1.Point
  const point = secp256k1.getPublicKey(secret, true)
  const even = point[0] === 2
  const scalar = Fn.fromBytes(secret)
  const tweak = Fn.create(
    BigInt(`0x${toHex(schnorr.utils.taggedHash('TapTweak', point.subarray(1)))}`),
  )
  return Fn.toBytes(Fn.add(even ? scalar : Fn.neg(scalar), tweak))
}

// Signing costs more than everything else that a devnet does; equal messages sign equally (RFC 6979).
const signed = new Map<string, Uint8Array>()
const SIGNED_LIMIT = 20_000
function signEcdsa(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const id = toHex(digest) + toHex(secret)
  const known = signed.get(id)
  if (known) return known
  const der = secp256k1.sign(digest, secret, { prehash: false, format: 'der' })
  const signature = Uint8Array.of(...der, 1)
  if (signed.size >= SIGNED_LIMIT) signed.clear()
  signed.set(id, signature)
  return signature
}
/** Right size, wrong content: for devnets that do not verify signatures. */
const DUMMY_SIGNATURE = Uint8Array.from({ length: 71 }, (_, i) => (i === 70 ? 1 : 0x30))

/** Signs the inputs whose spent script belongs to one of the keys. Returns the raw transaction, and whether all were signed. */
export function signTransaction(
  transaction: Transaction,
  spent: readonly TransactionOutput[],
  keys: readonly TestKey[],
  mode: 'real' | 'dummy' = 'real',
): { raw: Uint8Array; complete: boolean } {
  const hasher = new SignatureHasher(transaction, spent)
  const kinds = keys.map((key) => ({ key, scripts: scriptsFor(key) }))
  let complete = true
  const inputs = transaction.inputs.map((input, index) => {
    const coin = spent[index]
    const hex = coin ? toHex(coin.script) : ''
    const owner = kinds.find(({ scripts }) => scripts.has(hex))
    const kind = owner?.scripts.get(hex)
    if (!coin || !owner || !kind) {
      complete = false
      return input
    }
    const parts =
      mode === 'dummy' && kind === 'wpkh'
        ? { witness: [DUMMY_SIGNATURE, owner.key.publicKey] }
        : signInput(hasher, index, coin, { key: owner.key, kind })
    return { ...input, ...parts }
  })
  return { raw: encodeTransaction({ ...transaction, inputs }), complete }
}
const scriptsByKey = new WeakMap<TestKey, ReadonlyMap<string, Fits['kind']>>()
function scriptsFor(key: TestKey): ReadonlyMap<string, Fits['kind']> {
  const known = scriptsByKey.get(key) ?? scriptsOfKey(key)
  scriptsByKey.set(key, known)
  return known
}
function signInput(
  hasher: SignatureHasher,
  index: number,
  coin: TransactionOutput,
  { key, kind }: Fits,
): { script?: Uint8Array; witness?: readonly Uint8Array[] } {
  if (kind === 'tr') {
    const digest = hasher.taproot(index, 0) ?? new Uint8Array(32)
    const bare = toHex(coin.script.subarray(2)) === toHex(key.publicKey.subarray(1))
    const secret = bare ? key.secret : taprootTweak(key.secret)
    return { witness: [schnorr.sign(digest, secret, new Uint8Array(32))] }
  }
  const code = Uint8Array.of(0x76, 0xa9, 20, ...hash160(key.publicKey), 0x88, 0xac)
  if (kind === 'pkh') {
    const signature = signEcdsa(hasher.legacy(index, code, 1), key.secret)
    return {
      script: Uint8Array.of(...pushData(signature), ...pushData(key.publicKey)),
      witness: [],
    }
  }
  const signature = signEcdsa(hasher.segwit(index, code, coin.value, 1), key.secret)
  const witness = [signature, key.publicKey]
  return kind === 'sh' ? { script: pushData(key.script), witness } : { witness }
}
