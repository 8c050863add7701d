import { systemEntropy, systemTimers } from '@kaccy/bitcoin/adapters/system'
import { EVERYTHING } from '@kaccy/bitcoin/events'
import { createDispatcher, createWebhooks, type WebhookAnswer } from '@kaccy/bitcoin/webhooks'
import { afterAll, describe, expect, test } from 'vitest'
import { postgresForTests, postgresHome, sqliteHome } from '../store/homes.ts'

const server = await postgresForTests()
afterAll(() => server?.stop())
const homes = {
  'SQLite on a file': sqliteHome,
  ...(server ? { PostgreSQL: () => postgresHome(server) } : {}),
}

/** The wall clock, ten thousand times as fast: pauses of minutes are over in a moment. */
const FASTER = 10_000
const began = Date.now()
const clock = { now: () => began + (Date.now() - began) * FASTER }
const timers = {
  after: (ms: number, action: () => void) => systemTimers.after(Math.ceil(ms / FASTER), action),
}
const pause = (ms: number) => new Promise<void>((resolve) => void systemTimers.after(ms, resolve))

describe.each(Object.entries(homes))('%s', (_, makeHome) => {
  test('three processes deliver each subscription by one of them at a time, in order, and all of it', async () => {
    const home = await makeHome()
    const stores = [home.store]
    for (let i = 0; i < 2; i++) stores.push((await home.reopen?.()) ?? home.store)
    const webhooks = createWebhooks({ store: home.store, clock, entropy: systemEntropy })
    const urls = Array.from({ length: 12 }, (_, i) => `https://shop${i}.example/`)
    for (const url of urls)
      await webhooks.create({ url, eventTypes: ['order.*'], grant: EVERYTHING }, 'operator:ann')
    const arrived = new Map<string, number[]>(urls.map((url) => [url, []]))
    const busy = new Set<string>()
    const overlaps: string[] = []
    let count = 0
    const process = (store: (typeof stores)[number], number: number) =>
      createDispatcher({
        store,
        clock,
        timers,
        entropy: systemEntropy,
        // A hundred days of this clock: no claim runs out, so two at a time would be a fault.
        leaseMs: 100 * 24 * 3_600_000,
        pollMs: 50_000,
        sender: {
          async send({ url, body }): Promise<WebhookAnswer> {
            if (busy.has(url)) overlaps.push(`${url} by ${number}`)
            busy.add(url)
            await pause(count++ % 3)
            busy.delete(url)
            if (count % 11 === 0) return { kind: 'answered', status: 500, body: '' }
            arrived.get(url)?.push(JSON.parse(body).seq)
            return { kind: 'answered', status: 200, body: '' }
          },
        },
      })
    const processes = stores.map(process)
    const orders: number[] = []
    for (let i = 0; i < 40; i++) {
      const [event] = await home.store.transact((tx) =>
        tx.events.append(1, [
          { type: 'order.created', subject: `ord_${i}`, data: {} },
          { type: 'payment.unmatched', subject: `pay_${i}`, data: {} },
        ]),
      )
      orders.push(event?.seq ?? 0)
      processes[i % 3]?.wake()
      if (i % 10 === 9) await pause(5)
    }
    while ([...arrived.values()].some((seqs) => seqs.length < orders.length)) await pause(5)
    await Promise.all(processes.map((one) => one.stop()))
    for (const seqs of arrived.values()) expect(seqs).toEqual(orders)
    expect(overlaps).toEqual([])
    expect(await webhooks.status()).toMatchObject({ head: 92 })
    for (const store of stores) await store.close()
    await home.dispose?.()
  })
})
