import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet } from '../index.ts'
import { inOrder, PoolEntry, withAncestors, withDescendants } from './entry.ts'
import { bare, type Coin, home, NOW, Scene } from './policy.kit.ts'
import { MIN_RELAY_FEE_RATE, policySize } from './policy.ts'
import { Pool } from './pool.ts'
import { selectForBlock } from './select.ts'

interface Shape {
  readonly parents: readonly number[]
  readonly fee: number
  readonly padding: number
}
const shape: fc.Arbitrary<Shape> = fc.record({
  parents: fc.array(fc.nat(30), { maxLength: 3 }),
  fee: fc.integer({ min: 0, max: 20_000 }),
  padding: fc.nat(2000),
})
/** A pool of these: parent n stands for the n-th of the entries before, and is left out where there is none. */
function poolOf(shapes: readonly Shape[]): Pool {
  const pool = new Pool()
  const made: PoolEntry[] = []
  const spent = new Map<PoolEntry, number>()
  for (const [i, { parents, fee, padding }] of shapes.entries()) {
    const above = [...new Set(parents.flatMap((n) => made[n] ?? []))]
    const inputs = above.map((entry) => {
      const vout = spent.get(entry) ?? 0
      spent.set(entry, vout + 1)
      return { txid: entry.txid, vout }
    })
    const raw = [...inputs, { txid: (i + 1).toString(16).padStart(64, '0'), vout: 0 }]
    const parts = raw.map((input) => ({
      ...input,
      script: new Uint8Array(),
      sequence: 0,
      witness: [],
    }))
    const outputs = Array.from({ length: 31 }, () => ({ value: 1n, script: home }))
    const scripted = { value: 0n, script: new Uint8Array(padding) }
    const transaction = bare({
      version: 2,
      inputs: parts,
      outputs: [...outputs, scripted],
      locktime: 0,
    })
    const facts = {
      transaction,
      fee: BigInt(fee),
      time: i,
      height: 1,
      sigops: 4,
      unbroadcast: false,
    }
    const entry = new PoolEntry(facts)
    pool.add(entry, withAncestors(pool.parentsOf(transaction)))
    made.push(entry)
  }
  return pool
}

/** Every total again, from the links alone. */
function checkPool(pool: Pool): void {
  let size = 0
  let fees = 0n
  const spent = new Set<string>()
  for (const entry of pool.entries.values()) {
    size += entry.size
    fees += entry.fee
    expect(entry.modifiedFee).toBe(entry.fee + (pool.deltas.get(entry.txid) ?? 0n))
    for (const [totals, family] of [
      [entry.withAncestors, withAncestors([entry])],
      [entry.withDescendants, withDescendants([entry])],
    ] as const) {
      const members = [...family]
      expect(totals.count).toBe(members.length)
      expect(totals.size).toBe(members.reduce((sum, member) => sum + member.size, 0))
      expect(totals.fees).toBe(members.reduce((sum, member) => sum + member.modifiedFee, 0n))
      expect(totals.sigops).toBe(members.reduce((sum, member) => sum + member.sigops, 0))
    }
    expect(new Set(entry.parents)).toEqual(pool.parentsOf(entry.transaction))
    for (const parent of entry.parents) {
      expect(pool.entries.get(parent.txid)).toBe(parent)
      expect(parent.children.has(entry)).toBe(true)
    }
    for (const { key } of entry.transaction.inputs) {
      expect(spent.has(key)).toBe(false)
      spent.add(key)
      expect(pool.spenders.get(key)).toBe(entry.txid)
    }
  }
  expect([pool.bytes, pool.fees, pool.spenders.size]).toEqual([size, fees, spent.size])
}

