import { beforeEach, describe, expect, it, test } from 'vitest'
import { type Coin, home, type Plan, Scene } from './policy.kit.ts'

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
const VALUE = 19_990_000n
const NOWHERE: Coin = { txid: '22'.repeat(32), vout: 0, value: VALUE }
const out = (value: bigint, script = home) => ({ value, script })

describe('what no mempool takes', () => {
  const cases: readonly (readonly [string, Plan, string])[] = [
    ['twice the same input', { from: ['x', 'x'] }, 'bad-txns-inputs-duplicate'],
    ['a negative amount', { from: 'x', outs: [out(-1n)] }, 'bad-txns-vout-negative'],
    [
      'too large an amount',
      { from: 'x', outs: [out(2_100_000_000_000_001n)], fee: -2_200_000_000_000_000n },
      'bad-txns-vout-toolarge',
    ],
    [
      'no such coin beside another',
      { from: ['x', { txid: '00'.repeat(32), vout: 0xffffffff, value: 1n }] },
      'bad-txns-prevout-null',
    ],
    ['a version of the future', { from: 'x', version: 4 }, 'version'],
    ['single dust', { from: 'x', outs: [out(100n)] }, 'dust, tx with dust output must be 0-fee'],
    ['single dust without fee', { from: 'x', outs: [out(100n)], fee: 0n }, 'dust'],
    ['dust twice', { from: 'x', outs: [out(100n), out(100n)] }, 'dust'],
    ['a height to come', { from: 'x', locktime: 111 }, 'non-final'],
    ['a missing coin', { from: NOWHERE }, 'bad-txns-inputs-missingorspent'],
    ['a coin that is too young', { from: 'x', sequence: 200 }, 'non-BIP68-final'],
    [
      'more out than in',
      { from: 'x', outs: [out(VALUE + 1n)], split: 0 },
      'bad-txns-in-belowout, value in (0.1999) < value out (0.19990001)',
    ],
    ['too little fee', { from: 'x', fee: 10n }, 'min relay fee not met, 10 < 110'],
  ]
  test.each(cases)('%s', (_, plan, reason) => {
    expect(scene.send(scene.make(plan))).toBe(reason)
  })
  it('coinbases, and spends of young ones', () => {
    scene.devnet.mine(1, { to: scene.devnet.strangerAddress })
    const hash = scene.devnet.tip.hash
    const [coinbase = ''] = scene.devnet.view.blockTxids(hash) ?? []
    const raw = scene.devnet.call('getrawtransaction', [coinbase, 0, hash]) as string
    expect(scene.devnet.trySend(raw)).toBe('coinbase')
    const young = { txid: coinbase, vout: 0, value: 5_000_000_000n }
    expect(scene.send(scene.make({ from: young }))).toBe(
      'bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 1',
    )
    scene.devnet.mine(98)
    expect(scene.send(scene.make({ from: young }))).toMatch(/at depth 99$/)
    scene.devnet.mine(1)
    expect(scene.send(scene.make({ from: young }))).toBeUndefined()
  })
  it('what it has, and what a block has', () => {
    const made = scene.sent({ from: 'x' })
    expect(scene.verdicts(made)[0]?.['reject-reason']).toBe('txn-already-in-mempool')
    const other = scene.make({ from: 'x', witness: [Uint8Array.of(1), Uint8Array.of(2)] })
    expect(other.txid).toBe(made.txid)
    expect(scene.verdicts(other)[0]?.['reject-reason']).toBe('txn-same-nonwitness-data-in-mempool')
    scene.devnet.mine()
    expect(scene.verdicts(made)[0]?.['reject-reason']).toBe('txn-already-known')
    expect(() => scene.devnet.call('sendrawtransaction', [made.raw])).toThrow(
      'Transaction outputs already in utxo set',
    )
  })
  it('waits for the median time, not for the clock', () => {
    const median = (scene.devnet.call('getblockchaininfo') as { readonly mediantime: number })
      .mediantime
    const at = (locktime: number) => scene.send(scene.make({ from: 'x', locktime }))
    expect(at(median)).toBe('non-final')
    expect(at(median - 1)).toBeUndefined()
  })
})

