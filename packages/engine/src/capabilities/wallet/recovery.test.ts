import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { blockHash, type Network, type OrderId, toHex, type WalletId } from '../../kernel/index.ts'
import { createWallets, createWatchedScripts, parseRecovery, type Recovery } from './index.ts'
import { formatRecovery } from './recovery.ts'

const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
const DESCRIPTOR = `wpkh(${TPUB}/<0;1>/*)`

function setUp(network: Network = 'regtest') {
  const store = createMemoryStore()
  let seed = 1
  const entropy = { bytes: (length: number) => new Uint8Array(length).fill(seed++) }
  const wallets = createWallets({
    store,
    clock: { now: () => 1_700_000_000_000 },
    entropy,
    network,
  })
  const watched = createWatchedScripts({ store, entropy })
  const reveal = async (wallet: WalletId, order: string) => {
    const answer = await store.transact((tx) =>
      wallets.revealAddress(tx, { wallet, order: order as OrderId, at: 1, shown: true }),
    )
    if (!answer.ok) throw new Error(answer.error.code)
    return answer.value
  }
  const register = async (name: string, more: { birthday?: number; lookahead?: number } = {}) => {
    const answer = await wallets.register(
      { name, descriptor: DESCRIPTOR, gapLimit: 20, lookahead: 50, ...more },
      'operator:test',
    )
    if (!answer.ok) throw new Error(answer.error.code)
    return answer.value.wallet.id
  }
  return { store, wallets, watched, reveal, register }
}

async function usedShop() {
  const shop = setUp()
  const id = await shop.register('shop')
  for (let i = 0; i < 60; i++) {
    const address = await shop.reveal(id, `ord_${i}`)
    if (i === 12) await shop.store.transact((tx) => shop.wallets.markUsed(tx, [address], 5))
  }
  await shop.wallets.labelAddress({ wallet: id, branch: 0, index: 4 }, 'table 4')
  const file = await shop.wallets.exportRecovery(id, 'operator:ann')
  if (!file.ok) throw new Error(file.error.code)
  return { ...shop, id, file: file.value }
}

test('a restored wallet hands out no address twice and knows its orders and labels', async () => {
  const { file } = await usedShop()
  const home = setUp()
  const restored = await home.wallets.restoreRecovery(file, 'operator:bob')
  if (!restored.ok) throw new Error(restored.error.message)
  const { id } = restored.value.wallet
  expect(restored.value).toMatchObject({ created: true, wallet: { name: 'shop', lookahead: 50 } })
  const next = await home.reveal(id, 'ord_new')
  expect(next.index).toBe(60)
  const row = await home.store.read((tx) => tx.wallet.address(id, 0, 4))
  expect(row).toMatchObject({ order: 'ord_4', state: 'revealed', shown: true })
  const labels = await home.wallets.exportLabels(id)
  expect(labels.ok && labels.value).toContain('table 4')
  const [receive] = await home.store.read((tx) => tx.wallet.keychains(id))
  expect(receive).toMatchObject({ nextIndex: 61, lastUsed: 12, reach: 12 })
  expect(receive?.watchedTo).toBeGreaterThanOrEqual(61 + 50)
  const again = await home.wallets.exportRecovery(id, 'operator:bob')
  if (!again.ok) throw new Error(again.error.code)
  expect(parseRecovery(again.value)).toMatchObject({ ok: true })
  // Restoring once more changes nothing that was handed out since.
  expect(await home.wallets.restoreRecovery(file, 'operator:bob')).toMatchObject({
    value: { created: false },
  })
  expect((await home.reveal(id, 'ord_newer')).index).toBe(61)
})

test('a file only adds to a wallet that has the keys already, under whatever name', async () => {
  const { file } = await usedShop()
  const home = setUp()
  const id = await home.register('other name', { lookahead: 30 })
  await home.reveal(id, 'ord_here')
  const restored = await home.wallets.restoreRecovery(file, 'operator:bob')
  expect(restored).toMatchObject({ value: { created: false, wallet: { id, name: 'other name' } } })
  expect((await home.reveal(id, 'ord_new')).index).toBe(60)
  // The owner that stood here keeps the address.
  expect(await home.store.read((tx) => tx.wallet.address(id, 0, 0))).toMatchObject({
    order: 'ord_here',
  })
})

