/**
 * A shop with the consumer kit and the server, each its own process, both killed again and again, while 30 of a hundred
 * deliveries are dropped, doubled or late: at the end the shop has counted what the engine has.
 *
 * `npm run consumer -- [--rounds N] [--seed N] [--json]`
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LiveServer, pause } from '../../e2e/live-server.ts'
import { freePorts } from '../../test/counterparts/process.ts'
import { readOptions } from '../options.ts'
import { Random } from '../simulate/random.ts'
import { type Books, Shop } from './shop.ts'

type Json = Readonly<Record<string, unknown>>
export interface ConsumerReport {
  readonly rounds: number
  readonly kills: { readonly server: number; readonly shop: number }
  readonly events: number
  readonly creditedSat: number
  /** What differs between the two, in words. */
  readonly differences: readonly string[]
}

/** Everything that the server has told of orders, and what it credits to each. */
async function truth(server: LiveServer) {
  const seqs: number[] = []
  for (let after = '0'; ; ) {
    const page = await server.done('GET', `/v1/events?after=${after}&limit=100&types=order.*`)
    seqs.push(...(page['data'] as Json[]).map(({ seq }) => Number(seq)))
    after = String(page['next'])
    if (page['has_more'] !== true) break
  }
  const credited: Record<string, number> = {}
  for (let query = ''; ; ) {
    const page = await server.done('GET', `/v1/orders?limit=100${query}`)
    for (const { id, credited_sat: sat } of page['data'] as Json[])
      credited[String(id)] = Number(sat)
    if (page['next'] === null) break
    query = `&after=${page['next']}`
  }
  return { seqs, credited }
}

function compare(books: Books, real: Awaited<ReturnType<typeof truth>>): string[] {
  const differences: string[] = []
  if (JSON.stringify(books.seqs) !== JSON.stringify(real.seqs))
    differences.push(
      `events: ${books.seqs.length} counted up to ${books.cursor}, ${real.seqs.length} told up to ${real.seqs.at(-1)}, or in another order`,
    )
  for (const [id, sat] of Object.entries(real.credited))
    if ((books.credited[id] ?? 0) !== sat)
      differences.push(`${id}: ${books.credited[id] ?? 0} sat in the shop, ${sat} on the server`)
  return differences
}

class Life {
  readonly #server: LiveServer
  readonly #shop: Shop
  readonly #random: Random
  readonly #wallet: unknown
  readonly #hook: string
  #addresses: string[] = []
  readonly kills = { server: 0, shop: 0 }

  constructor(
    server: LiveServer,
    shop: Shop,
    random: Random,
    known: Readonly<Record<'wallet' | 'hook', unknown>>,
  ) {
    this.#server = server
    this.#shop = shop
    this.#random = random
    this.#wallet = known.wallet
    this.#hook = String(known.hook)
  }
  /** Some orders, some payments, perhaps blocks or a reorganisation, and perhaps somebody dies on the way. */
  async round(): Promise<void> {
    const random = this.#random
    const { devnet } = this.#server
    for (let i = random.between(1, 4); i > 0; i--) await this.order()
    const paid = this.#addresses.splice(0, random.between(0, 3))
    for (const address of paid) devnet.pay(address, BigInt(random.between(5_000, 40_000)))
    if (random.chance(70)) devnet.mine(random.between(1, 4))
    if (random.chance(15)) devnet.reorg(2)
    if (random.chance(60)) await this.retry()
    await pause(random.between(0, 400))
    if (random.chance(40)) {
      this.kills.shop++
      await this.#shop.kill()
      await pause(random.between(0, 200))
      await this.#shop.start(random.next())
    }
    if (random.chance(40)) {
      this.kills.server++
      await this.#server.end('SIGKILL')
      await this.#server.start()
    }
  }
  async order(): Promise<void> {
    const body = { wallet: this.#wallet, amount_sat: this.#random.between(10_000, 30_000) }
    const { address } = await this.#server.done('POST', '/v1/orders', body)
    this.#addresses.push(String(address))
  }
  /** As an operator who does not want to wait for the next attempt. */
  async retry(): Promise<void> {
    await this.#server.done('POST', `/v1/webhooks/${this.#hook}/resume`)
  }
}

/** Waits until the shop has come so far; a shop that makes no step for a minute never will. */
async function arrive(life: Life, shop: Shop, end: number): Promise<void> {
  let cursor = -1
  for (let idle = 0; cursor < end && idle < 600; idle++) {
    const now = shop.books().cursor
    if (now > cursor) idle = 0
    cursor = now
    // Not more often: each asks at once, also while an answer is under way.
    if (idle % 50 === 49) await life.retry()
    await pause(100)
  }
}

/** Where there is a difference, how the delivery stands belongs to it. */
async function toldWith(
  server: LiveServer,
  hook: string,
  differences: readonly string[],
): Promise<readonly string[]> {
  if (differences.length === 0) return differences
  const state = await server.done('GET', `/v1/webhooks/${hook}`)
  const { data } = await server.done('GET', `/v1/webhooks/${hook}/deliveries?limit=5`)
  const attempts = (data as Json[]).map(({ body: _, ...attempt }) => attempt)
  return [...differences, JSON.stringify(state), JSON.stringify(attempts)]
}

/** Lives so many rounds and compares. */
export async function consume(seed: number, rounds: number): Promise<ConsumerReport> {
  const server = await LiveServer.open()
  const [port = 0] = await freePorts(1)
  const wallet = (await server.wallet())['id']
  const made = await server.done('POST', '/v1/webhooks', {
    url: `http://127.0.0.1:${port}/`,
    event_types: ['order.*'],
  })
  const random = new Random(seed)
  const shop = new Shop({
    file: join(server.folder, 'shop.sqlite'),
    port,
    secret: String(made['secret']),
    api: server.url,
    token: server.token,
  })
  try {
    await shop.start(random.next())
    const life = new Life(server, shop, random, { wallet, hook: made['id'] })
    for (let i = 0; i < rounds; i++) await life.round()
    shop.calm()
    server.devnet.mine(3)
    const height = `"height":${server.devnet.tip.height}`
    await server.until('/v1/chain', (json) => JSON.stringify(json).includes(height))
    // The last one arrives: a receiver learns of a hole by what comes after it.
    await life.order()
    const real = await truth(server)
    await arrive(life, shop, real.seqs.at(-1) ?? 0)
    const books = shop.books()
    return {
      rounds,
      kills: life.kills,
      events: real.seqs.length,
      creditedSat: Object.values(real.credited).reduce((sum, sat) => sum + sat, 0),
      differences: await toldWith(server, String(made['id']), compare(books, real)),
    }
  } finally {
    await shop.kill()
    await server.close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = readOptions({
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string' },
  })
  const seed = Number(options.seed ?? Math.floor(Date.now() / 1000) % 1_000_000_000)
  const report = await consume(seed, Number(options.rounds))
  const passed = report.differences.length === 0 && report.events > 0
  const { kills, events, creditedSat } = report
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ name: `consumer, seed ${seed}`, passed, ...report })}\n`
      : `seed ${seed}: ${report.rounds} rounds, ${kills.server} kills of the server and ${kills.shop} of the shop, ${events} events, ${creditedSat} sat\n${report.differences.join('\n')}\n`,
  )
  process.exitCode = passed ? 0 : 1
}
