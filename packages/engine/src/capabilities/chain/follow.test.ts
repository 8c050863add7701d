import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { type BlockHash, EngineError } from '../../kernel/index.ts'
import { nextPlan } from './follow.ts'
import type { ChainHeader, ChainRows, ChainSource } from './ports.ts'

/** 64 hex digits that name a branch and a height. */
const hashOf = (branch: number, height: number): BlockHash =>
  (branch.toString(16).padStart(8, '0') + height.toString(16).padStart(56, '0')) as BlockHash

/** Blocks `base .. length - 1`; those from `fork` on belong to another branch. */
function blocks(length: number, fork = length, branch = 1, base = 0): ChainHeader[] {
  const hash = (height: number) => hashOf(height < fork ? 0 : branch, height)
  return Array.from({ length: length - base }, (_, i) => {
    const height = base + i
    const prev = height === 0 ? hashOf(99, 0) : hash(height - 1)
    return { height, hash: hash(height), prev, time: 1_700_000_000 + height }
  })
}

const unused = () => Promise.reject(new TypeError('never asked'))
/** A node as far as following asks it; `stale` are headers that it knows off its best chain. */
function nodeWith(best: readonly ChainHeader[], stale: readonly ChainHeader[] = []) {
  const asked: number[] = []
  const source: ChainSource = {
    info: unused,
    block: unused,
    mempool: unused,
    mempoolTransactions: unused,
    coins: unused,
    async hashAt(height) {
      asked.push(height)
      return best.find((header) => header.height === height)?.hash
    },
    async header(hash) {
      const found = best.find((header) => header.hash === hash)
      if (found) return { ...found, onBestChain: true }
      const old = stale.find((header) => header.hash === hash)
      return old && { ...old, onBestChain: false }
    },
  }
  const tip = best.at(-1) as ChainHeader
  return { source, asked, info: { tip, headers: tip.height } }
}
async function readerOf(ours: readonly ChainHeader[]) {
  const store = createMemoryStore()
  await store.transact((tx) => tx.chain.append(ours))
  return <T>(work: (rows: ChainRows) => Promise<T>) => store.read((tx) => work(tx.chain))
}
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof EngineError ? error.code : error),
  )

test('nothing to do at the same tip: one question to the store, none to the node', async () => {
  const { source, info, asked } = nodeWith(blocks(50))
  expect(await nextPlan(await readerOf(blocks(50)), source, info)).toBeUndefined()
  expect(asked).toEqual([])
})

test('plans a stride at a time, however far the node is ahead', async () => {
  const { source, info } = nodeWith(blocks(1000))
  const plan = await nextPlan(await readerOf(blocks(11)), source, info)
  expect(plan?.disconnect).toEqual([])
  expect(plan?.connect.map(({ height }) => height)).toEqual(
    Array.from({ length: 64 }, (_, i) => 11 + i),
  )
})

test('finds the exact fork of any two branches', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 400 }),
      fc.nat(300),
      fc.nat(300),
      fc.nat(400),
      async (fork, mine, more, below) => {
        const base = Math.min(below, fork - 1)
        const ours = blocks(fork + mine, fork, 1, base)
        const theirs = blocks(fork + mine + more, fork, 2)
        const { source, info, asked } = nodeWith(theirs)
        const plan = await nextPlan(await readerOf(ours), source, info)
        if (mine + more === 0) {
          expect(plan).toBeUndefined()
          return
        }
        expect(plan?.fork.height).toBe(fork - 1)
        expect(plan?.disconnect).toHaveLength(mine)
        expect(plan?.connect[0]?.height ?? fork).toBe(fork)
        const plannedTo = plan?.connect.at(-1)?.height ?? fork - 1
        // What leaves is always outweighed by what joins, so that the tip never falls without need.
        expect(plannedTo).toBeGreaterThanOrEqual(Math.min(fork + mine - 1, info.tip.height))
        const searching = asked.length - (plan?.connect.length ?? 0)
        expect(searching).toBeLessThan(40)
      },
    ),
    { numRuns: 150 },
  )
})

test('a node that merely lacks our newest blocks does not undo them', async () => {
  const { source, info } = nodeWith(blocks(40))
  expect(await codeOf(nextPlan(await readerOf(blocks(50)), source, info))).toBe('CHAIN_NODE_BEHIND')
})

test('nor does one on a shorter branch that never saw ours', async () => {
  const { source, info } = nodeWith(blocks(45, 30, 2))
  expect(await codeOf(nextPlan(await readerOf(blocks(50)), source, info))).toBe('CHAIN_NODE_BEHIND')
})

test('a shorter chain is followed when the node says that it left ours (invalidateblock)', async () => {
  const { source, info } = nodeWith(blocks(45), blocks(50))
  const plan = await nextPlan(await readerOf(blocks(50)), source, info)
  expect(plan?.fork.height).toBe(44)
  expect(plan?.disconnect.map(({ height }) => height)).toEqual([49, 48, 47, 46, 45])
  expect(plan?.connect).toEqual([])
})

test('a node that has the headers but not yet the blocks says nothing about ours', async () => {
  // Restored from an old copy, it fetched all headers first: our tip is known to it and not on its best chain.
  const { source, info } = nodeWith(blocks(45), blocks(50))
  const behind = { ...info, headers: 49 }
  expect(await codeOf(nextPlan(await readerOf(blocks(50)), source, behind))).toBe(
    'CHAIN_NODE_BEHIND',
  )
})

test('another block at the same height is a reorganisation', async () => {
  const { source, info } = nodeWith(blocks(50, 49, 2))
  const plan = await nextPlan(await readerOf(blocks(50)), source, info)
  expect(plan).toMatchObject({
    fork: { height: 48 },
    disconnect: [{ hash: hashOf(0, 49) }],
    connect: [{ hash: hashOf(2, 49) }],
  })
})

test('no common block is an error for a person, not a reorganisation of everything', async () => {
  const ours = blocks(50, 20, 1, 20)
  const { source, info } = nodeWith(blocks(60, 10, 2))
  expect(await codeOf(nextPlan(await readerOf(ours), source, info))).toBe('CHAIN_FORK_UNKNOWN')
})

test('a chain that changes between two questions is looked at again', async () => {
  const { source, info } = nodeWith(blocks(60))
  const shrunk = nodeWith(blocks(55)).source
  const moving: ChainSource = {
    ...source,
    hashAt: (height) => (height > 52 ? shrunk : source).hashAt(height),
  }
  expect(await codeOf(nextPlan(await readerOf(blocks(50)), moving, info))).toBe('CHAIN_MOVED')
})

test('a branch that changes below the fork that was found is looked at again', async () => {
  let calls = 0
  const early = nodeWith(blocks(60)).source
  const late = nodeWith(blocks(60, 48, 2)).source
  const moving: ChainSource = { ...early, hashAt: (h) => (calls++ < 1 ? early : late).hashAt(h) }
  const plan = nextPlan(await readerOf(blocks(50)), moving, nodeWith(blocks(60)).info)
  // The plan itself may be made; its blocks do not link to our tip, which catching up refuses (`linkedOrMoved`).
  expect(['CHAIN_MOVED', 'nothing was thrown']).toContain(await codeOf(plan))
})
