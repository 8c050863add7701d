import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromHex, type Sat, toHex } from '../../kernel/index.ts'
import type { LookCoin } from './expectation.ts'
import { readFinal } from './read.ts'
import { type Sighashes, sighashes } from './sighash.ts'
import { ecdsaFault, schnorrFault } from './signature.ts'

const FOLDER = join(process.env['KACCY_SHARED'] ?? '../shared', 'vectors')
const reason = existsSync(FOLDER) ? undefined : `no vectors in ${FOLDER}`
if (reason) process.stderr.write(`SKIPPED: ${reason}\n`)
const read = <T>(file: string, otherwise: T): T =>
  reason ? otherwise : (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as T)

const coin = (amount: bigint, script: string): LookCoin =>
  ({ amount: amount as Sat, script: fromHex(script) }) as LookCoin
const of = (hex: string, coins: readonly LookCoin[]): Sighashes => {
  const seen = readFinal(fromHex(hex))
  return seen ? sighashes(seen, coins) : expect.unreachable('a vector that is no transaction')
}

describe.skipIf(reason)('BIP 143', () => {
  interface Case {
    readonly name: string
    readonly unsigned_tx: string
    readonly prevouts: readonly { readonly scriptPubKey: string; readonly value_btc: string }[]
    readonly witness_scripts: readonly string[]
    readonly sighashes: readonly string[]
  }
  const file = read<{ cases: readonly Case[] } | readonly Case[]>('sighash/bip143.json', [])
  const cases = 'cases' in file ? file.cases : file
  const sats = (btc: string) => {
    const [whole = '', fraction = ''] = btc.split('.')
    return BigInt(whole + fraction.padEnd(8, '0'))
  }
  const hash = (name: string, input: number) => {
    const found = cases.find((each) => each.name === name)
    if (!found) return expect.unreachable(name)
    const coins = found.prevouts.map((out) => coin(sats(out.value_btc), out.scriptPubKey))
    const program = found.prevouts[input]?.scriptPubKey.slice(4) ?? ''
    return { found, hashes: of(found.unsigned_tx, coins), program }
  }
  it('P2WPKH', () => {
    const { found, hashes, program } = hash('Native P2WPKH', 1)
    const script = fromHex(`76a914${program}88ac`)
    expect(toHex(hashes.segwit(1, script))).toBe(found.sighashes[0])
  })
  it('P2SH-P2WPKH', () => {
    const { found, hashes } = hash('P2SH-P2WPKH', 0)
    const script = fromHex('76a91479091972186c449eb1ded22b78e40d009bdf008988ac')
    expect(toHex(hashes.segwit(0, script))).toBe(found.sighashes[0])
  })
})

describe.skipIf(reason)('BIP 341', () => {
  const file = read('taproot/bip341_wallet_vectors.json', { keyPathSpending: [] })
  interface Spending {
    readonly given: {
      readonly rawUnsignedTx: string
      readonly utxosSpent: readonly { scriptPubKey: string; amountSats: number }[]
    }
    readonly inputSpending: readonly {
      readonly given: { readonly txinIndex: number; readonly hashType: number }
      readonly intermediary: { readonly sigHash: string }
      readonly expected: { readonly witness: readonly string[] }
    }[]
  }
  it('key path, DEFAULT and ALL, hash and signature', () => {
    let seen = 0
    for (const { given, inputSpending } of file.keyPathSpending as readonly Spending[]) {
      const coins = given.utxosSpent.map((out) => coin(BigInt(out.amountSats), out.scriptPubKey))
      const hashes = of(given.rawUnsignedTx, coins)
      for (const { given: spent, intermediary, expected } of inputSpending) {
        const { txinIndex: at, hashType } = spent
        if (hashType > 1) continue
        expect(toHex(hashes.taproot(at, hashType as 0 | 1))).toBe(intermediary.sigHash)
        const signature = fromHex(expected.witness[0] ?? '')
        const key = coins[at]?.script.subarray(2) ?? new Uint8Array()
        expect(schnorrFault(signature, (type) => hashes.taproot(at, type), key)).toBeUndefined()
        seen++
      }
    }
    expect(seen).toBeGreaterThanOrEqual(2)
  })
})

describe('signatures', () => {
  const key = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
  const hash = () => new Uint8Array(32).fill(1)
  it('refuses forms of DER that a node refuses', () => {
    const forms = {
      empty: '',
      'only a sighash byte': '01',
      'no integers': '300001',
      'a negative integer': '30060201ff02010101',
      'an integer with padding': '3007020200010201' + '0101',
      'another tag': '310602010102010101',
      'another tag inside': '300602010103010101',
      'an integer without bytes': '3005020002010101',
      'bytes behind the end': '30070201010201010001',
      'a length that lies': '300702010102010101',
    }
    for (const [name, form] of Object.entries(forms)) {
      expect(ecdsaFault(fromHex(form), hash, key), name).toBeDefined()
    }
  })
  it('refuses a key that is no point, and does not throw', () => {
    const signature = fromHex('300602010102010101')
    expect(ecdsaFault(signature, hash, fromHex(`02${'ff'.repeat(32)}`))).toBe('signature')
    expect(schnorrFault(new Uint8Array(64), hash, new Uint8Array(32).fill(0xff))).toBe('signature')
    expect(schnorrFault(new Uint8Array(63), hash, new Uint8Array(32))).toBe('signature')
  })
})
