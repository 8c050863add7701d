import { compactSize, compactSizeLength } from '../transaction/index.ts'
import type { PsbtPair } from './model.ts'
import type { Fault } from './values.ts'

/** More bytes than a hundred inputs need with their previous transactions of a usual size. */
export const MAX_PSBT_SIZE = 16_000_000
/** More pairs than a thousand inputs need with the keys of a large multisig. */
export const MAX_PSBT_PAIRS = 50_000
/** The longest key of a BIP is a control block of 4,130 bytes. */
export const MAX_KEY_LENGTH = 10_000

/** One map as it stands in the file. */
export interface RawMap {
  readonly pairs: readonly PsbtPair[]
  /** The type of each pair. */
  readonly layout: readonly number[]
}

/** Reads maps one after the other. A cursor, because how many there are stands in the first. */
export class PairReader {
  readonly bytes: Uint8Array
  at: number
  count = 0

  constructor(bytes: Uint8Array, from: number) {
    this.bytes = bytes
    this.at = from
  }

  /** The next map; a text says why there is none. Values are views of the bytes. */
  map(): RawMap | Fault {
    const pairs: PsbtPair[] = []
    const layout: number[] = []
    const seen = new Set<string>()
    for (;;) {
      const key = this.#sized()
      if (key === undefined) return 'is cut off'
      if (key.length === 0) return { pairs, layout }
      if (key.length > MAX_KEY_LENGTH) return 'has a key that is too long'
      const type = compactSize(key, 0)
      if (type < 0) return 'has a key without a type'
      const value = this.#sized()
      if (value === undefined) return 'is cut off'
      const name = asText(key)
      if (seen.has(name)) return 'has a key twice'
      seen.add(name)
      layout.push(type)
      pairs.push({ type, key, value })
      if (++this.count > MAX_PSBT_PAIRS) return TOO_MANY_PAIRS
    }
  }

  #sized(): Uint8Array | undefined {
    const length = compactSize(this.bytes, this.at)
    if (length < 0) return undefined
    const from = this.at + compactSizeLength(length)
    if (from + length > this.bytes.length) return undefined
    this.at = from + length
    return this.bytes.subarray(from, this.at)
  }
}

export const TOO_MANY_PAIRS: Fault = 'has more fields than any honest one'

/** Two keys are the same exactly when their texts are. */
export function asText(key: Uint8Array): string {
  let text = ''
  for (const byte of key) text += String.fromCharCode(byte)
  return text
}

/** The key behind its type. */
export const keyData = ({ type, key }: PsbtPair): Uint8Array =>
  key.subarray(compactSizeLength(type))
