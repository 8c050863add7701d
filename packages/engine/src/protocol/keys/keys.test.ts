import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { p2tr } from '@scure/btc-signer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssertionError, fromHex, toHex } from '../../kernel/index.ts'
import {
  accountPath,
  batchCurve,
  derivePrivate,
  derivePublic,
  type ExtendedKey,
  HARDENED,
  hardened,
  KEY_VERSIONS,
  masterFromSeed,
  nobleCurve,
  parseExtendedKey,
  parseExtendedPublicKey,
  parseKeyOrigin,
  parseKeyPath,
  parseWif,
  printExtendedPrivateKey,
  printExtendedPublicKey,
  printKeyOrigin,
  printKeyPath,
  publicNode,
} from './index.ts'
import { entropyFromMnemonic, mnemonicFromEntropy, seedFromMnemonic } from './mnemonic/index.ts'

const XPUB =
  'xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ'
const XPRV =
  'xprv9xgqHN7yz9MwCkxsBPN5qetuNdQSUttZNKw1dcYTV4mkaAFiBVGQziHs3NRSWMkCzvgjEe3n9xV8oYywvM8at9yRqyaZVz6TYYhX98VjsUk'
const account = (): ExtendedKey => {
  const key = parseExtendedKey(XPUB)
  if (!key.ok) throw new Error(key.error.message)
  return key.value
}
const code = (result: { ok: true } | { ok: false; error: { code: string } }): string =>
  result.ok ? 'taken' : result.error.code

describe('public derivation', () => {
  const oracle = HDKey.fromExtendedKey(XPUB)
  const index = fc.integer({ min: 0, max: HARDENED - 1 })

  it('is that of another library, one by one and in ranges', () => {
    fc.assert(
      fc.property(index, fc.integer({ min: 0, max: HARDENED - 4 }), (branch, from) => {
        const node = publicNode(account()).child(branch)
        const theirs = oracle.deriveChild(branch)
        expect(printExtendedPublicKey(node.key)).toBe(theirs.publicExtendedKey)
        const range = node.deriveMany(from, 3).map(toHex)
        const single = [0, 1, 2].map((i) => toHex(node.child(from + i).key.publicKey))
        const expected = [0, 1, 2].map((i) =>
          toHex(theirs.deriveChild(from + i).publicKey ?? new Uint8Array()),
        )
        expect(range).toEqual(expected)
        expect(single).toEqual(expected)
      }),
      { numRuns: 15 },
    )
  })
  it('ends where the range ends', () => {
    const node = publicNode(account())
    expect(node.deriveMany(HARDENED - 1, 1).length).toBe(1)
    expect(node.deriveMany(5, 0)).toEqual([])
    for (const [from, count] of [
      [HARDENED, 1],
      [HARDENED - 1, 2],
      [-1, 1],
      [0.5, 1],
      [0, -1],
      [Number.NaN, 1],
    ] as const) {
      expect(() => node.deriveMany(from, count)).toThrow()
    }
    for (const bad of [HARDENED, -1, 0.5]) expect(() => node.child(bad)).toThrow()
  })
  it('refuses hardened steps, overflowing indexes and too great a depth by name', () => {
    expect(code(derivePublic(account(), [hardened(0)]))).toBe('KEY_HARDENED')
    expect(code(derivePublic(account(), [-1]))).toBe('KEY_PATH')
    expect(code(derivePublic(account(), new Array<number>(253).fill(0)))).toBe('KEY_PATH')
    expect(code(derivePublic({ ...account(), depth: 255 }, [0]))).toBe('KEY_PATH')
  })
  it('makes Taproot keys as another library does', () => {
    const keys = publicNode(account()).deriveMany(0, 32)
    const ours = nobleCurve.taprootKeys(keys).map(toHex)
    expect(ours).toEqual(keys.map((key) => toHex(p2tr(key.slice(1)).script.slice(2))))
    expect(nobleCurve.taprootKeys([])).toEqual([])
  })
})

