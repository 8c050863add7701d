import { secp256k1 } from '@noble/curves/secp256k1.js'
import { base64, hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../chain/bytes.ts'
import { encodeTransaction } from '../chain/transaction.ts'
import { decodePsbt } from './decode.ts'
import { encodePsbt } from './encode.ts'
import { unsignedTransaction } from './psbt.ts'

/** Key and value of a field in hex. */
type FieldText = readonly [string, string]
interface Maps {
  readonly global?: readonly FieldText[]
  readonly input?: readonly FieldText[]
  readonly output?: readonly FieldText[]
}
const script = hex.decode('51')
const previous = unsignedTransaction({
  version: 2,
  inputs: [{ txid: '11'.repeat(32), vout: 0, sequence: 1, script: new Uint8Array(), witness: [] }],
  outputs: [{ value: 5000n, script }],
  locktime: 0,
})
const spending = (vout: number) =>
  unsignedTransaction({
    version: 2,
    inputs: [{ txid: previous.txid, vout, sequence: 1, script: new Uint8Array(), witness: [] }],
    outputs: [{ value: 4000n, script }],
    locktime: 0,
  })
/** A PSBT of one input and one output, its fields as they are given. */
function psbtOf({ global = [], input = [], output = [] }: Maps, vout = 0): string {
  const writer = new ByteWriter().put(hex.decode('70736274ff'))
  const unsigned = hex.encode(encodeTransaction(spending(vout), false))
  for (const map of [[['00', unsigned] as const, ...global], input, output]) {
    for (const [key, value] of map) writer.script(hex.decode(key)).script(hex.decode(value))
    writer.u8(0)
  }
  return base64.encode(writer.done())
}
const fault = (text: string): string | undefined => {
  try {
    decodePsbt(text)
    return undefined
  } catch (error) {
    return String((error as Error).message).replace(': iostream error', '')
  }
}
const key = '22'.repeat(32)
const hash = (byte: string): string => byte.repeat(32)
const raw = hex.encode(previous.raw)
/** The previous transaction with a marker, these flags, and a witness without items. */
const marked = (flags: string): string =>
  `${raw.slice(0, 8)}00${flags}${raw.slice(8, -8)}00${raw.slice(-8)}`

describe('a field', () => {
  const long = 'Input Taproot key path signature is longer than 65 bytes'
  const short = 'Input Taproot script path signature is shorter than 64 bytes'
  const path = 'Input Taproot BIP32 keypath has an invalid length'
  const deep = 'Output Taproot tree has as leaf greater than Taproot maximum depth'
  const odd = 'Output Taproot tree has a leaf with an invalid leaf version'
  const cases: readonly (readonly [string | undefined, Maps])[] = [
    [undefined, { input: [['13', '01'.repeat(65)]] }],
    [long, { input: [['13', '01'.repeat(66)]] }],
    [short, { input: [[`14${key}${key}`, '01'.repeat(63)]] }],
    [undefined, { input: [[`16${key}`, `01${hash('33')}01020304`]] }],
    ['Invalid length for HD key path', { input: [[`16${key}`, `01${hash('33')}`]] }],
    [undefined, { output: [['06', '00c00151']] }],
    [odd, { output: [['06', '00c10151']] }],
    [deep, { output: [['06', '81c00151']] }],
    ['Output Taproot tree is malformed', { output: [['06', '80c00151']] }],
    [undefined, { input: [['00', raw]] }],
    ['Superfluous witness record', { input: [['00', marked('01')]] }],
    [
      'Unknown transaction optional data',
      { input: [['00', marked('02').replace(/00(.{8})$/, '$1')]] },
    ],
    [undefined, { global: [['77', '01'.repeat(252)]] }],
    [undefined, { global: [['77', '01'.repeat(253)]] }],
    [undefined, { global: [['77', '01'.repeat(65_536)]] }],
  ]
  it.each(cases)('says %s', (message, maps) => {
    expect(fault(psbtOf(maps))).toBe(message)
  })
  it('has a size in the shortest form, and not too large a one', () => {
    const start = psbtOf({ global: [['77', '01']] })
    const withSize = (size: string): string =>
      base64.encode(hex.decode(hex.encode(base64.decode(start)).replace('01770101', `0177${size}`)))
    expect(fault(withSize('0101'))).toBeUndefined()
    expect(fault(withSize('fd0100'))).toBe('non-canonical ReadCompactSize()')
    expect(fault(withSize('fefeff0000'))).toBe('non-canonical ReadCompactSize()')
    expect(fault(withSize('fe01000002'))).toBe('ReadCompactSize(): size too large')
    expect(fault(withSize('fe00000002'))).toBe('DataStream::read(): end of data')
    // Leaf hashes longer than the whole value.
    const tap = psbtOf({ input: [[`16${key}`, `01${hash('33')}01020304`]] })
    const cut = hex.encode(base64.decode(tap)).replace(`${key}2501`, `${key}2001`)
    expect(fault(base64.encode(hex.decode(cut)))).toBe(path)
  })
  it('names an output that the previous transaction has', () => {
    expect(fault(psbtOf({ input: [['00', raw]] }, 1))).toBe(
      'Input specifies output index that does not exist',
    )
  })
  it('takes a key in its hybrid form when the sign fits', () => {
    const point = secp256k1.getPublicKey(new Uint8Array(32).fill(1), false)
    const even = ((point[64] ?? 0) & 1) === 0
    const signed = (prefix: string) =>
      fault(psbtOf({ input: [[`02${prefix}${hex.encode(point.subarray(1))}`, '3000']] }))
    expect(signed('04')).toBeUndefined()
    expect(signed(even ? '06' : '07')).toBeUndefined()
    expect(signed(even ? '07' : '06')).toBe('Invalid pubkey')
    expect(signed('05')).toBe('Invalid pubkey')
  })
})

describe('writing', () => {
  const xpub = (byte: string): string =>
    `043587cf${'00'.repeat(9)}${hash(byte)}02${hex.encode(secp256k1.getPublicKey(new Uint8Array(32).fill(Number(byte)))).slice(2)}`
  const pairs: readonly (readonly [string, Maps])[] = [
    ['leaf hashes', { input: [[`16${key}`, `02${hash('33')}${hash('44')}01020304`]] }],
    [
      'proprietary fields',
      {
        global: [
          ['fc016100', '01'],
          ['fc016101', '02'],
        ],
      },
    ],
    [
      'unknown fields',
      {
        output: [
          ['71', '01'],
          ['72', '02'],
        ],
      },
    ],
    [
      'xpubs, the shorter path first',
      {
        global: [
          [`01${xpub('02')}`, `0000000001000000`],
          [`01${xpub('01')}`, `000000000000000000000000`],
        ],
      },
    ],
  ]
  it.each(pairs)('sorts %s', (name, maps) => {
    const turned = Object.fromEntries(
      Object.entries(maps).map(([side, fields]) => [side, [...fields].reverse()]),
    )
    const text = psbtOf(maps)
    expect(encodePsbt(decodePsbt(text))).toBe(text)
    const other =
      name === 'leaf hashes'
        ? psbtOf({ input: [[`16${key}`, `02${hash('44')}${hash('33')}01020304`]] })
        : psbtOf(turned)
    expect(other).not.toBe(text)
    expect(encodePsbt(decodePsbt(other))).toBe(text)
  })
})