test('the file holds public things only, and a checksum over all of them', async () => {
  const { file, store } = await usedShop()
  expect(file).not.toMatch(/prv/)
  const parsed = parseRecovery(file)
  if (!parsed.ok) throw new Error(parsed.error.message)
  expect(parsed.value).toMatchObject({
    network: 'regtest',
    name: 'shop',
    branches: [
      { branch: 0, nextIndex: 60, lastUsed: 12, reach: 12 },
      { branch: 1, nextIndex: 0, lastUsed: -1, reach: -1 },
    ],
  })
  expect(parsed.value.orders).toHaveLength(60)
  const audit = await store.read((tx) => tx.audit.list({ actor: 'operator:ann', limit: 5 }))
  expect(audit).toMatchObject([{ action: 'wallet.export_recovery' }])
  // Layout is free, content is not.
  expect(parseRecovery(JSON.stringify(JSON.parse(file), null, 2))).toEqual(parsed)
  for (const [from, to] of [
    ['"next_index":60', '"next_index":6'],
    ['ord_7"', 'ord_8"'],
    ['"birthday":0', '"birthday":9'],
    ['table 4', 'table 5'],
  ] as const) {
    expect(file).toContain(from)
    expect(parseRecovery(file.replace(from, to))).toMatchObject({
      error: { code: 'WALLET_RECOVERY_CHECKSUM' },
    })
  }
  expect(parseRecovery(file.slice(0, -40))).toMatchObject({
    error: { code: 'WALLET_RECOVERY_INVALID' },
  })
  expect(parseRecovery(file.replace('"version":1', '"version":2'))).toMatchObject({
    error: { code: 'WALLET_RECOVERY_VERSION' },
  })
})

const sound: Recovery = {
  network: 'regtest',
  name: 'shop',
  descriptor: DESCRIPTOR,
  status: 'active',
  gapLimit: 20,
  lookahead: 50,
  birthday: 0,
  branches: [{ branch: 0, nextIndex: 3, lastUsed: 1, reach: 1 }],
  orders: [],
  labels: [],
}
const WIF = 'L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1'
const refused: readonly (readonly [string, Partial<Recovery>, string])[] = [
  ['a private key as the descriptor', { descriptor: `wpkh(${WIF})` }, 'KEY_PRIVATE'],
  [
    'a private key in a label',
    { labels: [`{"type":"tx","ref":"x","label":"${WIF}"}`] },
    'KEY_PRIVATE',
  ],
  ['another network', { network: 'main' }, 'WALLET_NETWORK'],
  ['a broken descriptor', { descriptor: 'wpkh(' }, 'DESCRIPTOR_INVALID'],
  [
    'an address of other keys',
    {
      orders: [
        {
          order: 'ord_1',
          branch: 0,
          index: 1,
          address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
        },
      ],
    },
    'WALLET_RECOVERY_INVALID',
  ],
  [
    'an order beyond the range',
    { orders: [{ order: 'ord_1', branch: 0, index: 3, address: 'x' }] },
    'WALLET_RECOVERY_INVALID',
  ],
  [
    'a branch that is not there',
    { branches: [{ branch: 2, nextIndex: 1, lastUsed: -1, reach: -1 }] },
    'WALLET_RECOVERY_INVALID',
  ],
  [
    'an endless range',
    { branches: [{ branch: 0, nextIndex: 2_000_000_000, lastUsed: -1, reach: -1 }] },
    'WALLET_RECOVERY_INVALID',
  ],
  [
    'a use beyond the range',
    { branches: [{ branch: 0, nextIndex: 1, lastUsed: 1, reach: 1 }] },
    'WALLET_RECOVERY_INVALID',
  ],
  ['a gap limit out of range', { gapLimit: 0 }, 'FIELD_INVALID'],
]
test.each(refused)('refuses a file with %s and registers nothing', async (_, change, code) => {
  const home = setUp()
  const file = formatRecovery({ ...sound, ...change })
  const answer = await home.wallets.restoreRecovery(file, 'a')
  expect(answer).toMatchObject({ ok: false, error: { code } })
  expect(JSON.stringify(answer)).not.toContain(WIF)
  expect(await home.wallets.wallets()).toEqual([])
})

test('a retired wallet comes back retired and watched', async () => {
  const home = setUp()
  const restored = await home.wallets.restoreRecovery(
    formatRecovery({ ...sound, status: 'retired' }),
    'a',
  )
  expect(restored).toMatchObject({ value: { wallet: { status: 'retired' } } })
  await home.watched.refresh()
  expect(home.watched.size).toBeGreaterThan(50)
})

