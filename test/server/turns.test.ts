import { openStore } from '@kaccy/bitcoin/adapters/sql'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { createTurns } from '../../packages/server/src/http/turn.ts'
import { Served } from './served.ts'

test('all who ask within one turn of the loop wait for the same end, and nobody for a later one', async () => {
  const endOfTurn = createTurns()
  const first = endOfTurn()
  await Promise.resolve()
  expect(endOfTurn()).toBe(first)
  await first
  const second = endOfTurn()
  expect(second).not.toBe(first)
  await second
})

test('requests of one turn share the look-up of their keys, and orders their commit', async () => {
  const store = await openStore({
    dialect: 'sqlite',
    database: new Database(':memory:'),
    migrate: true,
  })
  const served = await Served.open({ till: { store } })
  onTestFinished(() => served.close())
  const count = { reads: 0, commits: 0 }
  const { read, transact } = store
  store.read = (work) => {
    count.reads += 1
    return read(work)
  }
  store.transact = (work) => {
    count.commits += 1
    return transact(work)
  }
  const asked = (number: number) =>
    served.app.inject({
      method: 'POST',
      url: '/v1/orders',
      headers: {
        host: 'localhost',
        authorization: `Bearer ${served.admin}`,
        'idempotency-key': `${number}`,
      },
      payload: { wallet: served.till.wallet, amount_sat: 50_000 },
    })
  // Notes the wallet: only the first order of a process asks for it.
  await asked(0)
  Object.assign(count, { reads: 0, commits: 0 })
  const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => asked(i + 1)))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(answers.map(() => 201))
  expect(count).toEqual({ reads: 1, commits: 1 })
  // One that is alone waits for nobody, and one that comes later is told what was committed before.
  const { id } = (await asked(17)).json()
  expect((await served.call('GET', `/v1/orders/${id}`)).json).toMatchObject({ id })
})
