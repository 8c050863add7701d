import { ed25519 } from '@noble/curves/ed25519.js'
import { base64urlnopad } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  fromHex,
  type PsbtId,
  Secret,
  type SpendId,
  sat,
  txid,
  type WithdrawalId,
} from '../../kernel/index.ts'
import { createReceiptKey, type PolicyReceipt, signReceipt, verifyReceipt } from './index.ts'

const key = createReceiptKey(new Secret(new Uint8Array(32).fill(7)))
const receipt: PolicyReceipt = {
  psbt: 'psb_1' as PsbtId,
  spend: 'spd_1' as SpendId,
  descriptor: 'qwlqgth7',
  unsignedTxid: txid('ab'.repeat(32)),
  policyVersion: 3,
  tipHeight: 200,
  payments: [
    {
      withdrawal: 'wdr_1' as WithdrawalId,
      script: fromHex(`0014${'11'.repeat(20)}`),
      amount: sat(12_345n),
    },
    {
      withdrawal: 'wdr_2' as WithdrawalId,
      script: fromHex('6a'),
      amount: sat(2_100_000_000_000_000n),
    },
  ],
  maxFee: sat(5000n),
  approvals: [{ by: 'operator:zoë', at: 1_700_000_000_001 }],
  initiators: ['api:key_1'],
  issuedAt: 1_700_000_000_000,
  expiresAt: 1_700_000_600_000,
  nonce: '0123456789abcdef'.repeat(2),
}
const DOMAIN = 'kaccy policy receipt 1\n'
const bodyOf = (text: string) =>
  new TextDecoder().decode(base64urlnopad.decode(text.split('.')[1] ?? ''))
/** A receipt with this body, signed by the right key: what a careless engine could send. */
const resigned = (body: string) => {
  const bytes = new TextEncoder().encode(body)
  const signature = key.sign(new TextEncoder().encode(DOMAIN + body))
  return `kaccy-receipt-1.${base64urlnopad.encode(bytes)}.${base64urlnopad.encode(signature)}`
}

describe('a receipt', () => {
  it('comes back as it was', () => {
    const text = signReceipt(receipt, key)
    expect(verifyReceipt(text, key.publicKey)).toEqual({ ok: true, value: receipt })
    const bare = { ...receipt, payments: [], approvals: [], initiators: [], policyVersion: 0 }
    expect(verifyReceipt(signReceipt(bare, key), key.publicKey)).toEqual({ ok: true, value: bare })
  })
  it('has members in the order of their names and one text', () => {
    const text = signReceipt(receipt, key)
    const names = Object.keys(JSON.parse(bodyOf(text)))
    expect(names).toEqual([...names].sort())
    expect(signReceipt(receipt, key)).toBe(text)
    expect(resigned(bodyOf(text))).toBe(text)
  })
  it('is refused from another key', () => {
    const other = createReceiptKey(new Secret(new Uint8Array(32).fill(8)))
    const found = verifyReceipt(signReceipt(receipt, other), key.publicKey)
    expect(found.ok ? '' : found.error.code).toBe('RECEIPT_INVALID')
  })
  it('is refused after any change of its text', () => {
    const text = signReceipt(receipt, key)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'abcXYZ019-_.= '), (at, letter) => {
        fc.pre(text[at] !== letter)
        const changed = text.slice(0, at) + letter + text.slice(at + 1)
        expect(verifyReceipt(changed, key.publicKey).ok).toBe(false)
      }),
    )
    for (const cut of [0, 1, 20, text.length - 1]) {
      expect(verifyReceipt(text.slice(0, cut), key.publicKey).ok).toBe(false)
    }
    expect(verifyReceipt(`${text}.x`, key.publicKey).ok).toBe(false)
    expect(verifyReceipt('x'.repeat(2_000_000), key.publicKey).ok).toBe(false)
  })
  it('is refused in every form but the canonical one, also when it is signed', () => {
    const body = bodyOf(signReceipt(receipt, key))
    const forms = [
      body.replace('{', '{ '),
      body.replace('"max_fee_sat":5000', '"max_fee_sat":5e3'),
      body.replace('"max_fee_sat":5000', '"max_fee_sat":-5000'),
      body.replace('"max_fee_sat":5000', '"max_fee_sat":2100000000000001'),
      body.replace('"max_fee_sat":5000', '"max_fee_sat":"5000"'),
      body.replace('"version":1', '"version":2'),
      body.replace('"version":1', '"version":1,"zz":1'),
      body.replace('"policy_version":3,', ''),
      body.replace('"tip_height":200,', ''),
      body.replace('0123456789abcdef', '0123456789ABCDEF'),
      body.replace('"script":"6a"', '"script":"6A"'),
      body.replace('"script":"6a"', '"script":""'),
      body.replace('qwlqgth7', 'qwlqgthb'),
      body.replace('"at":1700000000001', '"at":-1'),
      body.replace('"payments":[', '"payments":[3,'),
      '[]',
      'x',
    ]
    for (const form of forms) {
      expect(form).not.toBe(body)
      expect(verifyReceipt(resigned(form), key.publicKey).ok, form).toBe(false)
    }
  })
  it('is signed over its domain: a bare signature of the body is none', () => {
    const [prefix, body = ''] = signReceipt(receipt, key).split('.')
    const bare = ed25519.sign(base64urlnopad.decode(body), new Uint8Array(32).fill(7))
    const text = `${prefix}.${body}.${base64urlnopad.encode(bare)}`
    expect(verifyReceipt(text, key.publicKey).ok).toBe(false)
  })
})
