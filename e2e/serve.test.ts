import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { verifyWebhook } from '@kaccy/bitcoin/webhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { reasonToSkip } from '../test/counterparts/node.ts'
import { findPostgres, startPostgres, type TestPostgres } from '../test/counterparts/postgres.ts'
import type { Said } from './kaccy.ts'
import { LiveServer, pause } from './live-server.ts'

interface Arrived {
  readonly headers: Record<string, string>
  readonly body: string
}
/** Takes what webhooks bring, and keeps it. */
async function openReceiver() {
  const arrived: Arrived[] = []
  const receiver: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8')
    })
    request.on('end', () => {
      arrived.push({ headers: request.headers as Record<string, string>, body })
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready))
  const { port } = receiver.address() as AddressInfo
  return { arrived, url: `http://127.0.0.1:${port}/hook`, receiver }
}
const until = async (fits: () => boolean): Promise<void> => {
  while (!fits()) await pause(20)
}
const data = ({ data: list }: Said): readonly Said[] => list as readonly Said[]

const reason = reasonToSkip('PostgreSQL', await findPostgres())
let postgres: TestPostgres | undefined
beforeAll(async () => {
  if (reason === undefined) postgres = await startPostgres()
})
afterAll(() => postgres?.stop())
const homes: Readonly<Record<string, () => Promise<string | undefined>>> = {
  SQLite: async () => undefined,
  ...(reason === undefined ? { PostgreSQL: async () => postgres?.createDatabase() } : {}),
}

