import { inputShape } from '@kaccy/bitcoin/protocol/coins'
import { parseDescriptor } from '@kaccy/bitcoin/protocol/descriptor'
import { expect, it } from 'vitest'
import { caseOf, KINDS } from './case.ts'
import { faultsOf } from './check.ts'
import { runSelections } from './run.ts'
import { selectCoins } from '@kaccy/bitcoin/protocol/coins'

/** A new seed for each run: what a zero proves is counted over all runs. */
const SEED = Math.floor(Date.now() / 1000) % 1_000_000_000

it('5,000 random choices hold every promise, and find what an exhaustive search finds', () => {
  const report = runSelections(SEED, 5_000)
  expect(report.faults, `seed ${SEED}`).toEqual([])
  // The cases reach what they are meant to reach.
  expect(report.exhausted).toBeGreaterThan(2_000)
  expect(report.changeless).toBeGreaterThan(300)
  for (const name of [
    'bnb',
    'coin_grinder',
    'single_random_draw',
    'largest_first',
    'required_only',
    'FUNDS_INSUFFICIENT',
    'FEE_CEILING_EXCEEDED',
    'FEE_BELOW_MINIMUM',
    'TRANSACTION_TOO_HEAVY',
    'AMOUNT_IS_DUST',
  ]) {
    expect(report.answers[name] ?? 0, name).toBeGreaterThan(0)
  }
})

it('the same request has the same answer', () => {
  for (let seed = SEED; seed < SEED + 200; seed++) {
    const [first, second] = [caseOf(seed), caseOf(seed)].map(({ request }) => selectCoins(request))
    expect(second).toEqual(first)
  }
})

it('the weights by hand are those that the engine plans', () => {
  const key = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
  const others = [
    '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
    '02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
  ]
  for (const { name, weight, witness } of KINDS) {
    const text = name === 'wsh(sortedmulti)' ? `wsh(sortedmulti(2,${[key, ...others]}))` : name
    const parsed = parseDescriptor(
      text.includes('multi')
        ? text
        : `${name.replace(')', '')}(${key}${name.includes('(') ? '))' : ')'}`,
    )
    if (!parsed.ok) throw new TypeError(parsed.error.message)
    expect(inputShape(parsed.value)).toEqual({ weight, hasWitness: witness.length > 0 })
  }
})

it('a wrong answer is told', () => {
  for (let seed = 1; ; seed++) {
    const one = caseOf(seed)
    const answer = selectCoins(one.request)
    if (!answer.ok || answer.value.change === undefined) continue
    const { value } = answer
    const change = answer.value.change - 1n
    const wrong = [
      { ...value, fee: value.fee - 1n },
      { ...value, change },
      { ...value, weight: value.weight + 1 },
      { ...value, waste: value.waste + 1n },
      { ...value, rate: value.rate + 1n },
      { ...value, coins: [...value.coins, ...value.coins] },
      { ...value, payments: value.payments.slice(1) },
    ]
    for (const bad of wrong) expect(faultsOf(one, bad as never)).not.toEqual([])
    break
  }
})
