import { MAX_SAT, ok, type Result, refuse, type Sat } from '../../kernel/index.ts'
import type { AmountRefusal } from './core-number.ts'

const TYPED = /^(\d{0,10})(?:\.(\d{0,8}))?$/

/**
 * Bitcoins as a person types them into a field, with Bitcoin Core's leniency: white space around, nothing before or
 * behind the point, even a point alone (0). At most 8 decimals, at most 21 million BTC, no sign, no exponent, no grouping.
 * For forms only: links and interfaces use `parseBtc`. Source: Core, ParseMoney.
 */
export function parseTypedMoney(text: string, param = 'amount'): Result<Sat, AmountRefusal> {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '')
  const match = trimmed === '' ? null : TYPED.exec(trimmed)
  if (!match) {
    return refuse('AMOUNT_INVALID', `${param} is not an amount in BTC with at most 8 decimals`, {
      param,
    })
  }
  const whole = BigInt(match[1] || '0') * 100_000_000n
  const value = whole + BigInt((match[2] ?? '').padEnd(8, '0'))
  if (value > MAX_SAT) {
    return refuse('AMOUNT_INVALID', `${param} is above 21 million BTC`, { param })
  }
  return ok(value as Sat)
}
