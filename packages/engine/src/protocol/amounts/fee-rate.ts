import {
  AssertionError,
  feeFor,
  MAX_SAT,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type SatPerKvB,
  weight,
} from '../../kernel/index.ts'
import { type JsonValue, jsonBigInt } from '../json/index.ts'
import { parseCoreAmount } from './core-number.ts'

export type FeeRateRefusal = Refusal<'FEE_RATE_INVALID'>

const no = (param: string, reason: string): Result<never, FeeRateRefusal> =>
  refuse('FEE_RATE_INVALID', `${param} ${reason}`, { param })

/** A fee rate in satoshi per 1000 vbytes, as an integer. A rate is never negative. */
export function parseFeeRate(
  value: bigint | JsonValue | undefined,
  param = 'fee_rate_sat_kvb',
): Result<SatPerKvB, FeeRateRefusal> {
  const rate = typeof value === 'bigint' ? value : jsonBigInt(value)
  if (rate === undefined) return no(param, 'is not a whole number of satoshi per 1000 vbytes')
  if (rate < 0n) return no(param, 'is negative')
  if (rate > MAX_SAT) return no(param, 'is above 21 million BTC per 1000 vbytes')
  return ok(rate as SatPerKvB)
}

/** A fee rate in an answer of Bitcoin Core (`feerate`, `minrelaytxfee`): BTC per 1000 vbytes as a JSON number. */
export function parseCoreFeeRate(
  value: JsonValue | undefined,
  param = 'feerate',
): Result<SatPerKvB, FeeRateRefusal> {
  const amount = parseCoreAmount(value, param)
  if (!amount.ok) return no(param, 'is not a fee rate in BTC per 1000 vbytes')
  return ok(amount.value as bigint as SatPerKvB)
}

/**
 * The fee in satoshi for `vsize` virtual bytes: the least that reaches `rate`, so it rounds up.
 * @throws AssertionError unless `vsize` is a whole number from 0.
 */
export function feeForVsize(rate: SatPerKvB, vsize: number): Sat {
  if (!Number.isSafeInteger(vsize) || vsize < 0) throw new AssertionError(`bad vsize: ${vsize}`)
  return feeFor(rate, weight(vsize * 4))
}