describe('scripts', () => {
  it('fail by a rule of blocks or by one of policy alone', () => {
    const real = new Scene({ verifySignatures: true })
    const good = real.devnet.spend({ from: 'x', outs: [{ script: home, amount: 5000n }] })
    const flipped =
      good.raw.slice(0, -80) + (good.raw.at(-80) === '0' ? '1' : '0') + good.raw.slice(-79)
    expect(real.devnet.trySend(flipped)).toMatch(/^mandatory-script-verify-flag-failed \(.*\)$/)
    // A signature over anything but the known hash types is policy's business alone.
    const odd = good.raw.replace(/01(21[0-9a-f]{66}00000000)$/, '05$1')
    expect(odd).not.toBe(good.raw)
    expect(real.devnet.trySend(odd)).toMatch(/script-verify-flag/)
    expect(real.devnet.trySend(good.raw)).toBeUndefined()
  })
})

describe('limits of the caller', () => {
  const burn = { script: Uint8Array.of(0x6a, 1, 7), value: 5000n }
  const call =
    (method: string, ...params: readonly unknown[]) =>
    () =>
      scene.devnet.call(method, params)
  it('end what costs too much, and what burns', () => {
    const dear = scene.make({ from: 'x', fee: 2_000_000n })
    expect(call('sendrawtransaction', dear.raw)).toThrow(
      'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)',
    )
    expect(scene.verdicts(dear)).toMatchObject([
      { allowed: false, 'reject-reason': 'max-fee-exceeded' },
    ])
    const burning = scene.make({ from: 'x', outs: [burn] })
    expect(call('sendrawtransaction', burning.raw)).toThrow(
      'Unspendable output exceeds maximum configured by user (maxburnamount)',
    )
    expect(call('sendrawtransaction', burning.raw, 0.1, 0.00004999)).toThrow('maxburnamount')
    expect(call('sendrawtransaction', burning.raw, 0.1, 0.00005)()).toBe(burning.txid)
    expect(call('sendrawtransaction', dear.raw, 1)).toThrow(
      'Fee rates larger than or equal to 1BTC/kvB are not accepted',
    )
    expect(call('sendrawtransaction', scene.make({ from: 'y', fee: 2_000_000n }).raw, 0)()).toMatch(
      /^[0-9a-f]{64}$/,
    )
  })
  it('end a list of tests at the first that costs too much', () => {
    const list = [
      scene.make({ from: 'x' }),
      scene.make({ from: 'y', fee: 2_000_000n }),
      scene.make({ from: 'z' }),
    ]
    expect(scene.verdicts(...list)).toMatchObject([
      { allowed: true },
      { allowed: false, 'reject-reason': 'max-fee-exceeded' },
      { txid: list[2]?.txid },
    ])
    expect(scene.verdicts(...list)[2]?.allowed).toBeUndefined()
  })
})

describe('gettxspendingprevout', () => {
  const { txid } = NOWHERE
  test.each([
    [[], 'Invalid parameter, outputs are missing'],
    [['x'], 'JSON value of type string is not of expected type object'],
    [[{ vout: 0 }], 'Missing txid'],
    [[{ txid }], 'Missing vout'],
    [
      [{ txid: 1, vout: 0 }],
      'JSON value of type number for field txid is not of expected type string',
    ],
    [
      [{ txid, vout: '0' }],
      'JSON value of type string for field vout is not of expected type number',
    ],
    [[{ txid, vout: 0, n: 1 }], 'Unexpected key n'],
    [[{ txid: 'ab', vout: 0 }], "txid must be of length 64 (not 2, for 'ab')"],
    [[{ txid, vout: -1 }], 'Invalid parameter, vout cannot be negative'],
  ])('%j', (outputs, fault) => {
    expect(() => scene.devnet.call('gettxspendingprevout', [outputs])).toThrow(fault)
  })
})
