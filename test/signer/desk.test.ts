import { sat, type Sat, satPerKvB, Secret, txid } from '@kaccy/bitcoin/kernel'
import { lastLook } from '@kaccy/bitcoin/protocol/last-look'
import {
  createReceiptKey,
  type PolicyReceipt,
  signReceipt,
  verifyReceipt,
} from '@kaccy/bitcoin/signing'
import type { Answer, Desk } from '@kaccy/signer'
import * as btc from '@scure/btc-signer'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import {
  COIN,
  descriptorOf,
  descriptorText,
  KINDS,
  type Kind,
  MNEMONICS,
  type PaymentPsbt,
  type PaymentShape,
  payment,
} from './payment.ts'
import { createStand, LIMITS, NOW, RECEIPT_KEY, receiptOf, type Stand } from './stand.ts'

const RUNS = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 10_000 : 60
const HOUR = 3_600_000
const DAY = 24 * HOUR
const stands: Stand[] = []
afterAll(() => {
  for (const stand of stands) stand.remove()
})

const wallets = (limits = LIMITS, kinds: readonly Kind[] = KINDS) =>
  kinds.map((kind) => ({
    name: kind.replaceAll(/\W/g, '-'),
    descriptor: descriptorText(kind),
    limits,
  }))
function standWith(limits = LIMITS, kinds: readonly Kind[] = ['wpkh']): Stand {
  const stand = createStand(MNEMONICS, wallets(limits, kinds))
  stands.push(stand)
  return stand
}
const receiptFor = (
  { unsignedTxid, payments, descriptor }: PaymentPsbt,
  more: Partial<PolicyReceipt> = {},
) => receiptOf({ unsignedTxid, payments, descriptor, ...more })
const ask = (desk: Desk, shape: PaymentShape, more: Partial<PolicyReceipt> = {}): Answer => {
  const made = payment(shape)
  return desk.sign(made.bytes, receiptFor(made, more))
}
const reasonsOf = (answer: Answer): readonly string[] =>
  answer.answer === 'refused' ? answer.faults.map(({ reason }) => reason) : [answer.answer]

describe('what is signed', () => {
  const { desk, close } = standWith(LIMITS, KINDS).open()
  afterAll(close)

  test.each(KINDS)('%s: somebody else finalises it, and the last look lets it go', (kind) => {
    const made = payment({ kind, coins: [2, 3], pays: [400_000, 500_000] })
    const answer = desk.sign(made.bytes, receiptFor(made))
    if (answer.answer !== 'signed') return expect.unreachable(JSON.stringify(answer))
    const tx = btc.Transaction.fromPSBT(answer.psbt, { allowUnknownOutputs: true })
    tx.finalize()
    const coins = made.coins.map((coin) => ({
      ...coin,
      vout: 0,
      amount: coin.amount as Sat,
      sequence: 0xfffffffd,
    }))
    const [anchor] = coins
    if (!anchor) return expect.unreachable()
    const looked = lastLook(tx.extract(), {
      descriptor: descriptorOf(kind),
      coins,
      anchor,
      payments: made.payments.map(({ withdrawal, script, amount }) => ({
        id: withdrawal,
        script,
        amount,
      })),
      change: made.change.map(({ index, amount }) => ({ index, amount: amount as Sat })),
      changeEnd: 100,
      version: 2,
      lockTime: 0,
      unsignedTxid: made.unsignedTxid,
      limits: {
        maxFee: sat(5000n),
        maxRate: satPerKvB(100_000n),
        minRate: satPerKvB(1000n),
        dustRate: satPerKvB(3000n),
        maxWeight: 400_000,
      },
      tip: { height: 200, medianTime: 1_700_000_000 },
    })
    if (!looked.ok) expect(looked.error).toEqual([])
    expect(answer.txHash).toBe(made.unsignedTxid)
  })

  test('an ECDSA signature has 71 bytes at most, and the same transaction the same one', () => {
    for (let i = 0; i < 10; i++) {
      const made = payment({ kind: 'wpkh', coins: [10 + i], pays: [300_000 + i] })
      const receipt = receiptFor(made)
      const [first, second] = [desk.sign(made.bytes, receipt), desk.sign(made.bytes, receipt)]
      if (first.answer !== 'signed' || second.answer !== 'signed') return expect.unreachable()
      expect(Buffer.compare(first.psbt, second.psbt)).toBe(0)
      const [[, signature] = []] = btc.Transaction.fromPSBT(first.psbt).getInput(0).partialSig ?? []
      expect(signature?.length).toBeLessThanOrEqual(71)
      expect(signature?.at(-1)).toBe(1)
    }
  })

  test('random honest payments are never refused', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1000, max: 200_000 }), { minLength: 0, maxLength: 4 }),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1500, max: 9000 }),
        (kind, coins, pays, lockTime, fee) => {
          const answer = ask(desk, { kind, coins, pays, lockTime, fee })
          expect(reasonsOf(answer)).toEqual(['signed'])
        },
      ),
      { numRuns: RUNS },
    )
  })
})

