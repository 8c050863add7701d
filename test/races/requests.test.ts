import type { Engine, Store } from '@kaccy/bitcoin'
import type { CreatedOrder } from '@kaccy/bitcoin/deposits'
import type { Once } from '@kaccy/bitcoin/idempotency'
import { sat, type WalletId } from '@kaccy/bitcoin/kernel'
import { digest, type Subject } from '@kaccy/bitcoin/testing'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { seededEntropy } from '../../tools/scenarios/engine.ts'
import { Till } from '../deposits/till.ts'
import { memoryHome, postgresForTests, postgresHome, sqliteHome } from '../store/homes.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())

const onceOf = (key: string, body: number): Once<CreatedOrder> => ({
  request: { scope: 'key_1', key, digest: digest(body) },
  answer: ({ order }) => ({ status: 201, body: order.id }),
})

/** Two engines with a store each on one database, as two processes have them. */
async function twoEngines(home: () => Promise<Subject>, between = (store: Store): Store => store) {
  const subject = await home()
  const first = await Till.open({ store: subject.store })
  const second = await Till.open({
    store: between((await subject.reopen?.()) ?? subject.store),
    devnet: first.devnet,
    registers: false,
    entropy: seededEntropy(1000),
  })
  await second.look()
  const orders = () => first.engine.orders.list({ limit: 10_000 })
  return { first, engines: [first.engine, second.engine] as const, subject, orders }
}

/** What a server does with a request: its answer, or the code of a refusal. */
async function ask(engine: Engine, wallet: WalletId, key: string, body: number): Promise<string> {
  const once = onceOf(key, body)
  const input = { wallet, amount: sat(5_000n + BigInt(body)) }
  const made = await engine.orders.create(input, 'api:key_1', once)
  if (made.ok) return made.value.order.id
  if (made.error.code !== 'IDEMPOTENCY_ANSWERED') return made.error.code
  const found = await engine.idempotency.find(once.request)
  return found.ok ? (found.value?.body ?? 'nothing') : found.error.code
}

const asked = fc.array(
  fc.record({ engine: fc.nat(1), key: fc.nat(3), body: fc.nat(1), later: fc.nat(2) }),
  { minLength: 2, maxLength: 24 },
)

const HOMES = {
  memory: [memoryHome, true, 60],
  SQLite: [sqliteHome, true, 40],
  PostgreSQL: [() => postgresHome(server as NonNullable<typeof server>), server !== undefined, 40],
} as const

test.for(['memory', 'SQLite', 'PostgreSQL'] as const)(
  'however requests with few keys meet in two engines on %s, a key makes one order and has one answer',
  { timeout: 120_000 },
  async (name, context) => {
    const [home, isThere, numRuns] = HOMES[name]
    if (!isThere) return context.skip('SKIPPED: there is no PostgreSQL')
    const { first, engines, subject, orders } = await twoEngines(home)
    let run = 0
    const seen = { replayed: 0, refused: 0 }
    const property = fc.asyncProperty(asked, async (requests) => {
      run += 1
      const before = (await orders()).length
      const answers = await Promise.all(
        requests.map(async ({ engine, key, body, later }) => {
          for (let turn = 0; turn < later * 20; turn++) await Promise.resolve()
          const name = `${run}/${key}`
          const answer = await ask(engines[engine as 0 | 1], first.wallet, name, body)
          return { name, body, answer }
        }),
      )
      const made = new Map((await orders()).map((order) => [order.id as string, order]))
      const byKey = Map.groupBy(answers, ({ name }) => name)
      expect(made.size - before).toBe(byKey.size)
      for (const ofKey of byKey.values()) {
        const given = ofKey.filter(({ answer }) => answer !== 'IDEMPOTENCY_CONFLICT')
        const [winner] = given
        expect(new Set(given.map(({ answer, body }) => `${answer} ${body}`)).size).toBe(1)
        expect(made.get(winner?.answer ?? '')?.amount).toBe(5_000n + BigInt(winner?.body ?? 9))
        // Only another request is refused.
        expect(ofKey.filter(({ body }) => body === winner?.body)).toEqual(given)
        seen.replayed += given.length - 1
        seen.refused += ofKey.length - given.length
      }
    })
    await fc.assert(property, { numRuns })
    expect(Math.min(seen.replayed, seen.refused)).toBeGreaterThan(numRuns)
    await first.expectSound()
    await subject.dispose?.()
  },
)

/** The store, whose transactions wait after they have looked for answers, once. */
function waitingOnce(store: Store, until: () => Promise<unknown>): Store {
  let waits = true
  return {
    ...store,
    transact: (work) =>
      store.transact((tx) =>
        work(
          Object.create(tx, {
            idempotency: {
              value: {
                ...tx.idempotency,
                answers: async (names: Parameters<typeof tx.idempotency.answers>[0]) => {
                  const found = await tx.idempotency.answers(names)
                  if (waits) {
                    waits = false
                    await until()
                  }
                  return found
                },
              },
            },
          }),
        ),
      ),
  }
}

test.for([1, 8])(
  'a key that another process takes meanwhile fails none of %i orders in the commit',
  async (group, context) => {
    if (!server) return context.skip('SKIPPED: there is no PostgreSQL')
    let meanwhile = async () => {}
    let met = 0
    const { first, engines, subject, orders } = await twoEngines(
      () => postgresHome(server),
      (store) => waitingOnce(store, () => meanwhile()),
    )
    const [home, away] = engines
    let mine = ''
    meanwhile = async () => {
      met += 1
      mine = await ask(home, first.wallet, 'shared', 1)
    }
    const keys = ['shared', ...Array.from({ length: group - 1 }, (_, i) => `own ${i}`)]
    const answers = await Promise.all(keys.map((key) => ask(away, first.wallet, key, 1)))
    expect(met).toBe(1)
    expect(mine).toMatch(/^ord_/)
    expect(answers[0]).toBe(mine)
    expect(answers.filter((answer) => /^ord_/.test(answer))).toHaveLength(group)
    expect(new Set(answers).size).toBe(group)
    expect(await orders()).toHaveLength(group)
    await first.expectSound()
    await subject.dispose?.()
  },
)
