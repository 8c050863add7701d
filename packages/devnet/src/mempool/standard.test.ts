import { describe, expect, it, test } from 'vitest'
import type { Coin as SpentCoin } from '../chain/node.ts'
import { hash160, pushData } from '../script/script.ts'
import { checkStandardInputs, checkStandardWitness } from './inputs.ts'
import {
  checkSize,
  checkStandard,
  dustThreshold,
  formatRate,
  isBurned,
  policySize,
  rateOf,
} from './policy.ts'
import { bare, home, Scene } from './policy.kit.ts'

const TXID = '11'.repeat(32)
const key = Uint8Array.of(2, ...new Uint8Array(32).fill(1))
const bytes = (size: number, fill = 1) => new Uint8Array(size).fill(fill)
const script = (...parts: readonly (number | Uint8Array)[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part])))
const multisig = (least: number, keys: number) =>
  script(0x50 + least, ...Array.from({ length: keys }, () => pushData(key)), 0x50 + keys, 0xae)
const one = (
  more: {
    version?: number
    scriptSig?: Uint8Array
    outs?: readonly { value: bigint; script: Uint8Array }[]
    witness?: readonly Uint8Array[]
  } = {},
) =>
  bare({
    version: more.version ?? 2,
    inputs: [
      {
        txid: TXID,
        vout: 0,
        script: more.scriptSig ?? new Uint8Array(),
        sequence: 0xffffffff,
        witness: more.witness ?? [],
      },
    ],
    outputs: more.outs ?? [{ value: 10_000n, script: home }],
    locktime: 0,
  })
const out = (own: Uint8Array, value = 10_000n) => ({ value, script: own })
const data = (size: number) => script(0x6a, pushData(bytes(size)))

describe('a transaction alone', () => {
  const cases: readonly (readonly [string, ReturnType<typeof one>, string | undefined])[] = [
    ['version 0', one({ version: 0 }), 'version'],
    ['version 1', one({ version: 1 }), undefined],
    ['version 3', one({ version: 3 }), undefined],
    ['version 4', one({ version: 4 }), 'version'],
    ['version -1', one({ version: 0xffffffff }), 'version'],
    ['100,001 vbytes', one({ witness: [bytes(400_000)] }), 'tx-size'],
    ['a scriptSig of 1650 bytes', one({ scriptSig: bytes(1650, 0x51) }), undefined],
    ['a scriptSig of 1651 bytes', one({ scriptSig: bytes(1651, 0x51) }), 'scriptsig-size'],
    ['a scriptSig with OP_DUP', one({ scriptSig: script(0x76) }), 'scriptsig-not-pushonly'],
    ['a scriptSig cut off', one({ scriptSig: script(5, 1) }), 'scriptsig-not-pushonly'],
    ['OP_RESERVED in a scriptSig', one({ scriptSig: script(0x50) }), undefined],
    ['an unknown output', one({ outs: [out(script(0x51))] }), 'scriptpubkey'],
    ['an empty output script', one({ outs: [out(script())] }), 'scriptpubkey'],
    ['bare multisig 1 of 3', one({ outs: [out(multisig(1, 3))] }), undefined],
    ['bare multisig 1 of 4', one({ outs: [out(multisig(1, 4))] }), 'scriptpubkey'],
    ['83 bytes of data', one({ outs: [out(data(80), 0n)] }), undefined],
    ['84 bytes of data', one({ outs: [out(data(81), 0n)] }), 'scriptpubkey'],
    ['two data outputs', one({ outs: [out(data(1), 0n), out(data(1), 0n)] }), 'multi-op-return'],
    ['a future witness version', one({ outs: [out(script(0x52, 2, 1, 2))] }), undefined],
    ['293 satoshi', one({ outs: [out(home, 293n)] }), 'dust'],
    ['294 satoshi', one({ outs: [out(home, 294n)] }), undefined],
    ['dust before an unknown output', one({ outs: [out(home, 1n), out(script(0x51))] }), 'dust'],
  ]
  test.each(cases)('%s', (_, transaction, reason) => {
    expect(checkStandard(transaction)?.reason).toBe(reason)
  })
  it('has at least 65 bytes without its witness', () => {
    const tiny = (size: number) => one({ outs: [out(script(0x6a, bytes(size - 61)), 0n)] })
    expect(tiny(64).strippedSize).toBe(64)
    expect(checkSize(tiny(64))?.reason).toBe('tx-size-small')
    expect(checkSize(tiny(65))).toBeUndefined()
  })
})

