import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { Transaction } from 'bitcoinjs-lib'
import { concat, sha256, type WireOutput, type WireTransaction } from './wire.ts'

/** A key of the generator: the same in every run, worth nothing. */
export interface Key {
  readonly secret: Uint8Array
  readonly compressed: Uint8Array
  readonly full: Uint8Array
  readonly xOnly: Uint8Array
}
function keyOf(name: string): Key {
  const secret = sha256(new TextEncoder().encode(name))
  const compressed = secp256k1.getPublicKey(secret, true)
  return {
    secret,
    compressed,
    full: secp256k1.getPublicKey(secret, false),
    xOnly: compressed.subarray(1),
  }
}
export const KEYS: readonly Key[] = Array.from({ length: 20 }, (_, i) => keyOf(`differential ${i}`))

export type Context = 'legacy' | 'v0' | 'tapscript'
/** What a signature is made for. */
export interface Place {
  readonly transaction: WireTransaction
  readonly index: number
  /** Every spent output, in input order. */
  readonly spent: readonly WireOutput[]
}
/** Signature hashes of bitcoinjs-lib: neither side of the comparison has made them. */
function foreign({ transaction }: Place): Transaction {
  const foreign = new Transaction()
  foreign.version = transaction.version >>> 0
  foreign.locktime = transaction.locktime
  foreign.ins = transaction.inputs.map((input) => ({
    hash: Uint8Array.from(Buffer.from(input.txid, 'hex').reverse()),
    index: input.vout,
    script: input.script,
    sequence: input.sequence,
    witness: [],
  }))
  foreign.outs = transaction.outputs.map(({ value, script }) => ({ value, script }))
  return foreign
}
/** Core signs the number one where SINGLE finds no output of its index. */
const NO_OUTPUT = concat([1], new Uint8Array(31))

export function legacyDigest(place: Place, code: Uint8Array, type: number): Uint8Array {
  const single = (type & 0x1f) === 3
  if (single && place.index >= place.transaction.outputs.length) return NO_OUTPUT
  return foreign(place).hashForSignature(place.index, code, type)
}
export function segwitDigest(place: Place, code: Uint8Array, type: number): Uint8Array {
  const value = place.spent[place.index]?.value ?? 0n
  return foreign(place).hashForWitnessV0(place.index, code, value, type)
}
export function taprootDigest(
  place: Place,
  type: number,
  leafHash: Uint8Array | undefined,
  annex: Uint8Array | undefined,
): Uint8Array {
  const scripts = place.spent.map(({ script }) => script)
  const values = place.spent.map(({ value }) => value)
  return foreign(place).hashForWitnessV1(place.index, scripts, values, type, leafHash, annex)
}

const ORDER = secp256k1.Point.Fn.ORDER
/** `r` and `s` as strict DER, without a hash type. */
export function der(r: bigint, s: bigint): Uint8Array {
  const integer = (value: bigint): Uint8Array => {
    let text = value.toString(16)
    if (text.length % 2 === 1) text = `0${text}`
    if (Number.parseInt(text.slice(0, 2), 16) >= 0x80) text = `00${text}`
    return concat([2, text.length / 2], Buffer.from(text, 'hex'))
  }
  const body = concat(integer(r), integer(s))
  return concat([0x30, body.length], body)
}
export function ecdsa(digest: Uint8Array, key: Key, type: number, highS = false): Uint8Array {
  const compact = secp256k1.sign(digest, key.secret, { prehash: false, lowS: true })
  const big = (part: Uint8Array) => BigInt(`0x${Buffer.from(part).toString('hex')}`)
  const r = big(compact.subarray(0, 32))
  const s = big(compact.subarray(32, 64))
  return concat(der(r, highS ? ORDER - s : s), [type])
}
export function schnorrSignature(digest: Uint8Array, secret: Uint8Array, type: number): Uint8Array {
  const signature = schnorr.sign(digest, secret, new Uint8Array(32))
  return type === 0 ? signature : concat(signature, [type])
}
