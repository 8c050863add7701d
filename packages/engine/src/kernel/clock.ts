import { toHex } from './bytes.ts'

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** Randomness as a port, so that a simulation can be repeated from its seed. */
export interface Entropy {
  /** `length` fresh bytes, fit for identifiers and secrets. */
  bytes(length: number): Uint8Array
}

/** A time-ordered id (UUIDv7 layout, RFC 9562) with a typed prefix: `ord_0192…`. */
export function newId(prefix: string, clock: Clock, entropy: Entropy): string {
  const bytes = entropy.bytes(16)
  let time = clock.now()
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256
    time = Math.floor(time / 256)
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return `${prefix}_${toHex(bytes)}`
}

/** Waiting as a port, so that pauses run on virtual time in a simulation. */
export interface Timers {
  /** Calls `action` once after `milliseconds`; the answer cancels it. */
  after(milliseconds: number, action: () => void): () => void
}

/** SHA-256. A port, because a platform's own is several times as fast as portable code. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array
