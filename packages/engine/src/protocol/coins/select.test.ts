import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { feeFor, type Sat, sat, satPerKvB, type Txid, weight } from '../../kernel/index.ts'
import {
  type CandidateCoin,
  type ChangeShape,
  preparePool,
  type SelectionRequest,
  selectCoins,
} from './index.ts'

const WPKH = 272
const CHANGE: ChangeShape = {
  outputWeight: weight(124),
  spendWeight: weight(WPKH),
  dust: sat(294n),
}
const SCRIPT = new Uint8Array(22).fill(7)
SCRIPT.set([0, 20])

const coin = (i: number, amount: number, more: Partial<CandidateCoin> = {}): CandidateCoin => ({
  point: { txid: i.toString(16).padStart(64, '0') as Txid, vout: 0 },
  amount: sat(BigInt(amount)),
  weight: weight(WPKH),
  hasWitness: true,
  ...more,
})
const coins = (...amounts: readonly number[]) => amounts.map((amount, i) => coin(i, amount))
const pay = (...amounts: readonly number[]) =>
  amounts.map((amount) => ({ script: SCRIPT, amount: sat(BigInt(amount)) }))
const rate = (perVbyte: number) => satPerKvB(BigInt(Math.round(perVbyte * 1000)))

const request = (more: Partial<SelectionRequest>): SelectionRequest => ({
  coins: [],
  payments: pay(100_000),
  change: CHANGE,
  rate: rate(10),
  longTermRate: rate(10),
  entropy: { bytes: (length) => new Uint8Array(length) },
  feeFrom: 'change',
  ...more,
})
const select = (more: Partial<SelectionRequest>) => {
  const answer = selectCoins(request(more))
  if (!answer.ok) throw new TypeError(answer.error.message)
  return answer.value
}
const refusal = (more: Partial<SelectionRequest>) => {
  const answer = selectCoins(request(more))
  return answer.ok ? answer.value : answer.error
}
const amounts = (list: readonly { readonly amount: Sat }[]) =>
  list.map(({ amount }) => Number(amount)).sort((a, b) => a - b)

/** One input and one output: 109.25 vbytes; with change 140.25. */
const ONE = 1_100
const ONE_AND_CHANGE = 1_410

