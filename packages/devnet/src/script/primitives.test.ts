import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assembleScript } from './assemble.ts'
import { tweakKey, verifyEcdsa, verifySchnorr } from './curve.ts'
import { CURVE_ORDER, isLowS, isStrictSignature, parseLaxSignature } from './der.ts'
import {
  ALL_FLAGS,
  CONSENSUS_FLAGS,
  flagsOf,
  formatFlags,
  parseFlags,
  STANDARD_FLAGS,
  withImplied,
  withoutFlags,
} from './flags.ts'
import { decodeScriptNumber, encodeScriptNumber, isTrue } from './number.ts'
import { isMinimalPush, isPushOnly } from './reader.ts'
import { pushData, pushNumber, scriptToAsm } from './script.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const text = (path: string): string => readFileSync(join(shared, 'vectors', path), 'utf8')
const vectors = <T>(path: string): T => JSON.parse(text(path)) as T

describe('script numbers', () => {
  interface NumberCase {
    readonly hex: string
    readonly number: number
    readonly bytes?: number
  }
  it('are those of the vectors, both ways', () => {
    const cases = vectors<readonly NumberCase[]>('scripts/bitcoinjs_script_number.json')
    expect(cases).toHaveLength(32)
    for (const { hex: bytes, number, bytes: size = 4 } of cases) {
      expect(decodeScriptNumber(hex.decode(bytes), true, size)).toBe(number)
      expect(hex.encode(encodeScriptNumber(number))).toBe(bytes)
    }
  })
  it('come back from their encoding, and no longer encoding is minimal', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 39) + 1, max: 2 ** 39 - 1 }), (value) => {
        const bytes = encodeScriptNumber(value)
        expect(decodeScriptNumber(bytes, true, 5)).toBe(value)
        expect(isTrue(bytes)).toBe(value !== 0)
        // Moves the sign into a byte of its own.
        const top = bytes[bytes.length - 1] ?? 0
        if (value === 0 || bytes.length === 5 || top & 0x40) return
        const longer = Uint8Array.of(...bytes.slice(0, -1), top & 0x7f, top & 0x80)
        expect(decodeScriptNumber(longer, false, 5)).toBe(value)
        expect(decodeScriptNumber(longer, true, 5)).toBeUndefined()
      }),
    )
  })
  it('have a limit of size, and zeros of any kind are false', () => {
    expect(decodeScriptNumber(hex.decode('ffffffff7f'), false)).toBeUndefined()
    expect(decodeScriptNumber(hex.decode('ffffffff7f'), false, 5)).toBe(2 ** 39 - 1)
    expect(decodeScriptNumber(hex.decode('00000080'), false)).toBe(-0)
    expect(encodeScriptNumber(-0)).toHaveLength(0)
    expect(['', '80', '0080', '000080', '0000'].map((b) => isTrue(hex.decode(b)))).toEqual(
      Array(5).fill(false),
    )
    expect(['01', '81', '8000', '800080'].map((b) => isTrue(hex.decode(b)))).toEqual(
      Array(4).fill(true),
    )
  })
})

