import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { base64, hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { createDevnetInProcess, RpcError } from '../index.ts'
import { analyze } from './analyze.ts'
import { decodePsbt } from './decode.ts'
import { encodePsbt } from './encode.ts'
import { combine } from './merge.ts'
import { PsbtError } from './psbt.ts'
import { extract, finalize } from './update.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(join(shared, 'vectors/psbt', `${name}.json`), 'utf8')) as T
const asBase64 = (text: string): string => base64.encode(hex.decode(text))

interface Named {
  readonly name: string
  readonly hex: string
}
interface CoreCases {
  readonly invalid: readonly string[]
  readonly invalid_with_msg: readonly (readonly [string, string])[]
  readonly valid: readonly string[]
  readonly signer: readonly {
    readonly privkeys: readonly string[]
    readonly psbt: string
    readonly result: string
  }[]
  readonly combiner: readonly { readonly combine: readonly string[]; readonly result: string }[]
}
const core = vectors<CoreCases>('core_rpc_psbt')
const bip174 = vectors<{ readonly valid: readonly Named[]; readonly invalid: readonly Named[] }>(
  'bip174',
)
const bip371 = vectors<{ readonly valid: readonly Named[]; readonly invalid: readonly Named[] }>(
  'bip371',
)
const devnet = createDevnetInProcess({ start: 'genesis' })
const fault = (make: () => unknown): { code: number; message: string } | undefined => {
  try {
    make()
    return undefined
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    return { code: error.code, message: error.message }
  }
}
/** Core 28 knows version 0 only, and what version 2 named later is unknown to it, not wrong. */
const isLater = (text: string): boolean => {
  try {
    const { inputs, outputs, unknown } = decodePsbt(text)
    return [...inputs, ...outputs, { unknown }].some((map) => map.unknown.size > 0)
  } catch (error) {
    return error instanceof PsbtError && error.message.startsWith('Unsupported version number')
  }
}

describe('decodepsbt', () => {
  const invalid = [
    ...core.invalid,
    ...[...bip174.invalid, ...bip371.invalid].map((entry) => asBase64(entry.hex)),
  ].filter((text) => !isLater(text))
  test.each(invalid)('refuses %s', (text) => {
    const error = fault(() => devnet.call('decodepsbt', [text]))
    expect(error?.code).toBe(-22)
    expect(error?.message).toMatch(/^TX decode failed .+/)
  })
  it('refused most of them', () => expect(invalid.length).toBeGreaterThan(35))

  test.each(core.invalid_with_msg)('says why: %s', (text, message) => {
    const error = fault(() => devnet.call('decodepsbt', [text]))
    expect(error).toEqual({ code: -22, message: `TX decode failed ${message}: iostream error` })
  })
  it.each([
    ['', 'DataStream::read(): end of data: iostream error'],
    ['cHNidA==', 'DataStream::read(): end of data: iostream error'],
    ['not base64', 'invalid base64'],
    ['cHNidP8A', 'No unsigned transaction was provided: iostream error'],
    ['cHNidP8=', 'Separator is missing at the end of the global map: iostream error'],
    ['cHNidP8B/v///w==', 'SpanReader::read(): end of data: iostream error'],
  ])('says of %j: %s', (text, message) => {
    const error = fault(() => devnet.call('decodepsbt', [text]))
    expect(error).toEqual({ code: -22, message: `TX decode failed ${message}` })
  })

  it('never fails in another way, whatever is changed', () => {
    const seeds = core.valid.filter((text) => !isLater(text)).map((text) => base64.decode(text))
    const calls = ['decodepsbt', 'analyzepsbt', 'finalizepsbt']
    const change = fc.record({
      at: fc.nat(),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'insert'),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(change, { maxLength: 3 }),
        (seed, changes) => {
          let bytes = [...seed]
          for (const { at, byte, kind } of changes) {
            const place = at % bytes.length
            if (kind === 'cut') bytes = bytes.slice(0, place + 1)
            else bytes.splice(place, kind === 'set' ? 1 : 0, byte)
          }
          const text = base64.encode(Uint8Array.from(bytes))
          for (const call of calls) {
            const error = fault(() => devnet.call(call, [text]))
            if (error) expect(error.code).toBe(-22)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a PSBT', () => {
  const valid = [
    ...core.valid,
    ...[...bip174.valid, ...bip371.valid].map((entry) => asBase64(entry.hex)),
  ].filter((text) => !isLater(text))
  test.each(valid)('survives reading and writing: %s', (text) => {
    // As Core does, writing leaves out the signatures of previous transactions, and a version 0 that says nothing.
    const { inputs, version } = decodePsbt(text)
    const lean =
      version === undefined && !inputs.some(({ nonWitnessUtxo }) => nonWitnessUtxo?.hasWitness)
    const again = encodePsbt(decodePsbt(text))
    expect(encodePsbt(decodePsbt(again))).toBe(again)
    if (lean) expect(again).toBe(text)
    else expect(again.length).toBeLessThan(text.length)
    expect(analyze(decodePsbt(text)).inputs.length).toBe(decodePsbt(text).inputs.length)
  })
  it('were many', () => expect(valid.length).toBeGreaterThan(12))

  test.each(core.combiner)('combines', ({ combine: parts, result }) => {
    const joined = (list: readonly string[]) => {
      const combined = combine(list.map(decodePsbt))
      return combined && encodePsbt(combined)
    }
    expect(joined(parts)).toBe(result)
    // Either order gives the same, and twice is once.
    expect(joined([...parts].reverse())).toBe(result)
    expect(joined([...parts, ...parts])).toBe(result)
  })
})

describe('the workflow of BIP 174', () => {
  const flow = vectors<Record<string, string>>('bip174_workflow')
  const step = (name: string): string => asBase64(flow[name] ?? '')
  it('combines, finalises and extracts byte for byte', () => {
    const signed = [step('signed1'), step('signed2')]
    expect(devnet.call('combinepsbt', [signed])).toBe(step('combined'))
    const psbt = decodePsbt(step('combined'))
    expect(finalize(psbt)).toBe(true)
    expect(encodePsbt(psbt)).toBe(step('finalized'))
    expect(hex.encode(extract(psbt).raw)).toBe(flow['extracted_tx'])
    expect(devnet.call('finalizepsbt', [step('combined')])).toEqual({
      hex: flow['extracted_tx'],
      complete: true,
    })
  })
  test.each(core.signer)('is signed byte for byte by Core: $privkeys', (signer) => {
    const keys = signer.privkeys.map((wif) => `combo(${wif})`)
    const signed = devnet.call('descriptorprocesspsbt', [signer.psbt, keys, 'ALL', false, false])
    expect((signed as { readonly psbt: string }).psbt).toBe(signer.result)
  })
  it('says what is missing', () => {
    const view = devnet.call('analyzepsbt', [step('signed1')]) as {
      readonly next: string
      readonly inputs: readonly { readonly missing: { readonly signatures: readonly string[] } }[]
    }
    expect(view.next).toBe('signer')
    expect(view.inputs.map(({ missing }) => missing.signatures.length)).toEqual([1, 1])
  })
})
