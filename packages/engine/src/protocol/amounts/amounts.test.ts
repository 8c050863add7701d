import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_SAT, sat, satPerKvB } from '../../kernel/index.ts'
import { JsonNumber, parseJson } from '../json/index.ts'
import {
  coreAmount,
  dustThreshold,
  feeForVsize,
  formatCoreAmount,
  parseCoreAmount,
  parseCoreFeeRate,
  parseCoreMovement,
  parseFeeRate,
  parseTypedMoney,
} from './index.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const hasVectors = existsSync(join(shared, 'vectors'))
const vectors = <T>(file: string, otherwise: T): T =>
  hasVectors ? JSON.parse(readFileSync(join(shared, 'vectors/amounts', file), 'utf8')) : otherwise
it.skipIf(hasVectors)('public amounts: SKIPPED, ../shared is not there', () => {})
/** The value of a JSON text; undefined when it is none, as for a number without its leading zero. */
const json = (text: string) => {
  const result = parseJson(text)
  return result.ok ? result.value : undefined
}

describe('amounts of the node', () => {
  const file = vectors<{
    parse: { btc: string; sats: string }[]
    refuse: { btc: string }[]
    format: { btc: string; sats: string }[]
  }>('core_rpc_monetary.json', { parse: [], refuse: [], format: [] })

  it.each(file.parse)('reads $btc', ({ btc, sats }) => {
    expect(parseCoreAmount(json(btc))).toEqual({ ok: true, value: BigInt(sats) })
  })
  it.each(file.refuse)('refuses $btc', ({ btc }) => {
    expect(parseCoreAmount(json(btc))).toMatchObject({
      ok: false,
      error: { code: 'AMOUNT_INVALID' },
    })
  })
  it.each(file.format)('prints $btc', ({ btc, sats }) => {
    expect(formatCoreAmount(BigInt(sats))).toBe(btc)
  })

  it('is no door for strings, missing values and hostile exponents', () => {
    for (const value of ['1', null, undefined, true, [new JsonNumber('1')]]) {
      expect(parseCoreAmount(value).ok).toBe(false)
    }
    for (const text of [
      '1e999999999',
      '1e-999999999',
      `1${'0'.repeat(300)}e-300`,
      '0e99999999999999999999',
    ]) {
      expect(parseCoreAmount(new JsonNumber(text)).ok).toBe(false)
    }
    expect(parseCoreAmount(new JsonNumber('-0.00000000'))).toEqual({ ok: true, value: 0n })
    expect(parseCoreMovement(new JsonNumber('-0.10001410'))).toEqual({
      ok: true,
      value: -10_001_410n,
    })
    expect(parseCoreMovement(new JsonNumber('21000000.00000001')).ok).toBe(false)
  })

  it('reads every amount that it prints, to the satoshi', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, MAX_SAT), (value) => {
        expect(parseCoreAmount(json(coreAmount(sat(value)).text))).toEqual({ ok: true, value })
        expect(parseCoreAmount(new JsonNumber(`${value}e-8`))).toEqual({ ok: true, value })
      }),
    )
  })
})

describe('money that a person types', () => {
  const file = vectors<{ parse: { text: string; sats: string }[]; refuse: { text: string }[] }>(
    'core_parse_money.json',
    { parse: [], refuse: [] },
  )
  it.each(file.parse)('reads "$text"', ({ text, sats }) => {
    expect(parseTypedMoney(text)).toEqual({ ok: true, value: BigInt(sats) })
  })
  it.each(file.refuse)('refuses "$text"', ({ text }) => {
    expect(parseTypedMoney(text).ok).toBe(false)
  })
  it('refuses what only looks like digits', () => {
    for (const text of [
      '1,5',
      '1e8',
      '+1',
      '-0',
      '0.000000001',
      '\u0661',
      '1\0',
      '\u00a01',
      '00000000001',
      '21000000.00000001',
    ]) {
      expect(parseTypedMoney(text).ok).toBe(false)
    }
  })
})

describe('fees and dust', () => {
  const rounding = vectors<Record<string, { sat_per_kvb: number; vsize: number; fee: number }[]>>(
    'feerate_rounding.json',
    {},
  )
  it.each(Object.values(rounding).flat())('$vsize vbytes at $sat_per_kvb cost $fee', (row) => {
    const rate = parseFeeRate(BigInt(row.sat_per_kvb))
    if (row.sat_per_kvb < 0) {
      expect(rate).toMatchObject({ ok: false, error: { code: 'FEE_RATE_INVALID' } })
    } else {
      expect(rate.ok && feeForVsize(rate.value, row.vsize)).toBe(BigInt(row.fee))
    }
  })
  it('reads the rates of the node in BTC per 1000 vbytes', () => {
    expect(parseCoreFeeRate(json('0.00001000'))).toEqual({ ok: true, value: 1000n })
    expect(parseCoreFeeRate(json('-1')).ok).toBe(false)
    expect(parseFeeRate(json('1500'))).toEqual({ ok: true, value: 1500n })
    expect(parseFeeRate(json('1.5')).ok).toBe(false)
    expect(() => feeForVsize(satPerKvB(1n), 1.5)).toThrow()
  })

  const scripts: Record<string, string> = {
    p2pkh: `76a914${'11'.repeat(20)}88ac`,
    p2sh: `a914${'11'.repeat(20)}87`,
    p2wpkh: `0014${'11'.repeat(20)}`,
    p2wsh: `0020${'11'.repeat(32)}`,
    p2tr: `5120${'11'.repeat(32)}`,
    p2a: '51024e73',
  }
  const dust = vectors<{ cases: { type: string; dust_below: number }[] }>('dust_thresholds.json', {
    cases: [],
  })
  it.each(dust.cases)('$type is dust below $dust_below', ({ type, dust_below }) => {
    const script = new Uint8Array(Buffer.from(scripts[type] ?? '', 'hex'))
    expect(script.length).toBeGreaterThan(0)
    expect(dustThreshold(script)).toBe(BigInt(dust_below))
  })
  it('asks nothing of outputs that cannot be spent', () => {
    expect(dustThreshold(Uint8Array.of(0x6a, 0))).toBe(0n)
    expect(dustThreshold(new Uint8Array(10_001))).toBe(0n)
  })
})
