import { p2ms, p2sh, p2wsh } from '@scure/btc-signer'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../kernel/index.ts'
import {
  isScriptSignature,
  type MultisigType,
  multisigInput,
  parseMultisigInput,
  sortedMultisigOutput,
  sortedMultisigScript,
  sortKeys,
} from './index.ts'

const publicKey = fc
  .bigInt({ min: 1n, max: secp256k1.Point.Fn.ORDER - 1n })
  .map((secret) => secp256k1.Point.BASE.multiply(secret).toBytes(true))
const rule = fc.array(publicKey, { minLength: 1, maxLength: 6 }).chain((publicKeys) =>
  fc.record({
    threshold: fc.integer({ min: 1, max: publicKeys.length }),
    publicKeys: fc.constant(publicKeys),
  }),
)

describe('sorted multisig', () => {
  it('is the same in whatever order the keys come', () => {
    fc.assert(
      fc.property(
        rule,
        fc.constantFrom<MultisigType>('p2sh', 'p2wsh', 'p2sh-p2wsh'),
        ({ threshold, publicKeys }, type) => {
          const one = sortedMultisigOutput({ threshold, publicKeys }, type)
          const other = sortedMultisigOutput(
            { threshold, publicKeys: publicKeys.toReversed() },
            type,
          )
          expect(one.ok && toHex(one.value.outputScript)).toBe(
            other.ok && toHex(other.value.outputScript),
          )
        },
      ),
      { numRuns: 40 },
    )
  })
  it('is that of another library', () => {
    fc.assert(
      fc.property(rule, ({ threshold, publicKeys }) => {
        const multisig = p2ms(threshold, sortKeys(publicKeys), true)
        const outputs = {
          p2sh: p2sh(multisig),
          p2wsh: p2wsh(multisig),
          'p2sh-p2wsh': p2sh(p2wsh(multisig)),
        }
        for (const [type, { script }] of Object.entries(outputs)) {
          const ours = sortedMultisigOutput({ threshold, publicKeys }, type as MultisigType)
          expect(ours.ok && toHex(ours.value.outputScript)).toBe(toHex(script))
        }
      }),
      { numRuns: 40 },
    )
  })
  it('orders keys as BIP 67 does', () => {
    const keys = ['03aa', '0201', '03', '02ff', '0200'].map((head) => head.padEnd(66, '0'))
    expect(sortKeys(keys.map(fromHex)).map(toHex)).toEqual(keys.toSorted())
  })
  it('does not change the list it is given', () => {
    const keys = [fromHex(`03${'11'.repeat(32)}`), fromHex(`02${'22'.repeat(32)}`)]
    sortKeys(keys)
    expect(keys.map((key) => key[0])).toEqual([3, 2])
  })
  it('refuses what P2SH cannot spend, and uncompressed keys', () => {
    const keys = Array.from({ length: 16 }, (_, i) =>
      fromHex(`02${'00'.repeat(31)}${(i + 16).toString(16)}`),
    )
    expect(sortedMultisigOutput({ threshold: 1, publicKeys: keys }, 'p2sh').ok).toBe(false)
    expect(sortedMultisigOutput({ threshold: 1, publicKeys: keys.slice(1) }, 'p2sh').ok).toBe(true)
    expect(sortedMultisigOutput({ threshold: 1, publicKeys: keys }, 'p2wsh').ok).toBe(true)
    expect(
      sortedMultisigScript({ threshold: 1, publicKeys: [fromHex(`04${'00'.repeat(64)}`)] }).ok,
    ).toBe(false)
  })
})

describe('multisig inputs', () => {
  const signature = fromHex('300602010102010101')
  it('go both ways, missing signatures included', () => {
    const script = multisigInput([signature, undefined])
    const parsed = script.ok ? parseMultisigInput(script.value) : script
    expect(parsed.ok && parsed.value.map((s) => s && toHex(s))).toEqual([
      toHex(signature),
      undefined,
    ])
  })
  it('take strict DER only', () => {
    expect(isScriptSignature(signature)).toBe(true)
    for (const hex of [
      '',
      '01',
      '3006020101020101',
      '300602010102010104',
      '30060201ff02010101',
      '3007020101020200010',
      '300702020001020101' + '01',
      '310602010102010101',
    ]) {
      expect(isScriptSignature(fromHex(hex.length % 2 ? `${hex}0` : hex))).toBe(false)
    }
  })
  it('never throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (script) => {
        expect(typeof parseMultisigInput(script).ok).toBe('boolean')
      }),
      { numRuns: 1000 },
    )
  })
})
