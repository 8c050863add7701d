import type { Entropy } from '../../kernel/index.ts'

export interface RetryPolicy {
  /** Attempts of one call at most, the first included. The deadline of the call may end it earlier. */
  readonly attempts: number
  readonly base_ms: number
  readonly cap_ms: number
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, base_ms: 100, cap_ms: 5_000 }

/**
 * Pause before attempt `failures + 1`: exponential, with full jitter, so that many clients of a restarting node do not
 * come back in the same moment. Anything from 0 to `min(cap, base * 2^(failures - 1))` milliseconds.
 */
export function backoff(policy: RetryPolicy, failures: number, entropy: Entropy): number {
  const ceiling = Math.min(policy.cap_ms, policy.base_ms * 2 ** Math.min(failures - 1, 30))
  const [a = 0, b = 0, c = 0, d = 0] = entropy.bytes(4)
  const fraction = (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32
  return Math.floor(fraction * ceiling)
}
