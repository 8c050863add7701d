import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import { createWallets, createWatchedScripts } from '@kaccy/bitcoin/wallet'
import { afterAll, expect, test } from 'vitest'
import { findPostgres, startPostgres } from '../counterparts/postgres.ts'
import type { Errand, Given } from './revealer.ts'
import { killAll, startRacer } from './process.ts'
import { type Meeting, openMeeting } from './store.ts'

/** 10,000 addresses in all; a tenth where `npm run night` has not asked for everything. */
const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const TOTAL = Math.max(100, Math.round(10_000 * SCALE))
const PROCESSES = 2
const TPUB =
  'tpubDC5FSnBiZDMmhiuCmWAYsLwgLYrrT9rAqvTySfuCCrgsWz8wxMXUS9Tb9iVMvcRbvFcAHGkMD5Kx8koh4GquNGNTfohfk7pgjhaPCdXpoba'
const entropy = {
  bytes: (length: number) => globalThis.crypto.getRandomValues(new Uint8Array(length)),
}

afterAll(killAll)

/** Starts one process; `begin` lets it go and resolves with what it was given. */
const start = (errand: Errand) =>
  startRacer<Given[]>(new URL('./revealer.ts', import.meta.url), errand)

async function race(meeting: Meeting): Promise<void> {
  const home = await openMeeting(meeting)
  const wallets = createWallets({
    store: home.store,
    clock: { now: () => Date.now() },
    entropy,
    network: 'regtest',
  })
  const registered = await wallets.register(
    { name: 'race', descriptor: `wpkh(${TPUB}/<0;1>/*)`, gapLimit: 20, lookahead: 200 },
    'operator:test',
  )
  if (!registered.ok) throw new TypeError(registered.error.message)
  const wallet: WalletId = registered.value.wallet.id
  // A follower in this third process: it must know every address, whoever hands it out.
  const watched = createWatchedScripts({ store: home.store, entropy })
  await watched.refresh()
  try {
    const revealers = await Promise.all(
      Array.from({ length: PROCESSES }, (_, n) =>
        start({ meeting, wallet, name: `p${n}`, count: TOTAL / PROCESSES }),
      ),
    )
    const begun = performance.now()
    const given = (await Promise.all(revealers.map((one) => one.begin()))).flat()
    const seconds = (performance.now() - begun) / 1000
    console.log(
      `${meeting.kind}: ${TOTAL} addresses to ${PROCESSES} processes, ${Math.round(TOTAL / seconds)} a second`,
    )
    expect(given).toHaveLength(TOTAL)
    expect(new Set(given.map((one) => one.address)).size).toBe(TOTAL)
    expect(new Set(given.map((one) => one.index)).size).toBe(TOTAL)
    const rows = await home.store.read((tx) =>
      tx.wallet.listAddresses({ wallet, branch: 0, limit: 1e6 }),
    )
    const owners = new Map(rows.map((row) => [row.address, row]))
    // Everybody got what the store says, and the store says nothing else.
    for (const one of given) {
      expect(owners.get(one.address)).toMatchObject({
        index: one.index,
        order: one.order,
        state: 'revealed',
        shown: true,
      })
    }
    const taken = rows.filter((row) => row.state === 'revealed').map((row) => row.index)
    const free = rows.filter((row) => row.state === 'free').map((row) => row.index)
    expect(taken).toHaveLength(TOTAL)
    // No index was left out: each is somebody's or was given back and waits for the next.
    const [receive] = await home.store.read((tx) => tx.wallet.keychains(wallet))
    const issued = [...taken, ...free].toSorted((a, b) => a - b)
    expect(issued).toEqual(Array.from({ length: receive?.nextIndex ?? 0 }, (_, i) => i))
    expect(receive?.watchedTo).toBeGreaterThanOrEqual((receive?.nextIndex ?? 0) + 200)
    await watched.refresh()
    const missed = rows.filter((row) => !watched.hasScript(row.script, 0, row.script.length))
    expect(missed).toEqual([])
  } finally {
    await home.close()
  }
}

test(`${PROCESSES} processes on one SQLite file: ${TOTAL} addresses, all different`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-race-'))
  try {
    await race({ kind: 'sqlite', file: join(folder, 'race.db') })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 600_000)

test(`${PROCESSES} processes on one PostgreSQL: ${TOTAL} addresses, all different`, async (context) => {
  const programs = await findPostgres()
  if ('missing' in programs) {
    console.log(`SKIPPED: ${programs.missing}`)
    return context.skip(programs.missing)
  }
  const server = await startPostgres()
  try {
    await race({ kind: 'postgres', url: await server.createDatabase(), schema: 'kaccy' })
  } finally {
    await server.stop()
  }
}, 600_000)
