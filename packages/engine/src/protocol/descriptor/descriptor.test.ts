import { HDKey } from '@scure/bip32'
import { p2pkh, p2sh, p2tr, p2wpkh } from '@scure/btc-signer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssertionError, toHex } from '../../kernel/index.ts'
import {
  KEY_VERSIONS,
  nobleCurve,
  parseExtendedKey,
  printExtendedPublicKey,
} from '../keys/index.ts'
import {
  type Descriptor,
  deriveScripts,
  descriptorChecksum,
  type ParseOptions,
  parseDescriptor,
  printDescriptor,
  scriptAt,
  withChecksum,
} from './index.ts'

const XPUB =
  'xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ'
const OTHER =
  'xpub6CRQzb8u9dmMcq5XAwwRn9gcoYCjndJkhKgD11WKzbVGd932UmrExWFxCAvRnDN3ez6ZujLmMvmLBaSWdfWVn75L83Qxu1qSX4fJNrJg2Gt'
const XPRV =
  'xprv9xgqHN7yz9MwCkxsBPN5qetuNdQSUttZNKw1dcYTV4mkaAFiBVGQziHs3NRSWMkCzvgjEe3n9xV8oYywvM8at9yRqyaZVz6TYYhX98VjsUk'
const WIF = 'L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1'
const HEX = '03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd'

const must = (text: string, options: ParseOptions = {}): Descriptor => {
  const parsed = parseDescriptor(text, options)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}
const code = (result: { ok: true } | { ok: false; error: { code: string } }): string =>
  result.ok ? 'taken' : result.error.code
const refusal = (text: string, options: ParseOptions = {}) => {
  const parsed = parseDescriptor(text, options)
  if (parsed.ok) throw new Error('was taken')
  return parsed.error
}

const KINDS: Readonly<Record<string, (key: Uint8Array) => Uint8Array>> = {
  pkh: (key) => p2pkh(key).script,
  wpkh: (key) => p2wpkh(key).script,
  'sh(wpkh': (key) => p2sh(p2wpkh(key)).script,
  tr: (key) => p2tr(key.slice(1)).script,
}
const oneKey = (kind: string, key: string): string =>
  `${kind}(${key})${kind.includes('(') ? ')' : ''}`

describe('scripts', () => {
  it('are those of another library for every kind of single key', () => {
    const index = fc.integer({ min: 0, max: 2 ** 31 - 3 })
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(KINDS)),
        fc.constantFrom(0, 1),
        index,
        (kind, branch, from) => {
          const descriptor = must(oneKey(kind, `${XPUB}/<0;1>/*`))
          const node = HDKey.fromExtendedKey(XPUB).deriveChild(branch)
          const expected = [from, from + 1].map((i) =>
            toHex(
              KINDS[kind]?.(node.deriveChild(i).publicKey ?? new Uint8Array()) ?? new Uint8Array(),
            ),
          )
          expect(deriveScripts(descriptor, branch, from, 2).map(toHex)).toEqual(expected)
          expect(toHex(scriptAt(descriptor, branch, from + 1))).toBe(expected[1])
          // An own curve goes past the cache.
          expect(deriveScripts(descriptor, branch, from, 2, { ...nobleCurve }).map(toHex)).toEqual(
            expected,
          )
        },
      ),
      { numRuns: 20 },
    )
  })
  it('of private descriptors are those of their public form', () => {
    for (const kind of Object.keys(KINDS)) {
      for (const tail of ['/<0;1>/*', '/0/*', '/3h/<4;5>/*', '', '/7h']) {
        const secret = must(oneKey(kind, XPRV + tail))
        const open = must(printDescriptor(secret))
        expect(secret.hasPrivateKeys).toBe(true)
        expect(open.hasPrivateKeys).toBe(false)
        expect(printDescriptor(secret)).not.toContain('prv')
        for (let branch = 0; branch < secret.branches; branch++) {
          expect(toHex(scriptAt(open, branch, 0))).toBe(toHex(scriptAt(secret, branch, 0)))
        }
      }
      expect(printDescriptor(must(oneKey(kind, WIF)))).not.toContain(WIF)
    }
  })
  it('outside the descriptor are our own bug', () => {
    const ranged = must(`wpkh(${XPUB}/<0;1>/*)`)
    const single = must(`wpkh(${HEX})`)
    for (const [branch, from, count] of [
      [2, 0, 1],
      [-1, 0, 1],
      [0.5, 0, 1],
      [0, 2 ** 31, 1],
      [0, 2 ** 31 - 1, 2],
      [0, -1, 1],
      [0, 0, -1],
    ] as const) {
      expect(() => deriveScripts(ranged, branch, from, count)).toThrow(AssertionError)
    }
    expect(() => scriptAt(single, 0, 1)).toThrow(AssertionError)
    expect(deriveScripts(single, 0, 0, 1).length).toBe(1)
    expect(deriveScripts(ranged, 0, 0, 0)).toEqual([])
  })
  it('of fixed descriptors cannot be changed through what is returned', () => {
    const raw = must('raw(deadbeef)')
    scriptAt(raw, 0, 0).fill(0)
    expect(toHex(scriptAt(raw, 0, 0))).toBe('deadbeef')
  })
})