describe('signatures in DER', () => {
  interface Bip66 {
    readonly valid: readonly { DER: string; r: string; s: string }[]
    readonly invalid: { readonly decode?: readonly { DER: string }[] } & readonly { DER: string }[]
  }
  it('are strict by the cases of BIP 66', () => {
    const { valid, invalid } = vectors<Bip66>('scripts/bitcoinjs_bip66.json')
    const strict = (der: string) => isStrictSignature(hex.decode(`${der}01`))
    for (const { DER, r, s } of valid) {
      expect(strict(DER)).toBe(true)
      expect(parseLaxSignature(hex.decode(DER))).toEqual({
        r: BigInt(`0x${r}`),
        s: BigInt(`0x${s}`),
      })
    }
    const refused = (invalid.decode ?? invalid).flatMap(({ DER }) => DER ?? [])
    expect(refused.length).toBeGreaterThan(5)
    expect(refused.filter((der) => der.length % 2 === 0 && strict(der))).toEqual([])
  })

  it('are forgiven what blocks before BIP 66 did', () => {
    const parse = (der: string) => parseLaxSignature(hex.decode(der))
    const plain = { r: 1n, s: 2n }
    expect(parse('3006020101020102')).toEqual(plain)
    expect(parse('3006020101020102ffff')).toEqual(plain)
    expect(parse('3000020101020102')).toEqual(plain)
    expect(parse('308102020101020102')).toEqual(plain)
    expect(parse('3006028101010282000102')).toEqual(plain)
    expect(parse('300602850000000001010201' + '02')).toEqual(plain)
    expect(parse('300602040000000102020002')).toEqual(plain)
    // A negative number is read as a positive one.
    expect(parse('30060201ff020102')).toEqual({ r: 255n, s: 2n })
    expect(parse('3004020002' + '0102')).toEqual({ r: 0n, s: 2n })
    const order = CURVE_ORDER.toString(16)
    expect(parse(`30260220${order}020102`)).toEqual({ r: 0n, s: 0n })
    expect(parse(`30270221ff${order}020102`)).toEqual({ r: 0n, s: 0n })
    expect(isLowS(hex.decode(`30260201010220${order}`))).toBe(true)
  })
  it('are no signatures when even that does not help', () => {
    const broken = ['', '30', '3006', '300603010102', '300602', '30060205', '300602010102', '3082']
    const lengths = ['3006028401000000', '30060201010284010000' + '0002', '300602010103' + '0102']
    for (const der of [...broken, ...lengths]) {
      expect([der, parseLaxSignature(hex.decode(der))]).toEqual([der, undefined])
    }
  })

  interface Wycheproof {
    readonly testGroups: readonly {
      readonly publicKey: { readonly uncompressed: string }
      readonly tests: readonly { msg: string; sig: string; result: string; comment: string }[]
    }[]
  }
  it('agree with Wycheproof as policy and never beyond it', () => {
    const file = 'ecdsa/wycheproof_ecdsa_secp256k1_sha256_bitcoin_test.json'
    let seen = 0
    for (const { publicKey, tests } of vectors<Wycheproof>(file).testGroups) {
      const key = hex.decode(publicKey.uncompressed)
      for (const { msg, sig, result, comment } of tests) {
        const der = hex.decode(sig)
        const form = isStrictSignature(Uint8Array.of(...der, 1)) && isLowS(der)
        const holds = verifyEcdsa(der, sha256(hex.decode(msg)), key)
        expect([comment, form && holds]).toEqual([comment, result === 'valid'])
        seen += 1
      }
    }
    expect(seen).toBe(291)
  })
})

const secret = sha256(Uint8Array.of(7))
const digest = sha256(Uint8Array.of(8))

