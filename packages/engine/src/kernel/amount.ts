import { AssertionError, type Refusal, refuse } from './error.ts'
import { ok, type Result } from './result.ts'

declare const unit: unique symbol
/** Satoshis, 0 to 21M BTC. Never negative: a movement has two sides, not a sign. */
export type Sat = bigint & { readonly [unit]: 'sat' }
/** Satoshis per 1000 vbytes, Bitcoin Core's own grain: 1 sat/vB is 1000. */
export type SatPerKvB = bigint & { readonly [unit]: 'sat/kvB' }
/** Weight units (BIP 141): four make a vbyte. */
export type Weight = number & { readonly [unit]: 'wu' }

export const MAX_SAT = 2_100_000_000_000_000n
const SAT_PER_BTC = 100_000_000n

/** The only door from a raw bigint into money. @throws AssertionError outside 0..21M BTC. */
export function sat(value: bigint): Sat {
  if (value < 0n || value > MAX_SAT) throw new AssertionError(`sat out of range: ${value}`)
  return value as Sat
}
export const ZERO = sat(0n)
export const addSat = (a: Sat, b: Sat): Sat => sat(a + b)
/** @throws AssertionError when `b` is more than `a`. */
export const subSat = (a: Sat, b: Sat): Sat => sat(a - b)
export const sumSat = (amounts: Iterable<Sat>): Sat => {
  let total = 0n
  for (const amount of amounts) total += amount
  return sat(total)
}

/** @throws AssertionError for a negative rate. */
export function satPerKvB(value: bigint): SatPerKvB {
  if (value < 0n) throw new AssertionError(`negative fee rate: ${value}`)
  return value as SatPerKvB
}
/** @throws AssertionError unless a non-negative integer. */
export function weight(value: number): Weight {
  if (!Number.isSafeInteger(value) || value < 0) throw new AssertionError(`bad weight: ${value}`)
  return value as Weight
}

/** Smallest fee reaching `rate`. Rounds up twice: relay policy counts whole vbytes. */
export function feeFor(rate: SatPerKvB, size: Weight): Sat {
  const vbytes = BigInt(Math.ceil(size / 4))
  return sat((rate * vbytes + 999n) / 1000n)
}

/** Reads satoshis from a JSON integer or decimal digits. Refuses fractions, signs, exponents, unsafe integers. */
export function parseSat(
  value: unknown,
  param = 'amount_sat',
): Result<Sat, Refusal<'AMOUNT_INVALID'>> {
  const no = (reason: string) => refuse('AMOUNT_INVALID', `${param} ${reason}`, { param })
  let raw: bigint
  if (typeof value === 'bigint') raw = value
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return no('is not a whole number of satoshis')
    raw = BigInt(value)
  } else if (typeof value === 'string' && /^(0|[1-9]\d{0,15})$/.test(value)) raw = BigInt(value)
  else return no('is not a whole number of satoshis')
  if (raw < 0n || raw > MAX_SAT) return no('is outside 0 to 21 million BTC')
  return ok(raw as Sat)
}

/** Bitcoins in plain decimal notation (`0.001`, at most 8 places) to satoshis, exactly. Source: BIP 21. */
export function parseBtc(text: string, param = 'amount'): Result<Sat, Refusal<'AMOUNT_INVALID'>> {
  const match = /^(\d{1,8})(?:\.(\d{1,8}))?$/.exec(text)
  if (!match)
    return refuse(
      'AMOUNT_INVALID',
      `${param} is not a decimal number of BTC with at most 8 places`,
      { param },
    )
  const value = BigInt(match[1] ?? '0') * SAT_PER_BTC + BigInt((match[2] ?? '').padEnd(8, '0'))
  if (value > MAX_SAT)
    return refuse('AMOUNT_INVALID', `${param} is above 21 million BTC`, { param })
  return ok(value as Sat)
}

/** Satoshis as bitcoins with exactly 8 places, as Bitcoin Core prints them. */
export function formatBtc(amount: Sat): string {
  return `${amount / SAT_PER_BTC}.${(amount % SAT_PER_BTC).toString().padStart(8, '0')}`
}
