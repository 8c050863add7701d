import type { PsbtInput } from './model.ts'

/**
 * The lock time of a transaction of version 2: what its inputs require, in height where that satisfies all of them, else
 * in seconds. Undefined when no single lock time can satisfy them. Source: BIP 370.
 */
export function lockTimeOf(
  inputs: readonly PsbtInput[],
  fallback: number | undefined,
): number | undefined {
  let height = 0
  let time = 0
  let isHeightPossible = true
  let isTimePossible = true
  for (const { requiredHeight, requiredTime } of inputs) {
    if (requiredHeight === undefined && requiredTime === undefined) continue
    isHeightPossible &&= requiredHeight !== undefined
    isTimePossible &&= requiredTime !== undefined
    height = Math.max(height, requiredHeight ?? 0)
    time = Math.max(time, requiredTime ?? 0)
  }
  if (height === 0 && time === 0) return fallback ?? 0
  if (isHeightPossible) return height
  return isTimePossible ? time : undefined
}
