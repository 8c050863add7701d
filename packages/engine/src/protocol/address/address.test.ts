import { Address, NETWORK, OutScript, TEST_NETWORK } from '@scure/btc-signer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NETWORKS, type Network, toHex } from '../../kernel/index.ts'
import {
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  witnessScript,
} from '../script/index.ts'
import {
  addressOf,
  checkDestination,
  decodeBase58Check,
  decodeBech32,
  encodeBase58Check,
  parseAddress,
} from './index.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const network = fc.constantFrom(...NETWORKS)
const script = fc.oneof(
  bytes(20).map(p2pkhScript),
  bytes(20).map(p2shScript),
  bytes(20).map(p2wpkhScript),
  bytes(32).map(p2wshScript),
  bytes(32).map(p2trScript),
  fc
    .tuple(fc.integer({ min: 2, max: 16 }), fc.uint8Array({ minLength: 2, maxLength: 40 }))
    .map(([version, program]) => witnessScript(version, program)),
)
const must = (text: string, on: Network) => {
  const parsed = parseAddress(text, on)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}
const textOf = (of: Uint8Array, on: Network): string => {
  const text = addressOf(of, on)
  if (!text.ok) throw new Error(text.error.message)
  return text.value
}

describe('addresses', () => {
  it('go both ways for every type on every network', () => {
    fc.assert(
      fc.property(script, network, (output, on) => {
        const text = textOf(output, on)
        const parsed = must(text, on)
        expect(toHex(parsed.script)).toBe(toHex(output))
        expect(parsed.text).toBe(text)
        if (text.includes('1', 1) && /^(bc|tb)/.test(text)) {
          expect(must(text.toUpperCase(), on).text).toBe(text)
        }
      }),
    )
  })

  it('are those of another library', () => {
    const known = fc.oneof(
      bytes(20).map(p2pkhScript),
      bytes(20).map(p2shScript),
      bytes(20).map(p2wpkhScript),
      bytes(32).map(p2wshScript),
    )
    fc.assert(
      fc.property(known, fc.boolean(), (output, isMain) => {
        const other = Address(isMain ? NETWORK : TEST_NETWORK).encode(OutScript.decode(output))
        expect(textOf(output, isMain ? 'main' : 'test')).toBe(other)
      }),
    )
  })

  it('of another network are refused, and the network is named', () => {
    fc.assert(
      fc.property(
        script,
        fc.constantFrom<Network>('test', 'testnet4', 'signet', 'regtest'),
        (output, on) => {
          const refusal = parseAddress(textOf(output, 'main'), on)
          expect(refusal.ok ? '' : refusal.error.code).toBe('ADDRESS_NETWORK')
          expect(refusal.ok ? '' : refusal.error.details['found']).toBe('main')
          const back = parseAddress(textOf(output, on), 'main')
          expect(back.ok ? '' : back.error.code).toBe('ADDRESS_NETWORK')
        },
      ),
    )
    const litecoin = parseAddress('ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9', 'main')
    expect(litecoin.ok ? '' : litecoin.error.code).toBe('ADDRESS_NETWORK')
  })

  it('with one wrong character are refused', () => {
    const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0'
    fc.assert(
      fc.property(
        script,
        network,
        fc.nat(),
        fc.constantFrom(...alphabet),
        (output, on, place, letter) => {
          const text = textOf(output, on)
          const at = place % text.length
          if (text.charAt(at) === letter) return
          expect(parseAddress(text.slice(0, at) + letter + text.slice(at + 1), on).ok).toBe(false)
        },
      ),
    )
  })

  it('name mixed case and the wrong kind of checksum', () => {
    const mixed = parseAddress('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kV8f3t4', 'main')
    expect(mixed.ok ? '' : mixed.error.message).toMatch(/upper and lower case/)
    const old = parseAddress(
      'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx',
      'main',
    )
    expect(old.ok ? '' : old.error.message).toMatch(/bech32 checksum.*needs bech32m/)
  })

  it('never throw, whatever the text', () => {
    const seeds = [
      '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    ]
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom(...seeds)),
        fc.nat(80),
        fc.string({ maxLength: 3, unit: 'binary' }),
        network,
        (text, at, splice, on) => {
          for (const attempt of [text, text.slice(0, at) + splice + text.slice(at + 1)]) {
            const parsed = parseAddress(attempt, on)
            if (!parsed.ok) expect(parsed.error.code).toMatch(/^ADDRESS_/)
            expect(typeof decodeBech32(attempt).ok).toBe('boolean')
            expect(typeof decodeBase58Check(attempt).ok).toBe('boolean')
          }
        },
      ),
      { numRuns: 2000 },
    )
    expect(parseAddress('1'.repeat(1_000_000), 'main').ok).toBe(false)
  })
})

describe('destinations', () => {
  it('that swallow money are refused', () => {
    const onCurve = must('bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0', 'main')
    expect(checkDestination(onCurve).ok).toBe(true)
    const offCurve = textOf(p2trScript(new Uint8Array(32).fill(255)), 'main')
    expect(checkDestination(must(offCurve, 'main')).ok).toBe(false)
    const future = textOf(witnessScript(2, new Uint8Array(32)), 'main')
    expect(checkDestination(must(future, 'main')).ok).toBe(false)
    expect(must('bc1pfeessrawgf', 'main').type).toBe('p2a')
    expect(checkDestination(must('bc1pfeessrawgf', 'main')).ok).toBe(false)
  })
})

describe('base58check', () => {
  it('goes both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (payload) => {
        const decoded = decodeBase58Check(encodeBase58Check(payload))
        expect(decoded.ok && toHex(decoded.value)).toBe(toHex(payload))
      }),
    )
  })
})
