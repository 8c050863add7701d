import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { EngineError, type OrderId, sat } from '@kaccy/bitcoin/kernel'
import { devnetSource } from '../regtest/devnet-source.ts'
import type { Switchable } from '../regtest/switchable.ts'
import { EngineUnderTest } from '../scenarios/engine.ts'
import { Random } from './random.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  /** At least 200. */
  readonly steps: number
}
export interface SimulationReport {
  readonly seed: number
  readonly steps: number
  /** How many of each kind of fault happened. */
  readonly faults: Readonly<Record<string, number>>
  readonly credited: bigint
  readonly reversals: number
  /** What was wrong, with the step; empty when nothing was. */
  readonly broken: readonly string[]
}

const START = 1_780_000_000
/** Every schedule ends with this much quiet time: longer than a restarted node is waited for. */
const QUIET_S = 3600
const LEAST_FAULTS = 5

/** The process dies here; only what the store committed is left. */
class Crash extends Error {}

const ACTIONS = {
  order: 8,
  pay: 20,
  replace: 6,
  evict: 4,
  resend: 3,
  mine: 26,
  coinbase: 1,
  reorg: 5,
  clock: 6,
  look: 10,
  blind: 3,
  crash: 4,
  nodeFault: 5,
  moving: 4,
  spendOurs: 4,
  nodeRestart: 2,
  cancel: 1,
  settle: 1,
} as const

