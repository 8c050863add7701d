import { get } from 'node:http'
import type { Timers } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openShop, type Shop } from './shop.ts'

const SHOP = 'https://shop.example'
const UNKNOWN = { id: `ord_${'f'.repeat(32)}` } as Parameters<Shop['url']>[0]
let shop: Shop
beforeAll(async () => {
  shop = await openShop({
    frames: [SHOP],
    theme: { name: 'Northwind', accent: '#aa3300', logo: 'data:image/png;base64,iVBORw0KGgo=' },
    streamsOfOrder: 2,
    heartbeatMs: 30,
  })
})
afterAll(() => shop.close())

const order = () =>
  shop.till.order({
    amount: 150_000,
    description: 'coffee',
    externalId: `secret-${shop.till.now++}`,
    customer: 'customer-secret',
    metadata: { secret: 'secret' },
  })

describe('the page', () => {
  test('has the headers that leave it alone in the world', async () => {
    const answer = await fetch(shop.url(await order()))
    expect(answer.status).toBe(200)
    const headers = Object.fromEntries(answer.headers)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' ${SHOP}`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex, nofollow',
      vary: 'Accept-Language',
    })
    expect(headers['permissions-policy']).toContain('camera=()')
    expect(headers).not.toHaveProperty('x-frame-options')
  })

  test('speaks the language of its reader', async () => {
    const german = { headers: { 'accept-language': 'de-AT' } }
    const one = await order()
    expect(await (await fetch(shop.url(one), german)).text()).toContain('<html lang="de">')
    expect(await (await fetch(shop.url(one, 'lang=en'), german)).text()).toContain('lang="en"')
  })

  test('tells only an origin that may frame it', async () => {
    const one = await order()
    const parent = async (origin: string) =>
      /data-parent="([^"]*)"/.exec(
        await (await fetch(shop.url(one, `origin=${encodeURIComponent(origin)}`))).text(),
      )?.[1]
    expect(await parent(SHOP)).toBe(SHOP)
    expect(await parent(shop.origin)).toBe(shop.origin)
    expect(await parent('https://evil.example')).toBe('')
    expect(await parent('*')).toBe('')
    expect(await parent('"><script>')).toBe('')
  })

  test('takes a doubled or strange query for none', async () => {
    const one = await order()
    for (const query of ['theme=dark&theme=light', 'theme=blue', 'lang[]=de', 'embed=2', 'x=1'])
      expect(await (await fetch(shop.url(one, query))).text()).toMatch(/<html lang="en">/)
  })
})

test('nothing below /pay says what is no business of the payer', async () => {
  const one = await order()
  const other = await order()
  for (const path of ['', '/status', '/qr.svg']) {
    const answer = await fetch(`${shop.url(one)}${path}`)
    const text = await answer.text()
    expect(text, path).not.toMatch(/secret/)
    expect(text, path).not.toContain(one.wallet)
    expect(text, path).not.toContain(other.id)
    expect(text, path).not.toContain(other.address)
  }
})

test.each([
  UNKNOWN.id,
  'ord_',
  'ord_x',
  `wal_${'0'.repeat(32)}`,
  `ORD_${'0'.repeat(32)}`,
  `ord_${'0'.repeat(31)}%00`,
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%2fv1%2forders',
  '__proto__',
  'a'.repeat(90),
])('%s is not found, in one way', async (id) => {
  const page = await fetch(`${shop.origin}/pay/${id}`)
  expect(page.status).toBe(404)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await page.text()).toContain('There is no such order')
  for (const path of ['status', 'qr.svg', 'events']) {
    const answer = await fetch(`${shop.origin}/pay/${id}/${path}`)
    expect(answer.status, path).toBe(404)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(await answer.json()).toMatchObject({ code: 'ORDER_NOT_FOUND', status: 404 })
  }
})

test('the code of an order that should not be paid is gone', async () => {
  const one = await order()
  const code = await fetch(`${shop.url(one)}/qr.svg`)
  expect(code.headers.get('content-type')).toBe('image/svg+xml')
  expect(code.headers.get('content-security-policy')).toContain('sandbox')
  await shop.till.engine.orders.cancel(one.id, 'operator:test')
  expect((await fetch(`${shop.url(one)}/qr.svg`)).status).toBe(404)
})

