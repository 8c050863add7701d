import {
  isLookToken,
  type LookReason,
  lastLook,
  refuseByLook,
} from '@kaccy/bitcoin/protocol/last-look'
import { decodeTransaction, txidOf, weightOf, wtxidOf } from '@kaccy/bitcoin/protocol/transaction'
import { type Sat, sat, satPerKvB, toHex } from '@kaccy/bitcoin/kernel'
import { describe, expect, test } from 'vitest'
import { type Honest, honest, KINDS, payee, unsignedTxidOf } from './honest.ts'

const of = (kind: (typeof KINDS)[number], more = {}): Honest =>
  honest({ kind, coins: 2, payments: 2, hasChange: true, salt: 9, ...more })

const reasons = ({ bytes, expectation }: Honest): readonly LookReason[] => {
  const looked = lastLook(bytes, expectation)
  return looked.ok ? [] : [...new Set(looked.error.map(({ reason }) => reason))]
}
const expecting = (from: Honest, more: Partial<Honest['expectation']>): Honest => ({
  ...from,
  expectation: { ...from.expectation, ...more },
})

describe('honest transactions', () => {
  test.each(KINDS)('%s gets a token for exactly its bytes', (kind) => {
    for (const shape of [{}, { hasChange: false }, { coins: 1, payments: 1 }, { salt: 77 }]) {
      const { bytes, expectation } = of(kind, shape)
      const looked = lastLook(bytes, expectation)
      if (!looked.ok) expect(looked.error).toEqual([])
      if (!looked.ok) continue
      const decoded = decodeTransaction(bytes)
      if (!decoded.ok) expect.unreachable(decoded.error.message)
      const token = looked.value
      expect(isLookToken(token)).toBe(true)
      expect(toHex(token.bytes)).toBe(toHex(bytes))
      expect(token.txid).toBe(txidOf(decoded.value))
      expect(token.wtxid).toBe(wtxidOf(decoded.value))
      expect(token.weight).toBe(weightOf(decoded.value))
      const paid = decoded.value.outputs.reduce((sum, { amount }) => sum + amount, 0n)
      const had = expectation.coins.reduce((sum, { amount }) => sum + amount, 0n)
      expect(token.fee).toBe(had - paid)
    }
  })

  test('payments to one script may stand in one output, as one sum, or apart', () => {
    const from = of('wpkh')
    const [first, second] = from.expectation.payments
    if (!first || !second) return expect.unreachable()
    const half = sat(first.amount / 3n)
    const rest = sat(first.amount - half)
    const split = [
      { ...first, id: 'wdr_a', amount: half },
      { ...first, id: 'wdr_b', amount: rest },
      second,
    ]
    expect(reasons(expecting(from, { payments: split }))).toEqual([])
    const three = [...split, { ...first, id: 'wdr_c', amount: sat(1n) }]
    expect(reasons(expecting(from, { payments: three }))).toContain('payment_missing')
  })
})

describe('a token', () => {
  test('cannot be made, and what it holds cannot be changed', () => {
    const { bytes, expectation } = of('tr')
    const given = Buffer.from(bytes)
    const looked = lastLook(given, expectation)
    if (!looked.ok) return expect.unreachable()
    given.fill(0)
    looked.value.bytes.fill(0)
    expect(toHex(looked.value.bytes)).toBe(toHex(bytes))
    expect(Object.isFrozen(looked.value)).toBe(true)
    expect(isLookToken({ ...looked.value, bytes })).toBe(false)
    expect(isLookToken(Object.create(Object.getPrototypeOf(looked.value)))).toBe(false)
    expect([undefined, null, 1, 'x'].some(isLookToken)).toBe(false)
  })
  test('faults become one refusal that names each of them', () => {
    const looked = lastLook(of('tr').bytes, { ...of('tr').expectation, version: 1, lockTime: 0 })
    if (looked.ok) return expect.unreachable()
    const { error } = refuseByLook(looked.error)
    expect(error.code).toBe('LAST_LOOK_REFUSED')
    expect(error.details).toEqual({ reasons: 'version locktime' })
  })
})

