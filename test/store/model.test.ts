import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { memoryHome, postgresForTests, postgresHome, sqliteInMemory } from './homes.ts'
import { OPERATIONS, play } from './model.ts'

const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const server = await postgresForTests()
afterAll(() => server?.stop())

const small = fc.nat({ max: 5 })
const operation = fc.record({
  name: fc.constantFrom(...OPERATIONS),
  a: small,
  b: small,
  c: small,
})
const commits = fc.array(
  fc.record({
    operations: fc.array(operation, { minLength: 1, maxLength: 8 }),
    fails: fc.nat({ max: 5 }).map((n) => n === 0),
  }),
  { minLength: 5, maxLength: 40, size: 'max' },
)

const agree = (other: typeof memoryHome, numRuns: number) =>
  fc.assert(
    fc.asyncProperty(commits, async (run) => {
      const [memory, sql] = [await memoryHome(), await other()]
      try {
        const [expected, actual] = [await play(memory.store, run), await play(sql.store, run)]
        expect(actual).toEqual(expected)
      } finally {
        await sql.store.close()
        await sql.dispose?.()
      }
    }),
    { numRuns },
  )

test('whatever is asked in whatever order, memory and SQLite answer the same', async () => {
  await agree(sqliteInMemory, Math.round(600 * SCALE))
})

test.skipIf(!server)('and PostgreSQL too', async () => {
  if (server) await agree(() => postgresHome(server), Math.round(100 * SCALE))
})