describe('files', () => {
  const names = async () => {
    const page = await (await fetch(shop.url(await order()))).text()
    return [...page.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)].map(([, name = '']) => name)
  }
  test('have names of their contents and are kept for ever', async () => {
    const all = await names()
    expect(all).toHaveLength(4)
    for (const name of all) {
      expect(name).toMatch(/^assets\/[a-z]+\.[\w-]{16}\.(css|js|svg|png)$/)
      const answer = await fetch(`${shop.origin}/pay/${name}`)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      const etag = answer.headers.get('etag') ?? ''
      const again = await fetch(`${shop.origin}/pay/${name}`, {
        headers: { 'if-none-match': etag },
      })
      expect(again.status).toBe(304)
    }
  })
  test('change their names with the theme', async () => {
    const before = await names()
    const other = await openShop({ theme: { accent: '#00aa33' } })
    const page = await (await fetch(other.url(await other.till.order({ amount: 1_000 })))).text()
    await other.close()
    expect(page).not.toContain(before.find((name) => name.endsWith('.css')))
    expect(page).toContain(before.find((name) => name.endsWith('.js')))
  })
  test.each(['pay.css', '../routes.ts', '%2e%2e%2froutes.ts', 'constructor', 'pay.js'])(
    '%s is none of them',
    async (name) => {
      expect((await fetch(`${shop.origin}/pay/assets/${name}`)).status).toBe(404)
    },
  )
  test('the script for shops may be loaded by them, under a name that stays', async () => {
    const answer = await fetch(`${shop.origin}/pay/embed.js`)
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300')
  })
})

interface Listener {
  readonly events: { type: string; data: Record<string, unknown> }[]
  readonly status: number
  readonly end: Promise<void>
  close(): void
}
/** Server-sent events by hand, so that a broken line is seen. */
const listen = (url: string): Promise<Listener> =>
  new Promise((resolve, reject) => {
    const request = get(url, (answer) => {
      const events: Listener['events'] = []
      let rest = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() ?? ''
        for (const block of blocks) {
          const [, type] = /^event: (\w+)$/m.exec(block) ?? []
          const [, data] = /^data: (.*)$/m.exec(block) ?? []
          if (type && data) events.push({ type, data: JSON.parse(data) })
        }
      })
      answer.on('error', () => undefined)
      const end = new Promise<void>((done) => answer.on('close', () => done()))
      resolve({ events, status: answer.statusCode ?? 0, end, close: () => request.destroy() })
    })
    request.on('error', reject)
  })
const until = async (what: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(what()).toBe(true)
}
const phases = ({ events }: Listener) =>
  events.filter(({ type }) => type === 'status').map(({ data }) => data['phase'])