describe('the pool', () => {
  it('keeps its totals right, whoever comes and goes', () => {
    fc.assert(
      fc.property(
        fc.array(shape, { minLength: 1, maxLength: 30 }),
        fc.array(fc.tuple(fc.constantFrom('mined', 'family', 'delta'), fc.nat(40)), {
          maxLength: 12,
        }),
        (shapes, steps) => {
          const pool = poolOf(shapes)
          checkPool(pool)
          for (const [kind, at] of steps) {
            const txids = [...pool.entries.keys()]
            const txid = txids[at % Math.max(1, txids.length)] ?? ''
            if (kind === 'family') pool.removeFamily(txid, 'evicted')
            else if (kind === 'delta') pool.prioritise(txid, BigInt(at) - 20n)
            else {
              // A block takes parents before children.
              const [root] = inOrder(
                withAncestors([...pool.entries.values()].slice(at % Math.max(1, txids.length))),
              ).filter(({ parents }) => parents.size === 0)
              if (root) pool.remove(root.txid, 'mined')
              if (root) pool.deltas.delete(root.txid)
            }
            if (kind !== 'delta')
              for (const gone of pool.deltas.keys())
                if (!pool.entries.has(gone)) pool.deltas.delete(gone)
            checkPool(pool)
            checkPool(pool.copy())
          }
        },
      ),
      { numRuns: 60 },
    )
  })
  it('uses no memory when all is gone', () => {
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 20 }), (shapes) => {
        const pool = poolOf(shapes)
        expect(pool.usage).toBeGreaterThan(0)
        for (const txid of [...pool.entries.keys()]) pool.removeFamily(txid, 'evicted')
        expect([pool.entries.size, pool.bytes, pool.fees]).toEqual([0, 0, 0n])
        expect(pool.usage).toBeLessThanOrEqual(2 ** Math.ceil(Math.log2(shapes.length)) * 16 + 31)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the selection of a block', () => {
  /** Single transactions by their own rate, each as soon as its parents are in: what a simple miner would do. */
  function naive(pool: Pool): bigint {
    const chosen = new Set<PoolEntry>()
    let fees = 0n
    let weight = 4000
    const better = (a: PoolEntry, b: PoolEntry) =>
      Number(b.modifiedFee) / b.size - Number(a.modifiedFee) / a.size
    for (;;) {
      const [next] = [...pool.entries.values()]
        .filter(
          (entry) => !chosen.has(entry) && [...entry.parents].every((parent) => chosen.has(parent)),
        )
        .filter((entry) => entry.modifiedFee * 1000n >= MIN_RELAY_FEE_RATE * BigInt(entry.size))
        .filter((entry) => weight + entry.transaction.weight < 3_996_000)
        .sort(better)
      if (!next) return fees
      chosen.add(next)
      fees += next.fee
      weight += next.transaction.weight
    }
  }
  it('holds parents before children, nothing below the relay fee, and at least what a simple miner earns', () => {
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 31 }), (shapes) => {
        const pool = poolOf(shapes)
        const { entries, fees, transactions } = selectForBlock(pool)
        const before = new Set<PoolEntry>()
        for (const entry of entries) {
          for (const parent of entry.parents) expect(before.has(parent)).toBe(true)
          before.add(entry)
        }
        expect(before.size).toBe(entries.length)
        expect(transactions).toEqual(entries.map(({ transaction }) => transaction))
        expect(fees).toBe(entries.reduce((sum, { fee }) => sum + fee, 0n))
        expect(fees).toBeGreaterThanOrEqual(naive(pool))
        // What stays out pays too little, alone and with everything that it needs.
        for (const entry of pool.entries.values()) {
          if (before.has(entry)) continue
          const open = [...withAncestors([entry])].filter((member) => !before.has(member))
          const paid = open.reduce((sum, member) => sum + member.modifiedFee, 0n)
          const size = open.reduce((sum, member) => sum + member.size, 0)
          expect(paid * 1000n).toBeLessThan(MIN_RELAY_FEE_RATE * BigInt(size) + 1000n)
        }
      }),
      { numRuns: 200 },
    )
  })
  it('scores a rich child of a poor parent by both together', () => {
    const pool = poolOf([
      { parents: [], fee: 2500, padding: 900 },
      { parents: [0], fee: 20_000, padding: 0 },
      { parents: [], fee: 15_000, padding: 0 },
      { parents: [], fee: 4000, padding: 0 },
    ])
    const fees = selectForBlock(pool).entries.map(({ fee }) => fee)
    expect(fees).toEqual([15_000n, 2500n, 20_000n, 4000n])
  })
  it('fits a block, in weight and in signature operations', () => {
    const large = poolOf(
      Array.from({ length: 70 }, (_, i) => ({ parents: [], fee: 100_000 + i, padding: 60_000 })),
    )
    const { entries } = selectForBlock(large)
    const weight = entries.reduce((sum, { transaction }) => sum + transaction.weight, 4000)
    expect(weight).toBeLessThan(3_996_000)
    expect(weight).toBeGreaterThan(3_700_000)
    const [best] = entries
    expect(best?.fee).toBe(100_069n)
    const busy = new Pool()
    for (const entry of large.entries.values()) {
      const facts = { ...entry, transaction: entry.transaction, sigops: 10_000 }
      busy.add(new PoolEntry({ ...facts, fee: 9_000_000n }), new Set())
    }
    expect(selectForBlock(busy).entries).toHaveLength(7)
    expect(policySize(4000, 10_000)).toBe(50_000)
  })
  it('takes thousands in a moment', () => {
    const pool = poolOf(
      Array.from({ length: 4000 }, (_, i) => ({
        parents: [],
        fee: 3000 + ((i * 7919) % 5000),
        padding: 0,
      })),
    )
    const from = performance.now()
    expect(selectForBlock(pool).entries.length).toBeGreaterThan(800)
    expect(performance.now() - from).toBeLessThan(2000)
  })
})

