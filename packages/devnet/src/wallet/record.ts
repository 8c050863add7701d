import { toHex } from '../chain/bytes.ts'
import { type Descriptor, parseDescriptor } from '../descriptor/parse.ts'
import { Provider } from '../descriptor/provider.ts'

/**
 * Addresses that a wallet watches ahead of the last used one. Core's default is 1000; deriving as many for eight descriptors
 * costs seconds in JavaScript, and a hundred unused addresses in a row do not happen in tests.
 */
export const KEYPOOL_SIZE = 100

/** A descriptor of a wallet as it is kept. */
export interface RecordState {
  /** With secrets where the wallet has them, with checksum. */
  readonly text: string
  /** Seconds since the epoch: nothing older can pay it. */
  readonly timestamp: number
  readonly rangeStart: number
  /** Exclusive. */
  readonly rangeEnd: number
  readonly nextIndex: number
  /** False while nobody can know an address of it. */
  readonly shown: boolean
}
/** A descriptor of a wallet, with the scripts derived from it so far. */
export class DescriptorRecord {
  readonly descriptor: Descriptor
  readonly #text: string
  timestamp: number
  rangeStart: number
  rangeEnd: number
  nextIndex: number
  /** Derived up to here, exclusive. */
  derivedEnd = 0
  /**
   * A descriptor that the wallet made and has told nobody of cannot be paid to: its scripts are derived when the first
   * address or the descriptor itself leaves the wallet.
   */
  shown: boolean

  constructor(state: RecordState) {
    this.descriptor = parseDescriptor(state.text)
    this.#text = state.text
    this.timestamp = state.timestamp
    this.rangeStart = state.rangeStart
    this.rangeEnd = state.rangeEnd
    this.nextIndex = state.nextIndex
    this.shown = state.shown
  }
  save(): RecordState {
    return {
      text: this.#text,
      timestamp: this.timestamp,
      rangeStart: this.rangeStart,
      rangeEnd: this.rangeEnd,
      nextIndex: this.nextIndex,
      shown: this.shown,
    }
  }
  /** What Core compares descriptors by: the public text. */
  get id(): string {
    return this.descriptor.body
  }
  /** Moves the end of the range and tells `add` of every new script. */
  topUp(add: (script: string, index: number) => void): void {
    const end = Math.max(this.nextIndex + KEYPOOL_SIZE, this.rangeEnd)
    this.rangeEnd = this.descriptor.ranged ? end : 1
    if (!this.shown) return
    for (; this.derivedEnd < this.rangeEnd; this.derivedEnd++) {
      for (const script of this.descriptor.scripts(this.derivedEnd)) {
        add(toHex(script), this.derivedEnd)
      }
    }
  }
  /** Everything known for spending the scripts at an index. */
  provider(index: number): Provider {
    const provider = new Provider()
    this.descriptor.expand(index, provider)
    return provider
  }
}