describe('derivation in bulk', () => {
  const { Point } = secp256k1
  const N = Point.Fn.ORDER
  const scalarBytes = (value: bigint) => fromHex(value.toString(16).padStart(64, '0'))
  const pointOf = (secret: bigint) => Point.BASE.multiply(secret).toBytes(true)
  const scalar = fc.oneof(
    fc.bigInt({ min: 1n, max: N - 1n }),
    fc.bigInt({ min: 1n, max: 300n }),
    fc.bigInt({ min: 1n, max: 300n }).map((small) => N - small),
    // Digits at the edges of a window, where carries run.
    fc
      .array(fc.constantFrom(0, 1, 127, 128, 129, 255), { minLength: 31, maxLength: 31 })
      .map((bytes) => BigInt(`0x7f${toHex(Uint8Array.from(bytes))}`)),
  )
  const isSum = (secret: bigint, tweak: bigint) => (secret + tweak) % N !== 0n

  it('is that of the audited library, whatever the keys', () => {
    fc.assert(
      fc.property(scalar, fc.array(scalar, { minLength: 4, maxLength: 9 }), (secret, tweaks) => {
        const parent = pointOf(secret)
        const bytes = tweaks.filter((tweak) => isSum(secret, tweak)).map(scalarBytes)
        const ours = batchCurve.addTweaks(parent, bytes)
        expect(ours.map(toHex)).toEqual(nobleCurve.addTweaks(parent, bytes).map(toHex))
        const taproot = nobleCurve.taprootKeys(ours).map(toHex)
        expect(batchCurve.taprootKeys(ours).map(toHex)).toEqual(taproot)
        expect(batchCurve.taprootKeys(ours.map((key) => key.slice(1))).map(toHex)).toEqual(taproot)
      }),
      { numRuns: 60 },
    )
  })
  it('takes the slow way where its formulas do not hold', () => {
    // The parent meets itself or its negative among the points of the table.
    for (const secret of [1n, 2n, 128n, 256n, 255n, N - 1n, N - 128n]) {
      const tweaks = [1n, 2n, 128n, 256n, 257n, secret, 77n]
        .filter((tweak) => isSum(secret, tweak))
        .map(scalarBytes)
      const ours = batchCurve.addTweaks(pointOf(secret), tweaks)
      expect(ours.map(toHex)).toEqual(nobleCurve.addTweaks(pointOf(secret), tweaks).map(toHex))
    }
    const tweaks = [1n, 2n, 3n, 4n].map(scalarBytes)
    expect(() => batchCurve.addTweaks(pointOf(N - 3n), tweaks)).toThrow(AssertionError)
    expect(() => batchCurve.addTweaks(pointOf(9n), [...tweaks, scalarBytes(0n)])).toThrow(
      AssertionError,
    )
    expect(() => batchCurve.addTweaks(pointOf(9n), [...tweaks, scalarBytes(N)])).toThrow(
      AssertionError,
    )
  })
  it('crosses its chunks', () => {
    const node = publicNode(account())
    const all = node.deriveMany(0, 260).map(toHex)
    expect(all.slice(253)).toEqual(publicNode(account(), nobleCurve).deriveMany(253, 7).map(toHex))
  })
  it('does not believe bytes that were changed after it made them', () => {
    const keys = publicNode(account()).deriveMany(0, 6)
    for (const key of keys.slice(1)) key.set(keys[0] ?? [])
    expect(batchCurve.taprootKeys(keys).map(toHex)).toEqual(nobleCurve.taprootKeys(keys).map(toHex))
  })
})

describe('private derivation (test signers)', () => {
  it('agrees with public derivation', () => {
    const key = parseExtendedKey(XPRV)
    if (!key.ok || !key.value.privateKey) throw new Error('no private key')
    const child = derivePrivate({ ...key.value, privateKey: key.value.privateKey }, [1, 7])
    const open = derivePublic(key.value, [1, 7])
    expect(child.ok && printExtendedPublicKey(child.value)).toBe(
      open.ok && printExtendedPublicKey(open.value.key),
    )
  })
  it('starts from mnemonics of every length', () => {
    for (const length of [16, 20, 24, 28, 32]) {
      const words = mnemonicFromEntropy(new Uint8Array(length).fill(7))
      if (!words.ok) throw new Error(words.error.message)
      const entropy = entropyFromMnemonic(words.value.reveal())
      expect(entropy.ok && entropy.value.reveal().length).toBe(length)
    }
    expect(code(mnemonicFromEntropy(new Uint8Array(15)))).toBe('MNEMONIC_INVALID')
    expect(code(mnemonicFromEntropy(new Uint8Array(16), 'klingon'))).toBe('MNEMONIC_INVALID')
    expect(code(entropyFromMnemonic('abandon abandon'))).toBe('MNEMONIC_INVALID')
    expect(code(seedFromMnemonic('abandon'))).toBe('MNEMONIC_INVALID')
    expect(code(masterFromSeed(new Uint8Array(65), 'main'))).toBe('KEY_MALFORMED')
  })
})

