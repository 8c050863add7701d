import { createEngine } from '@kaccy/bitcoin'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { createDevnetInProcess } from '@kaccy/devnet'
import { expect, test } from 'vitest'
import { devnetSource } from '../../tools/regtest/devnet-source.ts'

const started = async () => {
  const devnet = await createDevnetInProcess()
  const store = createMemoryStore()
  const engine = await createEngine({
    network: 'regtest',
    store,
    source: devnetSource(devnet),
    clock: { now: () => 1_780_000_000_000 },
    entropy: systemEntropy,
  })
  await engine.sync()
  return { devnet, store, engine }
}

test.each([1, 3, 60])(
  'a reorganisation of %i blocks right after the first start goes below the first header and is followed',
  async (depth) => {
    const { devnet, store, engine } = await started()
    devnet.reorg(depth)
    await engine.sync()
    expect(await engine.tip()).toMatchObject(devnet.view.tip())
    const base = await store.read((tx) => tx.chain.base())
    expect(base?.height).toBeLessThanOrEqual(devnet.view.tip().height - depth - 1)
  },
)

test('a chain that shares no block is refused by name, and nothing is changed', async () => {
  const { store, engine } = await started()
  const before = await store.read((tx) => tx.chain.tip())
  const other = await createDevnetInProcess({ start: 'genesis', seed: 'another chain' })
  other.mine(300)
  const stranger = await createEngine({
    network: 'regtest',
    store,
    source: devnetSource(other),
    clock: { now: () => 1_780_000_000_000 },
    entropy: systemEntropy,
  })
  await expect(stranger.sync()).rejects.toMatchObject({ code: 'CHAIN_FORK_UNKNOWN' })
  expect(await engine.tip()).toEqual(before)
})
