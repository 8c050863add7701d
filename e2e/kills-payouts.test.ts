import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { postgresForTests } from '../test/store/homes.ts'
import { killPayouts } from '../tools/kills/payouts.ts'
import { killAtWrites } from '../tools/kills/payouts-writes.ts'

/** 100 kills and every named write 20 times; 20 and once where `npm run night` has not asked for everything. */
const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const KILLS = Math.max(20, Math.round(100 * SCALE))
const TIMES = SCALE >= 1 ? 20 : 1
const seed = Math.floor(Date.now() / 1000) % 1_000_000_000

/** Every kind of commit that a payout makes, by what it writes, and the acts outside. A new one has to be added, and is then killed too. */
const POINTS = [
  'withdrawals.insert',
  'coins.lease, spending.insertSpend, spending.insertVersion payment, withdrawals.save batched',
  'version exposed, version claimed, withdrawals.save signing',
  'ask key 1',
  'signatures saved, version partially_signed',
  'ask key 2',
  'signatures saved, version signed, raw saved, version finalized, withdrawals.save sending',
  'version given back',
  'version claimed',
  'send',
  'version given back, version broadcast, answer accepted saved',
  'version confirmed, spend mined, withdrawals.save mined',
  'spend settled, coins.release, withdrawals.save settled',
  'spending.insertVersion bump, withdrawals.save sending',
  'version exposed, version claimed',
  'signatures saved, version signed, raw saved, version finalized',
  'version replaced, version confirmed, spend mined, withdrawals.save mined',
  'withdrawals.save cancelled',
  'withdrawals.save batched to be cancelled, version rejected, spend dropped, coins.release, withdrawals.save cancelled to be cancelled',
  'withdrawals.save sending to be cancelled',
  'spending.insertVersion cancel, withdrawals.save sending to be cancelled',
  'version replaced, version confirmed, spend mined',
  'spend settled, coins.release, withdrawals.save cancelled to be cancelled',
  'withdrawals.save approved waiting',
  'withdrawals.save approved',
  'version confirmed, spend settled, coins.release, withdrawals.save settled',
  'withdrawals.save rejected',
  'version evicted',
  'version given back, answer refused saved, spend to be bumped',
  'spend to be bumped',
  'version broadcast, spend open, withdrawals.save sending',
]
const server = await postgresForTests()
afterAll(() => server?.stop())

async function withFile<T>(work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-kills-'))
  const result = await work(join(folder, 'payouts.db'))
  await rm(folder, { recursive: true, force: true })
  return result
}

test(`${KILLS} kill -9 of a process that pays out, on SQLite: everyone is paid what was asked for, once`, async () => {
  const { faults, ...report } = await withFile((file) =>
    killPayouts(seed, KILLS, { kind: 'sqlite', file }),
  )
  process.stderr.write(`${JSON.stringify(report)}\n`)
  expect(faults).toEqual([])
}, 3_600_000)

test(`kill -9 before and after every named write and outside act, ${TIMES} times each`, async () => {
  const { faults, points, kills } = await withFile((file) =>
    killAtWrites(seed + 1, TIMES, { kind: 'sqlite', file }),
  )
  process.stderr.write(`seed ${seed + 1}: ${kills} kills at ${points.length} points\n`)
  expect(faults).toEqual([])
  expect(points.map(({ point }) => point)).toEqual(POINTS)
  expect(kills).toBe(points.length * 2 * TIMES)
}, 3_600_000)

test.skipIf(!server)(
  `${KILLS} kill -9 of a process that pays out, on PostgreSQL`,
  async () => {
    if (!server) return
    const meeting = {
      kind: 'postgres',
      url: await server.createDatabase(),
      schema: 'kaccy',
    } as const
    const { faults, ...report } = await killPayouts(seed + 2, KILLS, meeting)
    process.stderr.write(`${JSON.stringify(report)}\n`)
    expect(faults).toEqual([])
  },
  3_600_000,
)
