import { EngineError, type WalletId } from '@kaccy/bitcoin/kernel'
import type { RescanProgress } from '@kaccy/bitcoin/deposits'
import { expect, test } from 'vitest'
import { Till, type TillOptions } from './till.ts'

/** A chain with payments to addresses `indexes` of account 1, one a block, before anybody watches them. */
async function past(indexes: readonly number[], options: TillOptions = {}) {
  const twin = await Till.open({ lookahead: 400 })
  const other = await twin.register({ account: 1 })
  const till = await Till.open({ lookahead: 20, blocksPerCommit: 4, ...options })
  const start = till.devnet.tip.height + 1
  for (const index of indexes) {
    const row = await twin.store.read((tx) => tx.wallet.address(other, 0, index))
    if (!row) throw new TypeError(`address ${index} is not watched by the twin`)
    till.devnet.mineBlock({
      transactions: [till.spend(`c${index}`, [row.script, 1000 + index]).raw],
    })
  }
  till.devnet.mine(3)
  await till.look()
  return { till, start }
}
const usedBy = async (till: Till, wallet: WalletId) =>
  (await till.engine.orders.payments({ wallet, limit: 1000 }))
    .map(({ index }) => index)
    .toSorted((a, b) => a - b)
const finished = async (till: Till) =>
  (await till.told()).filter((type) => type === 'wallet.rescan_finished').length

test('a wallet with a birthday finds its past, the window growing as it goes, until nothing is new', async () => {
  // Paid far end first: the first pass sees only what its window reaches, the last one sees all.
  const indexes = [95, 75, 57, 38, 19, 0]
  const { till, start } = await past(indexes)
  const wallet = await till.register({ account: 1, birthday: start })
  const heights: RescanProgress[] = []
  const report = await till.engine.sync({ onRescan: (progress) => heights.push(progress) })
  expect(report.rescanned).toBeGreaterThan(3)
  expect(heights[0]).toMatchObject({ wallet, from: start, height: start + 3 })
  expect(await usedBy(till, wallet)).toEqual(indexes.toSorted((a, b) => a - b))
  expect(await till.balance(wallet)).toMatchObject({ coins: 6284n, unassigned: 6284n })
  expect((await till.engine.wallets.wallet(wallet))?.rescan).toBeUndefined()
  // Both wallets: the one that was there, and the one with the past.
  expect(await finished(till)).toBe(2)
  const before = await till.entries()
  expect((await till.look()).rescanned).toBe(0)
  expect(await till.entries()).toEqual(before)
  await till.expectSound()
})

test('reaches below the first block we ever followed', async () => {
  const { till, start } = await past([0, 1])
  const late = await Till.open({ devnet: till.devnet, registers: false })
  await late.look()
  const base = await late.store.read((tx) => tx.chain.base())
  expect(base?.height).toBeGreaterThan(start + 1)
  const wallet = await late.register({ account: 1, birthday: start })
  await late.look()
  expect(await usedBy(late, wallet)).toEqual([0, 1])
  expect((await late.store.read((tx) => tx.chain.base()))?.height).toBe(start)
})

test('interrupted in the middle it goes on where it stood, and credits once', async () => {
  const { till, start } = await past([0, 5, 12, 19, 25, 31, 38, 45, 52])
  const wallet = await till.register({ account: 1, birthday: start })
  let reads = 0
  await expect(
    till.engine.sync({
      onRescan: () => {
        reads += 1
        if (reads === 2) throw new RangeError('the process ends here')
      },
    }),
  ).rejects.toThrow('ends here')
  expect((await till.engine.wallets.wallet(wallet))?.rescan).toMatchObject({ next: start + 8 })
  await till.restart()
  await till.look()
  expect(await usedBy(till, wallet)).toEqual([0, 5, 12, 19, 25, 31, 38, 45, 52])
  expect(await till.balance(wallet)).toMatchObject({ coins: 9227n })
  expect((await till.entries()).filter((entry) => entry.startsWith('credit'))).toHaveLength(9)
  await till.expectSound()
})

test('a reorganisation during a rescan: what was read from the old branch is not committed as if it stood', async () => {
  const { till, start } = await past([0, 1, 2, 3, 4, 5])
  const wallet = await till.register({ account: 1, birthday: start })
  let once = true
  await till.engine
    .sync({
      onRescan: () => {
        if (!once) return
        once = false
        till.devnet.reorg(6)
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'CHAIN_MOVED')) throw error
    })
  await till.look()
  expect(await till.engine.tip()).toMatchObject(till.devnet.tip)
  expect(await usedBy(till, wallet)).toEqual([0, 1, 2, 3, 4, 5])
  await till.mine(3)
  expect(await till.balance(wallet)).toMatchObject({ coins: 6015n, pending: 0n })
  await till.expectSound()
})

test('a block that leaves while it is being read again is not committed by a second process', async () => {
  let meanwhile: (() => Promise<void>) | undefined
  const { till, start } = await past([0, 1], {
    between: (source) => ({
      ...source,
      async block(ref) {
        const bytes = await source.block(ref)
        const act = meanwhile
        meanwhile = undefined
        await act?.()
        return bytes
      },
    }),
  })
  let reads = 6
  const other = await Till.open({
    devnet: till.devnet,
    store: till.store,
    registers: false,
    between: (source) => ({
      ...source,
      async block(ref) {
        // Enough for the other branch; the rescan is left to the first process.
        if (reads-- <= 0) throw new EngineError('NODE_TIMEOUT', 'enough')
        return source.block(ref)
      },
    }),
  })
  const wallet = await till.register({ account: 1, birthday: start })
  const lose = till.devnet.view.blockTxids(till.devnet.view.hashAt(start) ?? '')?.slice(1) ?? []
  meanwhile = async () => {
    till.devnet.reorg(5, { drop: lose })
    await expect(other.look()).rejects.toMatchObject({ code: 'NODE_TIMEOUT' })
  }
  await till.look()
  await till.look()
  expect(reads).toBeLessThan(0)
  expect(await usedBy(till, wallet)).not.toContain(0)
  expect(await till.balance(wallet)).toMatchObject({ coins: 0n })
  await till.expectSound()
})

test('a past that the node has pruned: named, told, and everything else goes on', async () => {
  const { till, start } = await past([0, 1])
  const order = await till.order({ amount: 5000 })
  till.devnet.prune(start)
  const wallet = await till.register({ account: 1, birthday: start })
  const other = await till.register({ account: 2 })
  const report = await till.look()
  expect(report.rescanned).toBeGreaterThan(0)
  await till.look()
  const alerts = await till.engine.alerts.list({ limit: 9 })
  expect(alerts).toMatchObject([
    { kind: 'rescan_failed', subject: wallet, data: { height: start } },
  ])
  expect((await till.engine.wallets.wallet(wallet))?.rescan).toMatchObject({ next: start })
  expect((await till.engine.wallets.wallet(other))?.rescan).toBeUndefined()
  // Orders still end: an unreadable past does not stop the present.
  till.now += 3_600_000
  expect((await till.look()).expired).toBe(1)
  expect(await till.state(order)).toBe('failed (expired) none 0/0')
})
