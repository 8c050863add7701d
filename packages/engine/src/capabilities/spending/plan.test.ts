import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import {
  outPointKey,
  sat,
  satPerKvB,
  sumSat,
  toHex,
  txid,
  type WalletId,
  type WithdrawalId,
} from '../../kernel/index.ts'
import { descriptorFromXpub, scriptAt } from '../../protocol/descriptor/index.ts'
import type { Coin } from '../coins/index.ts'
import { anchorOf, type DraftPayment, draftSpend } from './draft.ts'
import { arrange, changeOf, finalTxid, hashOf, paymentsOf, samePayments } from './plan.ts'

const XPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
const parsed = descriptorFromXpub({ xpub: XPUB, network: 'regtest', scriptType: 'p2wpkh' })
if (!parsed.ok) throw new TypeError(parsed.error.message)
const descriptor = parsed.value
const wallet = 'wal_1' as WalletId

/** Bytes from a counter: the same draft twice. */
function entropyOf(seed: number) {
  let state = seed
  return {
    bytes: (length: number) =>
      Uint8Array.from({ length }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        return state >>> 24
      }),
  }
}
const coin = (n: number, amount: number, height: number | undefined = 100): Coin => ({
  point: { txid: txid(n.toString(16).padStart(64, '0')), vout: n % 3 },
  wallet,
  branch: 0,
  index: n,
  script: scriptAt(descriptor, 0, n),
  address: `a${n}`,
  amount: sat(BigInt(amount)),
  coinbase: false,
  kind: 'credited',
  ...(height === undefined ? {} : { height }),
  firstSeenAt: 0,
})
const payment = (n: number, amount: number): DraftPayment => ({
  script: Uint8Array.of(0, 20, ...new Uint8Array(20).fill(n)),
  amount: sat(BigInt(amount)),
  withdrawals: [`wdr_${n}` as WithdrawalId],
})
const place = { branch: 1, index: 0, script: scriptAt(descriptor, 1, 0) }
const request = (coins: readonly Coin[], payments: readonly DraftPayment[], seed = 1) => ({
  wallet,
  descriptor,
  purpose: 'payout' as const,
  coins,
  payments,
  feeFrom: 'change' as const,
  fee: {
    rate: satPerKvB(2_000n),
    longTermRate: satPerKvB(10_000n),
    maxFee: sat(50_000n),
    maxRate: satPerKvB(50_000n),
  },
  tipHeight: 500,
  order: 'bip69' as const,
  entropy: entropyOf(seed),
})

const AMOUNTS = fc.array(fc.integer({ min: 1_000, max: 500_000 }), { minLength: 1, maxLength: 12 })

test('whatever is drafted: inputs are outputs and fee, the anchor is in, every output is a payment or our change', () => {
  fc.assert(
    fc.property(
      AMOUNTS,
      AMOUNTS,
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.constantFrom('change' as const, 'payments' as const),
      fc.constantFrom('bip69' as const, 'random' as const),
      (coins, payments, seed, feeFrom, order) => {
        const asked = payments.map((amount, i) => payment(i, amount))
        const drafted = draftSpend({
          ...request(
            coins.map((amount, i) => coin(i + 1, amount)),
            asked,
            seed,
          ),
          feeFrom,
          order,
        })
        if (!drafted.ok) return
        const { value: draft } = drafted
        const planned = arrange(draft, draft.change === undefined ? undefined : place)
        const sum = (list: readonly { readonly amount: bigint }[]) =>
          list.reduce((total, { amount }) => total + amount, 0n)
        expect(sum(planned.inputs)).toBe(sum(planned.outputs) + draft.fee)
        expect(draft.fee).toBeLessThanOrEqual(draft.maxFee)
        expect(planned.inputs.map(outPointKey)).toContain(outPointKey(draft.anchor))
        expect(planned.inputs.every(({ sequence }) => sequence === 0xffff_fffd)).toBe(true)
        expect(planned.lockTime).toBeGreaterThan(400)
        expect(planned.lockTime).toBeLessThanOrEqual(500)
        // Each payment once, less what it bears.
        const paid = new Map(paymentsOf(planned).map((one) => [one.withdrawals[0], one.amount]))
        expect(paid.size).toBe(asked.length)
        for (const [i, { amount, withdrawals }] of asked.entries())
          expect((paid.get(withdrawals[0] as WithdrawalId) ?? 0n) + (draft.shares[i] ?? 0n)).toBe(
            amount,
          )
        const borne = sumSat(draft.shares)
        expect(feeFrom === 'change' ? borne : draft.fee - borne).toBe(
          feeFrom === 'change' ? 0n : draft.fee - borne,
        )
        expect(planned.outputs.length).toBe(asked.length + (draft.change === undefined ? 0 : 1))
        expect(changeOf(planned)?.amount).toBe(draft.change)
        expect(samePayments(planned, planned)).toBe(true)
        expect(finalTxid(planned, [])).toBe(hashOf(planned))
      },
    ),
    { numRuns: 100 },
  )
})

