import type { Store } from '@kaccy/bitcoin'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { type ChainSource, GENESIS } from '@kaccy/bitcoin/chain'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { blockHash, EngineError, type Txid } from '@kaccy/bitcoin/kernel'
import { createDevnetInProcess, type Devnet } from '@kaccy/devnet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sqliteInMemory } from '../store/homes.ts'
import { START, THIEF, Till } from './till.ts'

/** One final chain, and all that an engine may be shown on the way to it. */
interface Film {
  readonly devnet: Devnet
  /** Hashes by height when the orders were made, of the branch that was given up, and in the end. */
  readonly first: readonly string[]
  readonly detour: readonly string[]
  readonly last: readonly string[]
  /** Raw transactions by the height whose block holds them. */
  readonly inBlock: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>
}
interface Plot {
  /** For each order: the block that pays it, in how many outputs, and whether its owner spends it three blocks later. */
  readonly orders: readonly {
    readonly at: number
    readonly outputs: number
    readonly spent: boolean
  }[]
  /** Orders that are paid once more, long after they are final. */
  readonly again: readonly number[]
  readonly blocks: number
  /** Where the other branch began, and its length. */
  readonly fork: number
  readonly branch: number
}
const AMOUNT = 3000
const plots: fc.Arbitrary<Plot> = fc.record({
  orders: fc.array(
    fc.record({ at: fc.nat(9), outputs: fc.integer({ min: 1, max: 3 }), spent: fc.boolean() }),
    { minLength: 1, maxLength: 6 },
  ),
  // An open address (every third) would take its level from the second payment: that is another story.
  again: fc.uniqueArray(fc.constantFrom(0, 1, 3, 4), { maxLength: 2 }),
  blocks: fc.integer({ min: 12, max: 26 }),
  fork: fc.nat(8),
  branch: fc.integer({ min: 1, max: 8 }),
})

/** Shows exactly the chain that it is told to show, and the mempool with it. */
class Projector {
  best: readonly string[] = []
  mempool: ReadonlyMap<string, Uint8Array> = new Map()
  readonly source: ChainSource

  constructor({ view }: Devnet) {
    const tip = () => ({ height: this.best.length - 1, hash: blockHash(this.best.at(-1) ?? '') })
    this.source = {
      info: async () => ({
        network: 'regtest',
        genesis: GENESIS.regtest,
        tip: tip(),
        headers: tip().height,
        initialBlockDownload: false,
      }),
      hashAt: async (height) => {
        const hash = this.best[height]
        return hash === undefined ? undefined : blockHash(hash)
      },
      header: async (hash) => {
        const found = view.header(hash)
        if (!found) return undefined
        const { height, prev, time } = found
        const onBestChain = this.best[height] === hash
        return { height, hash, prev: blockHash(prev), time, onBestChain }
      },
      block: async ({ hash }) => view.block(hash) ?? new Uint8Array(),
      mempool: async () => ({
        txids: [...this.mempool.keys()] as Txid[],
        loaded: true,
        epoch: 'one life',
      }),
      mempoolTransactions: async (txids) => txids.map((txid) => this.mempool.get(txid)),
      coins: async (points) => points.map(() => undefined),
    }
  }
}

const hashes = ({ view }: Devnet): string[] =>
  Array.from({ length: view.tip().height + 1 }, (_, height) => view.hashAt(height) ?? '')

/** Makes the chain of a plot; the addresses are those that every engine here gives to its orders. */
function shoot(plot: Plot, scripts: readonly Uint8Array[], withReuse: boolean): Film {
  const devnet = createDevnetInProcess({
    seed: 'film',
    clock: () => START,
    verifySignatures: false,
  })
  const first = hashes(devnet)
  const base = devnet.tip.height
  const planned = new Map<number, string[]>()
  const plan = (at: number, raw: string) => planned.set(at, [...(planned.get(at) ?? []), raw])
  for (const [i, { at, outputs, spent }] of plot.orders.entries()) {
    const out = { script: scripts[i] ?? THIEF, amount: AMOUNT / outputs }
    const pay = devnet.spend({ from: `c${i}`, outs: Array(outputs).fill(out) })
    plan(at, pay.raw)
    const from = { txid: pay.txid, vout: 0 }
    const outs = [{ script: THIEF, amount: 600 }]
    if (spent) plan(at + 3, devnet.spend({ from, outs, change: false }).raw)
  }
  if (withReuse)
    for (const i of plot.again) {
      const order = plot.orders[i]
      const at = (order?.at ?? 0) + 8
      if (!order || at >= plot.blocks) continue
      const outs = [{ script: scripts[i] ?? THIEF, amount: 700 }]
      plan(at, devnet.spend({ from: `again ${i} ${at}`, outs }).raw)
    }
  const mine = (at: number) => devnet.mineBlock({ transactions: planned.get(at) ?? [] })
  for (let at = 0; at < plot.fork; at++) mine(at)
  // The branch that is given up pays the same orders, each one block later than the final chain does.
  for (let at = 0; at < plot.branch; at++)
    devnet.mineBlock({ transactions: at === 0 ? [] : (planned.get(plot.fork + at - 1) ?? []) })
  const detour = hashes(devnet)
  devnet.reorg(plot.branch)
  const kept = plot.branch + 1
  devnet.reorg(kept, {
    blocks: Array.from({ length: kept }, (_, i) => planned.get(plot.fork + i) ?? []),
  })
  for (let at = plot.fork + kept; at < plot.blocks; at++) mine(at)
  const inBlock = new Map<number, Map<string, Uint8Array>>()
  for (const [at, raws] of planned) {
    const ofBlock = new Map<string, Uint8Array>()
    for (const raw of raws) {
      const bytes = Uint8Array.from(Buffer.from(raw, 'hex'))
      ofBlock.set(txidOf(devnet, raw), bytes)
    }
    inBlock.set(base + 1 + at, ofBlock)
  }
  return { devnet, first, detour, last: hashes(devnet), inBlock }
}
function txidOf(devnet: Devnet, raw: string): string {
  const decoded = devnet.call('decoderawtransaction', [raw])
  return String((decoded as { readonly txid: unknown }).txid)
}

