import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { WalletId } from '../../kernel/index.ts'
import { checkLabel, createWallets, parseLabels } from './index.ts'
import { labelRecord } from './labels.ts'

const vectors = process.env['KACCY_SHARED'] ?? '../shared'
const bip329 = readFileSync(`${vectors}/vectors/labels/bip329.jsonl`, 'utf8')
const hostile: readonly string[] = JSON.parse(
  readFileSync(`${vectors}/vectors/hostile/labels.json`, 'utf8'),
).cases.map((one: { readonly text: string }) => one.text)
const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
const TXID = 'f91d0a8a78462bc59398f2c5d7a84fcff491c26ba54c4833478b202796c8aafd'
const WIF = 'L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1'

async function setUp() {
  const store = createMemoryStore()
  let seed = 1
  const wallets = createWallets({
    store,
    clock: { now: () => 1_700_000_000_000 },
    entropy: { bytes: (length) => new Uint8Array(length).fill(seed++) },
    network: 'regtest',
  })
  const registered = await wallets.register(
    { name: 'shop', descriptor: `wpkh(${TPUB}/<0;1>/*)`, gapLimit: 5, lookahead: 10 },
    'operator:test',
  )
  if (!registered.ok) throw new Error(registered.error.message)
  return { store, wallets, id: registered.value.wallet.id }
}
const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

test('every record of BIP 329 comes out again with the same fields and values', async () => {
  const { wallets, id } = await setUp()
  const imported = await wallets.importLabels(id, bip329, 'operator:test')
  expect(imported).toEqual({ ok: true, value: { imported: 5, skipped: [] } })
  const exported = await wallets.exportLabels(id)
  if (!exported.ok) throw new Error(exported.error.code)
  expect(lines(exported.value)).toHaveLength(5)
  expect(lines(exported.value)).toEqual(expect.arrayContaining(lines(bip329)))
  // What we write we read again, byte by byte.
  await wallets.importLabels(id, exported.value, 'operator:test')
  expect(await wallets.exportLabels(id)).toEqual(exported)
})

test('unknown types and fields, exact numbers and several origins are kept', async () => {
  const { wallets, id } = await setUp()
  const text = [
    '{"type":"silent-payment","ref":"sp1q","label":"later","weights":[1.10,2e3,12345678901234567890]}',
    `{"type":"tx","ref":"${TXID}","label":"one","origin":"wpkh([d34db33f/84'/0'/0'])","heights":{"a":1}}`,
    `{"type":"tx","ref":"${TXID}","label":"two","origin":"tr([d34db33f/86'/0'/0'])"}`,
    `{"type":"tx","ref":"${TXID}","label":"three"}`,
    `{"type":"output","ref":"${TXID}:3","spendable":false}`,
  ]
  const imported = await wallets.importLabels(id, `\uFEFF${text.join('\r\n')}\r\n`, 'a')
  expect(imported).toMatchObject({ value: { imported: 5, skipped: [] } })
  const exported = await wallets.exportLabels(id)
  if (!exported.ok) throw new Error(exported.error.code)
  expect(exported.value.trimEnd().split('\n').toSorted()).toEqual(text.toSorted())
})

test('a label for an address of ours stands at the address; the last one of a file counts', async () => {
  const { store, wallets, id } = await setUp()
  const row = await store.read((tx) => tx.wallet.address(id, 0, 3))
  const address = row?.address ?? ''
  const record = (label: string, ref = address) => JSON.stringify({ type: 'addr', ref, label })
  await wallets.importLabels(
    id,
    `${record('old')}\n${record('new', address.toUpperCase())}\n${record('rent')}`,
    'a',
  )
  expect(await store.read((tx) => tx.wallet.address(id, 0, 3))).toMatchObject({ label: 'rent' })
  await wallets.labelAddress({ wallet: id, branch: 0, index: 3 }, 'café ☕')
  const exported = await wallets.exportLabels(id)
  expect(exported.ok && exported.value).toContain(record('café ☕'))
  await wallets.labelAddress({ wallet: id, branch: 0, index: 3 }, '')
  expect((await store.read((tx) => tx.wallet.address(id, 0, 3)))?.label).toBeUndefined()
  expect(await wallets.labelAddress({ wallet: id, branch: 0, index: 99 }, 'x')).toMatchObject({
    error: { code: 'WALLET_ADDRESS_UNKNOWN' },
  })
  expect(await wallets.importLabels('wal_x' as WalletId, '', 'a')).toMatchObject({
    error: { code: 'WALLET_NOT_FOUND' },
  })
})

