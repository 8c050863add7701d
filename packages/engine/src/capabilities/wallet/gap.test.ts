import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { OrderId } from '../../kernel/index.ts'
import { createWallets, type RevealedAddress } from './index.ts'
import { advanceReach } from './policy.ts'

const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'

async function setUp(gapLimit: number, lookahead = 200) {
  const store = createMemoryStore()
  let seed = 1
  const wallets = createWallets({
    store,
    clock: { now: () => 1_700_000_000_000 },
    entropy: { bytes: (length) => new Uint8Array(length).fill(seed++) },
    network: 'regtest',
  })
  const registered = await wallets.register(
    { name: 'shop', descriptor: `wpkh(${TPUB}/<0;1>/*)`, gapLimit, lookahead },
    'operator:test',
  )
  if (!registered.ok) throw new Error(registered.error.message)
  const { id } = registered.value.wallet
  const reveal = async (n: number): Promise<RevealedAddress> => {
    const answer = await store.transact((tx) =>
      wallets.revealAddress(tx, { wallet: id, order: `ord_${n}` as OrderId, at: n, shown: true }),
    )
    if (!answer.ok) throw new Error(answer.error.code)
    return answer.value
  }
  const pay = (address: RevealedAddress, at: number) =>
    store.transact((tx) => wallets.markUsed(tx, [address], at))
  const warnings = async () =>
    (await store.read((tx) => tx.events.list({ after: 0, limit: 100_000 }))).filter(
      (event) => event.type === 'wallet.gap_warning',
    )
  return { store, wallets, id, reveal, pay, warnings }
}

/** Another wallet: knows the order of addresses and what was paid, and stops after `limit` unused ones in a row. */
function foundByOther(paid: ReadonlySet<number>, limit: number): Set<number> {
  const found = new Set<number>()
  for (let index = 0, unused = 0; unused < limit; index++) {
    if (paid.has(index)) {
      found.add(index)
      unused = 0
    } else unused++
  }
  return found
}

test('the numbers count down to the limit and the warnings come on the way', async () => {
  const { reveal, warnings, store } = await setUp(20)
  const levels: string[] = []
  for (let i = 0; i < 22; i++) {
    const { gap } = await reveal(i)
    levels.push(gap.level)
    expect(gap).toMatchObject({ limit: 20, unused: i + 1, remaining: Math.max(0, 19 - i) })
  }
  expect(levels.indexOf('near')).toBe(14)
  expect(levels.indexOf('limit')).toBe(19)
  expect(levels.indexOf('exceeded')).toBe(20)
  expect((await warnings()).map((event) => event.data['level'])).toEqual([
    'near',
    'limit',
    'exceeded',
  ])
  const alerts = await store.read((tx) => tx.alerts.list({ kind: 'gap_warning', limit: 10 }))
  expect(alerts.map((alert) => alert.severity)).toEqual(['critical', 'warning', 'warning'])
})

test('a payment begins a new run; one beyond the gap does not, until the gap is closed', async () => {
  const { reveal, pay, wallets, id } = await setUp(5)
  const all: RevealedAddress[] = []
  for (let i = 0; i < 12; i++) all.push(await reveal(i))
  const gapAfter = async (index: number) => {
    const address = all[index]
    if (!address) throw new Error('not revealed')
    await pay(address, 100 + index)
    const gaps = await wallets.gaps(id)
    if (!gaps.ok) throw new Error(gaps.error.code)
    return gaps.value[0]
  }
  // Index 11 is beyond 0..4, so a wallet that looks 5 ahead does not see it.
  expect(await gapAfter(11)).toMatchObject({ reach: -1, lastUsed: 11, level: 'exceeded' })
  expect(await gapAfter(7)).toMatchObject({ reach: -1, lastUsed: 11 })
  // Index 3 is seen, from there 7 (3 + 4), from there 11.
  expect(await gapAfter(3)).toMatchObject({ reach: 11, lastUsed: 11, level: 'ok', unused: 0 })
})

test('reach is what a wallet that looks so far ahead finds', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60)), fc.integer({ min: 1, max: 12 }), (used, limit) => {
      const sorted = used.toSorted((a, b) => a - b)
      const found = foundByOther(new Set(sorted), limit)
      expect(advanceReach(-1, sorted, limit)).toBe(Math.max(-1, ...found))
    }),
  )
})

test('the stored reach follows payments in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      async (order, limit) => {
        const { reveal, pay, wallets, id } = await setUp(limit, 50)
        const all: RevealedAddress[] = []
        for (let i = 0; i <= 40; i++) all.push(await reveal(i))
        const paid = new Set<number>()
        for (const index of order) {
          const address = all[index]
          if (!address) throw new Error('not revealed')
          await pay(address, 1_000 + index)
          paid.add(index)
        }
        const gaps = await wallets.gaps(id)
        if (!gaps.ok) throw new Error(gaps.error.code)
        expect(gaps.value[0]?.reach).toBe(Math.max(-1, ...foundByOther(paid, limit)))
      },
    ),
    { numRuns: 40 },
  )
})

test('10,000 orders, 95 % unpaid: a wallet that looks 20 ahead finds every coin, or the warning came first', async () => {
  const { reveal, pay, warnings, store } = await setUp(20, 1_000)
  const paid = new Set<number>()
  /** Number of events when each address was about to be asked for. */
  const warnedBefore: number[] = []
  let state = 20_241_122
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const open: RevealedAddress[] = []
  for (let n = 0; n < 10_000; n++) {
    warnedBefore.push(await store.read((tx) => tx.events.head()))
    open.push(await reveal(n))
    if (random() < 0.05) {
      // People pay the order at hand, or one of the last hundred.
      const lag = random() < 0.7 ? 0 : Math.floor(random() * 100)
      const address = open[Math.max(0, open.length - 1 - lag)]
      if (address && !paid.has(address.index)) {
        await pay(address, n)
        paid.add(address.index)
      }
    }
  }
  expect(paid.size).toBeGreaterThan(400)
  const found = foundByOther(paid, 20)
  const hidden = [...paid].filter((index) => !found.has(index))
  // The run is real: without warnings most coins would hide from that wallet.
  expect(hidden.length).toBeGreaterThan(100)
  const loud = (await warnings()).filter((event) => event.data['level'] !== 'near')
  /** When the first loud warning came about the run of unused addresses that begins behind this reach. */
  const warnedAt = new Map<unknown, number>()
  for (const event of loud) {
    const run = event.data['reach']
    if (!warnedAt.has(run)) warnedAt.set(run, event.seq)
  }
  const beyond = open.filter((address) => address.gap.unused > 20)
  expect(hidden.every((index) => beyond.some((address) => address.index === index))).toBe(true)
  // Not any warning: one about the very run that this address made too long, before it was asked for.
  const unwarned = beyond.filter(
    ({ index, gap }) => !((warnedAt.get(gap.reach) ?? Infinity) <= (warnedBefore[index] ?? -1)),
  )
  expect(unwarned.map((address) => address.index)).toEqual([])
  // And a run that never reached the limit hides nothing.
  const first = loud[0]?.data['next_index']
  expect(typeof first === 'number' && hidden.every((index) => index >= first)).toBe(true)
})
