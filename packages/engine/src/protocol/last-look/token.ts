import type { Sat, Txid, Weight, Wtxid } from '../../kernel/index.ts'

export interface LookedAt {
  readonly txid: Txid
  readonly wtxid: Wtxid
  readonly fee: Sat
  readonly weight: Weight
}

/** All that were made in this process: a cast does not make one. */
const made = new WeakSet<object>()

/**
 * Proof that the last look was taken at exactly these bytes. Only `lastLook` makes one; the broadcaster takes nothing else.
 * The private field makes the type nominal: no literal can stand in for it.
 */
class Token implements LookedAt {
  readonly txid: Txid
  readonly wtxid: Wtxid
  readonly fee: Sat
  readonly weight: Weight
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, { txid, wtxid, fee, weight }: LookedAt) {
    this.#bytes = bytes
    this.txid = txid
    this.wtxid = wtxid
    this.fee = fee
    this.weight = weight
    Object.freeze(this)
  }
  /** The transaction as it is broadcast. A fresh copy at each reading: what was looked at cannot be changed afterwards. */
  get bytes(): Uint8Array {
    return this.#bytes.slice()
  }
}
export type LookToken = Token

/** Copies the bytes. For `lastLook` alone. */
export function makeToken(bytes: Uint8Array, looked: LookedAt): LookToken {
  const token = new Token(Uint8Array.from(bytes), looked)
  made.add(token)
  return token
}

/** True for tokens that `lastLook` made in this process. For callers without types, and for those who do not trust casts. */
export const isLookToken = (value: unknown): value is LookToken =>
  typeof value === 'object' && value !== null && made.has(value)
