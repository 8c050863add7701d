import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sat, satPerKvB, type Txid, weight } from '../../kernel/index.ts'
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

describe('a prepared pool', () => {
  it('answers as the list does, at every rate and for both measures', () => {
    const amountsOf = fc.array(fc.integer({ min: 500, max: 300_000 }), { maxLength: 30 })
    const sizes = fc.constantFrom(230, 272, 592)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 500, max: 300_000 }), sizes), { maxLength: 30 }),
        amountsOf,
        fc.constantFrom<'change' | 'payments'>('change', 'payments'),
        (list, due, feeFrom) => {
          const offered = list.map(([amount, size], i) =>
            coin(i, amount, { weight: weight(size), hasWitness: size !== 592 }),
          )
          const pool = preparePool(offered)
          for (const [i, amount] of due.slice(0, 5).entries()) {
            const more = { payments: pay(amount + 600), rate: rate(2 ** i), feeFrom }
            expect(selectCoins(request({ ...more, coins: pool }))).toEqual(
              selectCoins(request({ ...more, coins: offered })),
            )
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is not taken for more than there are bitcoins', () => {
    const all = coin(1, 2_100_000_000_000_000)
    expect(() => preparePool([all, coin(2, 1)])).toThrow('more than all bitcoins')
    expect(() => preparePool([coin(1, 1, { weight: weight(4_000_001) })])).toThrow('weight units')
  })

  it('does not wait for randomness that never comes', () => {
    const entropy = { bytes: (length: number) => new Uint8Array(length).fill(0xff) }
    expect(() => select({ coins: coins(400_000, 500_000, 600_000), entropy })).toThrow('randomness')
  })

  it('draws evenly', () => {
    let word = 1
    const bytes = (length: number) =>
      Uint8Array.from({ length }, () => {
        word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
        return word >>> 24
      })
    // Ten equal coins and change that any of them leaves: each is drawn as often as the others.
    const pool = preparePool(Array.from({ length: 10 }, (_, i) => coin(i, 1_000_000)))
    const counts = new Map<string, number>()
    for (let i = 0; i < 2_000; i++) {
      const answer = select({ coins: pool, entropy: { bytes } })
      const id = answer.coins[0]?.point.txid ?? ''
      expect(answer.algorithm).toBe('single_random_draw')
      counts.set(id, (counts.get(id) ?? 0) + 1)
    }
    expect(counts.size).toBe(10)
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(90)
  })
})
