import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { apiKeyOf } from '../../testing/index.ts'
import { createUses } from './uses.ts'

test('uses that could not be written are written later, with newer ones first', async () => {
  const store = createMemoryStore()
  const uses = createUses(store)
  const [one, two] = [apiKeyOf(1), apiKeyOf(2)]
  await store.transact(async (tx) => {
    await tx.access.insert(one)
    await tx.access.insert(two)
  })
  const { transact } = store
  uses.note(one, 100, '192.0.2.1')
  uses.note(two, 100, '192.0.2.1')
  store.transact = async () => {
    uses.note(two, 200, '192.0.2.9')
    throw new TypeError('down')
  }
  await expect(uses.flush()).rejects.toThrow('down')
  store.transact = transact
  expect(await uses.flush()).toBe(2)
  expect(await uses.flush()).toBe(0)
  const stored = await store.read((tx) => tx.access.list({ limit: 9 }))
  expect(stored.map(({ lastUsedAt, lastUsedFrom }) => [lastUsedAt, lastUsedFrom])).toEqual([
    [200, '192.0.2.9'],
    [100, '192.0.2.1'],
  ])
})
