import { assert } from '@kaccy/bitcoin/kernel'

/**
 * Satoshi as a JSON integer.
 * @throws AssertionError beyond 2^53, which is more than four times of all bitcoin
 */
export function satoshi(amount: bigint): number {
  const number = Number(amount)
  assert(Number.isSafeInteger(number), `${amount} sat do not fit a JSON integer`)
  return number
}
export const satoshiOrNull = (amount: bigint | undefined): number | null =>
  amount === undefined ? null : satoshi(amount)

/** RFC 3339 in UTC. @param at milliseconds since the epoch */
export const time = (at: number): string => new Date(at).toISOString()
export const timeOrNull = (at: number | undefined): string | null =>
  at === undefined ? null : time(at)