type Style = 'by block' | 'by block, seen before' | 'in one go' | 'with crashes' | 'with a detour'

async function openTill(projector: Projector, store: Store, blocksPerCommit: number) {
  const till = await Till.open({
    registers: false,
    store,
    blocksPerCommit,
    devnet: idle,
    between: () => projector.source,
  })
  return till
}
const idle = createDevnetInProcess({ seed: 'idle', clock: () => START, verifySignatures: false })

async function begin(till: Till, count: number): Promise<readonly OrderRecord[]> {
  await till.look()
  await till.register()
  await till.look()
  const orders: OrderRecord[] = []
  for (let i = 0; i < count; i++)
    orders.push(
      await till.order({ externalId: `o${i}`, ...(i % 3 === 2 ? {} : { amount: AMOUNT }) }),
    )
  return orders
}

class Crash extends Error {}

/** Everything that has to be the same, whatever the way was. */
async function play(film: Film, count: number, style: Style, store?: Store) {
  const fault = { left: -1, gap: 7 }
  const strike = () => {
    if (fault.left < 0) return
    if (fault.left-- === 0) {
      fault.gap += 3
      throw new Crash()
    }
  }
  const projector = new Projector(film.devnet)
  projector.best = film.first
  const home = store ?? createMemoryStore({ onCommit: strike, onCall: strike })
  const till = await openTill(projector, home, style === 'in one go' ? 64 : 3)
  const orders = await begin(till, count)
  const look = async () => {
    for (;;) {
      if (style === 'with crashes') fault.left = fault.gap
      try {
        await till.look()
        fault.left = -1
        return
      } catch (error) {
        fault.left = -1
        if (!(error instanceof Crash || error instanceof EngineError)) throw error
        await till.restart()
      }
    }
  }
  const from = film.first.length
  if (style === 'with a detour') {
    projector.best = film.detour
    await look()
  }
  if (style.startsWith('by block'))
    for (let height = from; height < film.last.length; height++) {
      if (style === 'by block, seen before') {
        projector.mempool = film.inBlock.get(height) ?? new Map()
        await look()
        projector.mempool = new Map()
      }
      projector.best = film.last.slice(0, height + 1)
      await look()
    }
  projector.best = film.last
  await look()
  return told(till, orders, style)
}

async function told(till: Till, orders: readonly OrderRecord[], style: Style) {
  expect((await till.engine.ledger.verify()).differences).toEqual([])
  expect((await till.engine.audit.verify()).ok).toBe(true)
  const levels: Record<string, readonly string[]> = {}
  const states: Record<string, string> = {}
  for (const order of orders) {
    states[order.externalId ?? ''] = await till.state(order)
    const types = await till.told(order)
    if (style !== 'with a detour')
      levels[order.externalId ?? ''] = types.filter((type) =>
        /^order\.(confirmed|full_confirmed|finalized)$|^payment\./.test(type),
      )
  }
  const payments = (await till.payments()).map(
    ({ id, amount, purpose, booked, spender, spendBooked }) => ({
      id,
      amount,
      purpose,
      booked,
      spender,
      spendBooked,
    }),
  )
  return { balance: await till.balance(), payments, states, levels, alerts: await alertsOf(till) }
}
const alertsOf = async (till: Till) =>
  (await till.alerts())
    .filter((kind) => kind !== 'deep_reorg' && kind !== 'deposit_reversed')
    .toSorted()

/** The scripts that the first orders get: the same in every engine. */
async function scriptsOf(count: number): Promise<readonly Uint8Array[]> {
  const projector = new Projector(idle)
  projector.best = hashes(idle)
  const till = await openTill(projector, createMemoryStore(), 3)
  return (await begin(till, count)).map((order) => order.script)
}
const scripts = await scriptsOf(6)

test('one chain, any delivery, one ledger and one story (I29)', async () => {
  const styles: readonly Style[] = ['by block', 'by block, seen before', 'with crashes']
  await fc.assert(
    fc.asyncProperty(plots, async (plot) => {
      const film = shoot(plot, scripts, true)
      const expected = await play(film, plot.orders.length, 'in one go')
      for (const style of styles)
        expect([style, await play(film, plot.orders.length, style)]).toEqual([style, expected])
    }),
    { numRuns: 12 },
  )
})

test('one chain, reached over another branch: the same ledger, the same states', async () => {
  await fc.assert(
    fc.asyncProperty(plots, async (plot) => {
      const film = shoot(plot, scripts, false)
      const { levels: _, ...expected } = await play(film, plot.orders.length, 'in one go')
      const { levels: __, ...found } = await play(film, plot.orders.length, 'with a detour')
      expect(found).toEqual(expected)
    }),
    { numRuns: 20 },
  )
})

test('the same on SQLite', async () => {
  const plot: Plot = {
    orders: [
      { at: 0, outputs: 1, spent: true },
      { at: 2, outputs: 3, spent: false },
      { at: 5, outputs: 2, spent: true },
    ],
    again: [0],
    blocks: 20,
    fork: 3,
    branch: 4,
  }
  const film = shoot(plot, scripts, true)
  for (const style of ['in one go', 'by block, seen before', 'with a detour'] as const) {
    const home = await sqliteInMemory()
    const expected = await play(film, 3, style)
    expect(await play(film, 3, style, home.store as Store)).toEqual(expected)
    await home.dispose?.()
  }
})
