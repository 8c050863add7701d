import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkip } from '../test/counterparts/node.ts'
import { findPostgres, startPostgres, type TestPostgres } from '../test/counterparts/postgres.ts'
import type { Meeting } from '../test/races/store.ts'
import { liveTogether } from '../tools/kills/together.ts'

const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const ROUNDS = Math.max(10, Math.round(100 * SCALE))
const seed = Math.floor(Date.now() / 1000) % 1_000_000_000

async function together(seed: number, processes: number, meeting: Meeting): Promise<void> {
  const report = await liveTogether({ seed, rounds: ROUNDS, processes, meeting })
  const { kills, subjects } = report
  process.stderr.write(
    `seed ${seed}: ${processes} engines on ${meeting.kind}, ${kills} kills, ${subjects} subjects\n`,
  )
  expect(report.faults).toEqual([])
}

test('two engines on one SQLite file leave what one alone leaves', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-two-'))
  try {
    await together(seed, 2, { kind: 'sqlite', file: join(folder, 'two.db') })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 1_800_000)

const missing = reasonToSkip('PostgreSQL', await findPostgres())
describe.skipIf(missing !== undefined)('on one PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(async () => {
    await server.stop()
  })
  test.each([2, 3])(
    '%i engines leave what one alone leaves',
    async (processes) => {
      const url = await server.createDatabase()
      await together(seed + processes, processes, { kind: 'postgres', url, schema: 'kaccy' })
    },
    1_800_000,
  )
})