test.each(hostile.map((text) => [text] as const))(
  'the hostile text %j is refused by rule or kept inert',
  (text) => {
    const label = checkLabel(text)
    const parsed = parseLabels(JSON.stringify({ type: 'tx', ref: TXID, label: text }))
    if (!parsed.ok) throw new Error(parsed.error.code)
    // Both doors judge alike.
    expect(parsed.value.labels.length).toBe(label.ok ? 1 : 0)
    const dangerous =
      /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u.test(text) || text.replaceAll('\u200B', '') === ''
    expect(label.ok).toBe(!dangerous)
    if (!label.ok) return
    expect(label.value).toBe(text)
    const json = labelRecord(
      'wal_a' as WalletId,
      parsed.value.labels[0] ?? { type: '', ref: '', json: '' },
    ).json
    expect(json.split('\n')).toHaveLength(1)
    expect(JSON.parse(json)).toEqual({ type: 'tx', ref: TXID, label: text })
  },
)

const bad: readonly (readonly [string, string])[] = [
  ['not JSON', 'hello'],
  ['a list', '[]'],
  ['no type', '{"ref":"x"}'],
  ['no ref', '{"type":"tx"}'],
  ['a ref of another kind', '{"type":"tx","ref":"bc1q"}'],
  ['an index beyond 32 bits', `{"type":"input","ref":"${TXID}:4294967296"}`],
  ['an index with zeros before it', `{"type":"output","ref":"${TXID}:01"}`],
  ['a label that is a number', `{"type":"tx","ref":"${TXID}","label":5}`],
  ['spendable that is a text', `{"type":"output","ref":"${TXID}:1","spendable":"false"}`],
  ['a name twice', `{"type":"tx","ref":"${TXID}","label":"a","label":"b"}`],
  ['a line break in the ref', '{"type":"note","ref":"a\\nb"}'],
  ['NUL in an unknown field', `{"type":"tx","ref":"${TXID}","x":"\\u0000"}`],
  ['deep nesting', `{"type":"tx","ref":"${TXID}","x":${'['.repeat(30)}${']'.repeat(30)}}`],
  ['a long line', `{"type":"tx","ref":"${TXID}","x":"${'a'.repeat(30_000)}"}`],
  ['a long label', `{"type":"tx","ref":"${TXID}","label":"${'a'.repeat(1_001)}"}`],
  ['a private key as the label', `{"type":"tx","ref":"${TXID}","label":"${WIF}"}`],
  ['a half surrogate', `{"type":"tx","ref":"${TXID}","label":"\\ud800"}`],
]
test.each(bad)('a line with %s is skipped by number, and the next one is read', (_, line) => {
  const parsed = parseLabels(`${line}\n{"type":"tx","ref":"${TXID}","label":"good"}`)
  if (!parsed.ok) throw new Error(parsed.error.code)
  expect(parsed.value.labels).toHaveLength(1)
  expect(parsed.value.skipped).toMatchObject([{ line: 1 }])
  expect(JSON.stringify(parsed.value.skipped)).not.toContain(WIF)
})

test('__proto__ and constructor are names like any other', () => {
  const line = `{"type":"constructor","ref":"__proto__","__proto__":{"label":"x"}}`
  const parsed = parseLabels(line)
  expect(parsed).toMatchObject({
    value: { labels: [{ type: 'constructor', ref: '__proto__', json: line }] },
  })
  expect(parsed.ok && parsed.value.labels[0]?.label).toBeUndefined()
})

test('files beyond every size are refused as a whole', () => {
  expect(parseLabels('\n'.repeat(100_002))).toMatchObject({
    error: { code: 'WALLET_LABELS_TOO_LARGE' },
  })
  expect(parseLabels(' '.repeat(32_000_001))).toMatchObject({
    error: { code: 'WALLET_LABELS_TOO_LARGE' },
  })
})

test('any record with any fields survives the way in and out', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 })
  const record = fc.record(
    {
      type: fc.constantFrom('tx', 'note'),
      ref: fc.constant(TXID),
      label: text,
      more: fc.jsonValue(),
    },
    { requiredKeys: ['type', 'ref'] },
  )
  fc.assert(
    fc.property(record, (value) => {
      const parsed = parseLabels(JSON.stringify(value))
      if (!parsed.ok) throw new Error(parsed.error.code)
      const [kept] = parsed.value.labels
      if (kept) expect(JSON.parse(kept.json)).toEqual(JSON.parse(JSON.stringify(value)))
      else expect(parsed.value.skipped).toHaveLength(1)
    }),
  )
})

test('noise is skipped, never thrown', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (noise) => {
      expect(parseLabels(noise).ok).toBe(true)
    }),
  )
})
