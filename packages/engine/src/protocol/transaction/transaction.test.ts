import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Transaction as Peer } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, MAX_SAT, sat, toHex, txid } from '../../kernel/index.ts'
import {
  amountAt,
  checkTransaction,
  decodeAt,
  decodeTransaction,
  encodeTransaction,
  hasWitnessAt,
  isCoinbase,
  outPointAt,
  scanTransaction,
  scriptAt,
  type Transaction,
  TransactionScan,
  transactionOfInput,
  transactionOfOutput,
  txidAt,
  txidOf,
  vsizeOf,
  weightAt,
  weightOf,
  wtxidAt,
  wtxidOf,
} from './index.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const hasVectors = existsSync(join(shared, 'vectors'))
const vectors = <T>(file: string): T[] =>
  hasVectors ? JSON.parse(readFileSync(join(shared, 'vectors', file), 'utf8')) : []
const decoded = (bytes: Uint8Array): Transaction => {
  const result = decodeTransaction(bytes)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const uint32 = fc.nat(0xffff_ffff)
const input = fc.record({
  txid: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((id) => txid(toHex(id))),
  vout: uint32,
  script: bytes(300),
  sequence: uint32,
  witness: fc.array(bytes(80), { maxLength: 3 }),
})
const output = fc.record({ amount: fc.bigInt(0n, MAX_SAT).map(sat), script: bytes(300) })
const transaction: fc.Arbitrary<Transaction> = fc.record({
  version: uint32,
  inputs: fc.array(input, { minLength: 1, maxLength: 6 }),
  outputs: fc.array(output, { maxLength: 6 }),
  lockTime: uint32,
})
const segwit: Transaction = {
  version: 2,
  inputs: [
    {
      txid: txid('ab'.repeat(32)),
      vout: 1,
      script: new Uint8Array(0),
      sequence: 0xffff_fffd,
      witness: [Uint8Array.of(1, 2), new Uint8Array(0)],
    },
  ],
  outputs: [{ amount: sat(1_000n), script: Uint8Array.of(0x51) }],
  lockTime: 7,
}

describe.skipIf(!hasVectors)('public vectors (SKIPPED where ../shared is not there)', () => {
  const files = ['tx_valid', 'tx_invalid'].flatMap((name) =>
    vectors<[unknown, string]>(`core-consensus/${name}.json`).map(([, hex]) => hex),
  )
  const sighash = vectors<[string]>('core-consensus/sighash.json').map(([hex]) => hex)

  it('come out byte for byte, with the ids that another library computes', () => {
    let count = 0
    for (const hex of [...files, ...sighash]) {
      const raw = fromHex(hex)
      const result = decodeTransaction(raw)
      if (!result.ok) continue
      expect(toHex(encodeTransaction(result.value))).toBe(hex)
      const peer = Peer.fromBuffer(raw)
      expect(txidOf(result.value)).toBe(peer.getId())
      // The other library answers with what a witness commitment counts a coinbase as.
      if (!isCoinbase(result.value)) {
        expect(toHex(fromHex(wtxidOf(result.value)).reverse())).toBe(toHex(peer.getHash(true)))
      }
      expect(weightOf(result.value)).toBe(peer.weight())
      expect(vsizeOf(result.value)).toBe(peer.virtualSize())
      count++
    }
    expect(count).toBeGreaterThan(400)
  })

  it('are refused only for amounts that cannot exist', () => {
    const refused = files.filter((hex) => !decodeTransaction(fromHex(hex)).ok)
    const messages = refused.map((hex) => {
      const result = decodeTransaction(fromHex(hex))
      return result.ok ? '' : result.error.message
    })
    expect(new Set(messages)).toEqual(
      new Set(['the transaction has an output outside 0 to 21 million BTC']),
    )
  })

  it('break the context-free rules where Core marks them as bad', () => {
    const rows = vectors<[unknown, string, string]>('core-consensus/tx_invalid.json')
    const marked = rows.filter(([, , flags]) => flags === 'BADTX')
    for (const [, hex] of marked) {
      const result = decodeTransaction(fromHex(hex))
      expect(result.ok && checkTransaction(result.value).ok).toBe(false)
    }
    expect(marked.length).toBeGreaterThan(2)
    for (const [, hex] of vectors<[unknown, string]>('core-consensus/tx_valid.json')) {
      expect(checkTransaction(decoded(fromHex(hex))).ok).toBe(true)
    }
  })
})

describe('decoding', () => {
  it('gives back every transaction that was encoded, and agrees with the scan', () => {
    fc.assert(
      fc.property(transaction, (value) => {
        const raw = encodeTransaction(value)
        expect(decoded(raw)).toEqual(value)
        const scan = scanTransaction(raw)
        if (!scan.ok) throw new Error(scan.error.message)
        const found = scan.value
        expect(txidAt(found, 0)).toBe(txidOf(value))
        expect(wtxidAt(found, 0)).toBe(wtxidOf(value))
        expect(weightAt(found, 0)).toBe(weightOf(value))
        expect(hasWitnessAt(found, 0)).toBe(value.inputs.some((one) => one.witness.length > 0))
        value.inputs.forEach(({ txid: id, vout }, i) => {
          expect(outPointAt(found, i)).toEqual({ txid: id, vout })
          expect(transactionOfInput(found, i)).toBe(0)
        })
        value.outputs.forEach(({ amount, script }, o) => {
          expect(amountAt(found, o)).toBe(amount)
          expect(scriptAt(found, o)).toEqual(script)
          expect(transactionOfOutput(found, o)).toBe(0)
        })
      }),
    )
  })

  it('refuses every part of a transaction and anything behind it', () => {
    const whole = [encodeTransaction(segwit), encodeTransaction(segwit, 'without-witness')]
    for (const raw of whole) {
      for (let length = 0; length < raw.length; length++) {
        expect(decodeTransaction(raw.subarray(0, length)).ok).toBe(false)
      }
      expect(decodeTransaction(Uint8Array.of(...raw, 0)).ok).toBe(false)
    }
  })

  it('takes damaged bytes only when they are a transaction again', () => {
    const raw = encodeTransaction(segwit)
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.nat(255), fc.nat(3), (at, byte, cut) => {
        const damaged = Uint8Array.from([
          ...raw.subarray(0, at),
          byte,
          ...raw.subarray(Math.min(raw.length, at + cut)),
        ])
        const result = decodeTransaction(damaged)
        if (result.ok) expect(encodeTransaction(result.value)).toEqual(damaged)
        else expect(result.error.code).toBe('CHAIN_TRANSACTION_INVALID')
      }),
      { numRuns: 5_000 },
    )
    fc.assert(fc.property(bytes(200), (random) => void decodeTransaction(random)))
  })

  const hex = toHex(encodeTransaction(segwit))
  it.each([
    ['a count longer than necessary', hex.replace('000101abab', '0001fd0100abab')],
    ['a count of 4 thousand million', `02000000feffffffff${'00'.repeat(60)}`],
    ['a count above 32 bits', `02000000ff0100000000000000${'00'.repeat(60)}`],
    ['an unknown flag', hex.replace('020000000001', '020000000002')],
    ['two flags', hex.replace('020000000001', '020000000003')],
    ['a witness with nothing in it', `${hex.slice(0, hex.indexOf('0151') + 4)}0007000000`],
    ['a witness without inputs', `020000000001000000000000`],
    ['more witness items than bytes', hex.replace('02020102', 'fdffff0102')],
    ['a script beyond the end', hex.replace('0151', 'fd0151')],
    ['21 million and one satoshi', hex.replace('e803000000000000', '0140075af0750700')],
    ['a negative amount', hex.replace('e803000000000000', 'ffffffffffffffff')],
  ])('refuses %s', (_, text) => {
    expect(text).not.toBe(hex)
    expect(decodeTransaction(fromHex(text))).toMatchObject({
      ok: false,
      error: { code: 'CHAIN_TRANSACTION_INVALID' },
    })
  })

  it('takes 21 million exactly, and copies what it hands out', () => {
    const raw = fromHex(hex.replace('e803000000000000', '0040075af0750700'))
    const value = decoded(raw)
    expect(value.outputs[0]?.amount).toBe(MAX_SAT)
    raw.fill(0xee)
    expect(value.outputs[0]?.script).toEqual(Uint8Array.of(0x51))
    expect(value.inputs[0]?.witness).toEqual(segwit.inputs[0]?.witness)
  })

  it('refuses more bytes than a block has without reading them', () => {
    expect(decodeTransaction(new Uint8Array(4_000_001)).ok).toBe(false)
  })

  it('leaves an empty scan behind a refusal and guards its indexes', () => {
    const scan = new TransactionScan()
    expect(scanTransaction(encodeTransaction(segwit), scan).ok).toBe(true)
    expect(decodeAt(scan, 0)).toEqual(segwit)
    expect(scanTransaction(new Uint8Array(3), scan).ok).toBe(false)
    expect([scan.transactionCount, scan.inputCount, scan.outputCount]).toEqual([0, 0, 0])
    for (const read of [decodeAt, txidAt, outPointAt, scriptAt, amountAt]) {
      expect(() => read(scan, 0)).toThrow('no entry 0')
    }
  })

  it('knows a coinbase', () => {
    const [first] = segwit.inputs
    if (!first) throw new Error('no input')
    const none = { ...first, txid: txid('0'.repeat(64)), vout: 0xffff_ffff }
    expect(isCoinbase(segwit)).toBe(false)
    expect(isCoinbase({ ...segwit, inputs: [none] })).toBe(true)
    expect(isCoinbase({ ...segwit, inputs: [none, first] })).toBe(false)
    expect(isCoinbase({ ...segwit, inputs: [{ ...none, vout: 0 }] })).toBe(false)
    expect(checkTransaction({ ...segwit, inputs: [none] }).ok).toBe(false)
    expect(checkTransaction({ ...segwit, inputs: [none, first] }).ok).toBe(false)
    const coinbase = { ...none, script: Uint8Array.of(1, 2) }
    expect(checkTransaction({ ...segwit, inputs: [coinbase] }).ok).toBe(true)
  })
})