describe('a mempool in use', () => {
  const step = fc.record({
    kind: fc.constantFrom(
      'spend',
      'spend',
      'spend',
      'child',
      'child',
      'package',
      'mine',
      'back',
      'reorg',
      'prioritise',
      'wait',
    ),
    at: fc.nat(40),
    more: fc.nat(40),
    fee: fc.integer({ min: 0, max: 30_000 }),
    version: fc.constantFrom(2, 2, 3),
  })
  function run(
    scene: Scene,
    one: { kind: string; at: number; more: number; fee: number; version: number },
  ): void {
    const { devnet } = scene
    const { kind, at, more, version } = one
    const fee = BigInt(one.fee)
    const free = freeCoins(devnet)
    const coin = (n: number): string | Coin => free[n % Math.max(1, free.length)] ?? `c${n % 8}`
    if (kind === 'spend')
      scene.send(scene.make({ from: `c${at % 8}`, fee, version, split: 1 + (more % 3) }))
    else if (kind === 'child')
      scene.send(scene.make({ from: coin(at), fee, version, split: 1 + (more % 3) }))
    else if (kind === 'package') {
      const parent = scene.make({ from: `c${at % 8}`, fee: BigInt(more * 10), version })
      scene.submit(parent, scene.make({ from: parent.coins[0] ?? 'c0', fee, version }))
    } else if (kind === 'mine') devnet.mine()
    else if (kind === 'back')
      devnet.call('invalidateblock', [
        devnet.view.hashAt(Math.max(111, devnet.tip.height - 1)) ?? devnet.tip.hash,
      ])
    else if (kind === 'reorg')
      devnet.reorg(Math.min(2, devnet.tip.height - 110), { blocks: [[], [], []] })
    else if (kind === 'prioritise') {
      const [txid] = scene.pool()
      if (txid !== undefined) devnet.call('prioritisetransaction', [txid, 0, one.fee - 15_000])
    } else scene.now += at * 3600
  }
  function freeCoins(devnet: Devnet): Coin[] {
    return devnet.view.mempool().flatMap((txid) => {
      const { vout } = devnet.call('getrawtransaction', [txid, 1]) as {
        readonly vout: readonly { readonly value: bigint; readonly n: number }[]
      }
      return vout
        .filter(({ n }) => devnet.view.coin(txid, n) !== undefined)
        .map(({ value, n }) => ({ txid, vout: n, value }))
    })
  }
  it('keeps every limit, forgets nothing, and equals itself judged again after each reorganisation', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 50 }), fc.boolean(), (steps, small) => {
        const scene = new Scene(small ? { maxMempoolBytes: 9000 } : {})
        for (const one of steps) {
          if (one.kind === 'back' && scene.devnet.tip.height < 112) continue
          run(scene, one)
          const info = scene.devnet.call('getmempoolinfo') as { readonly usage: number }
          // Deltas of transactions that are not here take memory too, and nothing is evicted for them.
          if (small && one.kind !== 'prioritise')
            expect(info.usage).toBeLessThanOrEqual(9000 + 16 * 96)
          checkView(scene.devnet)
          // Judged again with more room than Core's accounts of changed fees would leave in a small pool.
          if (!small && (one.kind === 'back' || one.kind === 'reorg')) checkAgain(scene)
        }
      }),
      { numRuns: 60 },
    )
  }, 60_000)
  interface View {
    readonly ancestorcount: number
    readonly descendantcount: number
    readonly ancestorsize: number
    readonly descendantsize: number
    readonly depends: readonly string[]
  }
  const entriesOf = (devnet: Devnet) =>
    Object.entries(devnet.call('getrawmempool', [true]) as object) as readonly [string, View][]
  function checkView(devnet: Devnet): void {
    const seen = new Set<string>()
    for (const [txid, entry] of entriesOf(devnet)) {
      expect(entry.ancestorcount).toBeLessThanOrEqual(25)
      expect(entry.ancestorsize).toBeLessThanOrEqual(101_000)
      // A carved-out child may come on top.
      expect(entry.descendantcount).toBeLessThanOrEqual(26)
      for (const parent of entry.depends) expect(seen.has(parent)).toBe(true)
      seen.add(txid)
    }
  }
  /** The same transactions, offered one after another to a mempool that is empty. */
  function checkAgain(scene: Scene): void {
    const { devnet } = scene
    const before = entriesOf(devnet).map(([txid]) => txid)
    const raws = before.map((txid) => devnet.call('getrawtransaction', [txid]) as string)
    const saved = devnet.snapshot()
    devnet.evict(...before)
    devnet.feeSpike(1)
    for (const txid of before) devnet.call('prioritisetransaction', [txid, 0, 1_000_000])
    for (const [i, raw] of raws.entries()) {
      const fault = devnet.trySend(raw)
      // Version 3 families may be larger after a reorganisation than they may grow.
      if (fault !== undefined)
        expect([before[i], fault]).toEqual([before[i], expect.stringMatching(/^TRUC-violation/)])
    }
    devnet.restore(saved)
    expect(entriesOf(devnet).map(([txid]) => txid)).toEqual(before)
  }
  it('gives the same verdicts for the same calls', () => {
    const once = () => {
      const devnet = createDevnetInProcess({ clock: () => NOW * 1000, verifySignatures: false })
      for (let i = 0; i < 5; i++) devnet.send(devnet.spend({ from: `s${i}`, outs: [] }).raw)
      devnet.mine()
      return [devnet.tip.hash, devnet.call('estimaterawfee', [2])]
    }
    expect(once()).toEqual(once())
  })
})
