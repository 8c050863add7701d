import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { createBase58check, hex } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { createDevnetInProcess, type Json } from '../index.ts'
import { signEcdsa } from './signer.ts'

type View = Readonly<Record<string, Json>>
interface Signed {
  readonly hex: string
  readonly complete: boolean
  readonly errors?: readonly {
    readonly error: string
    readonly scriptSig: string
    readonly witness: readonly string[]
  }[]
}
const devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
const call = <T>(method: string, ...params: readonly unknown[]): T =>
  devnet.call(method, params) as T
const base58check = createBase58check(sha256)
const secrets = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte))
const keyOf = (at: number, compressed = true): string =>
  hex.encode(secp256k1.getPublicKey(secrets[at] ?? new Uint8Array(), compressed))
const wifOf = (at: number, compressed = true): string =>
  base58check.encode(Uint8Array.of(0xef, ...(secrets[at] ?? []), ...(compressed ? [1] : [])))
const [A, B, C] = [0, 1, 2].map((at) => keyOf(at))
const [a, b, c] = [0, 1, 2].map((at) => wifOf(at))
const hash160 = (text: string): string => hex.encode(ripemd160(sha256(hex.decode(text))))
const sum = (form: string): string => `${form}#${call<View>('getdescriptorinfo', form)['checksum']}`
const addressOf = (form: string): string =>
  call<readonly string[]>('deriveaddresses', sum(form))[0] ?? ''
const scriptOf = (address: string): string =>
  String(call<View>('validateaddress', address)['scriptPubKey'])
/** A coin for the address, and a transaction that spends it. */
function spendOf(address: string, outputs = 1) {
  const { txid } = devnet.faucet(address, 100_000n)
  const to = Array.from({ length: outputs }, () => ({ [call<string>('getnewaddress')]: 0.0004 }))
  const raw = call<string>('createrawtransaction', [{ txid, vout: 0 }], to)
  return { raw, coin: { txid, vout: 0, scriptPubKey: scriptOf(address), amount: '0.001' } }
}
const sign = (raw: string, keys: readonly unknown[], ...more: readonly unknown[]) =>
  call<Signed>('signrawtransactionwithkey', raw, keys, ...more)
const accepted = (raw: string): unknown =>
  call<readonly View[]>('testmempoolaccept', [raw])[0]?.['allowed']
devnet.call('createwallet', ['w'])

describe('half a signature', () => {
  const script = `5221${A}21${B}21${C}53ae`
  const forms = [
    ['sh', { redeemScript: script }],
    ['wsh', { witnessScript: script }],
    ['sh(wsh', { witnessScript: script }],
  ] as const
  it.each(forms)('of %s becomes a whole one with another, in either order', (form, inner) => {
    const ends = form.includes('(') ? '))' : ')'
    const { raw, coin } = spendOf(addressOf(`${form}(multi(2,${A},${B},${C})${ends}`))
    const previous = [{ ...coin, ...inner }]
    const half = (wif: unknown) => sign(raw, [wif], previous)
    expect(half(a)).toMatchObject({
      complete: false,
      errors: [
        {
          error: 'CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)',
        },
      ],
    })
    const both = sign(raw, [c, a], previous)
    expect(both).toMatchObject({ complete: true })
    const halves = [half(a).hex, half(c).hex]
    expect(call('combinerawtransaction', halves)).toBe(both.hex)
    expect(call('combinerawtransaction', [...halves].reverse())).toBe(both.hex)
    expect(accepted(both.hex)).toBe(true)
    // What is whole already stays as it is.
    const other = sign(raw, [b, c], previous)
    expect(call('combinerawtransaction', [both.hex, other.hex])).toBe(both.hex)
    expect(call('combinerawtransaction', [half(b).hex, both.hex, other.hex])).toBe(both.hex)
    expect(sign(half(a).hex, [c], previous)).toEqual(both)
  })
})