describe('the least amount of an output', () => {
  test.each([
    ['P2WPKH', script(0, 20, bytes(20)), 294n],
    ['P2WSH', script(0, 32, bytes(32)), 330n],
    ['P2TR', script(0x51, 32, bytes(32)), 330n],
    ['anchor', script(0x51, 2, 0x4e, 0x73), 240n],
    ['P2PKH', script(0x76, 0xa9, 20, bytes(20), 0x88, 0xac), 546n],
    ['P2SH', script(0xa9, 20, bytes(20), 0x87), 540n],
    ['P2PK', script(33, key, 0xac), 576n],
    ['data', script(0x6a, 1, 1), 0n],
    ['a script of 300 bytes', bytes(300, 0x51), 1377n],
  ])('%s', (_, own, least) => expect(dustThreshold({ value: 0n, script: own })).toBe(least))
})

describe('spent outputs', () => {
  const coin = (own: Uint8Array): SpentCoin => ({
    value: 1000n,
    script: own,
    height: 1,
    coinbase: false,
  })
  const p2sh = (redeem: Uint8Array) => coin(script(0xa9, 20, hash160(redeem), 0x87))
  const redeeming = (redeem: Uint8Array) => one({ scriptSig: pushData(redeem) })
  const INPUTS = 'bad-txns-nonstandard-inputs'
  const inputs: readonly (readonly [
    string,
    ReturnType<typeof one>,
    SpentCoin,
    (string | undefined)?,
  ])[] = [
    ['P2WPKH', one(), coin(home)],
    ['an unknown script', one(), coin(script(0x51)), INPUTS],
    ['a future witness version', one(), coin(script(0x52, 2, 1, 2)), INPUTS],
    ['an anchor', one(), coin(script(0x51, 2, 0x4e, 0x73))],
    ['15 signature operations in P2SH', redeeming(multisig(1, 15)), p2sh(multisig(1, 15))],
    ['16 of them', redeeming(bytes(16, 0xac)), p2sh(bytes(16, 0xac)), INPUTS],
    ['20 of an uncounted multisig', redeeming(script(0xae)), p2sh(script(0xae)), INPUTS],
    ['14 and a push over the end', redeeming(script(bytes(14, 0xac), 9)), p2sh(script())],
    ['P2SH without a push', one(), p2sh(script()), INPUTS],
    ['P2SH with OP_RESERVED', one({ scriptSig: script(0x50) }), p2sh(script()), INPUTS],
    ['P2SH with a push of 521', redeeming(bytes(521, 0x51)), p2sh(bytes(521, 0x51)), INPUTS],
    ['P2SH with 1001 pushes', one({ scriptSig: bytes(1001, 0x51) }), p2sh(script(1)), INPUTS],
    ['P2SH with numbers', one({ scriptSig: script(0x4f, 0x60, 0) }), p2sh(script())],
  ]
  test.each(inputs.map(([name, ...rest]) => ({ name, rest })))('$name', ({ rest }) => {
    const [transaction, spent, reason] = rest
    expect(checkStandardInputs(transaction, [spent])?.reason).toBe(reason)
  })

  const wsh = coin(script(0, 32, bytes(32)))
  const tr = coin(script(0x51, 32, bytes(32)))
  const wrapped = (program: Uint8Array, witness: readonly Uint8Array[]) =>
    one({ scriptSig: pushData(program), witness })
  const items = (count: number, size: number) => Array.from({ length: count }, () => bytes(size))
  const leaf = (version: number, ...stack: readonly Uint8Array[]) =>
    one({ witness: [...stack, bytes(10), script(version, bytes(32))] })
  const ODD = 'bad-witness-nonstandard'
  const witnesses: readonly (readonly [
    string,
    ReturnType<typeof one>,
    SpentCoin,
    (string | undefined)?,
  ])[] = [
    ['none', one(), coin(script(0x51, 2, 0x4e, 0x73))],
    ['of an anchor', one({ witness: [bytes(1)] }), coin(script(0x51, 2, 0x4e, 0x73)), ODD],
    [
      'of P2PKH',
      one({ witness: [bytes(1)] }),
      coin(script(0x76, 0xa9, 20, bytes(20), 0x88, 0xac)),
      ODD,
    ],
    ['of P2WPKH', one({ witness: items(2, 500) }), coin(home)],
    ['a script of 3600 bytes', one({ witness: [bytes(3600)] }), wsh],
    ['a script of 3601 bytes', one({ witness: [bytes(3601)] }), wsh, ODD],
    ['100 items of 80 bytes', one({ witness: [...items(100, 80), bytes(9)] }), wsh],
    ['101 items', one({ witness: [...items(101, 1), bytes(9)] }), wsh, ODD],
    ['an item of 81 bytes', one({ witness: [bytes(81), bytes(9)] }), wsh, ODD],
    [
      'the same limits in P2SH',
      wrapped(script(0, 32, bytes(32)), [bytes(81), bytes(9)]),
      p2sh(script()),
      ODD,
    ],
    ['of P2SH without program', wrapped(script(0x51), [bytes(1)]), p2sh(script()), ODD],
    ['of a P2SH with odd program', wrapped(script(0, 5, bytes(5)), [bytes(1)]), p2sh(script())],
    [
      'taproot in P2SH',
      wrapped(script(0x51, 32, bytes(32)), [...items(1, 81), bytes(1), script(0x50)]),
      p2sh(script()),
    ],
    ['a key path', one({ witness: [bytes(64)] }), tr],
    ['an annex', one({ witness: [bytes(64), script(0x50, 1)] }), tr, ODD],
    ['a script path', leaf(0xc0, bytes(80)), tr],
    ['an item of 81 bytes in tapscript', leaf(0xc1, bytes(81)), tr, ODD],
    ['an item of 81 bytes in a future leaf', leaf(0xc2, bytes(81)), tr],
    ['an empty control block', one({ witness: [bytes(1), bytes(1), script()] }), tr, ODD],
  ]
  test.each(witnesses.map(([name, ...rest]) => ({ name, rest })))('witness: $name', ({ rest }) => {
    const [transaction, spent, reason] = rest
    expect(checkStandardWitness(transaction, [spent])?.reason).toBe(reason)
  })
})

