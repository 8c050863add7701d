import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { Secret } from '../../kernel/index.ts'
import { newWebhookSecret, parseWebhookSecret, signWebhook, verifyWebhook } from './index.ts'

const bytes = (length: number, from = 7) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + from) % 256)
const secretOf = (from: number, length = 32) =>
  newWebhookSecret({ bytes: () => bytes(length, from) }).reveal()
const [ours, theirs] = [secretOf(1), secretOf(2)]
const NOW = 1_800_000_000_000

test('the reference library verifies what we sign, and we verify what it signs', () => {
  // It reads the machine's clock and nothing else.
  const now = Date.now()
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 1, max: 2 ** 50 }),
      fc.uint8Array({ minLength: 24, maxLength: 64 }),
      (text, seq, key) => {
        const secret = `whsec_${Buffer.from(key).toString('base64')}`
        const body = JSON.stringify({ text })
        const reference = new Webhook(secret)
        const headers = signWebhook(`evt_${seq}`, now, body, [theirs, secret])
        expect(reference.verify(body, headers)).toEqual({ text })
        const signature = reference.sign(`evt_${seq}`, new Date(now), body)
        expect(
          verifyWebhook({ ...headers, 'webhook-signature': signature }, body, [secret], now),
        ).toMatchObject({
          ok: true,
          value: { id: `evt_${seq}`, timestamp: Math.floor(now / 1000) },
        })
        expect(headers['webhook-signature']).toContain(signature)
      },
    ),
  )
})

test('a body counts byte by byte, as text and as bytes', () => {
  const body = '{"a":"☕"}'
  const headers = signWebhook('evt_1', NOW, body, [ours])
  const verify = (text: string | Uint8Array) => verifyWebhook(headers, text, [ours], NOW).ok
  expect(verify(body)).toBe(true)
  expect(verify(new TextEncoder().encode(body))).toBe(true)
  expect(verify(`${body} `)).toBe(false)
  expect(verify('{"a": "☕"}')).toBe(false)
})

test('any bit that changes is noticed', () => {
  const headers = signWebhook('evt_1', NOW, 'body', [ours])
  const flip = (text: string, i: number) =>
    text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1)
  for (const name of Object.keys(headers) as (keyof typeof headers)[])
    for (let i = 0; i < headers[name].length; i++) {
      const changed = { ...headers, [name]: flip(headers[name], i) }
      expect(verifyWebhook(changed, 'body', [ours], NOW).ok, `${name} ${i}`).toBe(false)
    }
})

const signed = signWebhook('evt_1', NOW, 'body', [ours])
const signature = signed['webhook-signature']
test.each<[string, Record<string, string | string[] | undefined>, boolean]>([
  ['as it came', signed, true],
  [
    'names in another case',
    {
      'Webhook-Id': 'evt_1',
      'WEBHOOK-TIMESTAMP': signed['webhook-timestamp'],
      'webhook-Signature': signature,
    },
    true,
  ],
  ['among others', { ...signed, 'webhook-signature': `v1a,xyz v2,abc v1,AAAA ${signature}` }, true],
  ['no id', { ...signed, 'webhook-id': undefined }, false],
  ['no time', { ...signed, 'webhook-timestamp': undefined }, false],
  ['no signature', { ...signed, 'webhook-signature': '' }, false],
  ['a header twice', { ...signed, 'webhook-signature': [signature, signature] }, false],
  ['another version', { ...signed, 'webhook-signature': signature.replace('v1,', 'v2,') }, false],
  ['only the beginning', { ...signed, 'webhook-signature': signature.slice(0, -4) }, false],
  ['nothing after the comma', { ...signed, 'webhook-signature': 'v1,' }, false],
  [
    'time with a sign',
    { ...signed, 'webhook-timestamp': `+${signed['webhook-timestamp']}` },
    false,
  ],
  [
    'time with a fraction',
    { ...signed, 'webhook-timestamp': `${signed['webhook-timestamp']}.0` },
    false,
  ],
  [
    'beyond the twentieth signature',
    { ...signed, 'webhook-signature': `${'v1,AAAA '.repeat(20)}${signature}` },
    false,
  ],
])('headers: %s', (_, headers, expected) => {
  expect(verifyWebhook(headers, 'body', [ours], NOW).ok).toBe(expected)
})

test('headers of fetch are read too', () => {
  expect(verifyWebhook(new Headers(signed), 'body', [new Secret(ours)], NOW).ok).toBe(true)
})

test.each([
  [0, true],
  [300_000, true],
  [-300_000, true],
  [300_001, false],
  [-300_001, false],
])('%d ms after the signed time: %s', (late, expected) => {
  const verdict = verifyWebhook(signed, 'body', [ours], NOW + late)
  expect(verdict.ok).toBe(expected)
  if (!verdict.ok) expect(verdict.error.code).toBe('WEBHOOK_TIMESTAMP_OUTSIDE')
})

test('while a secret is rotated either end may be ahead', () => {
  const both = signWebhook('evt_1', NOW, 'body', [ours, theirs])
  for (const known of [[ours], [theirs], [theirs, ours]])
    expect(verifyWebhook(both, 'body', known, NOW).ok).toBe(true)
  expect(verifyWebhook(signed, 'body', [theirs, ours], NOW).ok).toBe(true)
  expect(verifyWebhook(signed, 'body', [theirs], NOW).ok).toBe(false)
  expect(verifyWebhook(signed, 'body', [], NOW).ok).toBe(false)
})

test.each([
  ['no prefix', ours.slice(6)],
  ['another prefix', `whpk_${ours.slice(6)}`],
  ['no base64', 'whsec_!!!!'],
  ['base64 for URLs', `whsec_${'-_-_'.repeat(10)}`],
  ['too short', secretOf(1, 23)],
  ['too long', secretOf(1, 65)],
  ['empty', ''],
])('a secret with %s is none', (_, text) => {
  expect(parseWebhookSecret(text)).toMatchObject({
    ok: false,
    error: { code: 'WEBHOOK_SECRET_INVALID' },
  })
  expect(() => verifyWebhook(signed, 'body', [text], NOW)).toThrow('secret')
})

test('a fresh secret has 32 bytes and shows itself to nobody', () => {
  const secret = newWebhookSecret({ bytes })
  expect(parseWebhookSecret(secret.reveal())).toEqual({ ok: true, value: bytes(32) })
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}')
})