describe('key origins', () => {
  const { desk, close } = standWith().open()
  afterAll(close)
  const made = payment({ kind: 'wpkh', coins: [1], pays: [100_000] })
  const foreign = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
  const [[own] = []] = btc.Transaction.fromPSBT(made.bytes).getOutput(1).bip32Derivation ?? []
  /** The pair that says where the key of the change comes from. */
  const pair = new RegExp(`2202${Buffer.from(own ?? []).toString('hex')}18([0-9a-f]{48})`)
  const found = (to: string) => {
    const hex = Buffer.from(made.bytes).toString('hex')
    const changed = hex.replace(pair, to)
    expect(changed).not.toBe(hex)
    return reasonsOf(desk.sign(Uint8Array.from(Buffer.from(changed, 'hex')), receiptFor(made)))
  }
  test('change that names another key than the one of its place', () => {
    expect(found(`2202${foreign}18$1`)).toEqual(['change_not_ours'])
  })
  test("a stranger's key beside ours", () => {
    expect(found(`$&2202${foreign}18${'ff'.repeat(24)}`)).toEqual(['change_not_ours'])
  })
  test('change that does not say whose it is', () => {
    expect(found('')).toEqual(['unknown_output'])
  })
})

describe('receipts', () => {
  const { desk, close } = standWith().open()
  afterAll(close)
  const made = payment({ kind: 'wpkh', coins: [1], pays: [100_000] })
  const reasons = (receipt: string, bytes = made.bytes) => reasonsOf(desk.sign(bytes, receipt))
  const text = receiptFor(made)

  test('nothing is signed without one, or with one that was changed', () => {
    expect(reasons('')).toEqual(['receipt_invalid'])
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'abcXYZ019-_.='), (at, letter) => {
        fc.pre(text[at] !== letter)
        expect(reasons(text.slice(0, at) + letter + text.slice(at + 1))).toEqual([
          'receipt_invalid',
        ])
      }),
      { numRuns: 200 },
    )
  })
  test('engine and signer agree on what a receipt is', () => {
    expect(verifyReceipt(text, RECEIPT_KEY.publicKey).ok).toBe(true)
    expect(reasons(text)).toEqual(['signed'])
  })
  test('another key, another time, another transaction, another wallet', () => {
    const stranger = createReceiptKey(new Secret(new Uint8Array(32).fill(1)))
    const parsed = verifyReceipt(text, RECEIPT_KEY.publicKey)
    if (!parsed.ok) return expect.unreachable()
    expect(reasons(signReceipt(parsed.value, stranger))).toEqual(['receipt_invalid'])
    expect(reasons(receiptFor(made, { expiresAt: NOW }))).toEqual(['receipt_expired'])
    expect(reasons(receiptFor(made, { issuedAt: NOW + HOUR, expiresAt: NOW + DAY }))).toEqual([
      'receipt_invalid',
    ])
    expect(reasons(receiptFor(made, { expiresAt: NOW + 8 * DAY }))).toEqual(['receipt_invalid'])
    expect(reasons(receiptFor(made, { unsignedTxid: txid('00'.repeat(32)) }))).toEqual([
      'receipt_mismatch',
    ])
    expect(reasons(receiptFor(made, { descriptor: 'qqqqqqqq' }))).toEqual(['wallet_unknown'])
    expect(reasons(receiptFor(made, { maxFee: sat(2999n) }))).toEqual(['fee_too_high'])
    expect(reasons(receiptFor(made, { payments: [] }))).toContain('unknown_output')
  })
  test('a receipt that was used does not serve another transaction', () => {
    const nonce = 'ab'.repeat(16)
    const other = payment({ kind: 'wpkh', coins: [2], pays: [100_000] })
    expect(reasons(receiptFor(made, { nonce }))).toEqual(['signed'])
    expect(reasons(receiptFor(made, { nonce }))).toEqual(['signed'])
    expect(reasons(receiptFor(other, { nonce }), other.bytes)).toEqual(['receipt_replayed'])
    expect(reasons(receiptFor(made, { nonce }), other.bytes)).toEqual(['receipt_mismatch'])
  })
  test('approvals of those who asked do not count', () => {
    const stand = standWith({ ...LIMITS, min_approvals: 2 })
    const { desk: strict, close: end } = stand.open()
    const by = (...names: string[]) => names.map((name) => ({ by: `operator:${name}`, at: NOW }))
    const shape: PaymentShape = { kind: 'wpkh', coins: [1], pays: [100_000] }
    const initiators = ['operator:ann']
    const found = (approvals: PolicyReceipt['approvals']) =>
      reasonsOf(ask(strict, shape, { approvals, initiators }))
    expect(found(by('bob'))).toEqual(['approvals_missing'])
    expect(found(by('bob', 'bob'))).toEqual(['approvals_missing'])
    expect(found(by('bob', 'ann'))).toEqual(['approvals_missing'])
    expect(found(by('bob', 'eve'))).toEqual(['signed'])
    end()
  })
})

