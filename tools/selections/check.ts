/** What must be true of every answer, counted again with bigints and from an encoded transaction of the planned size. */
import { feeFor, outPointKey, type Sat, type SatPerKvB, weight, ZERO } from '@kaccy/bitcoin/kernel'
import { dustThreshold } from '@kaccy/bitcoin/protocol/amounts'
import type { CandidateCoin, Selection } from '@kaccy/bitcoin/protocol/coins'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  weightOf,
} from '@kaccy/bitcoin/protocol/transaction'
import type { Case } from './case.ts'

/** The transaction as it will be, with bytes of zero where signatures and keys belong. */
function transactionOf(
  { kinds, request }: Case,
  coins: readonly CandidateCoin[],
  amounts: readonly Sat[],
  change: Sat | undefined,
): Transaction {
  const outputs = request.payments.map(({ script }, i) => ({ script, amount: amounts[i] ?? ZERO }))
  if (change !== undefined) {
    const script = new Uint8Array(request.change.outputWeight / 4 - 9)
    outputs.push({ script, amount: change })
  }
  return {
    version: 2,
    lockTime: 0,
    outputs,
    inputs: coins.map(({ point }) => {
      const kind = kinds.get(point.txid)
      return {
        ...point,
        sequence: 0xfffffffd,
        script: new Uint8Array(kind?.script ?? 0),
        witness: (kind?.witness ?? []).map((length) => new Uint8Array(length)),
      }
    }),
  }
}

const total = (list: readonly { readonly amount: Sat }[]): bigint =>
  list.reduce((sum, { amount }) => sum + amount, 0n)

/** Least fee for a transaction of this weight under a request. */
export function leastFee({ rate, minFee }: Case['request'], size: number): bigint {
  const byRate = feeFor(rate, weight(size))
  if (!minFee) return byRate
  const most = minFee.rate > rate ? feeFor(minFee.rate, weight(size)) : byRate
  const floor = minFee.fee + feeFor(minFee.rate, weight(size))
  return floor > most ? floor : most
}

const fees = (rate: SatPerKvB, size: number): bigint => (rate * BigInt(size) + 3999n) / 4000n

/** The waste of a set by the definition. `surplus` is undefined with change. */
export function wasteOf(
  { request }: Case,
  coins: readonly CandidateCoin[],
  least: bigint,
  surplus: bigint | undefined,
): bigint {
  const { payments, change, longTermRate } = request
  const outputs = payments.reduce((sum, { script }) => sum + 4 * (9 + script.length), 0)
  const base = leastFee(request, outputs + 4 * (9 + (payments.length < 253 ? 1 : 3)))
  const inputs = coins.reduce((sum, coin) => sum + coin.weight, 0)
  const later = surplus === undefined ? fees(longTermRate, change.spendWeight) : surplus
  return least - base - fees(longTermRate, inputs) + later
}

type Claim = readonly [isRight: boolean, otherwise: string]

/** What is wrong with an answer, in words. */
export function faultsOf(one: Case, selection: Selection): string[] {
  const transaction = transactionOf(one, selection.coins, selection.payments, selection.change)
  const least = leastFee(one.request, weightOf(transaction))
  const claims: readonly Claim[] = [
    ...coinClaims(one, selection),
    ...sizeClaims(one, selection, transaction),
    ...feeClaims(one, selection, least),
    ...changeClaims(one, selection, least),
    ...paymentClaims(one, selection),
  ]
  return claims.filter(([isRight]) => !isRight).map(([, otherwise]) => otherwise)
}

function coinClaims(one: Case, { coins, payments, change, fee }: Selection): Claim[] {
  const { coins: offered, required = [], avoidPartialSpends = false } = one.request
  const allowed = new Set([...offered, ...required].map(({ point }) => outPointKey(point)))
  const keys = coins.map(({ point }) => outPointKey(point))
  const paid = payments.reduce((sum, amount) => sum + amount, 0n)
  return [
    [keys.every((key) => allowed.has(key)), 'a coin that was not offered'],
    [new Set(keys).size === keys.length, 'a coin twice'],
    [
      required.every(({ point }) => keys.includes(outPointKey(point))),
      'a required coin is missing',
    ],
    [total(coins) === paid + (change ?? 0n) + fee, 'inputs are not outputs and fee'],
    [!avoidPartialSpends || areGroupsWhole(one, coins), 'a part of a group'],
  ]
}

