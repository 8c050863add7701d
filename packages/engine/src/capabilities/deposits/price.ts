import {
  type Clock,
  MAX_SAT,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
} from '../../kernel/index.ts'
import type { OrderPrice, Rate, RateSource } from './ports.ts'

/** What a caller asks for: an amount of a currency, as a decimal text. */
export interface PriceInput {
  /** `EUR`: three to ten capital letters and digits, a letter first. */
  readonly currency: string
  /** Above zero; digits and at most one point, no sign, no exponent: `19.90`. */
  readonly amount: string
}
export type PriceRefusal = Refusal<
  'ORDER_PRICE_INVALID' | 'ORDER_AMOUNT_CONFLICT' | 'RATE_UNAVAILABLE'
>
export interface Pricing {
  readonly clock: Clock
  readonly rates: RateSource | undefined
  /** A rate that is older is not used, milliseconds. */
  readonly maxAgeMs: number
}

export const DEFAULT_RATE_AGE_MS = 5 * 60_000
/** Clocks of two machines differ; a rate from further in the future is a mistake. */
const SKEW_MS = 60_000
const SAT_PER_BTC = 100_000_000n
const CURRENCY = /^[A-Z][A-Z0-9]{2,9}$/
/** Enough for a coin that is worth a trillionth of a cent, and short enough for arithmetic that costs nothing. */
const DECIMAL = /^(0|[1-9]\d{0,17})(?:\.(\d{1,18}))?$/

/** A decimal text as a fraction of integers. */
interface Fraction {
  readonly units: bigint
  readonly scale: bigint
}

/** Exactly what the text says; undefined unless it is a plain decimal number above zero. */
function fractionOf(text: unknown): Fraction | undefined {
  const match = typeof text === 'string' ? DECIMAL.exec(text) : null
  if (!match) return undefined
  const decimals = match[2] ?? ''
  const units = BigInt(`${match[1]}${decimals}`)
  return units === 0n ? undefined : { units, scale: 10n ** BigInt(decimals.length) }
}

/** Whether a text is a plain decimal number above zero, as amounts and rates are written. */
export const isDecimal = (text: unknown): boolean => fractionOf(text) !== undefined
export const isCurrency = (text: unknown): boolean =>
  typeof text === 'string' && CURRENCY.test(text)

/** Whether two prices are the same amount of the same currency, however many zeros they were written with. */
export function samePrice(a: PriceInput | undefined, b: PriceInput | undefined): boolean {
  if (!a || !b) return a === b
  const [left, right] = [fractionOf(a.amount), fractionOf(b.amount)]
  if (!left || !right) return false
  return a.currency === b.currency && left.units * right.scale === right.units * left.scale
}

/**
 * The satoshi that an amount costs at a rate: exact rational arithmetic, rounded up to the next satoshi once, at the end.
 * So the seller never gets less than the price, and the buyer never pays a whole satoshi more. Undefined for texts that are
 * no decimals above zero.
 */
export function satoshisFor(amount: string, rate: string): bigint | undefined {
  const [price, unit] = [fractionOf(amount), fractionOf(rate)]
  if (!price || !unit) return undefined
  const above = price.units * unit.scale * SAT_PER_BTC
  const below = price.scale * unit.units
  return (above + below - 1n) / below
}

/** What is wrong with a price as it was asked for, before any rate is known. */
export function checkPrice(
  price: PriceInput,
  amount: unknown,
): Refusal<'ORDER_PRICE_INVALID' | 'ORDER_AMOUNT_CONFLICT'> | undefined {
  if (amount !== undefined)
    return refuse('ORDER_AMOUNT_CONFLICT', 'an order has an amount or a price, not both', {
      param: 'price',
    }).error
  const no = (reason: string) => refuse('ORDER_PRICE_INVALID', reason, { param: 'price' }).error
  if (!isCurrency(price.currency)) return no('currency must be a code such as EUR')
  if (!isDecimal(price.amount)) return no('amount must be a decimal text above zero, such as 19.90')
  return undefined
}

/** The satoshi of a price at the rate that holds now, and what is kept with the order. */
export async function priceNow(
  { clock, rates, maxAgeMs }: Pricing,
  { currency, amount }: PriceInput,
): Promise<Result<{ readonly sat: Sat; readonly price: OrderPrice }, PriceRefusal>> {
  const unavailable = (reason: string) =>
    refuse('RATE_UNAVAILABLE', `no usable rate for ${currency}: ${reason}`, {
      param: 'price',
      details: { currency, ...(rates ? { source: rates.name } : {}) },
    })
  if (!rates) return unavailable('no rate source is configured')
  const rate = await answerOf(rates, currency)
  const now = clock.now()
  const fault = faultOf(rate, now, maxAgeMs)
  if (!rate || fault !== undefined) return unavailable(fault ?? 'the source has none')
  const exact = satoshisFor(amount, rate.rate)
  if (exact === undefined) return unavailable('the source answered no decimal number')
  if (exact > MAX_SAT)
    return refuse('ORDER_PRICE_INVALID', 'the price is above 21 million BTC', { param: 'price' })
  const price = { currency, amount, rate: rate.rate, source: rates.name, at: rate.at ?? now }
  return ok({ sat: exact as Sat, price })
}

async function answerOf(rates: RateSource, currency: string): Promise<Rate | undefined> {
  try {
    return await rates.rate(currency)
  } catch {
    // A source that is out of order has no rate; the caller hears so and may come again.
    return undefined
  }
}

function faultOf(rate: Rate | undefined, now: number, maxAgeMs: number): string | undefined {
  if (!rate) return 'the source has none'
  if (rate.at !== undefined && !Number.isSafeInteger(rate.at)) return 'its time is no time'
  if (rate.validUntil !== undefined && now > rate.validUntil) return 'it has run out'
  if (rate.at !== undefined && now - rate.at > maxAgeMs) return 'it is too old'
  if (rate.at !== undefined && rate.at - now > SKEW_MS) return 'it is from the future'
  return undefined
}