describe.each(Object.entries(homes))('kaccy serve on %s', (home, makeDatabase) => {
  let server: LiveServer
  let wallet: unknown
  let hook: Awaited<ReturnType<typeof openReceiver>>
  beforeAll(async () => {
    const database = await makeDatabase()
    server = await LiveServer.open({
      ...(database === undefined ? {} : { database }),
      environment: { KACCY_CHAIN_STALL_MS: '1500' },
    })
    hook = await openReceiver()
  })
  afterAll(async () => {
    await server?.close()
    hook?.receiver.close()
  })

  test('from the first key to a paid order, its events, its webhook and its page', async () => {
    expect((await server.call('GET', '/health/live', { token: '' })).json).toEqual({
      status: 'alive',
    })
    await server.until('/health/ready', ({ status }) => status === 'ready')
    expect((await server.call('GET', '/v1/orders', { token: '' })).status).toBe(401)
    wallet = (await server.wallet())['id']
    const { secret, id } = await server.done('POST', '/v1/webhooks', {
      url: hook.url,
      event_types: ['order.*'],
    })
    expect(secret).toMatch(/^whsec_/)
    const order = await server.done('POST', '/v1/orders', { wallet, amount_sat: 150_000 })
    const page = await fetch(String(order['pay_url']))
    expect([page.status, page.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ])
    expect(await page.text()).toContain(String(order['address']))
    server.devnet.pay(String(order['address']), 150_000n)
    server.devnet.mine(3)
    const path = `/v1/orders/${order['id']}`
    await server.until(path, ({ status }) => status === 'full_confirmed')
    const events = data(await server.done('GET', `/v1/events?limit=100&subject=${order['id']}`))
    const types = events.map(({ type }) => type)
    expect(types).toEqual(expect.arrayContaining(['order.created', 'order.full_confirmed']))
    await until(() => hook.arrived.length >= events.length)
    for (const { headers, body } of hook.arrived)
      expect(verifyWebhook(headers, body, [String(secret)], Date.now())).toMatchObject({ ok: true })
    expect(hook.arrived.map(({ body }) => JSON.parse(body).type)).toEqual(types)
    const deliveries = data(await server.done('GET', `/v1/webhooks/${id}/deliveries`))
    expect(deliveries.map(({ outcome }) => outcome)).not.toContain('failed')
    const { text } = await server.call('GET', '/metrics', { token: '' })
    expect(text).toMatch(/^kaccy_payment_volume_sat_total(\{.*\})? 150000$/m)
    expect(text).toMatch(/^kaccy_orders_created_total(\{.*\})? 1$/m)
  })

  test('it says when the node is away, and comes back by itself', async () => {
    await server.devnet.down()
    const away = await server.until('/health/ready', ({ status }) => status === 'not_ready')
    expect((await server.call('GET', '/health/ready')).status).toBe(503)
    expect((away['checks'] as Said[]).find(({ name }) => name === 'node')).toMatchObject({
      state: 'failed',
    })
    // Orders can be taken all the same: what comes is read when the node is back.
    await server.done('POST', '/v1/orders', { wallet, amount_sat: 20_000 })
    await server.devnet.up()
    await server.until('/health/ready', ({ status }) => status === 'ready')
  })

  test('SIGTERM: what is under way is answered, streams are sent away, the next start goes on', async () => {
    const stream = new WebSocket(`${server.url.replace('http', 'ws')}/v1/events/stream?after=0`, {
      headers: { authorization: `Bearer ${server.token}` },
    })
    await new Promise((ready) => stream.once('message', ready))
    const closed = new Promise<number>((resolve) => stream.once('close', resolve))
    const body = JSON.stringify({ wallet, amount_sat: 30_000, external_id: 'under-way' })
    const { port } = new URL(server.url)
    const socket = connect(Number(port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('utf8')
    })
    const over = new Promise((resolve) => socket.once('close', resolve))
    const head = [
      'POST /v1/orders HTTP/1.1',
      'Host: kaccy',
      `Authorization: Bearer ${server.token}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, 10)}`)
    // One answer on another connection: by then the server has read what was sent before it.
    await server.done('GET', '/v1/self')
    const ending = server.end('SIGTERM')
    expect(await closed).toBe(1001)
    socket.write(body.slice(10))
    await over
    expect(answer).toMatch(/^HTTP\/1\.1 201 /)
    expect(answer.toLowerCase()).toContain('connection: close')
    expect(await ending).toMatchObject({ code: 0 })

    server.devnet.mine(1)
    await server.start()
    const orders = data(await server.done('GET', '/v1/orders'))
    expect(orders.map(({ external_id: given }) => given)).toContain('under-way')
    const height = server.devnet.tip.height
    await server.until('/v1/chain', (json) => JSON.stringify(json).includes(`"height":${height}`))
  })

  const KILLS = home === 'SQLite' ? 20 : 5
  test(`${KILLS} kill -9 between request and answer: the retry gets its 201, and there is one order`, async () => {
    const AT_ONCE = 8
    let replayed = 0
    let lost = 0
    for (let round = 0; round < KILLS; round++) {
      const customer = `round-${round}`
      const ask = (n: number) =>
        server.call('POST', '/v1/orders', {
          body: { wallet, amount_sat: 10_000 + n, customer },
          headers: { 'idempotency-key': `${customer}-${n}` },
        })
      const all = Array.from({ length: AT_ONCE }, (_, n) => n)
      const first = all.map((n) => ask(n).catch(() => undefined))
      // From before the requests are read to after they are answered, over the rounds.
      await pause((round * 37) % 160)
      await server.end('SIGKILL')
      const heard = await Promise.all(first)
      await server.start()
      for (const n of all) {
        const again = await ask(n)
        expect(again.status).toBe(201)
        if (heard[n] === undefined) lost++
        else expect(again.json['id']).toBe(heard[n].json['id'])
        const isReplayed = again.headers.get('idempotent-replayed') === 'true'
        if (heard[n] === undefined && isReplayed) replayed++
        expect(isReplayed || heard[n] === undefined).toBe(true)
      }
      const made = data(await server.done('GET', `/v1/orders?limit=100&customer=${customer}`))
      expect(made).toHaveLength(AT_ONCE)
    }
    process.stderr.write(
      `${home}: ${KILLS} kills, ${lost} answers lost, ${replayed} of them after the commit\n`,
    )
    expect((await server.command('audit', 'verify')).code).toBe(0)
  }, 600_000)
})
