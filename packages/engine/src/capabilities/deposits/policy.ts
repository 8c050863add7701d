import {
  addSat,
  MAX_SAT,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  sat,
  ZERO,
} from '../../kernel/index.ts'
import type { AmountVerdict, Thresholds, Tolerance } from './ports.ts'

/** The seed's levels: seen at 1, credited at 3, final at 6 blocks. */
export const DEFAULT_THRESHOLDS: Thresholds = { confirmed: 1, fullConfirmed: 3, finalized: 6 }
/** Deeper levels than this are refused: a shortened chain must be able to look this far back for what it undoes. */
export const DEPTH_LIMIT = 1000
/** A coinbase output cannot be spent before this depth, so it is not credited before it (Core: COINBASE_MATURITY). */
export const COINBASE_MATURITY = 100
export const EXACT: Tolerance = { kind: 'absolute', sat: ZERO }

/** @returns refusal ORDER_THRESHOLDS_INVALID unless 1 <= confirmed <= fullConfirmed <= finalized <= 1000. */
export function parseThresholds(
  input: Partial<Thresholds> | undefined,
): Result<Thresholds, Refusal<'ORDER_THRESHOLDS_INVALID'>> {
  const confirmed = input?.confirmed ?? DEFAULT_THRESHOLDS.confirmed
  const fullConfirmed =
    input?.fullConfirmed ?? Math.max(confirmed, DEFAULT_THRESHOLDS.fullConfirmed)
  const finalized = input?.finalized ?? Math.max(fullConfirmed, DEFAULT_THRESHOLDS.finalized)
  const levels = [confirmed, fullConfirmed, finalized]
  const rising = levels.every(
    (level, i) => Number.isSafeInteger(level) && level >= (levels[i - 1] ?? 1),
  )
  if (!rising || finalized > DEPTH_LIMIT)
    return refuse(
      'ORDER_THRESHOLDS_INVALID',
      `confirmations must be whole numbers with 1 <= confirmed <= full_confirmed <= finalized <= ${DEPTH_LIMIT}`,
      { param: 'confirmations', details: { confirmed, fullConfirmed, finalized } },
    )
  return ok({ confirmed, fullConfirmed, finalized })
}

/** Satoshis on either side of the amount that still count as exact. A relative tolerance rounds down. */
export const toleranceOf = (amount: Sat, tolerance: Tolerance): Sat =>
  tolerance.kind === 'absolute' ? tolerance.sat : sat((amount * BigInt(tolerance.ppm)) / 1_000_000n)

/** The least sum that covers an order. An open address is covered by anything. */
export function leastOf(amount: Sat | undefined, tolerance: Tolerance): Sat {
  if (amount === undefined) return ZERO
  const slack = toleranceOf(amount, tolerance)
  return slack >= amount ? sat(1n) : sat(amount - slack)
}

/** Judges the sum of all payments, never a single one. An open deposit address is exact with any amount. */
export function verdictOf(
  amount: Sat | undefined,
  tolerance: Tolerance,
  received: Sat,
): AmountVerdict {
  if (received === 0n) return 'none'
  if (amount === undefined) return 'exact'
  if (received < leastOf(amount, tolerance)) return 'underpaid'
  const slack = toleranceOf(amount, tolerance)
  const most = amount + slack > MAX_SAT ? sat(MAX_SAT) : addSat(amount, slack)
  return received > most ? 'overpaid' : 'exact'
}