describe('keys', () => {
  const compressed = secp256k1.getPublicKey(secret)
  const plain = secp256k1.getPublicKey(secret, false)
  const hybrid = (first: number) => Uint8Array.of(first, ...plain.subarray(1))
  const der = secp256k1.sign(digest, secret, { prehash: false, format: 'der' })

  it('may be compressed, uncompressed or hybrid with the right parity', () => {
    const parity = (plain[64] ?? 0) & 1
    for (const key of [compressed, plain, hybrid(6 + parity)]) {
      expect(verifyEcdsa(der, digest, key)).toBe(true)
      expect(verifyEcdsa(der, secret, key)).toBe(false)
    }
    for (const key of [hybrid(7 - parity), hybrid(5), hybrid(2), plain.subarray(0, 33)]) {
      expect(verifyEcdsa(der, digest, key)).toBe(false)
    }
    const off = Uint8Array.from(plain)
    off[64] = (off[64] ?? 0) ^ 2
    expect(verifyEcdsa(der, digest, off)).toBe(false)
    expect(verifyEcdsa(der, digest, new Uint8Array())).toBe(false)
  })
  it('verify high s as well as low s', () => {
    const { r, s } = parseLaxSignature(der) ?? { r: 0n, s: 0n }
    const high = secp256k1.Signature.fromBytes(
      hex.decode(
        r.toString(16).padStart(64, '0') + (CURVE_ORDER - s).toString(16).padStart(64, '0'),
      ),
    ).toBytes('der')
    expect([isLowS(der), isLowS(high)]).toEqual([true, false])
    expect(verifyEcdsa(high, digest, compressed)).toBe(true)
  })
  it('say the same however often they are asked', () => {
    const other = secp256k1.sign(secret, secret, { prehash: false, format: 'der' })
    for (let i = 0; i < 40; i++) {
      expect(verifyEcdsa(der, digest, compressed)).toBe(true)
      expect(verifyEcdsa(other, digest, compressed)).toBe(false)
      expect(verifyEcdsa(other, secret, compressed)).toBe(true)
    }
  })

  it('verify by the vectors of BIP 340', () => {
    const [, ...rows] = text('schnorr/bip340.csv').trim().split(/\r?\n/)
    expect(rows).toHaveLength(11)
    for (const row of rows) {
      const [, , key = '', , message = '', signature = '', result] = row.split(',')
      const [k, m, s] = [key, message, signature].map((b) => hex.decode(b.toLowerCase()))
      if (!k || !m || !s) continue
      expect([row, verifySchnorr(s, m, k)]).toEqual([row, result === 'TRUE'])
    }
  })
  it('refuse every schnorr signature with one bit flipped, as the library does', () => {
    const signature = schnorr.sign(digest, secret)
    const key = schnorr.getPublicKey(secret)
    expect(verifySchnorr(signature, digest, key)).toBe(true)
    expect(verifySchnorr(signature.subarray(1), digest, key)).toBe(false)
    const flip = (bytes: Uint8Array, bit: number) =>
      Uint8Array.from(bytes, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    for (let bit = 0; bit < 512; bit += 5) {
      expect(verifySchnorr(flip(signature, bit), digest, key)).toBe(false)
      expect(verifySchnorr(signature, flip(digest, bit & 0xff), key)).toBe(false)
    }
  })

  it('refuse schnorr signatures with an odd point, or a number that is too large', () => {
    const { Fn, BASE } = secp256k1.Point
    const publicKey = schnorr.getPublicKey(secret)
    const own = Fn.fromBytes(secret)
    const even = secp256k1.getPublicKey(secret)[0] === 2 ? own : Fn.neg(own)
    const results = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map((nonce) => {
      const point = BASE.multiply(nonce)
      const r = point.toBytes().subarray(1)
      const e = schnorr.utils.taggedHash('BIP0340/challenge', r, publicKey, digest)
      const s = Fn.create(nonce + Fn.create(BigInt(`0x${hex.encode(e)}`)) * even)
      const isEven = point.toBytes()[0] === 2
      return [isEven, verifySchnorr(Uint8Array.of(...r, ...Fn.toBytes(s)), digest, publicKey)]
    })
    expect(results.filter(([isEven, holds]) => isEven !== holds)).toEqual([])
    expect(new Set(results.map(([isEven]) => isEven)).size).toBe(2)
    const r = BASE.toBytes().subarray(1)
    const order = hex.decode(CURVE_ORDER.toString(16))
    expect(verifySchnorr(Uint8Array.of(...r, ...order), digest, publicKey)).toBe(false)
    const off = new Uint8Array(32).fill(0xff)
    expect(verifySchnorr(Uint8Array.of(...r, ...r), digest, off)).toBe(false)
  })

  interface Tweak {
    readonly pubkey: string
    readonly tweak: string
    readonly parity: number
    readonly result: string | null
  }
  it('are tweaked as the vectors say', () => {
    const { tweakaddvectors } = vectors<{ tweakaddvectors: readonly Tweak[] }>(
      'schnorr/tiny_tweakadd.json',
    )
    expect(tweakaddvectors).toHaveLength(43)
    for (const { pubkey, tweak, parity, result } of tweakaddvectors) {
      const tweaked = tweakKey(hex.decode(pubkey), hex.decode(tweak))
      expect(tweaked ? hex.encode(tweaked.key) : null).toBe(result)
      if (tweaked) expect(tweaked.isOdd).toBe(parity === 1)
    }
  })
})

describe('script text', () => {
  it('is read as Core reads its tests', () => {
    const assembled = (words: string) => {
      const script = assembleScript(words)
      return script && hex.encode(script)
    }
    expect(assembled("DUP OP_HASH160 0x02 0xabcd 'Az' -1 0 16 17 1000")).toBe(
      '76a902abcd02417a4f0060011102e803',
    )
    expect(assembled('  NOP \t RESERVED\n0x4c 0x00')).toBe('61504c00')
    expect(assembled('4294967295 -4294967295')).toBe('05ffffffff0005ffffffff80')
    for (const bad of ['4294967296', 'NOPE', '0xabc', 'PUSHDATA1', 'OP_1', "'x"]) {
      expect(assembleScript(bad)).toBeUndefined()
    }
  })
  it('is written as Core writes it', () => {
    const asm = (script: string) => scriptToAsm(hex.decode(script))
    expect(asm('0051604f0181020001050102030405')).toBe('0 1 16 -1 -1 256 0102030405')
    expect(asm('50627fb0b1b2b9babbfeff')).toBe(
      'OP_RESERVED OP_VER OP_SUBSTR OP_NOP1 OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP10 OP_CHECKSIGADD OP_UNKNOWN OP_UNKNOWN OP_INVALIDOPCODE',
    )
    expect(asm('76a902ab')).toBe('OP_DUP OP_HASH160 [error]')
    expect(asm('4d01')).toBe('[error]')
  })
  it('pushes the shortest way', () => {
    for (const size of [0, 1, 75, 76, 255, 256, 520, 65_535, 65_536]) {
      const push = pushData(new Uint8Array(size).fill(0xaa))
      expect(isPushOnly(push)).toBe(true)
      expect(isMinimalPush(new Uint8Array(size).fill(0xaa), push[0] ?? 0)).toBe(true)
      expect(push.length - size).toBe(size < 76 ? 1 : size < 256 ? 2 : size < 65_536 ? 3 : 5)
    }
    expect(isMinimalPush(Uint8Array.of(5), 1)).toBe(false)
    expect(isMinimalPush(Uint8Array.of(0x81), 1)).toBe(false)
    expect(isMinimalPush(Uint8Array.of(17), 1)).toBe(true)
    expect(isMinimalPush(Uint8Array.of(17), 76)).toBe(false)
    expect(isMinimalPush(new Uint8Array(256), 78)).toBe(false)
    expect([-1, 0, 16, 17, 128, -200].map((n) => hex.encode(pushNumber(n)))).toEqual([
      '4f',
      '00',
      '60',
      '0111',
      '028000',
      '02c880',
    ])
  })
})

describe('flags', () => {
  it("are Core's words", () => {
    expect(formatFlags(ALL_FLAGS).split(',')).toHaveLength(21)
    expect(parseFlags(formatFlags(ALL_FLAGS))).toBe(ALL_FLAGS)
    expect(parseFlags('')).toBe(flagsOf())
    expect(parseFlags('NONE')).toBe(flagsOf())
    expect(parseFlags('P2SH,WITNESS')).toBe(flagsOf('WITNESS', 'P2SH'))
    expect(parseFlags('P2SH,toString')).toBeUndefined()
    expect(formatFlags(CONSENSUS_FLAGS)).toBe(
      'P2SH,DERSIG,NULLDUMMY,CHECKLOCKTIMEVERIFY,CHECKSEQUENCEVERIFY,WITNESS,TAPROOT',
    )
    // Core's mempool asks for everything but this, which is only a test of its own.
    expect(formatFlags(withoutFlags(ALL_FLAGS, STANDARD_FLAGS))).toBe('SIGPUSHONLY')
    expect(formatFlags(withImplied(flagsOf('CLEANSTACK')))).toBe('P2SH,CLEANSTACK,WITNESS')
    expect(withoutFlags(flagsOf('P2SH', 'LOW_S'), flagsOf('LOW_S'))).toBe(flagsOf('P2SH'))
  })
})
