import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reasonToSkip } from '../test/counterparts/node.ts'
import { findPostgres, startPostgres, type TestPostgres } from '../test/counterparts/postgres.ts'
import { killAgainAndAgain } from '../tools/kills/run.ts'

const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const KILLS = Math.max(20, Math.round(100 * SCALE))
const seed = Math.floor(Date.now() / 1000) % 1_000_000_000

test(`${KILLS} kill -9 on SQLite leave what an undisturbed twin has`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-kills-'))
  const report = await killAgainAndAgain(seed, KILLS, {
    kind: 'sqlite',
    file: join(folder, 'kills.db'),
  })
  await rm(folder, { recursive: true, force: true })
  process.stderr.write(`seed ${seed}: ${report.kills} kills, ${report.records} records\n`)
  expect(report.differences).toEqual([])
}, 1_800_000)

const missing = reasonToSkip('PostgreSQL', await findPostgres())
describe.skipIf(missing !== undefined)('on PostgreSQL', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(async () => {
    await server.stop()
  })
  test(`${KILLS} kill -9 leave what an undisturbed twin has`, async () => {
    const url = await server.createDatabase()
    const report = await killAgainAndAgain(seed + 1, KILLS, {
      kind: 'postgres',
      url,
      schema: 'kaccy',
    })
    process.stderr.write(`seed ${seed + 1}: ${report.kills} kills, ${report.records} records\n`)
    expect(report.differences).toEqual([])
  }, 1_800_000)
})
