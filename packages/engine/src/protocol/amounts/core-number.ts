import { MAX_SAT, ok, type Refusal, type Result, refuse, type Sat } from '../../kernel/index.ts'
import { JsonNumber, type JsonValue } from '../json/index.ts'

export type AmountRefusal = Refusal<'AMOUNT_INVALID'>

const SAT_PER_BTC = 100_000_000n
const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
/** No amount needs more; a hostile exponent must not make us build a number of a million digits. */
const MAX_DIGITS = 200
const MAX_EXPONENT = 200n

/**
 * A JSON number of Bitcoin Core in bitcoins as satoshis, exactly; exponents are allowed, a fraction of a satoshi is
 * not. Undefined unless the text is such a number. Any sign and any size: callers bound it.
 */
function satoshis(text: string): bigint | undefined {
  if (text.length > MAX_DIGITS) return undefined
  const match = NUMBER.exec(text)
  if (!match) return undefined
  const fraction = match[3] ?? ''
  const exponent = BigInt(match[4] ?? '0')
  if (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT) return undefined
  const digits = BigInt((match[2] ?? '') + fraction)
  const shift = Number(exponent) + 8 - fraction.length
  const size = 10n ** BigInt(Math.abs(shift))
  if (shift < 0 && digits % size !== 0n) return undefined
  const value = shift < 0 ? digits / size : digits * size
  return match[1] === '-' ? -value : value
}

const textOf = (value: JsonValue | undefined): string =>
  value instanceof JsonNumber ? value.text : ''

const no = (param: string, reason: string): Result<never, AmountRefusal> =>
  refuse('AMOUNT_INVALID', `${param} ${reason}`, { param })

/**
 * An amount in an answer of Bitcoin Core: a JSON number in BTC (also with an exponent) to satoshis, exactly.
 * Refuses negative amounts, more than 21 million BTC and fractions of a satoshi. Source: Core, AmountFromValue.
 */
export function parseCoreAmount(
  value: JsonValue | undefined,
  param = 'amount',
): Result<Sat, AmountRefusal> {
  const raw = satoshis(textOf(value))
  if (raw === undefined) return no(param, 'is not a JSON number of BTC with at most 8 decimals')
  if (raw < 0n || raw > MAX_SAT) return no(param, 'is outside 0 to 21 million BTC')
  return ok(raw as Sat)
}

/**
 * As `parseCoreAmount` for the movements of the node's wallet (`amount` and `fee` of listsinceblock), which are negative
 * for what was sent. Satoshis with their sign, at most 21 million BTC either way.
 */
export function parseCoreMovement(
  value: JsonValue | undefined,
  param = 'amount',
): Result<bigint, AmountRefusal> {
  const raw = satoshis(textOf(value))
  if (raw === undefined) return no(param, 'is not a JSON number of BTC with at most 8 decimals')
  if (raw < -MAX_SAT || raw > MAX_SAT) return no(param, 'is outside 21 million BTC')
  return ok(raw)
}

/** Satoshis as Bitcoin Core prints them: BTC with exactly 8 decimals. Any signed 64-bit integer. Source: Core, ValueFromAmount. */
export function formatCoreAmount(satoshi: bigint): string {
  const size = satoshi < 0n ? -satoshi : satoshi
  const decimals = (size % SAT_PER_BTC).toString().padStart(8, '0')
  return `${satoshi < 0n ? '-' : ''}${size / SAT_PER_BTC}.${decimals}`
}

/** An amount as a JSON number for a call of the node: it goes out digit by digit. */
export const coreAmount = (amount: Sat): JsonNumber => new JsonNumber(formatCoreAmount(amount))