test('no damage to a file is taken for content', async () => {
  const { file } = await usedShop()
  const whole = parseRecovery(file)
  fc.assert(
    fc.property(fc.nat(file.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
      const parsed = parseRecovery(file.slice(0, at) + put + file.slice(at + put.length))
      if (parsed.ok) expect(parsed).toEqual(whole)
    }),
  )
})

/** One block of the past: which scripts it paid. */
type Block = readonly Uint8Array[]

/** What a chain follower does for a rescan: read a block again as long as it teaches us new scripts. */
async function rescan(home: ReturnType<typeof setUp>, id: WalletId, chain: readonly Block[]) {
  const wallet = await home.wallets.wallet(id)
  const found = new Set<string>()
  await home.watched.refresh()
  for (let height = wallet?.rescan?.next ?? chain.length; height < chain.length; height++) {
    let known: number
    do {
      known = home.watched.size
      const ours = (chain[height] ?? []).filter((script) =>
        home.watched.hasScript(script, 0, script.length),
      )
      for (const script of ours) found.add(toHex(script))
      await home.store.transact(async (tx) =>
        home.wallets.markUsed(tx, await tx.wallet.addressesByScripts(ours), height),
      )
      await home.watched.refresh()
    } while (home.watched.size > known)
  }
  return found
}

/** A later index in an earlier block widens the window behind the reader: pass again until nothing is new. */
async function rescanUntilQuiet(
  home: ReturnType<typeof setUp>,
  id: WalletId,
  chain: readonly Block[],
): Promise<Set<string>> {
  for (;;) {
    const before = home.watched.size
    const found = await rescan(home, id, chain)
    if (before > 0 && home.watched.size === before) return found
  }
}

test('from the descriptor alone every coin is found, also far apart and several windows in one block', async () => {
  const shop = setUp()
  const id = await shop.register('shop')
  const scripts: Uint8Array[] = []
  for (let i = 0; i < 400; i++) scripts.push((await shop.reveal(id, `ord_${i}`)).script)
  const pick = (...indexes: number[]): Block =>
    indexes.map((index) => scripts[index] ?? new Uint8Array())
  const chain: readonly Block[] = [
    pick(),
    pick(7),
    // Each is beyond the window that the one before it opens, and they stand in one block, in the worst order.
    pick(170, 110, 60),
    pick(3, 215),
    pick(260),
  ]
  const home = setUp()
  const tip = {
    height: 4,
    hash: blockHash('4'.padStart(64, '0')),
    prev: blockHash('3'.padStart(64, '0')),
    time: 0,
  }
  await home.store.transact((tx) => tx.chain.append([tip]))
  const restored = await home.register('again', { birthday: 0 })
  const found = await rescan(home, restored, chain)
  const all = chain.flat().map(toHex)
  expect(all.filter((script) => !found.has(script))).toEqual([])
  expect((await home.reveal(restored, 'ord_x')).index).toBe(261)
})

test('any past whose unpaid runs are shorter than the lookahead is found whole', async () => {
  const source = setUp()
  const id = await source.register('shop', { lookahead: 50 })
  const scripts: Uint8Array[] = []
  for (let i = 0; i < 300; i++) scripts.push((await source.reveal(id, `ord_${i}`)).script)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(3), { minLength: 12, maxLength: 12 }),
      async (steps, heights) => {
        let index = -1
        const used = steps.map((step) => (index += step)).filter((one) => one < 300)
        // Paid in any order: a later index may stand in an earlier block.
        const chain: Uint8Array[][] = [[], [], [], []]
        for (const [i, one] of used.entries())
          chain[heights[i] ?? 0]?.push(scripts[one] ?? new Uint8Array())
        const home = setUp()
        const tip = {
          height: 3,
          hash: blockHash('3'.padStart(64, '0')),
          prev: blockHash('2'.padStart(64, '0')),
          time: 0,
        }
        await home.store.transact((tx) => tx.chain.append([tip]))
        const restored = await home.register('again', { birthday: 0 })
        const found = await rescanUntilQuiet(home, restored, chain)
        expect(found.size).toBe(used.length)
      },
    ),
    { numRuns: 25 },
  )
})
