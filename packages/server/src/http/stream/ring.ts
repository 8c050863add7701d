import { assert } from '@kaccy/bitcoin/kernel'
import type { Frame } from './frame.ts'

/** The newest events without a hole, as many as are worth keeping. */
export class Ring {
  readonly #most: { readonly events: number; readonly bytes: number }
  #frames: Frame[] = []
  #bytes = 0
  #last: number

  /** @param last everything up to here was given out before */
  constructor(last: number, most: { readonly events: number; readonly bytes: number }) {
    this.#last = last
    this.#most = most
  }
  /** The newest sequence number that it knows. */
  get last(): number {
    return this.#last
  }
  /** Whether nothing behind `position` is missing here. */
  reaches(position: number): boolean {
    return position >= (this.#frames[0]?.seq ?? this.#last + 1) - 1
  }
  /** What comes behind `position`, which it reaches. */
  after(position: number): readonly Frame[] {
    const first = this.#frames[0]
    if (!first) return []
    return this.#frames.slice(Math.max(0, position - first.seq + 1))
  }
  /** Adds what was read behind `last`; the oldest go, never those that are added now. */
  push(frames: readonly Frame[]): void {
    for (const frame of frames) {
      assert(frame.seq === this.#last + 1, 'events are dense')
      this.#last = frame.seq
      this.#frames.push(frame)
      this.#bytes += frame.json.length
    }
    let gone = 0
    const old = this.#frames.length - frames.length
    while (
      gone < old &&
      (this.#frames.length - gone > this.#most.events || this.#bytes > this.#most.bytes)
    ) {
      this.#bytes -= this.#frames[gone]?.json.length ?? 0
      gone += 1
    }
    if (gone > 0) this.#frames = this.#frames.slice(gone)
  }
}
