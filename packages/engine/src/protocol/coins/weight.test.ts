import { HDKey } from '@scure/bip32'
import * as btc from '@scure/btc-signer'
import { describe, expect, it } from 'vitest'
import { sat, satPerKvB } from '../../kernel/index.ts'
import { type Descriptor, parseDescriptor, scriptAt } from '../descriptor/index.ts'
import { decodeTransaction, type Transaction, weightOf } from '../transaction/index.ts'
import {
  changeShape,
  type InputShape,
  inputShape,
  inputWeight,
  outputWeight,
  transactionWeight,
} from './index.ts'
import { sampleScript } from './weight.ts'

const roots = [1, 2, 3].map((seed) => HDKey.fromMasterSeed(new Uint8Array(32).fill(seed)))
const keys = (count = 1) => roots.slice(0, count).map((root) => `${root.publicExtendedKey}/*`)
const descriptor = (text: string): Descriptor => {
  const parsed = parseDescriptor(text)
  if (!parsed.ok) throw new TypeError(parsed.error.message)
  return parsed.value
}
const multi = (threshold: number, count = 3) => `sortedmulti(${threshold},${keys(count)})`
const KINDS: Readonly<Record<string, string>> = {
  pkh: `pkh(${keys()})`,
  wpkh: `wpkh(${keys()})`,
  'sh(wpkh)': `sh(wpkh(${keys()}))`,
  '1 of 1 wsh': `wsh(${multi(1, 1)})`,
  '2 of 3 wsh': `wsh(${multi(2)})`,
  '3 of 3 wsh': `wsh(${multi(3)})`,
  '2 of 3 sh(wsh)': `sh(wsh(${multi(2)}))`,
  tr: `tr(${keys()})`,
}

interface Spent {
  readonly kind: string
  readonly index: number
}

/** What btc-signer makes of the keys of one kind at one index, and who signs. */
function payTo(kind: string, index: number) {
  const text = KINDS[kind] ?? ''
  const signers = roots.map((root) => root.deriveChild(index))
  const publicKeys = signers.map(({ publicKey }) => publicKey as Uint8Array)
  const [first = new Uint8Array()] = publicKeys
  if (text.includes('sortedmulti')) {
    const [, threshold = '1', list = ''] = /sortedmulti\((\d),([^)]*)/.exec(text) ?? []
    const some = publicKeys.slice(0, list.split(',').length)
    const sorted = some.sort((a, b) => Buffer.compare(a, b))
    const inner = btc.p2wsh(btc.p2ms(Number(threshold), sorted))
    const pay = text.startsWith('sh') ? btc.p2sh(inner) : inner
    return { pay, signers: signers.slice(0, Number(threshold)) }
  }
  const singles: Readonly<Record<string, () => { readonly script: Uint8Array }>> = {
    pkh: () => btc.p2pkh(first),
    wpkh: () => btc.p2wpkh(first),
    'sh(wpkh)': () => btc.p2sh(btc.p2wpkh(first)),
    tr: () => btc.p2tr(first.subarray(1)),
  }
  const pay = singles[kind]?.()
  if (!pay) throw new TypeError(kind)
  return { pay, signers: signers.slice(0, 1) }
}

/** Signs with btc-signer and reads the bytes with our own decoder. */
function signed(
  spent: readonly Spent[],
  outputs: readonly Uint8Array[],
  lowR: boolean,
): Transaction {
  const tx = new btc.Transaction({ lowR, allowUnknownOutputs: true, allowLegacyWitnessUtxo: true })
  const signers: HDKey[] = []
  for (const [i, { kind, index }] of spent.entries()) {
    const { pay, signers: some } = payTo(kind, index)
    expect(pay.script).toEqual(scriptAt(descriptor(KINDS[kind] ?? ''), 0, index))
    signers.push(...some)
    const amount = 1_000_000n
    const previous = new btc.Transaction({ allowUnknownInputs: true, allowUnknownOutputs: true })
    previous.addInput({
      txid: new Uint8Array(32).fill(i + 1),
      index: 0,
      finalScriptSig: new Uint8Array(),
    })
    previous.addOutput({ script: pay.script, amount })
    const coin =
      kind === 'pkh'
        ? { nonWitnessUtxo: previous.unsignedTx }
        : { witnessUtxo: { script: pay.script, amount } }
    tx.addInput({ ...pay, ...coin, txid: previous.id, index: 0, sequence: 0xfffffffd })
  }
  for (const script of outputs) tx.addOutput({ script, amount: 1_000n })
  for (const { privateKey } of signers)
    if (privateKey) tx.sign(privateKey, undefined, new Uint8Array(32))
  tx.finalize()
  const read = decodeTransaction(tx.extract())
  if (!read.ok) throw new TypeError(read.error.message)
  return read.value
}

/** How many bytes the ECDSA signatures stay below the length that was planned. */
function spared({ inputs }: Transaction, planned: number): number {
  let bytes = 0
  for (const { script, witness } of inputs) {
    const inScript = script[1] === 0x30 ? [script.subarray(1, 1 + (script[0] ?? 0))] : []
    for (const item of inScript) bytes += 4 * (planned - item.length)
    for (const item of witness) {
      if (item[0] === 0x30 && item.length > 60 && item.length < 74) bytes += planned - item.length
    }
  }
  return bytes
}