describe('sizes and rates', () => {
  it('count five vbytes per signature operation', () => {
    expect([
      policySize(400, 0),
      policySize(401, 0),
      policySize(400, 20),
      policySize(400, 21),
    ]).toEqual([100, 101, 100, 105])
    const scene = new Scene()
    const heavy = scene.make({ from: 'x', outs: [out(multisig(1, 3))] })
    // One bare multisig counts 20 operations of cost 4, and the input one more.
    const size = Math.ceil((81 * 20) / 4)
    expect(scene.verdicts(heavy)[0]?.vsize).toBe(size)
    expect(scene.send(scene.make({ from: 'x', outs: [out(multisig(1, 3))], fee: 400n }))).toBe(
      `min relay fee not met, 400 < ${size}`,
    )
    scene.devnet.send(heavy.raw)
    expect(scene.devnet.call('getmempoolentry', [heavy.txid])).toMatchObject({ vsize: size })
  })
  it('refuse too many signature operations', () => {
    const scene = new Scene()
    const outs = Array.from({ length: 200 }, () => out(multisig(1, 3), 1000n))
    expect(scene.send(scene.make({ from: 'x', outs, fee: 900_000n }))).toBe(
      'bad-txns-too-many-sigops, 16001',
    )
  })
  it('round a rate toward zero and print it as C does', () => {
    expect([rateOf(1999n, 2), rateOf(-1n, 2), rateOf(-1999n, 1000)]).toEqual([
      999_500n,
      -500n,
      -1999n,
    ])
    expect([formatRate(100_000_001n), formatRate(-500n)]).toEqual([
      '1.00000001 BTC/kvB',
      '0.-0000500 BTC/kvB',
    ])
  })
  it('know what is burned', () => {
    const burned = [script(0x6a), script(0xba), script(5, 1), pushData(bytes(521)), bytes(10_001)]
    expect(burned.map(isBurned)).toEqual(burned.map(() => true))
    expect([home, pushData(bytes(520)), script(0xb9)].map(isBurned)).toEqual([false, false, false])
  })
})
