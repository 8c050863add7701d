import { strict as assert } from 'node:assert'
import { type BlockHash, fromHex } from '@kaccy/bitcoin/kernel'
import { type Bench, failsWith, refOf, sameBytes } from './bench.ts'
import { pay } from './build.ts'
import type { Check } from './check.ts'

const GENESIS = '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206'
const UNKNOWN = 'ab'.repeat(32) as BlockHash

/** Headers, blocks and reorganisations. */
export const CHAIN_CHECKS: readonly Check[] = [
  {
    name: 'the network is regtest, proven by the first block',
    run: async ({ source }) => {
      const info = await source.info()
      assert.equal(info.network, 'regtest')
      assert.equal(info.genesis, GENESIS)
      assert.equal(await source.hashAt(0), GENESIS)
    },
  },
  {
    name: 'the first block has a parent of zeros',
    run: async ({ source }) => {
      const header = await source.header(GENESIS as BlockHash)
      assert.equal(header?.prev, '0'.repeat(64))
      assert.equal(header?.height, 0)
    },
  },
  {
    name: 'a new block moves the tip, height and hash together',
    run: async (bench) => {
      const block = await bench.mine()
      const info = await bench.source.info()
      assert.deepEqual(info.tip, refOf(block))
      assert.ok(info.headers >= block.height)
      assert.equal(info.tipTime, block.time)
      assert.equal(info.initialBlockDownload, false)
    },
  },
  {
    name: 'a height has the hash of the best chain, and none above the tip',
    run: async ({ source }) => {
      const { tip } = await source.info()
      assert.equal(await source.hashAt(tip.height), tip.hash)
      assert.equal(await source.hashAt(tip.height + 1), undefined)
      assert.equal(await source.hashAt(tip.height + 1_000_000), undefined)
    },
  },
  {
    name: 'headers link to their parents',
    run: async ({ source }) => {
      const { tip } = await source.info()
      const header = await source.header(tip.hash)
      assert.equal(header?.prev, await source.hashAt(tip.height - 1))
      assert.equal(header?.height, tip.height)
      assert.equal(header?.onBestChain, true)
    },
  },
  {
    name: 'a header that never was is undefined',
    run: async ({ source }) => assert.equal(await source.header(UNKNOWN), undefined),
  },
  {
    name: 'a block comes back byte for byte',
    run: async (bench) => {
      const coin = await bench.coin()
      const block = await bench.mine([pay({ coins: [coin], amounts: [coin.amount - 5_000n] })])
      sameBytes(await bench.source.block(refOf(block)), fromHex(block.hex))
    },
  },
  {
    name: 'an unknown block is named as such',
    run: async ({ source }) =>
      failsWith('NODE_BLOCK_UNKNOWN', source.block({ height: 7, hash: UNKNOWN })),
  },
  {
    name: 'a longer branch wins, the old one stays readable',
    run: async (bench) => reorganise(bench),
  },
  {
    name: 'a payment of a lost block is in the mempool again',
    run: async (bench) => {
      const coin = await bench.coin()
      const payment = pay({ coins: [coin], amounts: [coin.amount - 20_000n] })
      const { tip } = await bench.source.info()
      await bench.accept(payment)
      await bench.submit(await bench.build(tip, [payment]))
      assert.equal(await bench.isInMempool(payment), false)
      const left = await bench.build(tip)
      await bench.submit(left)
      await bench.submit(bench.on(left))
      assert.equal(await bench.isInMempool(payment), true)
      await bench.mine([payment])
    },
  },
  {
    name: 'blocks that the node mines itself are like ours',
    run: async (bench) => {
      const hashes = await generate(bench)
      if (!hashes) return 'the node mines neither by generatetoaddress nor by generate'
      const { tip } = await bench.source.info()
      assert.equal(tip.hash, hashes.at(-1))
      assert.ok((await bench.source.block(tip)).length > 80)
      return undefined
    },
  },
]

async function reorganise(bench: Bench): Promise<void> {
  const { source } = bench
  const { tip } = await source.info()
  const old = await bench.build(tip)
  await bench.submit(old)
  const left = await bench.build(tip)
  const right = bench.on(left)
  await bench.submit(left)
  assert.deepEqual((await source.info()).tip, refOf(old), 'the first seen of two stays')
  await bench.submit(right)
  assert.deepEqual((await source.info()).tip, refOf(right))
  assert.equal(await source.hashAt(old.height), left.hash)
  assert.deepEqual(await source.header(old.hash as BlockHash), {
    hash: old.hash,
    height: old.height,
    prev: tip.hash,
    time: old.time,
    onBestChain: false,
  })
  sameBytes(await source.block(refOf(old)), fromHex(old.hex))
}

async function generate(bench: Bench): Promise<readonly unknown[] | undefined> {
  const to = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
  for (const [method, params] of [
    ['generatetoaddress', [2, to]],
    ['generate', [2]],
  ] as const) {
    const reply = await bench.client.rpc.ask(method, params)
    if (reply.ok) return reply.result as readonly unknown[]
  }
  return undefined
}
