import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openStore } from './index.ts'

test('work that comes in by other sockets in the same turn of the loop shares a commit', async () => {
  const database = new Database(':memory:')
  const store = await openStore({ dialect: 'sqlite', database, migrate: true })
  let commits = 0
  const exec = database.exec.bind(database)
  database.exec = (text: string) => {
    if (text === 'commit') commits++
    return exec(text)
  }
  // As sockets are read: each in a callback of its own, with all that is promised done before the next one.
  const memo = (n: number) =>
    new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        store.transact((tx) => tx.chain.saveMemo(`memo-${n}`, 'x')).then(() => resolve(), reject)
      })
    })
  await Promise.all(Array.from({ length: 32 }, (_, n) => memo(n)))
  expect(commits).toBeLessThan(4)
  expect(await store.read((tx) => tx.chain.memo('memo-31'))).toBe('x')
  await store.close()
  database.close()
})
