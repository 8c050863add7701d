import { AssertionError } from '../../kernel/index.ts'
import type { RateSource } from './ports.ts'
import { isCurrency, isDecimal } from './price.ts'

/**
 * A rate source whose rates stand in the configuration: units of the currency for one bitcoin, as decimal texts
 * (`{ EUR: '57000.00' }`). For tests, for currencies that are pegged to bitcoin, and for shops that set their rate by hand.
 * @throws AssertionError for a currency or a rate that cannot be used
 */
export function fixedRates(rates: Readonly<Record<string, string>>): RateSource {
  const known = new Map(Object.entries(rates))
  for (const [currency, rate] of known) {
    if (!isCurrency(currency)) throw new AssertionError(`not a currency: ${currency.slice(0, 20)}`)
    if (!isDecimal(rate)) throw new AssertionError(`no decimal rate above zero for ${currency}`)
  }
  return {
    name: 'fixed',
    async rate(currency) {
      const rate = known.get(currency)
      return rate === undefined ? undefined : { rate }
    },
  }
}
