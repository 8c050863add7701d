import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore, type MemoryTx } from '../../adapters/memory/index.ts'
import { type OrderId, toHex, type WalletId } from '../../kernel/index.ts'
import {
  type AddressRecord,
  createWallets,
  markShown,
  type RevealedAddress,
  releaseAddress,
} from './index.ts'

const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
const LOOKAHEAD = 20

async function setUp(options: { gapLimit?: number; descriptor?: string } = {}) {
  const store = createMemoryStore()
  let now = 1_700_000_000_000
  let seed = 1
  const wallets = createWallets({
    store,
    clock: { now: () => now++ },
    entropy: { bytes: (length) => new Uint8Array(length).fill(seed++) },
    network: 'regtest',
  })
  const registered = await wallets.register(
    {
      name: 'shop',
      descriptor: options.descriptor ?? `wpkh(${TPUB}/<0;1>/*)`,
      gapLimit: options.gapLimit ?? LOOKAHEAD,
      lookahead: Math.max(LOOKAHEAD, options.gapLimit ?? 0),
    },
    'operator:test',
  )
  if (!registered.ok) throw new Error(registered.error.message)
  const { wallet } = registered.value
  const reveal = async (order: string, shown = true, more: { label?: string } = {}) => {
    const answer = await store.transact((tx) =>
      wallets.revealAddress(tx, {
        wallet: wallet.id,
        order: order as OrderId,
        at: now,
        shown,
        ...more,
      }),
    )
    if (!answer.ok) throw new Error(answer.error.code)
    return answer.value
  }
  const release = (address: AddressRecord, order: string) =>
    store.transact((tx) => releaseAddress(tx, { ...address, order: order as OrderId }))
  return { store, wallets, wallet, reveal, release }
}

async function expectWatched(tx: MemoryTx, wallet: WalletId, least: number) {
  for (const keychain of await tx.wallet.keychains(wallet)) {
    const rows = await tx.wallet.listAddresses({ wallet, branch: keychain.branch, limit: 100_000 })
    expect(rows.map((row) => row.index)).toEqual(
      Array.from({ length: keychain.watchedTo }, (_, i) => i),
    )
    const issued = rows.filter((row) => row.state !== 'watched').map((row) => row.index)
    expect(Math.max(-1, ...issued)).toBeLessThan(keychain.nextIndex)
    if (keychain.branch === 0)
      expect(keychain.watchedTo).toBeGreaterThanOrEqual(keychain.nextIndex + least)
  }
}

test('each reveal hands out the next index, and the window moves ahead of it', async () => {
  const { store, wallet, reveal } = await setUp()
  const seen: RevealedAddress[] = []
  for (let i = 0; i < 60; i++) seen.push(await reveal(`ord_${i}`))
  expect(seen.map((one) => one.index)).toEqual(Array.from({ length: 60 }, (_, i) => i))
  expect(new Set(seen.map((one) => one.address)).size).toBe(60)
  expect(seen[0]).toMatchObject({ state: 'revealed', shown: true, order: 'ord_0', branch: 0 })
  await store.read((tx) => expectWatched(tx, wallet.id, LOOKAHEAD))
  // The window grows in steps: most reveals insert nothing.
  const growing = seen.filter((one) => one.watched.length > 0)
  expect(growing.length).toBe(10)
  expect(growing[0]?.watched.map((row) => row.index)).toEqual([20, 21, 22, 23, 24, 25])
})

test('a pool that was prepared changes no answer', async () => {
  const a = await setUp()
  const b = await setUp()
  for (let i = 0; i < 50; i++) {
    a.wallets.prepare(a.wallet)
    const [one, other] = [await a.reveal(`ord_${i}`), await b.reveal(`ord_${i}`)]
    expect(one.script).toEqual(other.script)
    expect(one.watched.map((row) => toHex(row.script))).toEqual(
      other.watched.map((row) => toHex(row.script)),
    )
  }
})

