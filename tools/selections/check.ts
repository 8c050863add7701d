/** What must be true of every answer, counted again with bigints and from an encoded transaction of the planned size. */
import { feeFor, outPointKey, type Sat, type SatPerKvB, weight } from '@kaccy/bitcoin/kernel'
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
  const outputs = request.payments.map(({ script }, i) => ({ script, amount: amounts[i] as Sat }))
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

/** What is wrong with an answer, in words. */
export function faultsOf(one: Case, selection: Selection): string[] {
  const { request } = one
  const faults: string[] = []
  const say = (isRight: boolean, what: string) => {
    if (!isRight) faults.push(what)
  }
  const { coins, payments, fee, change, waste } = selection
  const allowed = new Map(
    [...request.coins, ...(request.required ?? [])].map((coin) => [outPointKey(coin.point), coin]),
  )
  const keys = coins.map(({ point }) => outPointKey(point))
  say(
    keys.every((key) => allowed.has(key)),
    'a coin that was not offered',
  )
  say(new Set(keys).size === keys.length, 'a coin twice')
  say(
    (request.required ?? []).every(({ point }) => keys.includes(outPointKey(point))),
    'a required coin is missing',
  )
  say(
    total(coins) === payments.reduce((sum, amount) => sum + amount, 0n) + (change ?? 0n) + fee,
    'inputs are not outputs and fee',
  )
  const transaction = transactionOf(one, coins, payments, change)
  const read = decodeTransaction(encodeTransaction(transaction))
  say(read.ok, 'no transaction comes out')
  const size = weightOf(transaction)
  say(size === selection.weight, `${selection.weight} weight units instead of ${size}`)
  say(size <= (request.maxWeight ?? 400_000), 'too heavy')
  const least = leastFee(request, size)
  say(fee >= least, 'a fee below the least')
  say(fee >= feeFor(request.minRate ?? (1000n as SatPerKvB), size), 'below the relay minimum')
  say(request.maxFee === undefined || fee <= request.maxFee, 'above the largest fee')
  say(
    request.maxRate === undefined || fee <= feeFor(request.maxRate, size),
    'above the ceiling of the rate',
  )
  say(selection.rate === (fee * 1000n) / BigInt(Math.ceil(size / 4)), 'another rate')
  say(change === undefined || change >= request.change.dust, 'dust change')
  const spend = fees(request.longTermRate, request.change.spendWeight)
  say(change === undefined || change > spend, 'change that is not worth having')
  say(change === undefined || fee === least, 'a surplus beside change')
  const surplus =
    total(coins) - total(request.payments) - (request.feeFrom === 'change' ? least : 0n)
  const viable = request.change.dust > spend ? request.change.dust : spend + 1n
  const changeFee = fees(request.rate, request.change.outputWeight + 8)
  say(
    change !== undefined || surplus <= changeFee + (viable > spend ? viable : spend) + 2n + least,
    'a large surplus',
  )
  if (change === undefined && request.feeFrom === 'change') {
    say(
      surplus <= changeFee + viable + (request.minFee?.fee ?? 0n) + 2n,
      'a surplus that could have been change',
    )
  }
  payments.forEach((amount, i) => {
    const payment = request.payments[i]
    if (!payment) {
      faults.push('a payment too many')
      return
    }
    const dust = dustThreshold(payment.script)
    say(amount >= dust, `payment ${i} is dust`)
    say(
      request.feeFrom === 'payments' ? amount <= payment.amount : amount === payment.amount,
      `payment ${i} has another amount`,
    )
  })
  say(payments.length === request.payments.length, 'a payment is missing')
  const lost = total(request.payments) - payments.reduce((sum, amount) => sum + amount, 0n)
  const parts = payments.map((amount, i) => (request.payments[i]?.amount ?? 0n) - amount)
  say(
    parts.every((part) => part - lost / BigInt(Math.max(1, parts.length)) <= 1n),
    'unequal parts of the fee',
  )
  say(
    waste === wasteOf(one, coins, least, change === undefined ? surplus : undefined),
    `a waste of ${waste}`,
  )
  say(request.avoidPartialSpends !== true || areGroupsWhole(one, coins), 'a part of a group')
  return faults
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