describe('events', () => {
  test('tell every level of one order and nothing of another, then end', async () => {
    const { till } = shop
    const one = await order()
    const other = await order()
    const listener = await listen(`${shop.url(one)}/events`)
    await until(() => phases(listener).length === 1)
    till.pay('for another', [other, 150_000])
    await till.look()
    till.pay('half', [one, 100_000])
    await till.look()
    await until(() => phases(listener).includes('underpaid'))
    till.pay('rest', [one, 50_000])
    await till.look()
    await until(() => phases(listener).includes('seen'))
    for (let depth = 1; depth <= 6; depth++) {
      await till.mine()
      await until(() =>
        listener.events.some(({ data }) => data['confirmations'] === Math.min(depth, 3)),
      )
    }
    await listener.end
    expect([...new Set(phases(listener))]).toEqual([
      'waiting',
      'underpaid',
      'seen',
      'confirming',
      'paid',
    ])
    expect(listener.events.at(-1)).toEqual({ type: 'end', data: {} })
    const orders = new Set(listener.events.flatMap(({ data }) => data['order'] ?? []))
    expect([...orders]).toEqual([one.id])
    expect(
      listener.events.some(({ type }) => type === 'time'),
      'a sign of life',
    ).toBe(true)
  })

  test('tell that time is up without anybody committing anything', async () => {
    const one = await shop.till.order({ amount: 5_000, expiresInMs: 60_000 })
    const listener = await listen(`${shop.url(one)}/events`)
    await until(() => phases(listener).length === 1)
    shop.till.now += 60_001
    await until(() => phases(listener).at(-1) === 'expired')
    listener.close()
  })

  test('are refused to one more than there may be, and given back', async () => {
    const one = await order()
    const first = await listen(`${shop.url(one)}/events`)
    const second = await listen(`${shop.url(one)}/events`)
    const third = await fetch(`${shop.url(one)}/events`)
    expect(third.status).toBe(429)
    expect(third.headers.get('retry-after')).toBe('10')
    first.close()
    second.close()
    let status = 429
    for (let i = 0; i < 200 && status === 429; i++) {
      const again = await listen(`${shop.url(one)}/events`)
      status = again.status
      again.close()
    }
    expect(status).toBe(200)
  })

  test('a question for the headers opens none', async () => {
    const one = await order()
    expect((await fetch(`${shop.url(one)}/events`, { method: 'HEAD' })).status).toBe(404)
  })

  test('end when the server does, which does not wait for them', async () => {
    const own = await openShop()
    const listener = await listen(`${own.url(await own.till.order({ amount: 1_000 }))}/events`)
    await until(() => phases(listener).length === 1)
    await own.close()
    await listener.end
  })

  test('nobody watches: the store is not asked', async () => {
    let heads = 0
    const own = await openShop({ head: async () => (heads += 1) })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(heads).toBe(0)
    const listener = await listen(`${own.url(await own.till.order({ amount: 1_000 }))}/events`)
    await until(() => heads > 3)
    listener.close()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const after = heads
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(heads - after).toBeLessThanOrEqual(1)
    await own.close()
  })

  test.each(['head', 'explain'])('survive a store that fails at %s for a while', async (where) => {
    let fails = ''
    const own = await openShop()
    const { till } = own
    await own.close()
    const failing = async <T>(place: string, work: () => Promise<T>): Promise<T> => {
      if (fails === place) throw new TypeError('the store is away')
      return work()
    }
    const { engine } = till
    const shaky = await openShop({
      head: () => failing('head', () => till.store.read((tx) => tx.events.head())),
      engine: {
        network: engine.network,
        tip: engine.tip,
        events: engine.events,
        orders: {
          get: (id) => engine.orders.get(id),
          explain: (id) => failing('explain', () => engine.orders.explain(id)),
        },
      },
      clock: { now: () => till.now },
    })
    const one = await till.order({ amount: 1_000 })
    const listener = await listen(`${shaky.url(one)}/events`)
    await until(() => phases(listener).length === 1)
    fails = where
    till.pay('meanwhile', [one, 1_000])
    await till.look()
    await new Promise((resolve) => setTimeout(resolve, 100))
    fails = ''
    await until(() => phases(listener).at(-1) === 'seen')
    listener.close()
    await shaky.close()
  })
})

test('timers that are left behind are none', async () => {
  const pending = new Set<() => void>()
  const timers: Timers = {
    after(_, action) {
      const timer = () => {
        pending.delete(timer)
        action()
      }
      pending.add(timer)
      return () => pending.delete(timer)
    },
  }
  const own = await openShop({ timers })
  const listener = await listen(`${own.url(await own.till.order({ amount: 1_000 }))}/events`)
  await until(() => pending.size === 3)
  await own.close()
  await until(() => pending.size === 0)
  listener.close()
})

test('a theme or an origin that cannot be used stops the start', async () => {
  for (const options of [{ theme: { accent: 'red' } }, { frames: ['shop.example'] }])
    await expect(openShop(options)).rejects.toMatchObject({ code: 'CONFIG_VALUE_INVALID' })
})

test('who is not admitted sees a problem, not a page', async () => {
  const own = await openShop({
    admit: async (_, reply) => {
      reply.code(429).send()
    },
  })
  expect((await fetch(own.url(UNKNOWN))).status).toBe(429)
  await own.close()
})