const shape = (kind: string, signatures?: 'low_r'): InputShape =>
  inputShape(descriptor(KINDS[kind] ?? ''), signatures)
const PAID = [0, 1, 2].map((index) => payTo('wpkh', index).pay.script)

describe('the planned weight is that of the signed transaction', () => {
  it.each(Object.keys(KINDS))('%s', (kind) => {
    for (let index = 0; index < 3; index++) {
      const transaction = signed([{ kind, index }], PAID, true)
      const planned = transactionWeight({ inputs: [shape(kind, 'low_r')], outputs: PAID })
      // One signature in a hundred is a byte shorter than planned for.
      const left = spared(transaction, 71)
      expect(left).toBeGreaterThanOrEqual(0)
      expect(left).toBeLessThan(8)
      expect(weightOf(transaction)).toBe(planned - left)
    }
  })

  it('whatever the kinds in one transaction, with and without witness', () => {
    const kinds = Object.keys(KINDS)
    const mixes = [['pkh', 'pkh'], ['pkh', 'wpkh', 'pkh'], ['pkh', 'tr'], kinds]
    for (const mix of mixes) {
      const spent = mix.map((kind, index) => ({ kind, index }))
      const transaction = signed(spent, PAID, false)
      const inputs = mix.map((kind) => shape(kind))
      const planned = transactionWeight({ inputs, outputs: PAID })
      const left = spared(transaction, 72)
      expect(left).toBeGreaterThanOrEqual(0)
      expect(weightOf(transaction)).toBe(planned - left)
    }
  })

  it('on both sides of the lengths at which a count takes more bytes', () => {
    for (const count of [252, 253]) {
      const spent = Array.from({ length: count }, (_, index) => ({ kind: 'tr', index: index % 4 }))
      const outputs = Array.from({ length: 505 - count }, (_, i) => PAID[i % 3] as Uint8Array)
      const inputs = spent.map(() => shape('tr'))
      expect(weightOf(unsigned(count, outputs))).toBe(transactionWeight({ inputs, outputs }))
    }
  })
})

/** Signing 253 inputs takes seconds and tells nothing new: a witness of the length of a Schnorr signature will do. */
const unsigned = (count: number, outputs: readonly Uint8Array[]): Transaction => ({
  version: 2,
  lockTime: 0,
  inputs: Array.from({ length: count }, (_, vout) => ({
    txid: '11'.repeat(32) as never,
    vout,
    sequence: 0,
    script: new Uint8Array(),
    witness: [new Uint8Array(64)],
  })),
  outputs: outputs.map((script) => ({ script, amount: sat(1n) })),
})

describe('weights of inputs and outputs', () => {
  it('are those that everybody knows', () => {
    const vbytes = (text: string, signatures?: 'low_r') =>
      inputWeight(descriptor(text), signatures) / 4
    expect(vbytes(KINDS['pkh'] ?? '')).toBe(148)
    expect(vbytes(KINDS['wpkh'] ?? '')).toBe(68)
    expect(vbytes(KINDS['wpkh'] ?? '', 'low_r')).toBe(67.75)
    expect(vbytes(KINDS['sh(wpkh)'] ?? '')).toBe(91)
    expect(vbytes(KINDS['2 of 3 wsh'] ?? '')).toBe(104.5)
    expect(vbytes(KINDS['tr'] ?? '')).toBe(57.5)
    expect(PAID.map((script) => outputWeight(script) / 4)).toEqual([31, 31, 31])
  })

  it('know keys that are not compressed, and more than 16 keys', () => {
    const point = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
    const y = '483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8'
    const plain = descriptor(`pkh(04${point}${y})`)
    expect(inputWeight(plain)).toBe(592 + 4 * 32)
    const many = Array.from({ length: 20 }, (_, seed) => {
      const root = HDKey.fromMasterSeed(new Uint8Array(32).fill(seed + 10))
      return root.publicExtendedKey
    })
    // 17 to 20 are pushes of one byte: 2 bytes each instead of 1.
    const script = 2 + 20 * 34 + 2 + 1
    const witness = 1 + 1 + 18 * 73 + 3 + script
    expect(inputWeight(descriptor(`wsh(sortedmulti(18,${many}))`))).toBe(4 * 41 + witness)
  })

  it('are not guessed for scripts that nobody knows how to spend', () => {
    const raw = descriptor('raw(51)')
    expect(() => inputShape(raw)).toThrow('nobody knows')
    expect(() => inputShape(raw, 'low_r')).toThrow('raw')
  })

  it('of change is that of a script of the wallet, and its dust is that of its type', () => {
    const dust = {
      pkh: 546n,
      wpkh: 294n,
      'sh(wpkh)': 540n,
      '2 of 3 wsh': 330n,
      '2 of 3 sh(wsh)': 540n,
      tr: 330n,
    }
    for (const [kind, least] of Object.entries(dust)) {
      const parsed = descriptor(KINDS[kind] ?? '')
      const real = scriptAt(parsed, 0, 7)
      expect(sampleScript(parsed)).toHaveLength(real.length)
      expect(changeShape(parsed)).toEqual({
        outputWeight: outputWeight(real),
        spendWeight: inputWeight(parsed),
        dust: least,
      })
      expect(changeShape(parsed, { dustRate: satPerKvB(0n) }).dust).toBe(0n)
    }
  })
})