describe('limits', () => {
  const limits = { ...LIMITS, max_transaction_sat: 600_000, max_day_sat: 1_000_000 }
  const pay = (desk: Desk, coins: readonly number[], amount: number, fee = 3000) =>
    reasonsOf(ask(desk, { kind: 'wpkh', coins, pays: [amount], fee }, { expiresAt: NOW + 6 * DAY }))

  test('of one transaction: payments and fee', () => {
    const { desk, close } = standWith(limits).open()
    expect(pay(desk, [1], 597_001)).toEqual(['limit_transaction'])
    expect(pay(desk, [1], 597_000)).toEqual(['signed'])
    close()
  })
  test('of any 24 hours, also after a restart and with a clock that is set back', () => {
    let now = NOW
    const stand = standWith(limits)
    let opened = stand.open(() => now)
    expect(pay(opened.desk, [1], 497_000)).toEqual(['signed'])
    now += 10 * HOUR
    expect(pay(opened.desk, [2], 497_000)).toEqual(['signed'])
    expect(pay(opened.desk, [3], 1000)).toEqual(['limit_day'])
    opened.close()
    opened = stand.open(() => now)
    expect(pay(opened.desk, [3], 1000)).toEqual(['limit_day'])
    expect(opened.desk.wallets()).toMatchObject([{ day_sat: 1_000_000 }])
    now -= 30 * DAY
    expect(pay(opened.desk, [3], 1000)).toEqual(['limit_day'])
    now = NOW + DAY - 1
    expect(pay(opened.desk, [3], 1000)).toEqual(['limit_day'])
    now = NOW + DAY
    expect(pay(opened.desk, [3], 497_000)).toEqual(['signed'])
    expect(pay(opened.desk, [4], 1000)).toEqual(['limit_day'])
    opened.close()
  })
  test('a replacement counts only what it spends more, an independent payment in full', () => {
    const { desk, close } = standWith(limits).open()
    const day = () => desk.wallets()[0]?.day_sat
    expect(pay(desk, [1, 2], 400_000, 3000)).toEqual(['signed'])
    expect(pay(desk, [1, 2], 400_000, 5000)).toEqual(['signed'])
    expect(day()).toBe(405_000)
    // With one of the coins: still at most one of the three can be mined.
    expect(pay(desk, [1], 400_000, 3000)).toEqual(['signed'])
    expect(day()).toBe(405_000)
    // Conflicts with the first two and not with the third: both could be mined.
    expect(pay(desk, [2], 400_000, 3000)).toEqual(['signed'])
    expect(day()).toBe(808_000)
    close()
  })
  test('the same transaction again counts once, and is signed even when the day is full', () => {
    const { desk, close } = standWith({ ...limits, max_day_sat: 500_000 }).open()
    for (let i = 0; i < 3; i++) expect(pay(desk, [1], 497_000)).toEqual(['signed'])
    expect(desk.wallets()).toMatchObject([{ day_sat: 500_000 }])
    close()
  })
  test('what comes back to us is not spent', () => {
    const { desk, close } = standWith(limits).open()
    expect(pay(desk, [1, 2, 3], 1000)).toEqual(['signed'])
    expect(desk.wallets()).toMatchObject([{ day_sat: 4000 }])
    expect(COIN).toBeGreaterThan(limits.max_transaction_sat)
    close()
  })
})
