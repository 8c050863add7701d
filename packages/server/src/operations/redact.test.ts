import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WORD_LISTS } from '@kaccy/bitcoin/protocol/keys/mnemonic'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { redact, redactText } from './redact.ts'

interface Case {
  readonly log_input: Readonly<Record<string, unknown>>
  readonly kind: string
  readonly must_not_appear: readonly string[]
}
const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const file = join(shared, 'vectors/hostile/secrets_in_logs.json')
const cases: readonly Case[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : []

describe.skipIf(cases.length === 0)('secrets (SKIPPED where ../shared is not there)', () => {
  it.each(cases)('$kind', ({ log_input: input, must_not_appear: secrets }) => {
    const shown = [JSON.stringify(redact(input)), redactText(JSON.stringify(input))]
    for (const secret of secrets) for (const text of shown) expect(text).not.toContain(secret)
  })
  it('leaves what people search for', () => {
    const control = cases.find(({ kind }) => kind.startsWith('control'))?.log_input ?? {}
    const shown = redact(control) as Record<string, string>
    expect([shown['txid'], shown['address']]).toEqual([control['txid'], control['address']])
    expect(shown['xpub']).toMatch(/^xpub.{8}….{4}$/)
  })
})

test.each([
  ['user=a password=hunter2 next', 'user=a password=[secret] next'],
  ['Authorization: Bearer kc_live_abcdefghij', 'Authorization: Bearer [secret]'],
  ['made kc_dev_abcdefghijkl', 'made kc_dev_[secret]'],
  ['postgres://u:p%40ss@db/kaccy', 'postgres://u:[secret]@db/kaccy'],
  ['the cookie file /a/.cookie is gone', 'the cookie file /a/.cookie is gone'],
])('%s', (text, expected) => {
  expect(redactText(text)).toBe(expected)
})

test('names decide for whatever form a value has', () => {
  expect(
    redact({
      a: { 'api-key': 12, refreshToken: 'x', macaroon_path: '/m', secrets: ['a'], password: null },
    }),
  ).toEqual({
    a: {
      'api-key': '[secret]',
      refreshToken: '[secret]',
      macaroon_path: '/m',
      secrets: '[secret]',
      password: null,
    },
  })
})

test('errors are shown with their causes, and without what they quote', () => {
  const cause = new TypeError('http://u:hunter2@node/ refused')
  const shown = JSON.stringify(redact(new Error('no', { cause })))
  expect(shown).toContain('http://u:[secret]@node/ refused')
  expect(shown).not.toContain('hunter2')
})

test('ordinary sentences stay as they are', () => {
  const words = fc.array(
    fc.constantFrom('the', 'node', 'has', 'no', 'block', 'at', 'height', 'five', 'yet'),
    {
      maxLength: 30,
    },
  )
  fc.assert(
    fc.property(words, (list) => {
      expect(redactText(list.join(' '))).toBe(list.join(' '))
    }),
  )
})

test('a deep or circular value ends', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  expect(JSON.stringify(redact(circle))).toContain('[deep]')
})

describe.each([...WORD_LISTS])('a mnemonic in %s', (_, list) => {
  const words = list.slice(100, 112)
  it.each([
    ['as it is kept', 'NFC', ' '],
    ['decomposed, as BIP 39 hashes it', 'NFKD', ' '],
    ['with ideographic spaces', 'NFKD', '\u3000'],
    ['one word a line', 'NFC', '\n'],
    ['as a list', 'NFC', '", "'],
    ['numbered', 'NFC', ' 3. '],
  ] as const)('%s', (_form, form, between) => {
    const text = words.map((word) => word.normalize(form)).join(between)
    expect(redactText(`it is: ${text} !`)).toBe('it is: [secret] !')
  })
})

test('the shortest mnemonic is no short text', () => {
  expect(redactText(Array(11).fill('zoo').join('.'))).toBe('[secret]')
})

// What took the square of the length took an hour for a megabyte; this ends at once or runs into the limit of a test.
it.each(['a', 'あ', 'a.', 'a-', 'a ', 'a, ', 'password', '://', '://a:', 'xpub1', '-----BEGIN '])(
  'a megabyte of %j holds nobody up',
  (unit) => {
    const text = `${unit.repeat(1_000_000 / unit.length)} the end.`
    expect(redactText(text)).toMatch(/ the end\.$/)
  },
)

test('what is told apart as plain at a glance is what every form would leave as it is', () => {
  const pieces = fc.constantFrom(
    ...['kc_dev_', 'KC_live_', 'whsec_', 'AgEDbG5k', '0201036C6E64', 'passwd', 'pwd', 'Secret'],
    ...['preimage', 'macaroon', 'passphrase', 'Bearer', 'Basic', 'token', 'tprv', 'xpub', 'cQ'],
    ...['https://', 'user', 'abandon', '127.0.0.1', '/v1/orders/:order', '12345678', 'abcdefgh'],
    ...[' ', '=', ':', '@', ',', '-', '.', '/', '_', '"', '\n', 'ß', '-----BEGIN PRIVATE KEY-----'],
  )
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    fc.string({ unit: fc.constantFrom(...'aB1:/=.-_ '), maxLength: 60 }),
  )
  // Too long to be told apart at a glance, and nothing that a form looks at.
  const before = `${'!'.repeat(60)}\n`
  fc.assert(
    fc.property(text, (one) => {
      expect(before + redactText(one)).toBe(redactText(before + one))
    }),
    { numRuns: 2_000 },
  )
})
