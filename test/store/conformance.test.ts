import { type MakeStore, storeConformance } from '@kaccy/bitcoin/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { memoryHome, postgresForTests, postgresHome, sqliteHome, sqliteInMemory } from './homes.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

const homes: Record<string, MakeStore> = {
  memory: memoryHome,
  'SQLite on a file': sqliteHome,
  'SQLite in memory': sqliteInMemory,
  ...(server ? { PostgreSQL: () => postgresHome(server) } : {}),
}

for (const [name, makeStore] of Object.entries(homes))
  describe(`store conformance: ${name}`, () => {
    const checks = storeConformance(makeStore)
    test('there is something to check', () => {
      expect(checks.length).toBeGreaterThan(40)
    })
    for (const check of checks) test(check.name, () => check.run())
  })