describe('a signature', () => {
  const pkh = `pkh(${A})`
  it.each(['SINGLE', 'SINGLE|ANYONECANPAY'])('of kind %s needs its output', (kind) => {
    const first = spendOf(addressOf(pkh)).coin
    const second = spendOf(addressOf(pkh)).coin
    const to = [{ [call<string>('getnewaddress')]: 0.0004 }]
    const raw = call<string>('createrawtransaction', [first, second], to)
    const signed = sign(raw, [a], [first, second], kind)
    expect(signed.errors).toMatchObject([{ txid: second.txid, scriptSig: '' }])
    const [input] = call<{ vin: readonly { scriptSig: { asm: string } }[] }>(
      'decoderawtransaction',
      signed.hex,
    ).vin
    expect(input?.scriptSig.asm).toContain(`[${kind}]`)
  })

  it('commits to the amount in segwit only', () => {
    const legacy = spendOf(addressOf(pkh))
    const told = ({ txid, vout, scriptPubKey }: typeof legacy.coin) => ({
      txid,
      vout,
      scriptPubKey,
    })
    expect(sign(legacy.raw, [a], [told(legacy.coin)])).toMatchObject({ complete: true })
    const segwit = spendOf(addressOf(`wpkh(${A})`))
    expect(() => sign(segwit.raw, [a], [told(segwit.coin)])).toThrow('Missing amount for CTxOut(')
    expect(sign(segwit.raw, [a])).toMatchObject({ complete: true })
  })

  it('is not made for segwit with an uncompressed key', () => {
    const long = keyOf(0, false)
    const scriptPubKey = `0014${hash160(long)}`
    const coin = { txid: '11'.repeat(32), vout: 0, scriptPubKey, amount: 0.001 }
    const raw = call<string>('createrawtransaction', [coin], [{ data: '00' }])
    expect(sign(raw, [wifOf(0, false)], [coin]).errors).toMatchObject([
      { witness: [], scriptSig: '', error: 'Witness program hash mismatch' },
    ])
  })

  it('is not made for taproot while another coin is unknown', () => {
    const { coin } = spendOf(addressOf(`rawtr(${A})`))
    const stranger = { txid: '22'.repeat(32), vout: 0 }
    const raw = call<string>('createrawtransaction', [coin, stranger], [{ data: '00' }])
    const { errors } = sign(raw, [a])
    expect(errors).toMatchObject([
      { txid: coin.txid, witness: [] },
      { ...stranger, error: 'Input not found or already spent' },
    ])
  })

  it('is short: its first number always fits in 32 bytes', () => {
    for (let round = 0; round < 40; round++) {
      const digest = sha256(Uint8Array.of(round))
      const signature = signEcdsa(digest, secrets[0] ?? new Uint8Array())
      expect(signature.length).toBeLessThanOrEqual(70)
      expect(secp256k1.verify(signature, digest, hex.decode(A ?? ''), verifying)).toBe(true)
    }
  })
  const verifying = { prehash: false, lowS: true, format: 'der' } as const
})

describe('a taproot spend', () => {
  /** Signs through a PSBT and returns the witness in hex. */
  function witnessOf(form: string, kind = 'DEFAULT'): readonly string[] | undefined {
    const open = form.replaceAll(`${a}`, `${A}`).replaceAll(`${b}`, `${B}`)
    const { coin } = spendOf(addressOf(open))
    const to = [{ [call<string>('getnewaddress')]: 0.0004 }]
    const psbt = call<string>('createpsbt', [coin], to)
    const signed = call<Signed>('descriptorprocesspsbt', psbt, [form], kind)
    if (!signed.complete) return undefined
    expect(accepted(signed.hex)).toBe(true)
    const [input] = call<{ vin: readonly { txinwitness: string[] }[] }>(
      'decoderawtransaction',
      signed.hex,
    ).vin
    return input?.txinwitness
  }
  const sizes = (witness: readonly string[] | undefined) => witness?.map((item) => item.length / 2)

  it.each([
    ['by its key', `tr(${a})`, [64]],
    ['by an untweaked key', `rawtr(${a})`, [64]],
    ['by a leaf', `tr(${C},pk(${a}))`, [64, 34, 33]],
    ['by no more signatures than it needs', `tr(${C},multi_a(1,${a},${b}))`, [0, 64, 70, 33]],
    ['by all that it needs', `tr(${C},multi_a(2,${a},${b}))`, [64, 64, 70, 33]],
    ['by the smallest of its leaves', `tr(${C},{multi_a(2,${a},${b}),pk(${a})})`, [64, 34, 65]],
    ['by the shorter way to a leaf', `tr(${C},{pk(${a}),{pk(${a}),pk(${B})}})`, [64, 34, 65]],
  ])('is made %s', (_, form, expected) => {
    expect(sizes(witnessOf(form))).toEqual(expected)
  })
  it('says its kind where it is not the default', () => {
    const [signature] = witnessOf(`tr(${a})`, 'ALL') ?? []
    expect(signature).toMatch(/^[0-9a-f]{128}01$/)
    expect(sizes(witnessOf(`tr(${C},pk(${a}))`, 'ALL|ANYONECANPAY'))).toEqual([65, 34, 33])
  })
  it('is not made without enough keys', () => {
    expect(witnessOf(`tr(${C},multi_a(2,${a},${B}))`)).toBeUndefined()
  })
})

describe('what is missing', () => {
  const inner = `5121${A}21${B}52ae`
  const forms: readonly (readonly [string, View])[] = [
    [`pkh(${A})`, { pubkeys: [hash160(A ?? '')] }],
    [`sh(multi(1,${A},${B}))`, { redeemscript: hash160(inner) }],
    [`wsh(multi(1,${A},${B}))`, { witnessscript: hex.encode(sha256(hex.decode(inner))) }],
  ]
  it.each(forms)('of %s is told by its hash, bytes in their order', (form, missing) => {
    const { coin } = spendOf(addressOf(form))
    const bare = call<string>('createpsbt', [coin], [{ data: '00' }])
    const psbt = call<string>('utxoupdatepsbt', bare)
    expect(call('analyzepsbt', psbt)).toMatchObject({
      inputs: [{ has_utxo: true, is_final: false, next: 'updater', missing }],
      next: 'updater',
    })
  })
})