describe('what the engine knows otherwise is refused', () => {
  const base = of('wpkh')
  const { coins, payments, change, limits, tip } = base.expectation
  const [coin, otherCoin] = coins
  const [payment] = payments
  const [own] = change
  if (!coin || !otherCoin || !payment || !own) throw new TypeError('an incomplete sample')
  const stranger = { ...coin, vout: 5 }
  const limit = (more: Partial<typeof limits>) => ({ limits: { ...limits, ...more } })
  const fee = sat(
    coins.reduce((sum, { amount }) => sum + amount, 0n) -
      [...payments, ...change].reduce((sum, { amount }) => sum + amount, 0n),
  )
  const cases: readonly (readonly [string, Partial<Honest['expectation']>, LookReason])[] = [
    ['version', { version: 1 }, 'version'],
    ['lock time', { lockTime: 151 }, 'locktime'],
    ['not final by height', { tip: { ...tip, height: 149 } }, 'locktime'],
    ['sequence', { coins: [{ ...coin, sequence: 0xffffffff }, otherCoin] }, 'sequence'],
    ['planned id', { unsignedTxid: coin.txid }, 'unsigned_txid'],
    ['a coin less', { coins: [coin] }, 'foreign_input'],
    ['a coin more', { coins: [...coins, stranger] }, 'missing_input'],
    [
      'amount of a coin',
      { coins: [{ ...coin, amount: sat(coin.amount - 1n) }, otherCoin] },
      'signature',
    ],
    [
      'place of a coin',
      { coins: [{ ...coin, index: coin.index + 1 }, otherCoin] },
      'coin_not_ours',
    ],
    ['branch of a coin', { coins: [{ ...coin, branch: 2 }, otherCoin] }, 'coin_not_ours'],
    [
      'script of a coin',
      { coins: [{ ...coin, script: otherCoin.script }, otherCoin] },
      'coin_not_ours',
    ],
    ['a payment less', { payments: [payment] }, 'unknown_output'],
    ['a payment twice', { payments: [...payments, payment] }, 'payment_missing'],
    [
      'amount of a payment',
      { payments: [{ ...payment, amount: 1n as Sat }, ...payments.slice(1)] },
      'payment_missing',
    ],
    [
      'script of a payment',
      { payments: [{ ...payment, script: payee(200) }, ...payments.slice(1)] },
      'unknown_output',
    ],
    ['no change', { change: [] }, 'unknown_output'],
    ['another change', { change: [{ ...own, index: own.index - 1 }] }, 'change_missing'],
    ['amount of change', { change: [{ ...own, amount: sat(own.amount + 1n) }] }, 'change_missing'],
    ['change out of bounds', { changeEnd: own.index }, 'change_index'],
    ['absolute ceiling', limit({ maxFee: sat(fee - 1n) }), 'fee_too_high'],
    ['relative ceiling', limit({ maxFeePpm: 1 }), 'fee_too_high'],
    ['ceiling of the rate', limit({ maxRate: satPerKvB(20_000n) }), 'fee_too_high'],
    ['relay minimum', limit({ minRate: satPerKvB(100_000n) }), 'fee_too_low'],
    ['dust', limit({ dustRate: satPerKvB(10_000_000n) }), 'dust'],
    ['weight', limit({ maxWeight: 800 }), 'weight'],
  ]
  test.each(cases)('%s', (_, more, reason) => {
    expect(reasons(expecting(base, more))).toContain(reason)
  })
  test('a fee at the ceiling passes', () => {
    expect(reasons(expecting(base, limit({ maxFee: fee })))).toEqual([])
  })
  test('a lock time in seconds is held against the median time', () => {
    const lockTime = 1_600_000_000
    const bytes = Uint8Array.from(base.bytes)
    new DataView(bytes.buffer).setUint32(bytes.length - 4, lockTime, true)
    const unsignedTxid = unsignedTxidOf(bytes)
    const seen = (medianTime: number) =>
      reasons(
        expecting({ ...base, bytes }, { lockTime, unsignedTxid, tip: { ...tip, medianTime } }),
      )
    expect(seen(1_600_000_001)).toEqual(['signature'])
    expect(seen(1_600_000_000)).toEqual(['locktime', 'signature'])
  })
  test('an expectation that contradicts itself is our own bug', () => {
    const look = (more: Partial<Honest['expectation']>) => () =>
      lastLook(base.bytes, { ...base.expectation, ...more })
    expect(look({ coins: [] })).toThrow('without or with doubled coins')
    expect(look({ coins: [coin, coin, otherCoin] })).toThrow('doubled coins')
    expect(look({ anchor: stranger })).toThrow('anchor')
    expect(look({ payments: [{ ...payment, amount: sat(0n) }] })).toThrow('payment of nothing')
    expect(look(limit({ maxFeePpm: 0.5 }))).toThrow('ppm')
  })
})
