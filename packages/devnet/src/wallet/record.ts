import { toHex } from '../chain/bytes.ts'
import { type Descriptor, parseDescriptor } from '../descriptor/parse.ts'
import { Provider } from '../descriptor/provider.ts'

/**
 * Addresses that a wallet watches ahead of the last used one. Core's default is 1000; deriving as many for eight descriptors
 * costs seconds in JavaScript. Twenty is what BIP 44 asks of every wallet.
 */
export const KEYPOOL_SIZE = 20
/** The range of an imported descriptor that names none. */
export const DEFAULT_RANGE = 100

// Snapshots are restored and wallets of one seed made anew all the time: what was derived once stays for the process.
const derived = new Map<string, readonly string[]>()
const DERIVED_LIMIT = 50_000
function scriptsAt(descriptor: Descriptor, index: number): readonly string[] {
  const id = `${index} ${descriptor.body}`
  const known = derived.get(id)
  if (known) return known
  const scripts = descriptor.scripts(index).map(toHex)
  if (derived.size >= DERIVED_LIMIT) derived.clear()
  derived.set(id, scripts)
  return scripts
}

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
  /** The root private keys in it, as text. */
  rootKeys(): readonly string[] {
    return this.#text.match(/tprv[1-9A-HJ-NP-Za-km-z]+/g) ?? []
  }
  /** What Core compares descriptors by: the public text. */
  get id(): string {
    return this.descriptor.body
  }
  /** Moves the end of the range as far as addresses must be known ahead. */
  topUp(): void {
    const end = Math.max(this.nextIndex + KEYPOOL_SIZE, this.rangeEnd)
    this.rangeEnd = this.descriptor.ranged ? end : 1
  }
  /** Tells `add` of every script up to the end of the range that was not derived before. */
  derive(add: (script: string, index: number) => void): void {
    if (!this.shown) return
    for (; this.derivedEnd < this.rangeEnd; this.derivedEnd++) {
      for (const script of scriptsAt(this.descriptor, this.derivedEnd)) {
        add(script, this.derivedEnd)
      }
    }
  }
  /** The first script at an index, in hex. */
  scriptAt(index: number): string | undefined {
    return scriptsAt(this.descriptor, index)[0]
  }
  /** Everything known for spending the scripts at an index. */
  provider(index: number): Provider {
    const provider = new Provider()
    this.descriptor.expand(index, provider)
    return provider
  }
}