function sizeClaims({ request }: Case, selection: Selection, transaction: Transaction): Claim[] {
  const size = weightOf(transaction)
  const rate = (selection.fee * 1000n) / BigInt(Math.ceil(size / 4))
  return [
    [decodeTransaction(encodeTransaction(transaction)).ok, 'no transaction comes out'],
    [size === selection.weight, `${selection.weight} weight units instead of ${size}`],
    [size <= (request.maxWeight ?? 400_000), 'too heavy'],
    [selection.rate === rate, 'another rate'],
  ]
}

function feeClaims({ request }: Case, { fee, weight: size }: Selection, least: bigint): Claim[] {
  const { minRate = 1000n as SatPerKvB, maxFee, maxRate } = request
  return [
    [fee >= least, 'a fee below the least'],
    [fee >= feeFor(minRate, size), 'below the relay minimum'],
    [maxFee === undefined || fee <= maxFee, 'above the largest fee'],
    [maxRate === undefined || fee <= feeFor(maxRate, size), 'above the ceiling of the rate'],
  ]
}

function changeClaims(one: Case, selection: Selection, least: bigint): Claim[] {
  const { request } = one
  const { coins, change, fee, waste } = selection
  const isBorne = request.feeFrom === 'payments' && request.payments.length > 0
  const surplus = total(coins) - total(request.payments) - (isBorne ? 0n : least)
  const counted = wasteOf(one, coins, least, change === undefined ? surplus : undefined)
  const spend = fees(request.longTermRate, request.change.spendWeight)
  const claims: Claim[] = [[waste === counted, `a waste of ${waste} instead of ${counted}`]]
  if (change !== undefined) {
    claims.push([change >= request.change.dust, 'dust change'])
    claims.push([change > spend, 'change that is not worth having'])
    claims.push([fee === least, 'a surplus beside change'])
    return claims
  }
  const dust = request.change.dust
  const viable = dust > spend ? dust : spend + 1n
  // The output, with the count of outputs that may get longer; a floor of the fee may make it cheaper, never dearer.
  const output = leastFee(request, selection.weight + request.change.outputWeight + 8) - least
  const rate =
    request.minFee && request.minFee.rate > request.rate ? request.minFee.rate : request.rate
  const byRate = fees(rate, request.change.outputWeight)
  const most = (output > byRate ? output : byRate) + viable
  return [...claims, [surplus <= most, 'a surplus that could have been change']]
}

function paymentClaims({ request }: Case, { payments }: Selection): Claim[] {
  const parts = payments.map((amount, i) => (request.payments[i]?.amount ?? 0n) - amount)
  const lost = parts.reduce((sum, part) => sum + part, 0n)
  const even = lost / BigInt(Math.max(1, parts.length))
  return [
    [payments.length === request.payments.length, 'not as many payments as asked for'],
    [parts.every((part) => part === even || part === even + 1n), 'unequal parts of the fee'],
    [lost === 0n || request.feeFrom === 'payments', 'a payment has another amount'],
    [
      payments.every((amount, i) => {
        const script = request.payments[i]?.script
        return script !== undefined && amount >= dustThreshold(script)
      }),
      'a payment is dust',
    ],
  ]
}

function areGroupsWhole({ request }: Case, coins: readonly CandidateCoin[]): boolean {
  const required = new Set((request.required ?? []).map(({ point }) => outPointKey(point)))
  const isFree = ({ point }: CandidateCoin) => !required.has(outPointKey(point))
  const taken = coins.filter(isFree)
  const keys = new Set(taken.map(({ point }) => outPointKey(point)))
  const groups = new Set(taken.flatMap(({ group }) => (group === undefined ? [] : [group])))
  // Groups of a hundred coins and more are cut into pieces; a group with a required coin is the requester's business.
  const whole = request.coins.filter(
    (coin) => coin.group !== undefined && groups.has(coin.group) && isFree(coin),
  )
  const size = new Map<string, number>()
  for (const { group = '' } of whole) size.set(group, (size.get(group) ?? 0) + 1)
  return whole.every(
    ({ group = '', point }) => (size.get(group) ?? 0) > 100 || keys.has(outPointKey(point)),
  )
}