describe('a choice of coins', () => {
  it('pays without change where that wastes less', () => {
    const answer = select({ coins: coins(500_000, 100_000 + ONE + 300, 40_000) })
    expect(answer).toMatchObject({
      algorithm: 'bnb',
      fee: BigInt(ONE + 300),
      waste: 310n,
      weight: 438,
    })
    expect(answer).not.toHaveProperty('change')
    expect(amounts(answer.coins)).toEqual([101_400])
    expect(answer.rate).toBe(12_727n)
  })

  it('gives no more to the fee than change would cost', () => {
    const cost = 310 + 680
    const exact = select({ coins: coins(100_000 + ONE + cost) })
    expect(exact).toMatchObject({ algorithm: 'bnb', fee: BigInt(ONE + cost) })
    const more = select({ coins: coins(100_000 + ONE + cost + 1) })
    expect(more).toMatchObject({ fee: BigInt(ONE_AND_CHANGE), change: 681n })
    expect(select({ coins: coins(500_000) })).toMatchObject({ change: 398_590n, fee: 1_410n })
  })

  it('goes on from the first changeless set to the one with the least waste', () => {
    const pool = coins(60_000, 43_860, 55_000, 48_820)
    const answer = select({ coins: pool, rate: rate(20) })
    expect(answer).toMatchObject({ algorithm: 'bnb', fee: 3_560n + 260n })
    expect(amounts(answer.coins)).toEqual([48_820, 55_000])
  })

  it('never makes change that is dust, nor change that costs more to spend than it is worth', () => {
    const dear = { ...CHANGE, dust: sat(5_000n) }
    const surplus = 4_000
    const answer = select({ coins: coins(100_000 + ONE + surplus), change: dear })
    expect(answer).not.toHaveProperty('change')
    expect(answer.fee).toBe(BigInt(ONE + surplus))
    expect(answer.algorithm).toBe('largest_first')
    const later = select({ coins: coins(100_000 + ONE + 20_000), longTermRate: rate(400) })
    expect(later).not.toHaveProperty('change')
  })

  it('takes few inputs when fees are high and many when they are low', () => {
    const pool = coins(20_000, 30_000, 52_700, 102_000, 400_000)
    const high = select({ coins: pool, rate: rate(200), longTermRate: rate(10) })
    expect(amounts(high.coins)).toEqual([400_000])
    const low = select({ coins: pool, rate: rate(1), longTermRate: rate(50) })
    expect(low.coins.length).toBeGreaterThan(1)
    expect(low.waste).toBeLessThan(0n)
  })

  it('keeps large coins whole when fees are high', () => {
    const pool = coins(2_000_000, 1_000_000, 800_000, 300_000, 50_000)
    const answer = select({ coins: pool, rate: rate(60), minChange: sat(20_000n) })
    expect(answer.algorithm).toBe('coin_grinder')
    expect(amounts(answer.coins)).toEqual([300_000])
  })

  it('aims for the wanted change, and does with less where the coins do not reach it', () => {
    const pool = coins(120_000, 30_000)
    expect(select({ coins: pool, minChange: sat(40_000n) }).change).toBe(
      150_000n - 100_000n - 2_090n,
    )
    expect(select({ coins: pool, minChange: sat(60_000n) })).toMatchObject({
      algorithm: 'largest_first',
      change: 18_590n,
    })
  })

  it('goes past the fewest coins for the wanted change when a draw gets too heavy', () => {
    const pool = coins(60_000, 60_000, 60_000, ...Array<number>(300).fill(1_000))
    const entropy = { bytes: (length: number) => new Uint8Array(length).fill(0x7f) }
    const answer = select({
      coins: pool,
      minChange: sat(50_000n),
      maxWeight: weight(2_000),
      entropy,
    })
    expect(answer).toMatchObject({ algorithm: 'largest_first', change: 80_000n - answer.fee })
    expect(amounts(answer.coins)).toEqual([60_000, 60_000, 60_000])
  })

  it('leaves coins alone that cost more than they bring', () => {
    const answer = refusal({ coins: coins(100_000, 680, 500, 681) })
    expect(answer).toMatchObject({
      code: 'FUNDS_INSUFFICIENT',
      details: {
        available_sat: 100_681,
        uneconomical_sat: 1_180,
        needed_sat: 101_780,
        missing_sat: 1_099,
      },
    })
  })

  it('spends coins of one script together or not at all', () => {
    const pool = [
      coin(1, 60_000, { group: 'a' }),
      coin(2, 60_000, { group: 'a' }),
      coin(3, 1_000, { group: 'a' }),
      coin(4, 101_200),
    ]
    const payments = pay(110_000)
    const apart = select({ coins: pool, payments })
    expect(apart.coins.map(({ group }) => group)).not.toEqual(['a', 'a', 'a'])
    const together = select({ coins: pool, payments, avoidPartialSpends: true })
    expect(amounts(together.coins)).toEqual([1_000, 60_000, 60_000])
    const prepared = preparePool(pool, { avoidPartialSpends: true })
    expect(prepared).toMatchObject({ size: 4, total: 222_200n })
    expect(select({ coins: prepared, payments })).toEqual(together)
  })

  it('cuts groups after a hundred coins', () => {
    const pool = Array.from({ length: 250 }, (_, i) => coin(i, 10_000, { group: 'a' }))
    const answer = select({ coins: pool, payments: pay(300_000), avoidPartialSpends: true })
    expect([50, 100]).toContain(answer.coins.length)
  })
})

describe('required coins', () => {
  it('are all spent, and no other one where they suffice', () => {
    const required = coins(80_000, 60_000)
    const answer = select({ required, coins: [...required, coin(9, 101_200)] })
    expect(answer).toMatchObject({ algorithm: 'required_only', coins: required, change: 37_910n })
  })

  it('come first, are not spent twice, and may be worth less than they cost', () => {
    const required = [coin(0, 80_000), coin(1, 200)]
    const answer = select({ required, coins: [...required, coin(2, 60_000)] })
    expect(answer.coins.map(({ point }) => point)).toEqual(
      [...required, coin(2, 60_000)].map(({ point }) => point),
    )
    const pool = preparePool([...required, coin(2, 60_000)])
    expect(select({ required, coins: pool })).toEqual(answer)
  })

  it('make a transaction that only has change, as a child and a consolidation do', () => {
    const answer = select({ payments: [], required: coins(50_000, 30_000) })
    expect(answer.payments).toEqual([])
    expect(answer.change).toBe(80_000n - answer.fee)
    expect(refusal({ payments: [], required: coins(1_500) })).toMatchObject({
      code: 'FUNDS_INSUFFICIENT',
      details: { needed_sat: 1_100 + 681, available_sat: 1_500 },
    })
  })

  it('a coin that stands twice is our bug', () => {
    expect(() =>
      select({ coins: coins(70_000, 70_000).map((one) => ({ ...one, point: coin(1, 1).point })) }),
    ).toThrow('twice')
  })
})