describe('parsing', () => {
  it('prints the same text that it reads, in canonical form', () => {
    const texts = [
      `pkh(${HEX})`,
      `wpkh([d34db33f/84h/0h/0h]${XPUB}/<0;1>/*)`,
      `sh(wpkh(${XPUB}/1/2/3))`,
      `tr(${HEX.slice(2)})`,
      `tr([00000000]${XPUB}/*)`,
      `wsh(sortedmulti(2,[d34db33f/48h/0h/0h/2h]${XPUB}/<0;1>/*,${OTHER}/<0;1>/*))`,
      `sh(wsh(sortedmulti(1,${XPUB}/<0;1>/*,${OTHER}/5/*,${HEX})))`,
      'addr(bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4)',
      'raw(6a)',
    ]
    for (const text of texts) {
      expect(printDescriptor(must(text))).toBe(withChecksum(text))
      expect(printDescriptor(must(withChecksum(text), { requireChecksum: true }))).toBe(
        withChecksum(text),
      )
    }
    expect(printDescriptor(must(`wpkh([D34DB33F/84'/0']${XPUB}/*)`))).toBe(
      withChecksum(`wpkh([d34db33f/84h/0h]${XPUB}/*)`),
    )
  })
  it('prints private keys as Bitcoin Core normalises them', () => {
    const printed = printDescriptor(must(`wpkh([d34db33f/86h]${XPRV}/3h/4/5h/6/<0;1>/*)`))
    expect(printed).toMatch(/^wpkh\(\[d34db33f\/86h\/3h\/4\/5h\]xpub[1-9A-Za-z]+\/6\/<0;1>\/\*\)#/)
    const own = printDescriptor(must(`wpkh(${XPRV}/3h)`))
    expect(own).toMatch(/^wpkh\(\[[0-9a-f]{8}\/3h\]xpub[1-9A-Za-z]+\)#/)
  })
  it('says what a descriptor is', () => {
    const { keys: _, ...facts } = must(`wsh(sortedmulti(2,${XPUB}/<0;1;2>/*,${OTHER}/7))`)
    expect(facts).toEqual({
      kind: 'wsh(sortedmulti)',
      threshold: 2,
      network: 'main',
      isRanged: true,
      branches: 3,
      hasPrivateKeys: false,
    })
    expect(must('addr(tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx)').network).toBe('test')
    expect(
      must('addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)', { network: 'regtest' }).kind,
    ).toBe('addr')
    expect('network' in must('raw(00)')).toBe(false)
  })
  it('refuses other functions by name', () => {
    const cases: [string, string][] = [
      [`pk(${HEX})`, 'pk'],
      [`combo(${HEX})`, 'combo'],
      [`multi(1,${HEX})`, 'multi'],
      [`sortedmulti(1,${HEX})`, 'sortedmulti'],
      [`sh(sortedmulti(1,${HEX}))`, 'sortedmulti'],
      [`sh(pkh(${HEX}))`, 'pkh'],
      [`wsh(pk(${HEX}))`, 'pk'],
      [`wsh(multi(1,${HEX}))`, 'multi'],
      [`wsh(and_v(v:pk(${HEX}),older(5)))`, 'and_v'],
      [`wsh(c:pk_k(${HEX}))`, 'pk_k'],
      [`tr(${HEX},pk(${HEX}))`, 'tr'],
      [`tr(musig(${HEX},${HEX}))`, 'musig'],
      [`wsh(sortedmulti(1,musig(${HEX},${HEX})))`, 'musig'],
      [`rawtr(${HEX})`, 'rawtr'],
    ]
    for (const [text, name] of cases) {
      const { code: is, details, message } = refusal(text)
      expect([text, is, details['function']]).toEqual([text, 'DESCRIPTOR_UNSUPPORTED', name])
      expect(message).toContain(`${name}()`)
    }
  })
  it('refuses malformed texts with the place and the reason', () => {
    const cases: [string, number, RegExp][] = [
      ['', 0, /function is expected/],
      ['wpkh', 0, /function is expected/],
      ['wpkh(', 4, /bracket/],
      [`wpkh(${HEX}`, 4, /bracket/],
      [`wpkh(${HEX}))`, 72, /bracket/],
      [`foo(${HEX})`, 0, /foo is not a descriptor function/],
      [`wpkh(${HEX})x`, 73, /closing bracket/],
      ['wpkh()', 5, /key is missing/],
      [`wpkh(${HEX}/0)`, 72, /path after a single key/],
      [`wpkh(${XPUB}/0x)`, 117, /not a number/],
      [`wpkh(${XPUB}/2147483648)`, 117, /above 2147483647/],
      [`wpkh(${XPUB}/*/0)`, 117, /not the last step/],
      [`wpkh(${XPUB}/<0;1>/<0;1>/*)`, 123, /more than one multipath/],
      [`wpkh(${XPUB}/<0>/*)`, 117, /fewer than two/],
      [`wpkh(${XPUB}/<0;0>/*)`, 117, /stands twice/],
      [`wpkh([d34db33]${XPUB})`, 5, /eight hex digits/],
      [`wpkh(${HEX.slice(0, -1)}e)`, 5, /no point of the curve/],
      [`wpkh(04${'11'.repeat(64)})`, 5, /no point of the curve/],
      [`wpkh(${HEX.slice(2)})`, 5, /x-only/],
      ['sh(raw(00))', 3, /only at the top/],
      ['wsh(addr(x))', 4, /only at the top/],
      ['raw()', 4, /hex/],
      ['raw(0)', 4, /hex/],
      ['addr(x)', 5, /address/],
      [`wsh(sortedmulti(0,${HEX}))`, 16, /number from 1/],
      [`wsh(sortedmulti(2,${HEX}))`, 16, /2 signatures of 1/],
      [`wsh(sortedmulti(1))`, 16, /0 keys/],
      [`wsh(sortedmulti(1,${XPUB}/<0;1>/*,${OTHER}/<0;1;2>/*))`, 0, /different lengths/],
      [`wpkh(\u00dc)`, 5, /foreign/],
    ]
    for (const [text, position, reason] of cases) {
      const error = refusal(text)
      expect([text, error.code, error.details['position']]).toEqual([
        text,
        'DESCRIPTOR_INVALID',
        position,
      ])
      expect(error.details['reason']).toMatch(reason)
    }
  })
  it('refuses keys that cannot be used, by what is wrong with them', () => {
    const zpub = KEY_VERSIONS.find(({ prefix }) => prefix === 'zpub')
    const tpub = KEY_VERSIONS.find(({ prefix }) => prefix === 'tpub')
    const key = parseExtendedKey(XPUB)
    if (!key.ok) throw new Error('no key')
    const test = printExtendedPublicKey(key.value, tpub)
    expect(refusal(`wpkh(${printExtendedPublicKey(key.value, zpub)}/*)`).code).toBe('KEY_VERSION')
    expect(refusal(`wpkh(${XPUB}/0h/*)`).code).toBe('KEY_HARDENED')
    expect(refusal(`wpkh(${XPUB}/*h)`).code).toBe('KEY_HARDENED')
    expect(refusal(`wpkh(${XPUB}/<0;1h>/*)`).code).toBe('KEY_HARDENED')
    expect(refusal(`wpkh(${XPUB}/*)`, { network: 'regtest' }).code).toBe('KEY_NETWORK')
    expect(refusal(`wpkh(${test}/*)`, { network: 'main' }).code).toBe('KEY_NETWORK')
    expect(code(parseDescriptor(`wpkh(${test}/*)`, { network: 'signet' }))).toBe('taken')
    expect(refusal(`wsh(sortedmulti(1,${OTHER},${test}))`).code).toBe('DESCRIPTOR_INVALID')
    expect(refusal('addr(1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH)', { network: 'test' }).code).toBe(
      'ADDRESS_NETWORK',
    )
  })
  it('refuses one key twice in a multisig, in whatever form', () => {
    const oneHex = `${XPUB}/<0;1>/*`
    for (const twice of [
      `${XPUB}/<0;1>/*`,
      `${XPUB}/<2;3>/*`,
      `[d34db33f/48h]${XPUB}/<0;1>/*`,
      `${XPRV}/<0;1>/*`,
    ]) {
      expect(refusal(`wsh(sortedmulti(1,${oneHex},${OTHER}/0/*,${twice}))`).code).toBe(
        'DESCRIPTOR_KEY_TWICE',
      )
    }
    expect(refusal(`wsh(sortedmulti(2,${HEX},${WIF}))`).code).toBe('DESCRIPTOR_KEY_TWICE')
  })
  it('never repeats a private key in a refusal', () => {
    for (const text of [
      `wpkh(${XPRV}x/0)`,
      `wpkh(${WIF}/0)`,
      `wpkh(x${WIF})`,
      `foo(${XPRV})`,
      `wpkh(${XPRV}`,
      `tr(${XPRV},pk(${WIF}))`,
      `wpkh([${XPRV}]${HEX})`,
      `wpkh(${HEX}/${XPRV})`,
    ]) {
      const shown = JSON.stringify(refusal(text))
      expect(shown).not.toContain(XPRV.slice(0, 24))
      expect(shown).not.toContain(WIF.slice(0, 24))
    }
    expect(JSON.stringify(must(`wpkh(${XPRV}/*)`).keys)).toContain('[secret]')
  })
})

describe('checksums', () => {
  const text = withChecksum(`wpkh([d34db33f/84h/0h/0h]${XPUB}/<0;1>/*)`)
  it('find every single wrong character', () => {
    const letters = [..."0123456789abcdefABCDEFxyzXYZ()[]/<>;*#h'"]
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...letters), (at, letter) => {
        if (text.charAt(at) === letter) return
        expect(parseDescriptor(text.slice(0, at) + letter + text.slice(at + 1)).ok).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
  it('are demanded where they have to be there', () => {
    expect(refusal(`wpkh(${HEX})`, { requireChecksum: true }).code).toBe('DESCRIPTOR_CHECKSUM')
    for (const tail of ['#', '#1234567', '#123456789', '##2345678', '#qqqqqqqq']) {
      expect(refusal(`wpkh(${HEX})${tail}`).code).toBe('DESCRIPTOR_CHECKSUM')
    }
    expect(descriptorChecksum('raw(\u00dc)')).toBeUndefined()
  })
})

it('no parser of descriptors throws, and what is taken prints stably', () => {
  const seeds = [
    `wpkh([d34db33f/84h/0h/0h]${XPUB}/<0;1>/*)`,
    `sh(wsh(sortedmulti(2,${XPUB}/*,${OTHER}/<0;1>/*,${HEX})))`,
    `tr(${XPRV}/0h/*)`,
    `pkh(${WIF})`,
    `raw(00)`,
    'addr(1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH)',
  ]
  const token = fc.constantFrom(
    '(',
    ')',
    '<',
    '>',
    ';',
    ',',
    '/',
    '*',
    'h',
    '[',
    ']',
    '{',
    '}',
    '#',
    'wsh(',
    'sh(',
    'sortedmulti(',
    'tr(',
    '0',
    '99999999999',
    'musig(',
    '',
    ':',
    'v:pk(',
    '@0',
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(
        fc.tuple(
          fc.nat(400),
          fc.nat(6),
          fc.oneof(token, fc.string({ maxLength: 3, unit: 'binary' })),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      (seed, edits) => {
        const text = edits.reduce(
          (now, [at, cut, splice]) =>
            now.slice(0, at % (now.length + 1)) + splice + now.slice((at % (now.length + 1)) + cut),
          seed,
        )
        const parsed = parseDescriptor(text)
        if (!parsed.ok) {
          expect(parsed.error.code).toMatch(/^(DESCRIPTOR|KEY|ADDRESS)_/)
          return
        }
        const printed = printDescriptor(parsed.value)
        const again = parseDescriptor(printed)
        if (again.ok) expect(printDescriptor(again.value)).toBe(printed)
        else expect(again.error.code).toBe('KEY_HARDENED')
      },
    ),
    { numRuns: 3000 },
  )
  expect(parseDescriptor('('.repeat(1_000_000)).ok).toBe(false)
})