test('an address that nobody saw is used again, first; one that was shown never is', async () => {
  const { reveal, release, store } = await setUp()
  const hidden = await reveal('ord_a', false, { label: 'table 5' })
  const shown = await reveal('ord_b', true)
  expect(await release(hidden, 'ord_other')).toMatchObject({
    ok: false,
    error: { code: 'WALLET_ADDRESS_OWNED' },
  })
  expect(await release(shown, 'ord_b')).toMatchObject({
    ok: false,
    error: { code: 'WALLET_ADDRESS_SHOWN' },
  })
  expect(await release(hidden, 'ord_a')).toMatchObject({ ok: true, value: { state: 'free' } })
  expect(await release(hidden, 'ord_a')).toMatchObject({ ok: true })
  const again = await reveal('ord_c', false)
  expect(again).toMatchObject({ index: 0, recycled: true, order: 'ord_c' })
  expect(again.label).toBeUndefined()
  await store.transact((tx) => markShown(tx, again))
  expect(await release(again, 'ord_c')).toMatchObject({
    ok: false,
    error: { code: 'WALLET_ADDRESS_SHOWN' },
  })
  expect(await reveal('ord_d')).toMatchObject({ index: 2, recycled: false })
  const far = { ...again, index: 15 }
  for (const work of [markShown, releaseAddress])
    expect(await store.transact((tx) => work(tx, far))).toMatchObject({
      ok: false,
      error: { code: 'WALLET_ADDRESS_UNKNOWN' },
    })
})

test('a reserved address that was paid is never free again', async () => {
  const { reveal, release, store, wallets } = await setUp()
  const reserved = await reveal('ord_a', false)
  await store.transact((tx) => wallets.markUsed(tx, [reserved], 5))
  expect(await release(reserved, 'ord_a')).toMatchObject({ ok: false })
  const free = await reveal('ord_b', false)
  await release(free, 'ord_b')
  // Somebody who has the keys elsewhere handed it out.
  await store.transact((tx) => wallets.markUsed(tx, [free], 6))
  expect(await reveal('ord_c')).toMatchObject({ index: 2, recycled: false })
})

test('an index that was paid but never handed out here is skipped, and all below it', async () => {
  const { reveal, store, wallet, wallets } = await setUp()
  await reveal('ord_a')
  const foreign = await store.read((tx) => tx.wallet.address(wallet.id, 0, 12))
  if (!foreign) throw new Error('not watched')
  const report = await store.transact((tx) => wallets.markUsed(tx, [foreign], 5))
  expect(report.watched.map((row) => row.index)[0]).toBe(26)
  expect(await store.transact((tx) => wallets.markUsed(tx, [foreign], 9))).toEqual({
    watched: [],
    gaps: [],
  })
  expect(await reveal('ord_b')).toMatchObject({ index: 13 })
  await store.read((tx) => expectWatched(tx, wallet.id, LOOKAHEAD))
  expect(await store.read((tx) => tx.wallet.address(wallet.id, 0, 12))).toMatchObject({
    state: 'revealed',
    shown: true,
    firstUsedAt: 5,
  })
})

