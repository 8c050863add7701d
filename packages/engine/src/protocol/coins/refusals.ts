import { type Details, MAX_SAT, refuse, type Sat } from '../../kernel/index.ts'
import type { PoolView } from './pool.ts'
import { sumsOfAll } from './search.ts'
import { DEFAULT_RELAY_RATE, type SelectionRefusal, type SelectionRequest } from './selection.ts'
import { type CoinSums, type Fault, MAX_RATE, searchRate, type Terms } from './terms.ts'

type No = { readonly ok: false; readonly error: SelectionRefusal }

/** What can be refused before a coin was looked at. */
export function refuseRequest(request: SelectionRequest, dust: readonly Sat[]): No | undefined {
  const { payments, minRate = DEFAULT_RELAY_RATE, maxRate = MAX_RATE as bigint } = request
  const rate = searchRate(request)
  if (rate < minRate) {
    return refuse('FEE_BELOW_MINIMUM', `${rate} sat/kvB is less than nodes relay, ${minRate}`, {
      param: 'fee_rate_sat_kvb',
      details: { fee_rate_sat_kvb: Number(rate), minimum_sat_kvb: Number(minRate) },
    })
  }
  const ceiling = maxRate < MAX_RATE ? maxRate : MAX_RATE
  if (rate > ceiling) {
    return refuse('FEE_CEILING_EXCEEDED', `${rate} sat/kvB is above the ceiling of ${ceiling}`, {
      param: 'fee_rate_sat_kvb',
      details: { fee_rate_sat_kvb: Number(rate), ceiling_sat_kvb: Number(ceiling) },
    })
  }
  const small = payments.findIndex(({ amount }, i) => amount < (dust[i] ?? 0n))
  if (small >= 0) return refuseDust(small, payments[small]?.amount ?? 0n, dust[small] ?? 0n)
  const total = payments.reduce((sum, { amount }) => sum + amount, 0n)
  if (total > MAX_SAT) {
    return refuse('FUNDS_INSUFFICIENT', 'the payments are more than all bitcoins', {
      details: { needed_sat: String(total) },
    })
  }
  return undefined
}

function refuseDust(payment: number, amount: bigint, least: bigint): No {
  return refuse(
    'AMOUNT_IS_DUST',
    `payment ${payment} is worth ${amount} sat; nodes relay ${least} sat at least`,
    {
      param: 'amount_sat',
      details: { payment, amount_sat: Number(amount), least_sat: Number(least) },
    },
  )
}

interface Searched {
  readonly terms: Terms
  readonly view: PoolView
  readonly base: CoinSums
  readonly dust: readonly Sat[]
}

/** Why no set of coins would do. */
export function refuseFault(request: SelectionRequest, fault: Fault, searched: Searched): No {
  const missing = refuseMissing(request, searched)
  if (fault.fault === 'short' || (fault.fault === 'too_heavy' && missing.isMissing)) {
    return refuse('FUNDS_INSUFFICIENT', missing.message, { details: missing.details })
  }
  switch (fault.fault) {
    case 'too_heavy': {
      const { maxWeight } = searched.terms
      return refuse(
        'TRANSACTION_TOO_HEAVY',
        `the transaction needs at least ${fault.weight} weight units; ${maxWeight} are allowed`,
        { details: { weight: fault.weight, max_weight: maxWeight } },
      )
    }
    case 'ceiling':
      return refuse(
        'FEE_CEILING_EXCEEDED',
        `the fee would be ${fault.fee} sat; ${fault.ceiling} sat are allowed`,
        { param: 'max_fee_sat', details: { fee_sat: fault.fee, ceiling_sat: fault.ceiling } },
      )
    case 'dust': {
      const { payments } = request
      const share = BigInt(Math.ceil(fault.borne / Math.max(1, payments.length)))
      const { dust } = searched
      const margin = (i: number) => (payments[i]?.amount ?? 0n) - (dust[i] ?? 0n)
      const small = payments.reduce((at, _, i) => (margin(i) < margin(at) ? i : at), 0)
      const left = (payments[small]?.amount ?? 0n) - share
      return refuseDust(small, left > 0n ? left : 0n, dust[small] ?? 0n)
    }
  }
}

function refuseMissing({ payments }: SelectionRequest, { terms, view, base }: Searched) {
  const all = sumsOfAll(view, base)
  const isWithoutPayments = payments.length === 0
  const fee = terms.measure === 'amount' ? 0 : terms.feeOf(terms.weightWith(all, isWithoutPayments))
  const needed = terms.paid + fee + (isWithoutPayments ? terms.viableChange : 0)
  const missing = needed - all.amount
  const details: Details = {
    available_sat: all.amount,
    needed_sat: needed,
    missing_sat: Math.max(0, missing),
    uneconomical_sat: view.uneconomical,
  }
  return {
    isMissing: missing > 0,
    message: `${all.amount} sat can be spent; payments and fee need ${needed} sat`,
    details,
  }
}