describe('extended keys', () => {
  it('are read and written under every prefix', () => {
    const key = parseExtendedKey(XPRV)
    if (!key.ok || !key.value.privateKey) throw new Error('no private key')
    const secret = { ...key.value, privateKey: key.value.privateKey }
    for (const version of KEY_VERSIONS) {
      const text = version.isPrivate
        ? printExtendedPrivateKey(secret, version).reveal()
        : printExtendedPublicKey(secret, version)
      expect(text.slice(0, 4)).toBe(version.prefix)
      const again = parseExtendedKey(text)
      expect(again.ok && again.value.version).toBe(version)
      expect(code(parseExtendedPublicKey(text))).toBe(version.isPrivate ? 'KEY_PRIVATE' : 'taken')
    }
  })
  it('that contradict themselves are refused', () => {
    const master = { ...account(), depth: 0, parentFingerprint: '00000000', index: 0 }
    expect(code(parseExtendedKey(printExtendedPublicKey(master)))).toBe('taken')
    const child = printExtendedPublicKey({ ...master, index: 1 })
    const parent = printExtendedPublicKey({ ...master, parentFingerprint: '00000001' })
    const outside = printExtendedPublicKey({
      ...master,
      publicKey: new Uint8Array(33).fill(2, 0, 1),
    })
    expect([child, parent, outside].map((text) => code(parseExtendedKey(text)))).toEqual([
      'KEY_LINEAGE',
      'KEY_LINEAGE',
      'KEY_OFF_CURVE',
    ])
  })
  it('on another network are refused', () => {
    expect(code(parseExtendedPublicKey(XPUB, 'main'))).toBe('taken')
    for (const network of ['test', 'testnet4', 'signet', 'regtest'] as const) {
      expect(code(parseExtendedPublicKey(XPUB, network))).toBe('KEY_NETWORK')
    }
  })
  it('with one wrong character are refused, and the refusal does not repeat a secret', () => {
    const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0O -'
    fc.assert(
      fc.property(
        fc.constantFrom(XPUB, XPRV),
        fc.nat(110),
        fc.constantFrom(...alphabet),
        (text, at, letter) => {
          if (text.charAt(at) === letter) return
          const typo = text.slice(0, at) + letter + text.slice(at + 1)
          const result = parseExtendedKey(typo)
          expect(result.ok).toBe(false)
          expect(JSON.stringify(result)).not.toContain(typo.slice(20, 40))
        },
      ),
      { numRuns: 500 },
    )
  })
  it('never show a secret when they are logged', () => {
    const key = parseExtendedKey(XPRV)
    expect(JSON.stringify(key)).toContain('[secret]')
    expect(JSON.stringify(key)).not.toMatch(/"privateKey":\{/)
  })
})

describe('paths and origins', () => {
  it('go both ways', () => {
    const path = fc.array(fc.integer({ min: 0, max: 2 * HARDENED - 1 }), { maxLength: 12 })
    const fingerprint = fc.stringMatching(/^[0-9a-f]{8}$/)
    fc.assert(
      fc.property(path, fingerprint, (steps, print) => {
        const text = ['m', ...(steps.length > 0 ? [printKeyPath(steps)] : [])].join('/')
        const parsed = parseKeyPath(text)
        expect(parsed.ok && parsed.value).toEqual(steps)
        const origin = parseKeyOrigin(printKeyOrigin({ fingerprint: print, path: steps }))
        expect(origin.ok && origin.value).toEqual({ fingerprint: print, path: steps })
      }),
    )
    expect(printKeyPath(accountPath('p2wpkh', 'signet', 3))).toBe('84h/1h/3h')
  })
  it('that are malformed are refused', () => {
    for (const path of [
      '',
      '/',
      'm/',
      'm//0',
      '0/',
      'M/0',
      '-1',
      '1.5',
      '2147483648',
      '99999999999',
      '0H',
      "0h'",
      ' 0',
      '0 ',
      'm/m',
      7,
      null,
      [1],
    ]) {
      expect(code(parseKeyPath(path))).toBe('KEY_PATH')
    }
    for (const origin of [
      '',
      '[]',
      '[abc]',
      '[abcdefgh]',
      '[d34db33f',
      '[[d34db33f]]',
      '[d34db33f/]',
      '[d34db33f/m/0]',
      '[d34db33f/0/*]',
      '[d34db33f]x',
    ]) {
      expect(code(parseKeyOrigin(origin))).toBe('KEY_ORIGIN')
    }
  })
})

it('no parser of keys throws, whatever the text', () => {
  const seed = fc.constantFrom(
    XPUB,
    XPRV,
    'L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1',
    '[d34db33f/84h/0h/0h]',
    '',
  )
  fc.assert(
    fc.property(
      seed,
      fc.nat(120),
      fc.nat(5),
      fc.string({ maxLength: 5, unit: 'binary' }),
      (text, at, cut, splice) => {
        const attempt = text.slice(0, at) + splice + text.slice(at + cut)
        for (const result of [
          parseExtendedKey(attempt),
          parseExtendedPublicKey(attempt, 'main'),
          parseWif(attempt),
          parseKeyPath(attempt),
          parseKeyOrigin(attempt),
        ]) {
          if (!result.ok) expect(result.error.code).toMatch(/^KEY_/)
        }
      },
    ),
    { numRuns: 1500 },
  )
})