test('a transaction that fails after the reveal has revealed nothing', async () => {
  const { store, wallets, wallet, reveal } = await setUp()
  const failing = store.transact(async (tx) => {
    await wallets.revealAddress(tx, { wallet: wallet.id, at: 1, shown: true })
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await reveal('ord_a')).toMatchObject({ index: 0 })
})

test('scripts of another wallet stop the window before them, by name', async () => {
  const { store, wallets, wallet, reveal } = await setUp({ gapLimit: 1 })
  const twin = await setUp()
  for (let i = 0; i < 10; i++) await twin.reveal(`ord_${i}`)
  const ahead = await twin.store.read((tx) => tx.wallet.address(twin.wallet.id, 0, 24))
  const other = await wallets.register(
    { name: 'single', descriptor: `addr(${ahead?.address})`, allowFixed: true },
    'a',
  )
  if (!other.ok) throw new Error(other.error.message)
  for (let i = 0; i < 24; i++) await reveal(`ord_${i}`)
  const refused = await store.transact((tx) =>
    wallets.revealAddress(tx, { wallet: wallet.id, at: 1, shown: true }),
  )
  expect(refused).toMatchObject({
    ok: false,
    error: { code: 'WALLET_SCRIPTS_OVERLAP', details: { other: other.value.wallet.id, index: 24 } },
  })
  const alerts = await store.read((tx) => tx.alerts.list({ kind: 'invariant_broken', limit: 10 }))
  expect(alerts.map((alert) => alert.subject)).toEqual([wallet.id])
})

test('unknown wallets, unknown branches and unfit labels are refused', async () => {
  const { store, wallets, wallet } = await setUp()
  const ask = (more: object) =>
    store.transact((tx) =>
      wallets.revealAddress(tx, { wallet: wallet.id, at: 1, shown: true, ...more }),
    )
  expect(await ask({ wallet: 'wal_x' })).toMatchObject({ error: { code: 'WALLET_NOT_FOUND' } })
  expect(await ask({ branch: 7 })).toMatchObject({ error: { code: 'WALLET_NOT_RANGED' } })
  expect(await ask({ label: 'a\u0000b' })).toMatchObject({
    error: { code: 'WALLET_LABEL_INVALID' },
  })
  expect(await ask({ branch: 1 })).toMatchObject({ value: { branch: 1, index: 0 } })
})

type Step =
  | { readonly do: 'reveal'; readonly shown: boolean }
  | { readonly do: 'show' | 'release' | 'use'; readonly which: number }
  | { readonly do: 'foreign'; readonly ahead: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('reveal' as const), shown: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('show' as const, 'release' as const, 'use' as const),
      which: fc.nat(50),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('foreign' as const), ahead: fc.nat(19) }) },
)

test('whatever happens in whatever order, an address has one owner and an issued index is watched', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const { store, wallets, wallet, reveal, release } = await setUp()
      /** Who has ever been shown which script: what the outside world believes. */
      const seenBy = new Map<string, string>()
      const live: { address: AddressRecord; order: string; shown: boolean }[] = []
      let highest = -1
      for (const [n, one] of steps.entries()) {
        const held = one.do === 'reveal' || one.do === 'foreign' ? undefined : live[one.which]
        if (one.do === 'reveal') {
          const order = `ord_${n}`
          const address = await reveal(order, one.shown)
          if (!address.recycled) {
            expect(address.index).toBeGreaterThan(highest)
            highest = address.index
          }
          const key = toHex(address.script)
          expect(seenBy.has(key)).toBe(false)
          expect(live.some((other) => toHex(other.address.script) === key)).toBe(false)
          if (one.shown) seenBy.set(key, order)
          live.push({ address, order, shown: one.shown })
        } else if (one.do === 'foreign') {
          const [keychain] = await store.read((tx) => tx.wallet.keychains(wallet.id))
          const index = (keychain?.nextIndex ?? 0) + one.ahead
          const row = await store.read((tx) => tx.wallet.address(wallet.id, 0, index))
          if (!row) throw new Error(`index ${index} is not watched`)
          await store.transact((tx) => wallets.markUsed(tx, [row], n))
          seenBy.set(toHex(row.script), 'somebody else')
          highest = Math.max(highest, index)
        } else if (held && one.do === 'show') {
          await store.transact((tx) => markShown(tx, held.address))
          seenBy.set(toHex(held.address.script), held.order)
          held.shown = true
        } else if (held && one.do === 'use') {
          await store.transact((tx) => wallets.markUsed(tx, [held.address], n))
          seenBy.set(toHex(held.address.script), held.order)
          held.shown = true
        } else if (held && one.do === 'release') {
          const answer = await release(held.address, held.order)
          expect(answer.ok).toBe(!held.shown)
          if (answer.ok) live.splice(live.indexOf(held), 1)
        }
      }
      await store.read((tx) => expectWatched(tx, wallet.id, LOOKAHEAD))
    }),
    { numRuns: 150 },
  )
})
