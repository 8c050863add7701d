import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { systemEntropy, systemTimers } from '@kaccy/bitcoin/adapters/system'
import { createWebhookSender } from '@kaccy/bitcoin/adapters/webhook'
import { EVERYTHING, wakingStore } from '@kaccy/bitcoin/events'
import type { Transactor } from '@kaccy/bitcoin/kernel'
import {
  createDispatcher,
  createMemoryInbox,
  createWebhooks,
  type WebhookAnswer,
  type WebhookPost,
  type WebhooksTx,
} from '@kaccy/bitcoin/webhooks'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bookInbox, openShop, type Trouble, TROUBLES } from './shop.ts'
import { MINUTE, world } from './world.ts'

const orderOf = (n: number) => ({
  type: n % 4 === 0 ? 'payment.unmatched' : 'order.confirmed',
  subject: `ord_${n}`,
  data: { amount_sat: 1000 + n * 7 },
})
const salesOf = (events: readonly { type: string; seq: number; data: unknown }[]) =>
  events
    .filter(({ type }) => type.startsWith('order.'))
    .map(({ seq, data }) => [seq, (data as { amount_sat: number }).amount_sat])

const trouble = fc.oneof(
  { weight: 7, arbitrary: fc.constant<Trouble>('well') },
  { weight: 3, arbitrary: fc.constantFrom<Trouble>(...TROUBLES) },
)
const step = fc.record({
  emit: fc.integer({ min: 0, max: 3 }),
  pass: fc.constantFrom(0, 1000, 6000, 6 * MINUTE, 200 * MINUTE),
  engine: fc.constantFrom('runs', 'runs', 'runs', 'stops', 'dies'),
  shop: fc.constantFrom('runs', 'runs', 'runs', 'dies'),
})

test('the shop’s totals are the engine’s, whatever 30 % of deliveries meet and whoever restarts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(trouble, { maxLength: 80 }),
      fc.array(step, { maxLength: 30 }),
      async (troubles, steps) => {
        const w = world()
        const { secret } = await w.hook('https://shop.example/')
        const sales: unknown[] = []
        const inbox = createMemoryInbox(
          ({ seq, data }) => void sales.push([seq, data['amount_sat']]),
        )
        const open = () => openShop({ inbox, secret, now: w.clock.now, store: w.memory })
        let shop = open()
        const held: WebhookPost[] = []
        let isCalm = false
        const next = troubles.values()
        w.answers.set('https://shop.example/', async (post) => {
          const meets = isCalm ? 'well' : (next.next().value ?? 'well')
          const nothing: WebhookAnswer = { kind: 'failed', reason: 'timeout', message: 'silence' }
          if (meets === 'dropped') return nothing
          if (meets === 'reordered') held.push(post)
          if (meets === 'swallowed' || meets === 'reordered')
            return { kind: 'answered', status: 200, body: '' }
          const status = await shop.answer(post)
          if (meets === 'doubled') await shop.answer(post)
          for (const late of held.splice(0)) await shop.answer(late)
          return meets === 'unheard' ? nothing : { kind: 'answered', status, body: '' }
        })
        let engine = w.run()
        let n = 0
        const emit = (count: number) =>
          w.store.transact((tx) =>
            tx.events.append(
              1,
              Array.from({ length: count }, () => orderOf(++n)),
            ),
          )
        for (const { emit: count, pass, engine: fate, shop: theirs } of steps) {
          if (count > 0) await emit(count)
          if (fate === 'stops') await engine.stop(0)
          if (fate !== 'runs') engine = w.run()
          if (theirs === 'dies') {
            shop.close()
            shop = open()
          }
          await w.pass(pass)
        }
        // The last one arrives: a receiver learns of a hole by what comes after it.
        isCalm = true
        n = 0
        await emit(1)
        for (let i = 0; i < 30; i++) await w.pass(13 * 60 * MINUTE)
        const events = await w.store.read((tx) => tx.events.list({ after: 1, limit: 1000 }))
        expect(sales).toEqual(salesOf(events))
        await engine.stop()
      },
    ),
    { numRuns: 120 },
  )
}, 120_000)

