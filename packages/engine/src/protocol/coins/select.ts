import {
  AssertionError,
  assert,
  feeFor,
  ok,
  outPointKey,
  type Result,
  type Sat,
  sat,
  satPerKvB,
  sumSat,
  weight,
} from '../../kernel/index.ts'
import { branchAndBound } from './branch-and-bound.ts'
import type { CandidateCoin } from './coin.ts'
import { coinGrinder } from './coin-grinder.ts'
import { largestFirst } from './largest-first.ts'
import { CoinPool, type PoolView, preparePool } from './pool.ts'
import { singleRandomDraw } from './random-draw.ts'
import { refuseFault, refuseRequest } from './refusals.ts'
import type { Found } from './search.ts'
import type {
  Selection,
  SelectionAlgorithm,
  SelectionRefusal,
  SelectionRequest,
} from './selection.ts'
import {
  type CoinSums,
  dustOf,
  type Fault,
  NOTHING,
  type Outcome,
  searchRate,
  Terms,
} from './terms.ts'
import { transactionWeight } from './weight.ts'

interface Choice {
  readonly algorithm: SelectionAlgorithm
  readonly coins: readonly CandidateCoin[]
  readonly outcome: Outcome
}

/**
 * Chooses coins for payments. Of what branch and bound (no change), CoinGrinder (where the rate is above the long term
 * rate) and a random draw find, the set with the least waste is taken; largest first where they find none.
 * Fee and change come from the exact weight of the chosen transaction: inputs = payments + change + fee to the satoshi, no dust,
 * nothing above a ceiling or below the least rate. Pure: the same request with the same entropy has the same answer.
 * @throws AssertionError when a coin stands twice in the request.
 */
export function selectCoins(request: SelectionRequest): Result<Selection, SelectionRefusal> {
  const dust = dustOf(request)
  const refused = refuseRequest(request, dust)
  if (refused) return refused
  const required = request.required ?? []
  const terms = new Terms(request, dust)
  const base = required.reduce(withCoin, NOTHING)
  if (required.length > 0) {
    const outcome = terms.judge(base)
    if (!('fault' in outcome)) {
      return ok(settle(request, { algorithm: 'required_only', coins: required, outcome }, dust))
    }
  }
  const view = poolOf(request).view(satPerKvB(searchRate(request)), terms.measure)
  const choice = bestChoice(request, view, terms, base)
  if ('fault' in choice) return refuseFault(request, choice, { terms, view, base, dust })
  return ok(settle(request, choice, dust))
}

const withCoin = (sums: CoinSums, coin: CandidateCoin): CoinSums => ({
  amount: sums.amount + Number(coin.amount),
  weight: sums.weight + coin.weight,
  inputs: sums.inputs + 1,
  witnesses: sums.witnesses + (coin.hasWitness ? 1 : 0),
})

function poolOf({ coins, required, avoidPartialSpends = false }: SelectionRequest): CoinPool {
  const pool = coins instanceof CoinPool ? coins : preparePool(coins, { avoidPartialSpends })
  if (required === undefined || required.length === 0) return pool
  const taken = new Set(required.map(({ point }) => outPointKey(point)))
  return pool.without(({ point }) => taken.has(outPointKey(point)))
}

function bestChoice(request: SelectionRequest, view: PoolView, terms: Terms, base: CoinSums) {
  const found: [SelectionAlgorithm, Found | undefined][] = [
    ['bnb', request.payments.length > 0 ? branchAndBound(view, terms, base) : undefined],
    ['coin_grinder', terms.rate > terms.longTermRate ? coinGrinder(view, terms, base) : undefined],
    ['single_random_draw', singleRandomDraw(view, terms, base, request.entropy)],
  ]
  let best: readonly [SelectionAlgorithm, Found] | Fault | undefined
  let least = Number.POSITIVE_INFINITY
  for (const [algorithm, candidate] of found) {
    if (!candidate || candidate.waste >= least) continue
    least = candidate.waste
    best = [algorithm, candidate]
  }
  best ??= lastResort(view, terms, base)
  if ('fault' in best) return best
  const [algorithm, { places }] = best
  const added = places.flatMap((place) => view.coinsAt(place))
  const sums = added.reduce(withCoin, base)
  const outcome = algorithm === 'bnb' ? terms.changeless(sums) : terms.judge(sums)
  assert(outcome && !('fault' in outcome), `a set of ${algorithm} that does not hold`)
  return { algorithm, coins: [...(request.required ?? []), ...added], outcome }
}

