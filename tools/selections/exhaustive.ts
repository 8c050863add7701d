/** Every subset of a small pool, by the definition and without any cleverness. */
import { feeFor, outPointKey, type Sat, weight } from '@kaccy/bitcoin/kernel'
import { dustThreshold } from '@kaccy/bitcoin/protocol/amounts'
import type { CandidateCoin } from '@kaccy/bitcoin/protocol/coins'
import type { Case } from './case.ts'
import { leastFee, wasteOf } from './check.ts'

export interface Exhausted {
  /** The least waste of a set without change; undefined where no set does without. */
  readonly changeless: bigint | undefined
  /** True when any set pays, with or without change. */
  readonly isPossible: boolean
}

const MOST = 12

/** What is spent together and worth spending. */
function entriesOf({ request }: Case): CandidateCoin[][] {
  const required = new Set((request.required ?? []).map(({ point }) => outPointKey(point)))
  const free = request.coins.filter(({ point }) => !required.has(outPointKey(point)))
  const entries = new Map<string, CandidateCoin[]>()
  for (const coin of free) {
    const key =
      request.avoidPartialSpends && coin.group !== undefined ? coin.group : outPointKey(coin.point)
    entries.set(key, [...(entries.get(key) ?? []), coin])
  }
  const rate =
    request.minFee && request.minFee.rate > request.rate ? request.minFee.rate : request.rate
  return [...entries.values()].filter((coins) => {
    const size = coins.reduce((sum, coin) => sum + coin.weight, 0)
    const amount = coins.reduce((sum, coin) => sum + coin.amount, 0n)
    return amount > (rate * BigInt(size) + 3999n) / 4000n
  })
}

/** Undefined for a pool that is too large. */
export function exhaust(one: Case): Exhausted | undefined {
  const entries = entriesOf(one)
  if (entries.length > MOST || one.request.coins.length > 40) return undefined
  const required = one.request.required ?? []
  let changeless: bigint | undefined
  let isPossible = false
  for (let mask = 0; mask < 1 << entries.length; mask++) {
    const coins = [...required, ...entries.filter((_, i) => (mask >> i) & 1).flat()]
    if (coins.length === 0) continue
    const waste = withoutChange(one, coins)
    if (waste !== undefined) {
      isPossible = true
      if (waste.counts && (changeless === undefined || waste.waste < changeless)) {
        changeless = waste.waste
      }
    }
    isPossible ||= withChange(one, coins)
  }
  return { changeless, isPossible }
}

function sizeOf({ request }: Case, coins: readonly CandidateCoin[], hasChange: boolean): number {
  const scripts = request.payments.map(({ script }) => 4 * (9 + script.length))
  if (hasChange) scripts.push(request.change.outputWeight)
  const count = (n: number) => (n < 253 ? 1 : 3)
  const witnesses = coins.filter(({ hasWitness }) => hasWitness).length
  return (
    4 * (8 + count(coins.length) + count(scripts.length)) +
    coins.reduce((sum, coin) => sum + coin.weight, 0) +
    scripts.reduce((sum, size) => sum + size, 0) +
    (witnesses > 0 ? 2 + coins.length - witnesses : 0)
  )
}

const sum = (list: readonly { readonly amount: Sat }[]): bigint =>
  list.reduce((all, { amount }) => all + amount, 0n)

/** True when the fee keeps every ceiling and every payment stays above dust. */
function isAllowed({ request }: Case, size: number, fee: bigint, borne: bigint): boolean {
  const { maxWeight = 392_000, maxFee, maxRate, payments } = request
  if (size > maxWeight || (maxFee !== undefined && fee > maxFee)) return false
  if (maxRate !== undefined && fee > feeFor(maxRate, weight(size))) return false
  if (borne === 0n) return true
  const share = (borne + BigInt(payments.length) - 1n) / BigInt(payments.length)
  return payments.every(({ amount, script }) => amount - share >= dustThreshold(script))
}

function withChange(one: Case, coins: readonly CandidateCoin[]): boolean {
  const { size, fee, isBorne, isViable } = changeOf(one, coins)
  return isViable && isAllowed(one, size, fee, isBorne ? fee : 0n)
}

function changeOf(one: Case, coins: readonly CandidateCoin[]) {
  const { request } = one
  const size = sizeOf(one, coins, true)
  const fee = leastFee(request, size)
  const isBorne = request.feeFrom === 'payments' && request.payments.length > 0
  const change = sum(coins) - sum(request.payments) - (isBorne ? 0n : fee)
  const spend = (request.longTermRate * BigInt(request.change.spendWeight) + 3999n) / 4000n
  const isViable = change >= request.change.dust && change > spend
  return { size, fee, isBorne, isViable }
}

function withoutChange(one: Case, coins: readonly CandidateCoin[]) {
  const { request } = one
  if (request.payments.length === 0) return undefined
  const size = sizeOf(one, coins, false)
  const least = leastFee(request, size)
  const left = sum(coins) - sum(request.payments)
  const surplus = request.feeFrom === 'payments' ? left : left - least
  if (surplus < 0n) return undefined
  const fee = left > least ? left : least
  if (!isAllowed(one, size, fee, fee - left)) return undefined
  const { outputWeight, spendWeight } = request.change
  const rate =
    request.minFee && request.minFee.rate > request.rate ? request.minFee.rate : request.rate
  const cost =
    (rate * BigInt(outputWeight) + 3999n) / 4000n +
    (request.longTermRate * BigInt(spendWeight) + 3999n) / 4000n
  // What could be change is never given away.
  if (surplus > cost && changeOf(one, coins).isViable) return undefined
  return { counts: surplus <= cost, waste: wasteOf(one, coins, least, surplus) }
}
