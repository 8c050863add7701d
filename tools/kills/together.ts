import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type Meeting, openMeeting } from '../../test/races/store.ts'
import { Random } from '../simulate/random.ts'
import { World } from '../simulate/world.ts'
import { type Command, Obedient } from './commands.ts'
import { Handler } from './handler.ts'
import { differences, stories, unsound } from './subjects.ts'

export interface TogetherReport {
  readonly seed: number
  readonly rounds: number
  readonly kills: number
  /** Subjects whose stories were compared. */
  readonly subjects: number
  /** What is wrong; empty when nothing is. */
  readonly faults: readonly string[]
}
export interface TogetherOptions {
  readonly seed: number
  readonly rounds: number
  /** How many engines share the database. */
  readonly processes: number
  readonly meeting: Meeting
}

const LATEST_KILL_MS = 120
const MOST_ORDERS = 40

/**
 * Several engines, each a process of its own, on one database and one node. All are told to look at the same moment, while
 * orders are made, cancelled and settled through all of them at once, and now and then one is killed. A twin in memory
 * lives the same life alone. In the end nothing may be lost, doubled or told otherwise than the twin tells it.
 * Throws when a process ends by itself.
 */
export async function liveTogether(options: TogetherOptions): Promise<TogetherReport> {
  const life = new Life(options)
  try {
    return await life.run()
  } finally {
    await life.end()
  }
}

class Life {
  readonly #options: TogetherOptions
  readonly #random: Random
  readonly #world: World
  readonly #twinStore = createMemoryStore()
  #handlers: readonly Handler<Command>[] = []
  #twinSource: ReturnType<typeof createBitcoindSource> | undefined
  #twin: Obedient | undefined
  #now = Date.now()
  #orders = 0
  readonly #closed = new Set<string>()

  constructor(options: TogetherOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#world = new World(this.#random, () => Date.now())
  }

  async run(): Promise<TogetherReport> {
    const { seed, rounds, processes, meeting } = this.#options
    const { devnet } = this.#world
    await devnet.listen()
    const node = { url: devnet.rpcUrl, cookieFile: devnet.cookiePath }
    this.#twinSource = createBitcoindSource({
      url: node.url,
      auth: { cookieFile: node.cookieFile },
    })
    this.#twin = await Obedient.open(this.#twinStore, this.#twinSource)
    this.#handlers = Array.from({ length: processes }, () => new Handler(meeting, node))
    await this.#all([{ do: 'look', ...this.#stamp() }])
    await this.#all([{ do: 'register', ...this.#stamp() }])
    for (let round = 0; round < rounds; round++) await this.#round()
    for (const handler of this.#handlers) await handler.kill()
    const opened = await openMeeting(meeting)
    try {
      const theirs = await stories(this.#twinStore)
      const faults = [
        ...(await unsound(opened.store)),
        ...differences(await stories(opened.store), theirs),
      ]
      return { seed, rounds, kills: this.#kills - processes, subjects: theirs.size, faults }
    } finally {
      await opened.close()
    }
  }
  async end(): Promise<void> {
    for (const handler of this.#handlers) await handler.kill()
    await this.#twinSource?.close()
    await this.#world.devnet.close()
  }
  get #kills(): number {
    return this.#handlers.reduce((sum, handler) => sum + handler.kills, 0)
  }
  #stamp(): { readonly now: number; readonly seed: number } {
    this.#now += this.#random.between(1000, 60_000)
    return { now: this.#now, seed: this.#random.next() }
  }

  async #round(): Promise<void> {
    const random = this.#random
    const known = await this.#twinStore.read((tx) => tx.deposits.listOrders({ limit: 1000 }))
    // Those that nobody has paid and nobody will pay in this round: what is decided about them cannot depend on who is first.
    const quiet = known.filter((order) => order.state.received === 0n && random.chance(30))
    const paid = known.filter((order) => !quiet.includes(order))
    for (let i = random.between(1, 5); i > 0; i--) this.#happen(paid)
    const stamp = this.#stamp()
    const commands: Command[] = [{ do: 'look', ...stamp }]
    if (this.#orders < MOST_ORDERS && random.chance(70)) commands.push(this.#newOrder(stamp))
    const decided = random.pick(quiet)
    if (decided?.externalId !== undefined && this.#mayClose(decided)) {
      this.#closed.add(decided.externalId)
      const what = random.chance(50) ? 'settle' : 'cancel'
      commands.push({ do: what, externalId: decided.externalId, ...stamp })
    }
    await this.#all(commands)
  }
  #mayClose({ externalId = '', state }: OrderRecord): boolean {
    return !this.#closed.has(externalId) && state.status === 'pending' && this.#random.chance(30)
  }
  #newOrder(stamp: { readonly now: number; readonly seed: number }): Command {
    this.#orders += 1
    return {
      do: 'order',
      externalId: `order ${this.#orders}`,
      amount: this.#random.between(1000, 1_000_000),
      expiresInMs: 600_000 * this.#random.between(1, 100),
      ...stamp,
    }
  }
  #happen(orders: readonly OrderRecord[]): void {
    const world = this.#world
    const action = this.#random.weighted({
      pay: 8,
      mine: 10,
      replace: 2,
      evict: 1,
      resend: 1,
      reorg: 3,
      spendOurs: 2,
    })
    if (action === 'pay') world.pay(orders)
    else if (action === 'reorg') world.reorg(6)
    else if (action === 'spendOurs') world.spendOurs(undefined)
    else world[action]()
  }

  /** The twin does the commands in turn; every process does all of them, each in an order of its own, all at once. */
  async #all(commands: readonly Command[]): Promise<void> {
    for (const command of commands.toReversed()) await this.#twin?.obey(command)
    const unlucky = this.#random.chance(40) ? this.#random.pick(this.#handlers) : undefined
    await Promise.all(
      this.#handlers.map(async (handler, i) => {
        const mine = i % 2 === 0 ? commands : commands.toReversed()
        if (handler === unlucky) {
          const [first] = mine
          if (first) await handler.obeyAndDie(first, this.#random.between(0, LATEST_KILL_MS))
        }
        for (const command of mine) await handler.obey(command)
      }),
    )
  }
}