describe('fees', () => {
  it('reach a floor: old fees and the incremental rate on the new size', () => {
    const minFee = { fee: sat(5_000n), rate: rate(1) }
    const answer = select({ coins: coins(500_000), minFee })
    expect(answer).toMatchObject({ fee: 5_141n, change: 394_859n })
    const child = select({ coins: coins(500_000), minFee: { fee: sat(900n), rate: rate(10) } })
    expect(child.fee).toBe(900n + 1_410n)
    const dear = select({ coins: coins(500_000), minFee: { fee: sat(0n), rate: rate(12) } })
    expect(dear.fee).toBe(1_692n)
  })

  it('stay below the ceilings, surplus included', () => {
    const pool = coins(100_000 + ONE + 900, 100_000 + 5_000)
    expect(select({ coins: pool, maxFee: sat(1_600n), longTermRate: rate(30) }).fee).toBe(1_410n)
    expect(refusal({ coins: pool, maxFee: sat(1_000n) })).toMatchObject({
      code: 'FEE_CEILING_EXCEEDED',
      param: 'max_fee_sat',
      details: { ceiling_sat: 1_000 },
    })
    const strict = select({ coins: pool, maxRate: rate(10.1), longTermRate: rate(30) })
    expect(strict.fee).toBeLessThanOrEqual(feeFor(rate(10.1), strict.weight))
    expect(refusal({ coins: pool, maxRate: rate(9.999) })).toMatchObject({
      code: 'FEE_CEILING_EXCEEDED',
      param: 'fee_rate_sat_kvb',
    })
  })

  it('reach a ceiling and do not pass it, by a satoshi', () => {
    const change = coins(500_000)
    expect(select({ coins: change, maxFee: sat(1_410n) }).fee).toBe(1_410n)
    expect(refusal({ coins: change, maxFee: sat(1_409n) })).toMatchObject({
      code: 'FEE_CEILING_EXCEEDED',
      details: { fee_sat: 1_410, ceiling_sat: 1_409 },
    })
    const surplus = coins(100_000 + ONE + 300)
    expect(select({ coins: surplus, maxFee: sat(1_400n) }).fee).toBe(1_400n)
    expect(refusal({ coins: surplus, maxFee: sat(1_399n) })).toMatchObject({
      code: 'FEE_CEILING_EXCEEDED',
    })
    // 110 vbytes.
    expect(select({ coins: surplus, maxRate: satPerKvB(12_728n) }).fee).toBe(1_400n)
    expect(refusal({ coins: surplus, maxRate: satPerKvB(12_718n) })).toMatchObject({
      code: 'FEE_CEILING_EXCEEDED',
      details: { ceiling_sat: 1_399 },
    })
  })

  it('are not trusted a thousand times too high, whatever the ceilings', () => {
    expect(refusal({ coins: coins(2_000_000_000), rate: satPerKvB(1_000_000_001n) })).toMatchObject(
      {
        code: 'FEE_CEILING_EXCEEDED',
        details: { ceiling_sat_kvb: 1_000_000_000 },
      },
    )
  })

  it('are never below what nodes relay', () => {
    expect(refusal({ coins: coins(500_000), rate: satPerKvB(999n) })).toMatchObject({
      code: 'FEE_BELOW_MINIMUM',
      details: { minimum_sat_kvb: 1000 },
    })
    const low = select({ coins: coins(500_000), rate: satPerKvB(999n), minRate: satPerKvB(100n) })
    expect(low.fee).toBe(141n)
  })

  it('are borne by the payments in equal parts where they are to', () => {
    const answer = select({
      coins: coins(500_000),
      payments: pay(50_000, 30_000, 20_000),
      feeFrom: 'payments',
    })
    expect(answer.change).toBe(400_000n)
    // 202.25 vbytes with change.
    expect(answer.fee).toBe(2_030n)
    expect(answer.payments).toEqual([49_323n, 29_323n, 19_324n])
    const exact = select({
      coins: coins(100_500),
      payments: pay(50_000, 50_000),
      feeFrom: 'payments',
    })
    expect(exact).toMatchObject({ payments: [49_545n, 49_545n], fee: 1_410n, waste: 510n })
    expect(exact).not.toHaveProperty('change')
  })

  it('press no payment below dust', () => {
    const answer = refusal({
      coins: coins(500_000),
      payments: pay(90_000, 900),
      feeFrom: 'payments',
    })
    expect(answer).toMatchObject({
      code: 'AMOUNT_IS_DUST',
      param: 'amount_sat',
      details: { payment: 1, least_sat: 294 },
    })
  })
})