describe('the order', () => {
  const coins = [coin(9, 40_000), coin(3, 40_000), coin(7, 40_000)]
  const payments = [payment(1, 30_000), payment(2, 20_000), payment(3, 50_000)]

  it('sorts by BIP 69', () => {
    const drafted = draftSpend(request(coins, payments))
    if (!drafted.ok) throw new TypeError(drafted.error.message)
    const { inputs, outputs } = arrange(drafted.value, place)
    expect(inputs.map((one) => one.index)).toEqual([3, 7, 9])
    const amounts = outputs.map(({ amount }) => amount)
    expect(amounts).toEqual(amounts.toSorted((a, b) => (a < b ? -1 : 1)))
  })

  it('of equal amounts by script', () => {
    const same = [payment(5, 20_000), payment(4, 20_000)]
    const drafted = draftSpend(request(coins, same))
    if (!drafted.ok) throw new TypeError(drafted.error.message)
    const scripts = paymentsOf(arrange(drafted.value, place)).map(({ script }) => toHex(script))
    expect(scripts).toEqual(scripts.toSorted())
  })

  it('is random where asked for: change comes to every place, and the same draft is arranged the same', () => {
    const places = new Set<number>()
    for (let seed = 1; seed < 60; seed++) {
      const drafted = draftSpend({ ...request(coins, payments, seed * 7919), order: 'random' })
      if (!drafted.ok) throw new TypeError(drafted.error.message)
      const planned = arrange(drafted.value, place)
      expect(arrange(drafted.value, place)).toEqual(planned)
      places.add(changeOf(planned)?.vout ?? -1)
    }
    expect([...places].sort()).toEqual([0, 1, 2, 3])
  })
})

test('the anchor is the deepest coin, of equals the largest, and never an unconfirmed one where there is another', () => {
  const young = coin(1, 900_000, undefined)
  const deep = coin(2, 10_000, 50)
  const large = coin(3, 20_000, 50)
  expect(anchorOf([young, deep, large])).toEqual(large.point)
  expect(anchorOf([young, coin(4, 1_000, 90)])).toEqual(coin(4, 1_000, 90).point)
  expect(anchorOf([young])).toEqual(young.point)
})

test('lock times are mostly the tip, sometimes up to a hundred blocks before it, and never negative', () => {
  const times: number[] = []
  for (let seed = 1; seed < 400; seed++) {
    const coins = [coin(1, 40_000)]
    const drafted = draftSpend({
      ...request(coins, [payment(1, 10_000)], seed * 104_729),
      tipHeight: seed % 2 ? 500 : 20,
    })
    if (drafted.ok) times.push(drafted.value.lockTime - (seed % 2 ? 500 : 20))
  }
  expect(times.filter((back) => back === 0).length).toBeGreaterThan(times.length * 0.8)
  expect(times.some((back) => back < 0)).toBe(true)
  expect(Math.min(...times)).toBeGreaterThan(-100)
})

test('a refusal is that of the choice of coins, with its figures', () => {
  expect(draftSpend(request([coin(1, 5_000)], [payment(1, 10_000)]))).toMatchObject({
    error: { code: 'FUNDS_INSUFFICIENT' },
  })
  expect(draftSpend(request([coin(1, 50_000)], [payment(1, 100)]))).toMatchObject({
    error: { code: 'AMOUNT_IS_DUST' },
  })
})
