import { HDKey } from '@scure/bip32'
import { describe, expect, it } from 'vitest'
import {
  KEY_VERSIONS,
  parseExtendedKey,
  printExtendedPublicKey,
  SCRIPT_TYPES,
  type ScriptType,
} from '../keys/index.ts'
import {
  type Descriptor,
  descriptorFromXpub,
  expandPolicy,
  parseDescriptor,
  policyOf,
  printDescriptor,
  withChecksum,
} from './index.ts'

const XPUB =
  'xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ'
const OTHER =
  'xpub6CRQzb8u9dmMcq5XAwwRn9gcoYCjndJkhKgD11WKzbVGd932UmrExWFxCAvRnDN3ez6ZujLmMvmLBaSWdfWVn75L83Qxu1qSX4fJNrJg2Gt'
const XPRV =
  'xprv9xgqHN7yz9MwCkxsBPN5qetuNdQSUttZNKw1dcYTV4mkaAFiBVGQziHs3NRSWMkCzvgjEe3n9xV8oYywvM8at9yRqyaZVz6TYYhX98VjsUk'
const must = (text: string): Descriptor => {
  const parsed = parseDescriptor(text)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}
const code = (result: { ok: true } | { ok: false; error: { code: string } }): string =>
  result.ok ? 'taken' : result.error.code

describe('an xpub', () => {
  const TYPES: Readonly<Record<ScriptType, string>> = {
    p2pkh: 'pkh(X)',
    'p2sh-p2wpkh': 'sh(wpkh(X))',
    p2wpkh: 'wpkh(X)',
    p2tr: 'tr(X)',
  }
  const as = (prefix: string): string => {
    const key = parseExtendedKey(XPUB)
    const version = KEY_VERSIONS.find((known) => known.prefix === prefix)
    if (!key.ok || !version) throw new Error('no key')
    return printExtendedPublicKey(key.value, version)
  }
  it('becomes the descriptor of its account', () => {
    for (const scriptType of SCRIPT_TYPES) {
      const made = descriptorFromXpub({
        xpub: XPUB,
        scriptType,
        origin: 'd34db33f/86h/0h/0h',
        network: 'main',
      })
      if (!made.ok) throw new Error(made.error.message)
      const text = TYPES[scriptType].replace('X', `[d34db33f/86h/0h/0h]${XPUB}/<0;1>/*`)
      expect(printDescriptor(made.value)).toBe(withChecksum(text))
      expect(must(text)).toEqual(made.value)
    }
    const implied = descriptorFromXpub({ xpub: ` ${as('ypub')}\n` })
    expect(implied.ok && printDescriptor(implied.value)).toBe(
      withChecksum(`sh(wpkh(${XPUB}/<0;1>/*))`),
    )
  })
  it('is refused when it does not say enough or says two things', () => {
    expect(code(descriptorFromXpub({ xpub: XPUB }))).toBe('KEY_SCRIPT_TYPE')
    expect(code(descriptorFromXpub({ xpub: as('zpub'), scriptType: 'p2tr' }))).toBe(
      'KEY_SCRIPT_TYPE',
    )
    expect(code(descriptorFromXpub({ xpub: as('zpub'), scriptType: 'p2wpkh' }))).toBe('taken')
    for (const prefix of ['Ypub', 'Zpub', 'Upub', 'Vpub']) {
      expect(code(descriptorFromXpub({ xpub: as(prefix), scriptType: 'p2wpkh' }))).toBe(
        'KEY_MULTISIG',
      )
    }
    expect(code(descriptorFromXpub({ xpub: XPRV, scriptType: 'p2tr' }))).toBe('KEY_PRIVATE')
    expect(code(descriptorFromXpub({ xpub: as('vpub'), network: 'main' }))).toBe('KEY_NETWORK')
    expect(code(descriptorFromXpub({ xpub: XPUB, scriptType: 'p2tr', network: 'regtest' }))).toBe(
      'KEY_NETWORK',
    )
    expect(code(descriptorFromXpub({ xpub: XPUB.slice(1), scriptType: 'p2tr' }))).toMatch(
      /^KEY_(CHECKSUM|MALFORMED)$/,
    )
  })
  it('that is no account key needs an explanation', () => {
    const child = HDKey.fromExtendedKey(XPUB).deriveChild(5).publicExtendedKey
    expect(code(descriptorFromXpub({ xpub: child, scriptType: 'p2tr' }))).toBe('KEY_DEPTH')
    expect(code(descriptorFromXpub({ xpub: child, scriptType: 'p2tr', anyDepth: true }))).toBe(
      'taken',
    )
    expect(
      code(
        descriptorFromXpub({ xpub: child, scriptType: 'p2tr', origin: '[d34db33f/86h/0h/0h/5]' }),
      ),
    ).toBe('taken')
    for (const origin of [
      '[d34db33f/86h/0h/0h]',
      '[d34db33f/86h/0h/0h/6]',
      '[d34db33f/86h/0h/0h/5h]',
      '[d34db33]',
    ]) {
      expect(code(descriptorFromXpub({ xpub: child, scriptType: 'p2tr', origin }))).toBe(
        'KEY_ORIGIN',
      )
    }
  })
})

describe('wallet policies', () => {
  it('go both ways', () => {
    const policy = {
      template: 'wsh(sortedmulti(2,@0/**,@1/**))',
      keys: [`[d34db33f/48h]${XPUB}`, OTHER],
    }
    const text = expandPolicy(policy)
    const back = text.ok ? policyOf(must(text.value)) : text
    expect(back.ok && back.value).toEqual(policy)
    expect(code(policyOf(must(`wpkh(${XPUB}/*)`)))).toBe('DESCRIPTOR_INVALID')
  })
  it('that are malformed are refused', () => {
    for (const template of [
      'wpkh()',
      'wpkh(@0)',
      'wpkh(@1/**)',
      'wpkh(@0/**',
      'wpkh(@@0/**)',
      'wpkh(@0/**@)',
      'wpkh(@0/<0;1>/*,@0/**)',
    ]) {
      const text = expandPolicy({ template, keys: [XPUB] })
      expect(text.ok && parseDescriptor(text.value).ok).toBe(false)
    }
    expect(expandPolicy({ template: 'wpkh(@0/**)', keys: [] }).ok).toBe(false)
    expect(expandPolicy({ template: 'wpkh(@0/**)', keys: [XPUB, OTHER] }).ok).toBe(false)
  })
})