describe('what cannot be paid', () => {
  it('says how much is missing', () => {
    expect(refusal({ coins: coins(60_000, 40_000) })).toMatchObject({
      code: 'FUNDS_INSUFFICIENT',
      details: { available_sat: 100_000, needed_sat: 101_780, missing_sat: 1_780 },
    })
    expect(refusal({ coins: [] })).toMatchObject({ code: 'FUNDS_INSUFFICIENT' })
    expect(
      refusal({ payments: pay(...Array<number>(3).fill(2_000_000_000_000_000)) }),
    ).toMatchObject({
      code: 'FUNDS_INSUFFICIENT',
    })
  })

  it('names the payment that is dust, by the type of its script', () => {
    const p2pkh = new Uint8Array(25)
    const payments = [...pay(294), { script: p2pkh, amount: sat(545n) }]
    expect(refusal({ coins: coins(500_000), payments })).toMatchObject({
      code: 'AMOUNT_IS_DUST',
      details: { payment: 1, amount_sat: 545, least_sat: 546 },
    })
    expect(select({ coins: coins(500_000), payments: pay(294) }).payments).toEqual([294n])
  })

  it('is too heavy when enough coins do not fit, unless lighter ones do', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => coin(i, 2_000))
    expect(refusal({ coins: many, payments: pay(2_200_000) })).toMatchObject({
      code: 'TRANSACTION_TOO_HEAVY',
      details: { max_weight: 392_000 },
    })
    expect(refusal({ coins: many, payments: pay(4_000_000) })).toMatchObject({
      code: 'FUNDS_INSUFFICIENT',
    })
    const outputs = pay(...Array<number>(3_200).fill(1_000))
    expect(refusal({ coins: coins(10_000_000), payments: outputs })).toMatchObject({
      code: 'TRANSACTION_TOO_HEAVY',
    })
    const heavy = coin(1, 900_000, { weight: weight(5_000) })
    const light = select({ coins: [heavy, coin(2, 500_000)], maxWeight: weight(700) })
    expect(amounts(light.coins)).toEqual([500_000])
  })
})

describe('the count of inputs and outputs', () => {
  it('takes two more bytes from 253 on, exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 248, max: 258 }), fc.boolean(), (count, isAboutInputs) => {
        const many = Array.from({ length: count }, (_, i) => coin(i, 10_000))
        const answer = isAboutInputs
          ? select({ payments: [], required: many })
          : select({ payments: pay(...Array<number>(count).fill(1_000)), coins: coins(9_000_000) })
        const outputs = isAboutInputs ? 1 : count + 1
        const inputs = isAboutInputs ? count : 1
        const long = (n: number) => (n < 253 ? 1 : 3)
        const size = 4 * (8 + long(inputs) + long(outputs)) + 2 + inputs * WPKH + outputs * 124
        expect(answer.weight).toBe(size)
        expect(answer.fee).toBe(feeFor(rate(10), weight(size)))
      }),
      { numRuns: 40 },
    )
  })

  it('holds without change on both sides', () => {
    for (const count of [252, 253]) {
      const size = 4 * (8 + (count < 253 ? 1 : 3) + 1) + 2 + count * WPKH + 124
      const fee = Number(feeFor(rate(10), weight(size)))
      const exact = count * 10_000 - fee
      const many = Array.from({ length: count }, (_, i) => coin(i, 10_000))
      expect(select({ coins: many, payments: pay(exact) })).toMatchObject({
        fee: BigInt(fee),
        weight: size,
      })
      expect(refusal({ coins: many, payments: pay(exact + 1) })).toMatchObject({
        code: 'FUNDS_INSUFFICIENT',
        details: { missing_sat: 1 },
      })
    }
  })
})
