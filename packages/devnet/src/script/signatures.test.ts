import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hex } from '@scure/base'
import * as btc from '@scure/btc-signer'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { toReversedHex } from '../chain/bytes.ts'
import { namedKey, scriptsOfKey, signTransaction } from '../chain/keys.ts'
import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import { parseScript } from './script.ts'
import { SignatureHasher } from './sighash.ts'
import { verifyScripts } from './verify.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const vectors = <T>(path: string): T =>
  JSON.parse(readFileSync(join(shared, 'vectors', path), 'utf8')) as T
const decode = (text: string): Transaction => {
  const transaction = decodeTransaction(hex.decode(text))
  if (!transaction) throw new TypeError(`not a transaction: ${text.slice(0, 40)}`)
  return transaction
}
const coin = (script: string, value: bigint): TransactionOutput => ({
  script: hex.decode(script),
  value,
})
const satoshi = (btcText: string): bigint => {
  const [whole = '0', decimals = ''] = btcText.split('.')
  return BigInt(whole) * 100_000_000n + BigInt(decimals.padEnd(8, '0'))
}

describe('what is signed', () => {
  const legacy = vectors<(string | number)[][]>('core-consensus/sighash.json')
  it(`hashes Core's ${legacy.length} legacy cases`, () => {
    for (const [raw, code, index, type, expected] of legacy) {
      const digest = new SignatureHasher(decode(String(raw)), []).legacy(
        Number(index),
        hex.decode(String(code)),
        Number(type),
      )
      expect(toReversedHex(digest)).toBe(expected)
    }
  })

  const taproot = vectors<{ keyPathSpending: readonly TaprootCase[] }>(
    'taproot/bip341_wallet_vectors.json',
  )
  test.each(taproot.keyPathSpending)('hashes the key path spends of BIP 341', (vector) => {
    const spent = vector.given.utxosSpent.map((utxo) =>
      coin(utxo.scriptPubKey, BigInt(utxo.amountSats)),
    )
    const hasher = new SignatureHasher(decode(vector.given.rawUnsignedTx), spent)
    for (const { given, intermediary } of vector.inputSpending) {
      const digest = hasher.taproot(given.txinIndex, given.hashType) ?? new Uint8Array()
      expect(hex.encode(digest)).toBe(intermediary.sigHash)
    }
    const signed = decode(vector.auxiliary.fullySignedTx)
    expect(verifyScripts(signed, spent, 'policy')).toBeUndefined()
  })

  const segwit = vectors<readonly SegwitCase[]>('sighash/bip143.json')
  const keyHash = segwit.filter(({ name }) => name.endsWith('P2WPKH'))
  test.each(keyHash)('hashes the example of BIP 143: $name', (vector) => {
    const index = vector.prevouts.findIndex(({ scriptPubKey }) => /^(0014|a914)/.test(scriptPubKey))
    const { scriptPubKey = '', value_btc = '' } = vector.prevouts[index] ?? {}
    const program = (vector.redeem_scripts[0] ?? scriptPubKey).slice(4)
    const code = hex.decode(`76a914${program}88ac`)
    const hasher = new SignatureHasher(decode(vector.unsigned_tx), [])
    const digest = hasher.segwit(index, code, satoshi(value_btc), 1)
    expect(hex.encode(digest)).toBe(vector.sighashes[0])
    expect(keyHash).toHaveLength(2)
  })
})

const KEY = hex.decode('4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d')
const regtest = { bech32: 'bcrt', pubKeyHash: 0x6f, scriptHash: 0xc4, wif: 0xef }
type Kind = 'wpkh' | 'tr' | 'pkh' | 'sh'
/** One signed spend made by btc-signer, and the coin that it spends. */
function signedBySigner(kind: Kind): { raw: Uint8Array; spent: readonly TransactionOutput[] } {
  const key = namedKey('signatures')
  const plain = btc.p2wpkh(key.publicKey, regtest)
  const payments = {
    wpkh: plain,
    tr: btc.p2tr(key.publicKey.subarray(1), undefined, regtest),
    pkh: btc.p2pkh(key.publicKey, regtest),
    sh: btc.p2sh(plain, regtest),
  }
  const payment = payments[kind]
  const dust = {
    txid: '11'.repeat(32),
    vout: 0,
    script: new Uint8Array(),
    sequence: 0,
    witness: [],
  }
  const outputs = [{ script: payment.script, value: 100_000n }]
  const before = encodeTransaction({ version: 2, inputs: [dust], outputs, locktime: 0 })
  const draft = new btc.Transaction()
  draft.addInput({
    ...payment,
    txid: decode(hex.encode(before)).txid,
    index: 0,
    ...(kind === 'pkh'
      ? { nonWitnessUtxo: before }
      : { witnessUtxo: { script: payment.script, amount: 100_000n } }),
  })
  draft.addOutput({ script: plain.script, amount: 90_000n })
  draft.sign(key.secret)
  draft.finalize()
  return { raw: draft.extract(), spent: [{ script: payment.script, value: 100_000n }] }
}
const kinds: readonly Kind[] = ['wpkh', 'tr', 'pkh', 'sh']

