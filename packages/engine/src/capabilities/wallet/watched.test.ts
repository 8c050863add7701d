import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { type OrderId, type OutPoint, type Transactor, txid } from '../../kernel/index.ts'
import { createWallets, createWatchedScripts, outPointBytes, type WalletRows } from './index.ts'

const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
let seed = 1
const entropy = { bytes: (length: number) => new Uint8Array(length).fill(seed++ % 251) }

async function setUp() {
  const store = createMemoryStore()
  const wallets = createWallets({ store, clock: { now: () => 1 }, entropy, network: 'regtest' })
  const register = async (descriptor: string) => {
    const answer = await wallets.register(
      { name: 'shop', descriptor, gapLimit: 5, lookahead: 20 },
      'operator:test',
    )
    if (!answer.ok) throw new Error(answer.error.code)
    return answer.value.wallet.id
  }
  const id = await register(`wpkh(${TPUB}/<0;1>/*)`)
  const reveal = async (n: number) => {
    const answer = await store.transact((tx) =>
      wallets.revealAddress(tx, { wallet: id, order: `ord_${n}` as OrderId, at: n, shown: true }),
    )
    if (!answer.ok) throw new Error(answer.error.code)
    return answer.value
  }
  return { store, wallets, register, id, reveal }
}
const has = (watched: ReturnType<typeof createWatchedScripts>, script: Uint8Array): boolean => {
  // As in a block: somewhere inside other bytes.
  const bytes = new Uint8Array(script.length + 9).fill(7)
  bytes.set(script, 5)
  return watched.hasScript(bytes, 5, script.length)
}

test('whatever another process revealed is found after one refresh', async () => {
  const { store, register, reveal } = await setUp()
  const watched = createWatchedScripts({ store, entropy })
  expect(watched.size).toBe(0)
  await watched.refresh()
  expect(watched.size).toBe(24)
  for (let n = 0; n < 120; n++) {
    const address = await reveal(n)
    // Even before a refresh: the window was in memory long before the address was handed out.
    expect(has(watched, address.script)).toBe(true)
    if (n % 15 === 14) await watched.refresh()
  }
  const before = watched.size
  await register(`tr(${TPUB}/<0;1>/*)`)
  await watched.refresh()
  expect(watched.size).toBe(before + 24)
  await watched.refresh()
  expect(watched.size).toBe(before + 24)
  const all = await store.read((tx) => tx.wallet.listAddresses({ limit: 10_000 }))
  expect(all.filter((row) => !has(watched, row.script))).toEqual([])
  expect(all.length).toBe(watched.size)
  expect(has(watched, new Uint8Array(22))).toBe(false)
})

test('scripts that are inserted while everything is loaded are not lost', async () => {
  const { store, reveal } = await setUp()
  // A store without snapshots: each answer shows what was committed by then, and between the first two a lot is.
  let isBusy = true
  const weak: Transactor<{ readonly wallet: WalletRows }> = {
    transact: store.transact,
    read: (work) =>
      work({
        wallet: new Proxy({} as WalletRows, {
          get:
            (_, door: keyof WalletRows) =>
            async (...args: never[]) => {
              const answer = await store.read((tx) =>
                (tx.wallet[door] as (...args: never[]) => Promise<unknown>)(...args),
              )
              for (let n = 0; isBusy && n < 30; n++) await reveal(n)
              isBusy = false
              return answer
            },
        }),
      }),
  }
  const watched = createWatchedScripts({ store: weak, entropy })
  await watched.refresh()
  await watched.refresh()
  const all = await store.read((tx) => tx.wallet.listAddresses({ limit: 10_000 }))
  expect(all.length).toBeGreaterThan(50)
  expect(all.filter((row) => !has(watched, row.script))).toEqual([])
})

test('a refresh that fails is heard of, and the next one takes up everything', async () => {
  const { store, reveal } = await setUp()
  let isDown = false
  const flaky: Transactor<{ readonly wallet: WalletRows }> = {
    transact: store.transact,
    read: (work) => (isDown ? Promise.reject(new Error('down')) : store.read(work)),
  }
  const watched = createWatchedScripts({ store: flaky, entropy })
  isDown = true
  await expect(watched.refresh()).rejects.toThrow('down')
  isDown = false
  await Promise.all([watched.refresh(), watched.refresh()])
  expect(watched.size).toBe(24)
  for (let n = 0; n < 20; n++) await reveal(n)
  isDown = true
  await expect(watched.refresh()).rejects.toThrow('down')
  isDown = false
  await watched.refresh()
  expect(watched.size).toBe(48)
})

test('coins are watched by outpoint, scripts of our own commits without a question', async () => {
  const { store, reveal } = await setUp()
  const watched = createWatchedScripts({ store, entropy })
  await watched.refresh()
  const point: OutPoint = { txid: txid('ab'.repeat(32)), vout: 3 }
  const bytes = new Uint8Array(50)
  bytes.set(outPointBytes(point), 10)
  expect(watched.hasOutpoint(bytes, 10)).toBe(false)
  watched.addOutpoint(point)
  watched.addOutpoint(point)
  expect(watched.hasOutpoint(bytes, 10)).toBe(true)
  const address = await reveal(0)
  watched.addScripts(address.watched)
  expect(address.watched.length).toBeGreaterThan(0)
  expect(address.watched.every((row) => has(watched, row.script))).toBe(true)
})

test('a million scripts load from their pages', async () => {
  const COUNT = 1_000_000
  const script = (n: number): Uint8Array => {
    const bytes = new Uint8Array(22)
    bytes[1] = 20
    const view = new DataView(bytes.buffer)
    view.setUint32(2, Math.imul(n, 0x9e3779b1))
    view.setUint32(6, n)
    return bytes
  }
  const rows = {
    keychains: async () => [],
    scripts: async (after: string | undefined, limit: number) => {
      const from = after === undefined ? 0 : Number(after)
      const to = Math.min(COUNT, from + limit)
      const scripts = Array.from({ length: to - from }, (_, i) => script(from + i))
      return to === COUNT ? { scripts } : { scripts, next: String(to) }
    },
  } satisfies Partial<WalletRows> as unknown as WalletRows
  const store: Transactor<{ readonly wallet: WalletRows }> = {
    transact: (work) => work({ wallet: rows }),
    read: (work) => work({ wallet: rows }),
  }
  const watched = createWatchedScripts({ store, entropy })
  await watched.refresh()
  expect(watched.size).toBe(COUNT)
  for (let n = 0; n < COUNT; n += 997) expect(has(watched, script(n))).toBe(true)
  expect(has(watched, script(COUNT))).toBe(false)
})