/** The wall clock, a thousand times as fast: pauses of minutes are over in a moment. */
const FASTER = 1000
const began = Date.now()
const clock = { now: () => began + (Date.now() - began) * FASTER }
const timers = {
  after: (ms: number, action: () => void) => systemTimers.after(Math.ceil(ms / FASTER), action),
}

test('the same over sockets, with databases on both sides and processes that die', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kaccy-shop-'))
  const file = join(folder, 'engine.db')
  const openEngine = async (migrate: boolean) => {
    const database = new Database(file)
    const plain = await openStore({ dialect: 'sqlite', database, migrate })
    let isDead = false
    const mortal = async <T>(work: () => Promise<T>): Promise<T> => {
      const result = isDead ? new Promise<never>(() => {}) : await work()
      return isDead ? new Promise<never>(() => {}) : result
    }
    const own: Transactor<WebhooksTx> = {
      transact: (work) => mortal(() => plain.transact(work)),
      read: (work) => mortal(() => plain.read(work)),
    }
    const sender = createWebhookSender({ targets: { allow: ['127.0.0.0/8'] } })
    const dispatcher = createDispatcher({
      store: own,
      clock,
      timers,
      entropy: systemEntropy,
      sender,
    })
    return {
      store: wakingStore(plain, () => dispatcher.wake()),
      async end(kills: boolean) {
        isDead = kills
        if (!kills) await dispatcher.stop(0)
        await plain.close()
        database.close()
      },
    }
  }
  let state = 20_261_128
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  let engine = await openEngine(true)
  const books = join(folder, 'shop.db')
  const held: Parameters<ReturnType<typeof openShop>['answer']>[0][] = []
  let inARow = 0
  let isCalm = false
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      const post = {
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString(),
      }
      const roll = Math.floor(chance() * 17)
      const meets = isCalm || inARow >= 2 ? 'well' : (TROUBLES[roll] ?? 'well')
      const isSilent = meets === 'dropped' || meets === 'unheard'
      inARow = isSilent ? inARow + 1 : 0
      if (meets === 'reordered') held.push(post)
      let status = 200
      if (meets === 'well' || meets === 'unheard' || meets === 'doubled') {
        status = await shop.answer(post)
        if (meets === 'doubled') await shop.answer(post)
        for (const late of held.splice(0).reverse()) await shop.answer(late)
      }
      if (isSilent) response.destroy()
      else response.writeHead(status).end()
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const webhooks = createWebhooks({
    store: engine.store,
    clock,
    entropy: systemEntropy,
    targets: { allow: ['127.0.0.0/8'] },
  })
  const { port } = server.address() as AddressInfo
  const made = await webhooks.create(
    { url: `http://127.0.0.1:${port}/hook`, eventTypes: ['order.*'], grant: EVERYTHING },
    'operator:ann',
  )
  if (!made.ok) throw new TypeError(made.error.message)
  const { secret, webhook } = made.value
  const openBooks = () => new Database(books)
  let book = openBooks()
  const open = () =>
    openShop({ inbox: bookInbox(book), secret, now: clock.now, store: engine.store })
  let shop = open()
  let n = 0
  const emit = () => engine.store.transact((tx) => tx.events.append(1, [orderOf(++n)]))
  for (let round = 0; round < 80; round++) {
    await emit()
    if (chance() < 0.3) await emit()
    if (chance() < 0.3) await pause(3)
    if (chance() < 0.1) {
      await engine.end(chance() < 0.5)
      engine = await openEngine(false)
      shop.close()
      shop = open()
    }
    if (chance() < 0.1) {
      shop.close()
      book.close()
      book = openBooks()
      shop = open()
    }
  }
  isCalm = true
  n = 0
  await emit()
  const all = () =>
    engine.store.read((tx) => tx.events.list({ after: webhook.cursor, limit: 1000 }))
  const total = (await all()).at(-1)?.seq
  while ((await bookInbox(book).cursor()) !== total) await pause(5)
  expect(book.prepare('select seq, amount from sales order by seq').raw().all()).toEqual(
    salesOf(await all()),
  )
  await engine.end(false)
  server.close()
  server.closeAllConnections()
  book.close()
  await rm(folder, { recursive: true, force: true })
}, 120_000)

const pause = (ms: number) => new Promise<void>((resolve) => void systemTimers.after(ms, resolve))