/** When no search found anything: what can be paid is paid, with whatever change there is. */
function lastResort(
  view: PoolView,
  terms: Terms,
  base: CoinSums,
): readonly [SelectionAlgorithm, Found] | Fault {
  const largest = largestFirst(view, terms, base)
  if (!('fault' in largest)) return ['largest_first', largest]
  if (largest.fault === 'short') return largest
  // The most valuable coins are too heavy or cost too much; others may do.
  const lightest = coinGrinder(view, terms, base, 'wanted') ?? coinGrinder(view, terms, base, 'any')
  return lightest ? ['coin_grinder', lightest] : largest
}

/** Each payment bears an equal part; what cannot be divided is borne by the first ones. Source: Bitcoin Core. */
function shares(payments: readonly { readonly amount: Sat }[], borne: bigint): Sat[] {
  const count = BigInt(payments.length)
  return payments.map(({ amount }, i) => {
    if (borne === 0n) return amount
    return sat(amount - borne / count - (BigInt(i) < borne % count ? 1n : 0n))
  })
}

/**
 * From numbers to money, and a second look on another path: everything that was promised is computed again, with
 * bigints and from the coins themselves. @throws AssertionError when a promise is broken.
 */
function settle(request: SelectionRequest, choice: Choice, dust: readonly Sat[]): Selection {
  const { coins, outcome, algorithm } = choice
  const payments = shares(request.payments, BigInt(outcome.borne))
  const change = outcome.change === undefined ? undefined : sat(BigInt(outcome.change))
  const fee = sat(BigInt(outcome.fee))
  const size = weightOf(request, coins, change !== undefined)
  const vbytes = BigInt(Math.ceil(size / 4))
  const paid = sumSat(payments) + (change ?? 0n) + fee
  assert(size === outcome.weight, `${outcome.weight} weight units instead of ${size}`)
  assert(sumSat(coins.map(({ amount }) => amount)) === paid, 'inputs are not outputs and fee')
  assert(
    payments.every((amount, i) => amount >= (dust[i] ?? 0n)),
    'a payment is dust',
  )
  assert(change === undefined || change >= request.change.dust, 'the change is dust')
  assert(fee >= feeFor(request.rate, size), 'the fee is below the rate')
  assert(fee <= (request.maxFee ?? fee), 'the fee is above its ceiling')
  const most = request.maxRate === undefined ? fee : feeFor(request.maxRate, size)
  assert(fee <= most, 'the fee is above the ceiling of its rate')
  const points = new Set(coins.map(({ point }) => outPointKey(point)))
  if (points.size !== coins.length) throw new AssertionError('a coin stands twice in a request')
  return {
    coins,
    payments,
    fee,
    ...(change === undefined ? {} : { change }),
    weight: size,
    rate: satPerKvB((fee * 1000n) / vbytes),
    waste: BigInt(outcome.waste),
    algorithm,
  }
}

function weightOf(request: SelectionRequest, coins: readonly CandidateCoin[], hasChange: boolean) {
  const outputs = request.payments.map(({ script }) => script)
  const size = transactionWeight({ inputs: coins, outputs })
  if (!hasChange) return size
  const counted = outputs.length === 252 || outputs.length === 65_535 ? 8 : 0
  return weight(size + request.change.outputWeight + counted)
}