/** One seeded life of engine and world, checked against the model after every look. */
export class Simulation {
  readonly #options: SimulationOptions
  readonly #random: Random
  readonly #world: World
  readonly #engine: EngineUnderTest
  readonly #orders: OrderRecord[] = []
  readonly #faults: Record<string, number> = {}
  readonly #broken: string[] = []
  #failNext = 0
  #moveIn = 0
  #crashIn = -1
  #blindFor = 0
  #changeScript: Uint8Array | undefined
  #made = 0
  #step = 0

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    let now = START
    this.#world = new World(this.#random, () => now * 1000)
    const source = this.#faulty(devnetSource(this.#world.devnet))
    const store = createMemoryStore({
      onCommit: () => this.#maybeCrash(),
      onCall: () => this.#maybeCrash(),
    })
    this.#engine = new EngineUnderTest({ store, source, start: START, seed: options.seed })
    this.#tick = () => {
      now = this.#engine.nowSeconds
    }
  }
  readonly #tick: () => void

  #count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
  }
  #maybeCrash(): void {
    if (this.#crashIn < 0) return
    this.#crashIn -= 1
    if (this.#crashIn < 0) throw new Crash()
  }
  /** Calls of the node that fail when their turn has come, before or after the node did what was asked. */
  #faulty(source: Switchable): Switchable {
    const fail = (name: string) => {
      if (this.#failNext === 0) return
      this.#failNext -= 1
      if (this.#failNext === 0) throw new EngineError('NODE_TIMEOUT', `${name} timed out`)
    }
    // The chain goes on while it is read: a block or another branch arrives between two questions.
    const move = () => {
      if (this.#moveIn === 0) return
      this.#moveIn -= 1
      if (this.#moveIn > 0) return
      if (this.#random.chance(60)) this.#world.mine()
      else this.#world.reorg(3)
    }
    const calls = Object.entries(source).map(([name, call]) => [
      name,
      typeof call === 'function'
        ? async (...args: unknown[]) => {
            fail(name)
            move()
            return (call as (...given: unknown[]) => unknown)(...args)
          }
        : call,
    ])
    return Object.fromEntries(calls) as Switchable
  }

  async run(): Promise<SimulationReport> {
    await this.#engine.open()
    await this.#look()
    await this.#engine.registerWallet()
    const [change] = await this.#engine.engine.wallets.addresses({
      wallet: this.#engine.wallet,
      branch: 1,
      limit: 1,
    })
    this.#changeScript = change?.script
    for (this.#step = 0; this.#step < this.#options.steps; this.#step++) {
      await this.#act(this.#random.weighted(ACTIONS))
      if (this.#blindFor > 0) this.#blindFor -= 1
      else if (this.#random.chance(60)) await this.#look()
      if (this.#broken.length > 0) break
    }
    while (this.#broken.length === 0 && this.#faultCount() < LEAST_FAULTS) await this.#act('reorg')
    if (this.#broken.length === 0) await this.#finish()
    return {
      seed: this.#options.seed,
      steps: this.#step,
      faults: this.#faults,
      credited: this.#orders.length === 0 ? 0n : await this.#totalCredited(),
      reversals: await this.#engine.reversals(),
      broken: this.#broken,
    }
  }
  #faultCount(): number {
    return Object.values(this.#faults).reduce((sum, count) => sum + count, 0)
  }

  async #act(action: keyof typeof ACTIONS): Promise<void> {
    const random = this.#random
    const world = this.#world
    const order = random.pick(this.#orders)
    if (action === 'order') await this.#orderOrCrash()
    else if (action === 'pay') world.pay(this.#orders)
    else if (action === 'mine') this.#mine(random.between(1, 3))
    else if (action === 'resend') world.resend()
    else if (action === 'coinbase' && order) world.mineTo(order)
    else if (action === 'coinbase') world.mine()
    else if (action === 'look') await this.#look()
    else if (action === 'spendOurs')
      world.spendOurs(random.chance(50) ? this.#changeScript : undefined)
    else if (action === 'clock') this.#pass(random.between(30, 1200))
    else if (action === 'cancel' || action === 'settle')
      await this.#guarded(() => this.#close(action, order))
    else await this.#fault(action)
  }
  async #fault(
    action:
      | 'replace'
      | 'evict'
      | 'reorg'
      | 'blind'
      | 'crash'
      | 'nodeFault'
      | 'nodeRestart'
      | 'moving',
  ): Promise<void> {
    const random = this.#random
    this.#count(action)
    if (action === 'replace') this.#world.replace()
    if (action === 'evict') this.#world.evict()
    if (action === 'reorg') this.#world.reorg(random.chance(10) ? 25 : 6)
    if (action === 'blind') this.#blindFor = random.between(3, 25)
    if (action === 'nodeFault') this.#failNext = random.between(1, 12)
    if (action === 'nodeRestart') await this.#restartNode()
    if (action === 'moving') {
      this.#moveIn = random.between(1, 12)
      await this.#look()
      this.#moveIn = 0
      await this.#look()
    }
    if (action === 'crash') {
      this.#crashIn = random.between(0, 60)
      await this.#look()
      this.#crashIn = -1
      await this.#engine.restart()
    }
  }
  async #restartNode(): Promise<void> {
    const mempool = this.#random.pick(['kept', 'lost', 'loading'] as const) ?? 'kept'
    this.#pass(5)
    await this.#world.devnet.restart({ mempool })
    await this.#look()
    if (mempool === 'loading') this.#world.devnet.finishLoading()
  }
  #mine(blocks: number): void {
    for (let i = 0; i < blocks; i++) this.#world.mine()
  }
  #pass(seconds: number): void {
    this.#engine.passSeconds(seconds)
    this.#tick()
  }

  /** Something that a crash may interrupt: then the process is gone and a new one begins. */
  async #guarded(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      this.#crashIn = -1
      await this.#engine.restart()
      return false
    }
  }
  /** Now and then the same request again, or one whose answer a crash took away: it must give the same order. */
  async #orderOrCrash(): Promise<void> {
    const again = this.#random.chance(10) && this.#made > 0
    if (!again) this.#made += 1
    if (this.#random.chance(15)) this.#crashIn = this.#random.between(0, 15)
    const survived = await this.#guarded(() => this.#createOrder(this.#made))
    this.#crashIn = -1
    if (!survived) await this.#createOrder(this.#made)
  }
  async #createOrder(number: number): Promise<void> {
    const kind = new Random(this.#options.seed * 7919 + number)
    const order = await this.#engine.createOrder({
      externalId: `order ${number}`,
      amount: kind.chance(85) ? sat(BigInt(kind.between(1000, 2_000_000))) : undefined,
      expiresInMs: kind.chance(30) ? 60_000 * kind.between(1, 30) : 86_400_000 * 300,
      tolerance: sat(0n),
      thresholds: {
        confirmed: 1,
        fullConfirmed: kind.between(2, 4),
        finalized: kind.between(5, 8),
      },
    })
    const known = this.#orders.find((other) => other.id === order.id)
    if (known && known.address !== order.address) this.#broken.push('one order has two addresses')
    if (!known) this.#orders.push(order)
  }
  async #close(action: 'cancel' | 'settle', order: OrderRecord | undefined): Promise<void> {
    if (!order) return
    const { orders } = this.#engine.engine
    if (action === 'cancel') await orders.cancel(order.id, 'operator:test')
    else await orders.settle(order.id, 'test', 'simulated')
  }

  async #look(): Promise<void> {
    const disturbed = this.#failNext > 0 || this.#moveIn > 0
    const survived = await this.#guarded(() => this.#engine.look())
    this.#crashIn = -1
    if (!survived) return
    if (!disturbed && this.#failNext === 0) await this.#check()
  }

  /** Holds everything against the node's own chain. */
  async #check(): Promise<void> {
    const wrong = (text: string): void => {
      this.#broken.push(`step ${this.#step}: ${text}`)
    }
    const tip = await this.#engine.engine.tip()
    if (tip?.hash !== this.#world.devnet.view.tip().hash)
      return wrong('the cursor is not at the tip')
    for (const { id } of this.#orders) await this.#checkOrder(id, wrong)
    for (const fault of await this.#engine.brokenInvariants()) wrong(fault)
    await this.#checkEvents(wrong)
  }
  async #checkOrder(id: OrderId, wrong: (text: string) => void): Promise<void> {
    const { order, payments } = await this.#engine.store.read(async (tx) => {
      const found = await tx.deposits.paymentsOfOrders([id])
      const views = await tx.deposits.transactions(found.map((payment) => payment.point.txid))
      return {
        order: await tx.deposits.order(id),
        payments: found.map((payment) => ({
          payment,
          view: views.find(({ txid }) => txid === payment.point.txid)?.view,
        })),
      }
    })
    if (!order) return wrong(`${id} is gone`)
    const truth = this.#world.model.of(order.script)
    const credited = payments
      .filter(({ payment }) => payment.booked.state === 'credited')
      .reduce((sum, { payment }) => sum + payment.amount, 0n)
    const due = truth.atDepth(order.thresholds.fullConfirmed)
    if (credited !== due) wrong(`${id} is credited ${credited}, the chain says ${due}`)
    const waiting = payments.some(
      ({ view }) => view?.state === 'mempool' && view.missingSince !== undefined,
    )
    const seen = payments
      .filter(({ view }) => view && view.state !== 'gone')
      .reduce((sum, { payment }) => sum + payment.amount, 0n)
    if (!waiting && seen !== truth.seen)
      wrong(`${id} has seen ${seen}, the node shows ${truth.seen}`)
    const { status } = order.state
    const final = truth.atDepth(order.thresholds.finalized)
    if (status === 'finalized' && !order.settled && final === 0n && order.state.received > 0n)
      wrong(`${id} is finalized with nothing at depth ${order.thresholds.finalized}`)
    if (order.amount !== undefined && !order.settled && status !== 'failed') {
      const covered = final >= order.amount && order.state.received >= order.amount
      const inTime = payments.every(({ payment }) => payment.purpose === 'order')
      if (covered && inTime && status !== 'finalized')
        wrong(`${id} is ${status} although it is final`)
    }
  }
  /** A consumer that only adds up events must arrive at the ledger's figures. */
  async #checkEvents(wrong: (text: string) => void): Promise<void> {
    const sums = new Map<string, number>()
    for (const { type, subject, data } of await this.#engine.engine.events({
      after: 0,
      limit: 100_000,
    })) {
      if (type !== 'payment.credited' && type !== 'payment.reversed') continue
      const amount = Number(data['amount_sat']) * (type === 'payment.credited' ? 1 : -1)
      sums.set(subject, (sums.get(subject) ?? 0) + amount)
    }
    const payments = await this.#engine.engine.orders.payments({ limit: 100_000 })
    for (const { id, booked, amount, purpose } of payments) {
      const expected = booked.state === 'credited' ? Number(amount) : 0
      if (purpose !== 'change' && (sums.get(id) ?? 0) !== expected)
        wrong(`events add up to ${sums.get(id) ?? 0} for ${id}, the books say ${expected}`)
    }
  }
  async #totalCredited(): Promise<bigint> {
    const balance = await this.#engine.engine.wallets.balance(this.#engine.wallet)
    return balance.coins
  }

  /** Quiet at the end: no faults, time enough for everything to settle, then every satoshi is where it belongs. */
  async #finish(): Promise<void> {
    this.#failNext = 0
    await this.#look()
    this.#pass(QUIET_S)
    await this.#look()
    const { engine, wallet } = this.#engine
    const audit = await engine.audit.verify()
    if (!audit.ok) this.#broken.push(`the audit trail is broken: ${JSON.stringify(audit)}`)
    const result = await engine.reconcile(wallet)
    if (
      result.drifts.length > 0 ||
      result.booked !== result.bookable ||
      result.ours !== result.node
    )
      this.#broken.push(
        `reconciliation: ${result.ours} against ${result.node}, ${result.booked} against ${result.bookable}`,
      )
  }
}
