import { type BlockHash, EngineError, type Txid } from '@kaccy/bitcoin/kernel'
import { createDevnetInProcess } from '@kaccy/devnet'
import { expect, test } from 'vitest'
import { Till } from './till.ts'

test('begins at the tip of the node, not at the beginning of time', async () => {
  const till = await Till.open({ registers: false })
  expect(await till.look()).toMatchObject({ blocks: 0, tip: till.devnet.tip })
  expect(await till.engine.tip()).toMatchObject(till.devnet.tip)
})

test('catches up over any distance, a few blocks a commit, and reports its way', async () => {
  const till = await Till.open({ blocksPerCommit: 7 })
  const from = till.devnet.tip.height
  till.devnet.mine(150)
  const heights: number[] = []
  const report = await till.engine.sync({ onBlocks: ({ height }) => heights.push(height - from) })
  expect(report).toMatchObject({ blocks: 150, disconnected: 0 })
  expect(heights.slice(0, 3)).toEqual([7, 14, 21])
  expect(heights.at(-1)).toBe(150)
})

test('a block that joins while we catch up is in the same look', async () => {
  let mines = 0
  const till: Till = await Till.open({
    between: (source) => ({
      ...source,
      async mempool(epoch) {
        const view = await source.mempool(epoch)
        if (mines-- > 0) till.devnet.mine(1)
        return view
      },
    }),
  })
  mines = 2
  const report = await till.look()
  expect(report.tip).toEqual(till.devnet.tip)
})

