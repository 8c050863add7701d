import { sha256 } from '@noble/hashes/sha2.js'
import { hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import type { TransactionOutput } from '../chain/transaction.ts'
import { createDevnetInProcess, type Json } from '../index.ts'
import { encodePsbt } from './encode.ts'
import { newPsbt, type Psbt } from './psbt.ts'

type View = Readonly<Record<string, Json>>
const MAX_MONEY = 2_100_000_000_000_000n
const A = `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`
const B = `02${'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'}`
const WIF = 'cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA'
const wpkh = `0014${'751e76e8199196d454941c45d1b3a323f1433bd6'}`
const pkh = `76a914${'751e76e8199196d454941c45d1b3a323f1433bd6'}88ac`
const devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
const call = <T = View>(method: string, ...params: readonly unknown[]): T =>
  devnet.call(method, params) as T
call('createwallet', 'w')
const output = (script: string, value: bigint): TransactionOutput => ({
  script: hex.decode(script),
  value,
})
/** Spends the coins, told by their outputs alone. */
function psbtOf(coins: readonly TransactionOutput[], outputs: readonly TransactionOutput[]): Psbt {
  const inputs = coins.map((_, at) => ({
    txid: '33'.repeat(32),
    vout: at,
    sequence: 0xfffffffd,
    script: new Uint8Array(),
    witness: [],
  }))
  const psbt = newPsbt({ version: 2, inputs, outputs, locktime: 0 })
  for (const [at, coin] of coins.entries()) {
    const input = psbt.inputs[at]
    if (input) input.witnessUtxo = coin
  }
  return psbt
}
const analysis = (psbt: Psbt): View => call('analyzepsbt', encodePsbt(psbt))
const checksummed = (form: string): string =>
  `${form}#${call('getdescriptorinfo', form)['checksum']}`
const addressOf = (form: string): string =>
  call<readonly string[]>('deriveaddresses', checksummed(form))[0] ?? ''
const coinOf = (form: string) => ({ txid: devnet.faucet(addressOf(form), 100_000n).txid, vout: 0 })
const inputsOf = (psbt: unknown): readonly View[] =>
  call('decodepsbt', psbt)['inputs'] as unknown as readonly View[]

describe('an analysis', () => {
  const small = output(wpkh, 1000n)
  const most = output(wpkh, MAX_MONEY)
  const cases: readonly (readonly [string, Psbt])[] = [
    ['Input 1 has invalid value', psbtOf([most, output(wpkh, 1n)], [small])],
    ['Input 0 has invalid value', psbtOf([output(wpkh, MAX_MONEY + 1n)], [small])],
    ['Input 0 spends unspendable output', psbtOf([output('6a', 1000n)], [small])],
    ['Output amount invalid', psbtOf([most], [most, output(wpkh, 1n)])],
    ['Output amount invalid', psbtOf([most], [output(wpkh, -1n)])],
  ]
  it.each(cases)('says %s', (fault, psbt) => {
    expect(analysis(psbt)).toEqual({ next: 'creator', error: `PSBT is not valid. ${fault}` })
  })
  it('takes all money there is', () => {
    expect(
      analysis(psbtOf([output(wpkh, MAX_MONEY - 1n), output(wpkh, 1n)], [most])),
    ).toMatchObject({ fee: 0n, next: 'updater' })
  })
  it('names nothing missing of an old kind of coin that is told without its transaction', () => {
    const { inputs } = analysis(psbtOf([output(pkh, 1000n)], [small]))
    expect(inputs).toEqual([{ has_utxo: true, is_final: false, next: 'updater' }])
  })
  it('counts a signature operation as twenty vbytes', () => {
    const coin = coinOf(`wpkh(${A})`)
    const bare = call<string>('createrawtransaction', [coin], [{ data: '00' }])
    // Twenty operations of an output that counts four times, and the one of the input.
    const many = `${bare.slice(0, -32)}0000000000000000${'01ae'}00000000`
    const psbt = call<string>('converttopsbt', many)
    const signed = call('descriptorprocesspsbt', psbt, [`wpkh(${WIF})`], 'ALL', true, false)
    expect(call('analyzepsbt', signed['psbt'])).toMatchObject({
      next: 'finalizer',
      estimated_vsize: 405,
    })
  })
  it('measures what is final already', () => {
    const psbt = call<string>('createpsbt', [coinOf(`pkh(${A})`)], [{ data: '00' }])
    const signed = call('descriptorprocesspsbt', psbt, [`pkh(${WIF})`])
    const { vsize } = call('decoderawtransaction', signed['hex'])
    expect(call('analyzepsbt', signed['psbt'])).toMatchObject({
      inputs: [{ is_final: true }],
      next: 'extractor',
      estimated_vsize: vsize,
    })
  })
  it('measures no witness program inside another', () => {
    const psbt = psbtOf([output(`0020${hex.encode(sha256(hex.decode(wpkh)))}`, 2000n)], [small])
    const [input] = psbt.inputs
    if (input) input.witnessScript = hex.decode(wpkh)
    expect(analysis(psbt)).toMatchObject({ fee: 1000n, next: 'updater' })
    expect(analysis(psbt)['estimated_vsize']).toBeUndefined()
  })
})

describe('a signer', () => {
  it.each([
    [0xc0, 1],
    [0xc2, 0],
  ])('signs a leaf of version %i: %i times', (version, count) => {
    const psbt = psbtOf([output(`5120${B.slice(2)}`, 2000n)], [output(wpkh, 1000n)])
    const script = hex.decode(`20${A.slice(2)}ac`)
    const control = `${version.toString(16)}${B.slice(2)}`
    psbt.inputs[0]?.tapScripts.set('leaf', { script, version, controls: new Set([control]) })
    const { psbt: signed } = call('descriptorprocesspsbt', encodePsbt(psbt), [`pkh(${WIF})`])
    const [input] = inputsOf(signed)
    expect(input?.['taproot_scripts']).toHaveLength(1)
    expect(input?.['taproot_script_path_sigs'] ?? []).toHaveLength(count)
  })
})

describe('an updater', () => {
  it('tells the tree of an output, also one of a single leaf', () => {
    const form = `tr(${A},pk(${B}))`
    const bare = call<string>('createpsbt', [coinOf(`wpkh(${A})`)], [{ [addressOf(form)]: 0.0005 }])
    const psbt = call<string>('utxoupdatepsbt', bare, [form])
    expect(call('decodepsbt', psbt)['outputs']).toMatchObject([
      {
        taproot_internal_key: A.slice(2),
        taproot_tree: [{ depth: 0, leaf_ver: 0xc0, script: `20${B.slice(2)}ac` }],
      },
    ])
  })
  it.each([
    ['bech32m', 'DEFAULT', false],
    ['bech32m', 'ALL|ANYONECANPAY', true],
    ['bech32', 'ALL', true],
  ])('keeps the previous transaction of %s signed with %s: %s', (type, kind, kept) => {
    const address = call<string>('getnewaddress', '', type)
    const coin = { txid: devnet.faucet(address, 100_000n).txid, vout: 0 }
    const bare = call<string>('createpsbt', [coin], [{ data: '00' }])
    const { psbt } = call('walletprocesspsbt', bare, true, kind, true, false)
    const [input] = inputsOf(psbt)
    expect(input?.['non_witness_utxo'] !== undefined).toBe(kept)
    expect(input?.['witness_utxo']).toBeDefined()
  })
})

describe('several PSBTs', () => {
  const outpoint = { txid: '44'.repeat(32), vout: 0 }
  const create = (input: object, locktime = 0): string =>
    call('createpsbt', [input], [{ data: '00' }], locktime)
  it('are not combined when they are of different transactions', () => {
    expect(() => call('combinepsbt', [create(outpoint), create(outpoint, 1)])).toThrow(
      'PSBTs not compatible (different transactions)',
    )
  })
  it('hold together what each knows, once', () => {
    const origin = { fingerprint: '01020304', path: [1] }
    const xpub = Uint8Array.of(...hex.decode(`043587cf${'00'.repeat(9)}${'05'.repeat(32)}${A}`))
    const make = (unknown: string): Psbt => {
      const psbt = psbtOf([output(wpkh, 1000n)], [output(wpkh, 900n)])
      psbt.xpubs.push({ xpub, origin })
      psbt.unknown.set(unknown, Uint8Array.of(1))
      return psbt
    }
    const combined = call<string>('combinepsbt', [encodePsbt(make('71')), encodePsbt(make('72'))])
    const view = call('decodepsbt', combined)
    expect(view['global_xpubs']).toHaveLength(1)
    expect(view['unknown']).toEqual({ 71: '01', 72: '01' })
  })
  it('are joined with the highest version and the lowest lock time', () => {
    const old = psbtOf([output(wpkh, 1000n)], [output(wpkh, 900n)])
    const first = newPsbt({ ...old.transaction, version: 1, locktime: 700 })
    const joined = call<string>('joinpsbts', [encodePsbt(first), create(outpoint, 600)])
    expect(call('decodepsbt', joined)['tx']).toMatchObject({ version: 2, locktime: 600 })
    const [input] = first.transaction.inputs
    const inputs = input ? [{ ...input, txid: '55'.repeat(32), key: `${'55'.repeat(32)}:0` }] : []
    const single = newPsbt({ ...first.transaction, inputs })
    const both = call<string>('joinpsbts', [encodePsbt(first), encodePsbt(single)])
    expect(call('decodepsbt', both)['tx']).toMatchObject({ version: 1, locktime: 700 })
  })
  it('are not joined when they have an input in common, sequence and all', () => {
    const same = [create({ ...outpoint, sequence: 5 }), create({ ...outpoint, sequence: 5 }, 9)]
    expect(() => call('joinpsbts', same)).toThrow(
      `Input ${outpoint.txid}:0 exists in multiple PSBTs`,
    )
    const other = [same[0], create({ ...outpoint, sequence: 6 })]
    expect(inputsOf(call('joinpsbts', other))).toHaveLength(2)
  })
  it('lose their signatures when they are joined', () => {
    const psbt = call<string>('createpsbt', [coinOf(`wpkh(${A})`)], [{ data: '00' }])
    const half = call('descriptorprocesspsbt', psbt, [`wpkh(${WIF})`], 'ALL', true, false)['psbt']
    const whole = call('descriptorprocesspsbt', psbt, [`wpkh(${WIF})`])['psbt']
    for (const signed of [half, whole]) {
      const joined = inputsOf(call('joinpsbts', [signed, create(outpoint)]))
      const input = joined.find((own) => own['witness_utxo'])
      expect(input).toBeDefined()
      expect(input?.['partial_signatures']).toBeUndefined()
      expect(input?.['final_scriptwitness']).toBeUndefined()
    }
    expect(inputsOf(half)[0]?.['partial_signatures']).toBeDefined()
    expect(inputsOf(whole)[0]?.['final_scriptwitness']).toBeDefined()
  })
})
