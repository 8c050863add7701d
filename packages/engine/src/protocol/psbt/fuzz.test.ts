import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sat, satPerKvB } from '../../kernel/index.ts'
import { checkPsbt } from './check.ts'
import { combinePsbts } from './combine.ts'
import { encodePsbt } from './encode.ts'
import { finalizePsbt } from './finalize.ts'
import { MAGIC } from './fields.ts'
import { MAX_PSBT_PAIRS, MAX_PSBT_SIZE } from './pairs.ts'
import { parsePsbt, parsePsbtText } from './parse.ts'
import { progressOf } from './progress.ts'
import { takeSignatures } from './take.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const hasVectors = existsSync(join(shared, 'vectors'))
const RUNS = Number(process.env['KACCY_SCALE'] ?? '0.1') >= 1 ? 200_000 : 2_500

function texts(data: unknown): string[] {
  if (typeof data === 'string') return data.startsWith('cHNidP8') ? [data] : []
  if (typeof data !== 'object' || data === null) return []
  return Object.values(data).flatMap(texts)
}
const files = ['bip174', 'bip370', 'bip371', 'bip373', 'core_rpc_psbt', 'bitcoinjs_psbt_bip174']
const seeds = hasVectors
  ? files
      .flatMap((file) =>
        texts(JSON.parse(readFileSync(join(shared, `vectors/psbt/${file}.json`), 'utf8'))),
      )
      .map((text) => Uint8Array.from(Buffer.from(text, 'base64')))
  : []

const POLICY = {
  wallet: [],
  requests: [],
  maxFee: sat(0n),
  maxFeeRate: satPerKvB(1n),
  minFeeRate: satPerKvB(0n),
  tipHeight: 1,
  changeIndexMax: 1,
}
/** Everything that may be done with a file of a stranger. It answers or refuses; it never throws. */
function use(bytes: Uint8Array): void {
  const parsed = parsePsbt(bytes)
  if (!parsed.ok) {
    expect(parsed.error.code).toMatch(/^PSBT_/)
    return
  }
  const psbt = parsed.value
  expect(Buffer.from(encodePsbt(psbt)).equals(Buffer.from(bytes))).toBe(true)
  progressOf(psbt)
  checkPsbt(psbt, POLICY)
  takeSignatures(psbt, psbt)
  finalizePsbt(psbt)
  expect(combinePsbts(psbt, psbt).ok).toBe(true)
}

const mutation = fc.record({
  kind: fc.constantFrom('set', 'cut', 'insert', 'double', 'splice'),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  length: fc.integer({ min: 1, max: 40 }),
  byte: fc.nat({ max: 255 }),
})
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

function mutated(bytes: Uint8Array, { kind, at, length, byte }: Mutation): Uint8Array {
  const from = Math.floor(at * bytes.length)
  const list = [...bytes]
  if (kind === 'set') list[from] = byte
  else if (kind === 'cut') list.splice(from, length)
  else if (kind === 'insert') list.splice(from, 0, ...new Array<number>(length).fill(byte))
  else if (kind === 'double') list.splice(from, 0, ...list.slice(from, from + length))
  else list.splice(from, 1, byte, byte)
  return Uint8Array.from(list)
}

describe.skipIf(!hasVectors)('mutated PSBTs (SKIPPED without ../shared)', () => {
  it('are read or refused, never thrown at, and what is read comes back byte for byte', () => {
    expect(seeds.length).toBeGreaterThan(100)
    fc.assert(
      fc.property(fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 3 }), (pick, changes) => {
        const seed = seeds[pick % seeds.length] ?? new Uint8Array()
        use(changes.reduce(mutated, seed))
      }),
      { numRuns: RUNS },
    )
  })
})

describe('hostile sizes', () => {
  const mapOf = (...pairs: readonly (readonly number[])[]) => [...pairs.flat(), 0]
  const unsigned = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  const global = [1, 0, unsigned.length, ...unsigned]

  it('any bytes are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        use(bytes)
        use(Uint8Array.from([...MAGIC, ...bytes]))
      }),
      { numRuns: 2_000 },
    )
  })

  it('more bytes or fields than any honest file has are refused before they cost anything', () => {
    const large = parsePsbt(new Uint8Array(MAX_PSBT_SIZE + 1))
    expect(large).toMatchObject({ error: { code: 'PSBT_TOO_LARGE' } })
    const text = parsePsbtText('A'.repeat(Math.ceil(MAX_PSBT_SIZE * 1.4)))
    expect(text).toMatchObject({ error: { code: 'PSBT_TOO_LARGE' } })
    const unknown = Array.from({ length: MAX_PSBT_PAIRS }, (_, i) => [
      4,
      0xf0,
      i & 255,
      (i >> 8) & 255,
      i >> 16,
      0,
    ])
    const many = Uint8Array.from([...MAGIC, ...mapOf(global, ...unknown)])
    expect(parsePsbt(many)).toMatchObject({ error: { code: 'PSBT_TOO_LARGE' } })
    expect(parsePsbt(Uint8Array.from([...MAGIC, ...mapOf(global)])).ok).toBe(true)
  })

  it('a version 2 that announces a billion inputs is refused', () => {
    const count = (type: number) => [1, type, 5, 0xfe, 0xff, 0xff, 0xff, 0x01]
    const bytes = [...MAGIC]
    bytes.push(...mapOf([1, 2, 4, 2, 0, 0, 0], count(4), count(5), [1, 0xfb, 4, 2, 0, 0, 0]))
    expect(parsePsbt(Uint8Array.from(bytes))).toMatchObject({ error: { code: 'PSBT_MALFORMED' } })
  })

  it('100 kB of signatures, keys or empty maps cost no more than reading them', () => {
    // Counted, not timed: nothing is verified and no point is decompressed before somebody asks.
    const key = (i: number) => [34, 2, 2, i & 255, i >> 8, ...new Array<number>(30).fill(7)]
    const der = [0x30, 6, 2, 1, 1, 2, 1, 1, 1]
    const signatures = Array.from({ length: 2_200 }, (_, i) => [...key(i), der.length, ...der])
    const one = [2, 0, 0, 0, 1, ...new Array<number>(41).fill(0), 0, 0, 0, 0, 0]
    const bytes = [...MAGIC, ...mapOf([1, 0, one.length, ...one]), ...mapOf(...signatures)]
    const parsed = parsePsbt(Uint8Array.from(bytes))
    expect(parsed.ok && parsed.value.inputs[0]?.signatures.length).toBe(2_200)
  })
})