describe('signatures', () => {
  it.each(kinds)('takes a %s spend that btc-signer signed', (kind) => {
    const { raw, spent } = signedBySigner(kind)
    const transaction = decode(hex.encode(raw))
    expect(verifyScripts(transaction, spent, 'policy')).toBeUndefined()
    expect(verifyScripts(transaction, spent, 'consensus')).toBeUndefined()
  })

  it.each(kinds)('refuses a %s spend with any one bit of the signature flipped', (kind) => {
    const { raw, spent } = signedBySigner(kind)
    const transaction = decode(hex.encode(raw))
    const signature = signatureOf(transaction)
    const at = raw.findIndex((_, i) => signature.every((byte, j) => raw[i + j] === byte))
    fc.assert(
      // The last byte names the hash type: another type is another message, which BIP 340 refuses by length or content.
      fc.property(fc.nat(signature.length * 8 - 9), (bit) => {
        const flipped = Uint8Array.from(raw)
        const place = at + (bit >> 3)
        flipped[place] = (flipped[place] ?? 0) ^ (1 << (bit & 7))
        const changed = decodeTransaction(flipped)
        if (changed) expect(verifyScripts(changed, spent, 'consensus')?.isMandatory).toBe(true)
      }),
      { numRuns: 24 },
    )
  })

  it.each(kinds)('refuses a %s spend when the amount or an output differs', (kind) => {
    const { raw, spent } = signedBySigner(kind)
    const transaction = decode(hex.encode(raw))
    const output = transaction.outputs[0]
    const dearer = { ...transaction, wtxid: 'changed', outputs: [{ ...output, value: 89_999n }] }
    expect(verifyScripts(dearer as Transaction, spent, 'consensus')?.isMandatory).toBe(true)
  })

  it.each(kinds)('signs %s spends that it accepts itself', (kind) => {
    const key = namedKey('own signer')
    const [script] = [...scriptsOfKey(key)].find(([, form]) => form === kind) ?? ['']
    const { raw } = signedBySigner('wpkh')
    const spent = [coin(script, 100_000n)]
    const signed = signTransaction(decode(hex.encode(raw)), spent, [key])
    expect(signed.complete).toBe(true)
    expect(verifyScripts(decode(hex.encode(signed.raw)), spent, 'policy')).toBeUndefined()
  })

  it("says in Core's words why not", () => {
    const { raw, spent } = signedBySigner('wpkh')
    const transaction = decode(hex.encode(raw))
    const [input] = transaction.inputs
    const [signature = new Uint8Array(), key = new Uint8Array()] = input?.witness ?? []
    const verdict = (witness: readonly Uint8Array[], script = new Uint8Array()) =>
      verifyScripts(
        { ...transaction, wtxid: 'other', inputs: [{ ...input, witness, script }] } as Transaction,
        spent,
        'policy',
      )?.reason
    const must = (sentence: string) => `mandatory-script-verify-flag-failed (${sentence})`
    expect(verdict([])).toBe(must('Witness program hash mismatch'))
    expect(verdict([signature, KEY])).toBe(must('Script failed an OP_EQUALVERIFY operation'))
    expect(verdict([signature.subarray(1), key])).toBe(must('Non-canonical DER signature'))
    expect(verdict([new Uint8Array(), key])).toBe(
      must('Script evaluated without error but finished with a false/empty top stack element'),
    )
    expect(verdict([signature, key], Uint8Array.of(0))).toBe(
      must('Witness requires empty scriptSig'),
    )
    const other = Uint8Array.of(...signature.subarray(0, -1), 2)
    expect(verdict([other, key])).toBe(
      must('Signature must be zero for failed CHECK(MULTI)SIG operation'),
    )
  })
})

function signatureOf(transaction: Transaction): Uint8Array {
  const [input] = transaction.inputs
  return input?.witness[0] ?? parseScript(input?.script ?? new Uint8Array())?.[0]?.data ?? KEY
}

interface TaprootCase {
  readonly given: {
    readonly rawUnsignedTx: string
    readonly utxosSpent: readonly { scriptPubKey: string; amountSats: number }[]
  }
  readonly inputSpending: readonly {
    readonly given: { txinIndex: number; hashType: number }
    readonly intermediary: { sigHash: string }
  }[]
  readonly auxiliary: { readonly fullySignedTx: string }
}
interface SegwitCase {
  readonly name: string
  readonly prevouts: readonly { scriptPubKey: string; value_btc: string }[]
  readonly unsigned_tx: string
  readonly redeem_scripts: readonly string[]
  readonly sighashes: readonly string[]
}
