import { hash, randomBytes } from 'node:crypto'
import type { Clock, Entropy, Sha256, Timers } from '../../kernel/index.ts'

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() }

/** The operating system's random bytes. */
export const systemEntropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/** Longest delay that a Node timer can hold; more would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

export const systemTimers: Timers = {
  after(milliseconds, action) {
    const timer = setTimeout(action, Math.min(milliseconds, LONGEST_MS))
    return () => clearTimeout(timer)
  },
}

/** SHA-256 of Node's OpenSSL: several times as fast as portable code, which matters where whole blocks are hashed. */
export const systemSha256: Sha256 = (bytes) => hash('sha256', bytes, 'buffer')