test('a chain that turns under our hands: nothing half done, and the next attempt arrives', async () => {
  let turns = 0
  const till: Till = await Till.open({
    blocksPerCommit: 2,
    between: (source) => ({
      ...source,
      async block(ref) {
        if (turns > 0 && ref.height === till.devnet.tip.height - 1) {
          turns -= 1
          till.devnet.reorg(4)
        }
        return source.block(ref)
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  till.devnet.mine(9)
  turns = 3
  await till.look()
  expect(turns).toBe(0)
  expect(await till.engine.tip()).toMatchObject(till.devnet.tip)
  const depth = till.devnet.view.coin(spend.txid, 0)?.confirmations
  expect(depth).toBeGreaterThan(6)
  expect(await till.state(order)).toBe('finalized exact 5000/5000')
  await till.expectSound()
})

test('a chain that never stands still is reported instead of chased', async () => {
  let dances = false
  const till: Till = await Till.open({
    between: (source) => ({
      ...source,
      async mempool(epoch) {
        if (dances) till.devnet.mine(1)
        return source.mempool(epoch)
      },
    }),
  })
  dances = true
  await expect(till.look()).rejects.toMatchObject({ code: 'CHAIN_MOVED', remedy: 'retry' })
  dances = false
  await till.look()
  expect(await till.engine.tip()).toMatchObject(till.devnet.tip)
})

test('a node that falls behind does not undo a credit; when it has caught up, we go on (D19, D21)', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  const old = till.devnet.snapshot()
  await till.mine(3)
  const ours = till.devnet.snapshot()
  till.devnet.restore(old)
  await expect(till.look()).rejects.toMatchObject({ code: 'CHAIN_NODE_BEHIND', remedy: 'retry' })
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  till.devnet.restore(ours)
  await till.mine(1)
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  await till.expectSound()
})

test('a node restored from an old copy that then follows another branch is believed once it is as long', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  const old = till.devnet.snapshot()
  await till.mine(3)
  till.devnet.restore(old)
  till.devnet.evict(spend.txid)
  till.devnet.mine(2)
  await expect(till.look()).rejects.toMatchObject({ code: 'CHAIN_NODE_BEHIND' })
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  till.devnet.mine(1)
  await till.look()
  expect(await till.state(order)).toBe('pending none 0/0')
  expect(await till.alerts()).toEqual(['deposit_reversed'])
  await till.expectSound()
})

test('our store is older than the chain: a restored copy reads everything again, exactly once', async () => {
  const till = await Till.open()
  const order = await till.order({ amount: 5000 })
  const copy = await Till.open({ devnet: till.devnet })
  await copy.look()
  const twin = await copy.order({ amount: 5000 })
  expect(twin.address).toBe(order.address)
  till.pay('a', [order, 5000])
  for (let i = 0; i < 12; i++) await till.mine(1)
  // The copy was taken before the payment; it learns of all of it at once.
  await copy.look()
  expect(await copy.state(twin)).toBe(await till.state(order))
  expect(await copy.balance()).toEqual(await till.balance())
})

test('another network is refused by its genesis block, whatever it calls itself (D27)', async () => {
  const till = await Till.open({
    registers: false,
    between: (source) => ({
      ...source,
      info: async () => ({ ...(await source.info()), genesis: 'f'.repeat(64) as BlockHash }),
    }),
  })
  await expect(till.look()).rejects.toMatchObject({ code: 'CHAIN_WRONG_NETWORK', remedy: 'human' })
  expect(await till.engine.tip()).toBeUndefined()
})

test('a node of another chain of the same network shares no block with us: stop, do not undo everything', async () => {
  const till = await Till.open()
  await till.mine(3)
  const stranger = createDevnetInProcess({
    seed: 'other',
    start: 'genesis',
    verifySignatures: false,
  })
  stranger.mine(200)
  const other = await Till.open({ devnet: stranger, store: till.store, registers: false })
  await expect(other.look()).rejects.toMatchObject({ code: 'CHAIN_FORK_UNKNOWN', remedy: 'human' })
  expect(await till.engine.tip()).toMatchObject(till.devnet.tip)
})

test('a block that the node has pruned is named by its height, and nothing moves (D20)', async () => {
  const till = await Till.open()
  const before = till.devnet.tip
  till.devnet.mine(5)
  till.devnet.prune(before.height + 2)
  await expect(till.look()).rejects.toMatchObject({
    code: 'NODE_BLOCK_PRUNED',
    remedy: 'human',
    details: { height: before.height + 1 },
  })
  expect(await till.engine.tip()).toMatchObject(before)
})

test('a node in its first download is followed, but nothing expires and absence proves nothing', async () => {
  let downloading = true
  const till = await Till.open({
    between: (source) => ({
      ...source,
      info: async () => {
        const info = await source.info()
        return downloading ? { ...info, headers: info.tip.height + 500 } : info
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  const unpaid = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  expect(await till.look()).toMatchObject({ degraded: 'node_behind_its_headers' })
  till.devnet.evict(spend.txid)
  till.now += 60_000
  till.devnet.mine(2)
  await till.look()
  expect(await till.state(order)).toBe('unconfirmed exact 5000/0')
  till.now += 3_600_000
  await till.look()
  expect(await till.state(unpaid)).toBe('pending none 0/0')
  downloading = false
  await till.look()
  expect(await till.state(unpaid)).toBe('failed (expired) none 0/0')
})

test.each([
  ['another header', (bytes: Uint8Array) => bytes.fill(1, 4, 36)],
  ['a cut end', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 5)],
  ['nothing', () => new Uint8Array()],
])('a block with %s is refused and nothing moves', async (_, change) => {
  let lies = false
  const till = await Till.open({
    between: (source) => ({
      ...source,
      block: async (ref) => {
        const bytes = await source.block(ref)
        return lies ? change(bytes.slice()) : bytes
      },
    }),
  })
  const before = till.devnet.tip
  till.devnet.mine(1)
  lies = true
  await expect(till.look()).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  expect(await till.engine.tip()).toMatchObject(before)
})

test('a payment that the header does not commit to is refused', async () => {
  let lies = false
  let script = new Uint8Array()
  const till: Till = await Till.open({
    between: (source) => ({
      ...source,
      async block(ref) {
        const bytes = (await source.block(ref)).slice()
        if (!lies) return bytes
        // The amount stands before the script and its length: the header keeps its proof of work.
        const amount = Buffer.from(bytes.buffer).indexOf(script) - 9
        bytes[amount] = (bytes[amount] ?? 0) ^ 1
        return bytes
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  script = order.script.slice()
  const spend = till.devnet.spend({
    from: 'a',
    change: false,
    outs: [{ script: order.script, amount: 5000 }],
  })
  till.devnet.mineBlock({ transactions: [spend.raw] })
  lies = true
  await expect(till.look()).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  lies = false
  await till.look()
  expect(await till.state(order)).toBe('confirmed exact 5000/0')
})

test('a mempool transaction that is not the one asked for is not believed', async () => {
  const till: Till = await Till.open({
    between: (source) => ({
      ...source,
      mempoolTransactions: async (txids) => {
        const raw = await source.mempoolTransactions(txids)
        return raw.toReversed()
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  till.pay('b', [order, 700])
  await till.look()
  expect(await till.payments()).toEqual([])
  await till.mine(1)
  expect(await till.state(order)).toBe('confirmed overpaid 5700/0')
})

test('two engines on one store: the one whose cursor was moved by the other looks again', async () => {
  const till = await Till.open()
  const other = await Till.open({ devnet: till.devnet, store: till.store, registers: false })
  const order = await till.order({ amount: 5000 })
  till.pay('a', [order, 5000])
  for (let i = 0; i < 5; i++) {
    till.devnet.mine(1)
    await Promise.all([till.look(), other.look()])
  }
  expect(await till.state(order)).toBe('full_confirmed exact 5000/5000')
  expect(await till.entries()).toEqual(['seen 5000', 'unseen 5000', 'credit 5000'])
  await till.expectSound()
})

test('looks queue up: each begins when the one before has ended, also when that failed', async () => {
  let failing = 0
  const till = await Till.open({
    between: (source) => ({
      ...source,
      async info() {
        if (failing-- > 0) throw new EngineError('NODE_TIMEOUT', 'no answer')
        return source.info()
      },
    }),
  })
  till.devnet.mine(3)
  failing = 1
  const looks = await Promise.allSettled([till.look(), till.look(), till.look()])
  expect(looks).toMatchObject([
    { status: 'rejected', reason: { code: 'NODE_TIMEOUT' } },
    { status: 'fulfilled', value: { blocks: 3 } },
    { status: 'fulfilled', value: { blocks: 0 } },
  ])
})

test('a transaction that leaves the mempool between list and read is simply not there', async () => {
  const hidden = new Set<Txid>()
  const till: Till = await Till.open({
    between: (source) => ({
      ...source,
      mempoolTransactions: async (txids) => {
        const raw = await source.mempoolTransactions(txids)
        return raw.map((bytes, i) => (hidden.has(txids[i] as Txid) ? undefined : bytes))
      },
    }),
  })
  const order = await till.order({ amount: 5000 })
  const spend = till.pay('a', [order, 5000])
  hidden.add(spend.txid as Txid)
  await till.look()
  expect(await till.payments()).toEqual([])
  hidden.clear()
  await till.mine(1)
  expect(await till.state(order)).toBe('confirmed exact 5000/0')
})
