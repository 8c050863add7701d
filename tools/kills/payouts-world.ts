import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert } from '@kaccy/bitcoin/kernel'
import { addressOf, createDevnet, type Devnet } from '@kaccy/devnet'
import { type Meeting, type OpenMeeting, openMeeting } from '../../test/races/store.ts'
import { Random } from '../simulate/random.ts'
import { Handler } from './handler.ts'
import { ChainBook, sentUnstored, shownUnsaid } from './payouts-chain.ts'
import type { PayoutAnswer, PayoutCommand } from './payouts-engine.ts'
import type { FaultPoint } from './payouts-faults.ts'
import { Signers, twoOfTwo } from './payouts-signers.ts'
import { type Asked, unsoundPayouts } from './payouts-sound.ts'

const VICTIM = fileURLToPath(new URL('./payouts-victim.ts', import.meta.url))
const MINUTE = 60_000
/** Claims of a process that died end within this time. */
export const CLAIMS_END_MS = 6 * MINUTE
/** Rounds of six minutes and six blocks: replacements and burials have all come by then. */
const MOST_ROUNDS = 40

/** A command without the time and the randomness that the world adds. */
export type Told = PayoutCommand extends infer C
  ? C extends PayoutCommand
    ? Omit<C, 'now' | 'seed'>
    : never
  : never

interface Parts {
  readonly devnet: Devnet
  readonly signers: Signers
  readonly meeting: Meeting
  readonly opened: OpenMeeting
  readonly cache: string
}

/** Node, signers, clock and customers of a process that pays out; all of them outlive it. */
export class PayoutWorld {
  readonly random: Random
  readonly devnet: Devnet
  readonly signers: Signers
  readonly book: ChainBook
  readonly victim: Handler<PayoutCommand>
  readonly asked: Asked[] = []
  /** What somebody else sent who had the signatures. */
  readonly leaked = new Set<string>()
  readonly faults: string[] = []
  now: number
  commands = 0
  readonly #opened: OpenMeeting
  readonly #cache: string
  #orders = 0
  #requests = 0

  private constructor(seed: number, parts: Parts, now: number) {
    const { devnet, signers, meeting, opened, cache } = parts
    this.random = new Random(seed)
    this.devnet = devnet
    this.signers = signers
    this.book = new ChainBook(devnet)
    this.#opened = opened
    this.#cache = cache
    this.now = now
    const node = { url: devnet.rpcUrl, cookieFile: devnet.cookiePath }
    const env = { NODE_COMPILE_CACHE: cache }
    this.victim = new Handler(meeting, node, { program: VICTIM, args: [signers.url], env })
  }
  static async open(seed: number, meeting: Meeting): Promise<PayoutWorld> {
    const begun = Date.now()
    const box: { world: PayoutWorld | undefined } = { world: undefined }
    const devnet = await createDevnet({
      seed: `payouts ${seed}`,
      clock: () => box.world?.now ?? begun,
    })
    // What it learned from earlier payouts would make each of them another story.
    devnet.posture.feeRate = 5_000n
    const signers = await Signers.listen()
    const opened = await openMeeting(meeting)
    // What a process compiled serves the next ones: most of a start is that.
    const cache = await mkdtemp(join(tmpdir(), 'kaccy-compiled-'))
    const world = new PayoutWorld(seed, { devnet, signers, meeting, opened, cache }, begun)
    box.world = world
    await world.tell({ do: 'look' })
    await world.tell({ do: 'register', descriptor: twoOfTwo() })
    return world
  }
  async close(): Promise<void> {
    await this.victim.kill()
    await this.#opened.close()
    await this.signers.close()
    await this.devnet.close()
    await rm(this.#cache, { recursive: true, force: true })
  }

  command(told: Told): PayoutCommand {
    this.commands += 1
    this.now += this.random.between(100, 2000)
    return { ...told, now: this.now, seed: this.random.next() }
  }
  /** Lets the process do it to the end. */
  async tell(told: Told): Promise<PayoutAnswer> {
    return JSON.parse(await this.victim.obey(this.command(told))) as PayoutAnswer
  }
  /** Kills the process so many milliseconds after it was told. */
  async tellAndKill(told: Told, afterMs: number): Promise<void> {
    await this.victim.obeyAndDie(this.command(told), afterMs)
    await this.lookAtTheDead()
  }
  /** The point at which the process died on the way; undefined when it did not. */
  async tellAtRisk(told: Told): Promise<FaultPoint | undefined> {
    const died = await this.victim.obeyOrDie(this.command(told))
    if (died === undefined) return undefined
    await this.lookAtTheDead()
    return JSON.parse(died) as FaultPoint
  }
  /** What must hold at any moment, also of a process that is dead: all that got out is written down. */
  async lookAtTheDead(): Promise<void> {
    const { store } = this.#opened
    this.faults.push(
      ...(await sentUnstored(store, this.book, this.leaked)),
      ...(await shownUnsaid(store, this.book, this.signers.shown)),
    )
  }

  /** Coins deep enough to be spent, each paid to an order of its own. */
  async fund(...amounts: readonly number[]): Promise<void> {
    for (const amount of amounts) {
      this.#orders += 1
      const { address } = await this.tell({
        do: 'order',
        externalId: `order ${this.#orders}`,
        amount,
      })
      assert(address !== undefined, 'an order with an address')
      this.devnet.pay(address, BigInt(amount))
    }
    this.devnet.mine(3)
    await this.tell({ do: 'look' })
  }
  /** A request that nobody made before, to an address that only it pays. */
  newRequest(amount: number, maxRate?: number): Extract<Told, { do: 'ask' }> & Asked {
    this.#requests += 1
    const [high, low] = [this.#requests >> 8, this.#requests & 255]
    const address = addressOf(Uint8Array.of(0, 20, ...new Uint8Array(18).fill(9), high, low))
    assert(address, 'an address')
    const ceiling = maxRate === undefined ? {} : { maxRate }
    return { do: 'ask', externalId: `payout ${this.#requests}`, address, amount, ...ceiling }
  }
  /** Asks until it is answered, as a client does that got no answer. */
  async ask(request: Extract<Told, { do: 'ask' }> & Asked): Promise<boolean> {
    const { refused } = await this.tell(request)
    if (refused === undefined) this.asked.push(request)
    return refused === undefined
  }
  pass(ms: number): void {
    this.now += ms
  }

  /** Somebody who has all that the signers gave out sends one of it. */
  leak(): void {
    this.#leak(this.random.pick(this.signers.complete()))
  }
  leakAll(): void {
    for (const one of this.signers.complete()) this.#leak(one)
  }
  #leak(one: ReturnType<Signers['complete']>[number] | undefined): void {
    if (one && this.devnet.trySend(one.raw) === undefined) this.leaked.add(one.txid)
  }
  /** Time, blocks and turns until nothing is under way any more. False when that never comes. */
  async finish(): Promise<boolean> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      await this.tell({ do: 'work' })
      this.devnet.mine(6)
      await this.tell({ do: 'look' })
      if (await this.#isOver()) return true
      this.pass(CLAIMS_END_MS)
    }
    return false
  }
  #isOver(): Promise<boolean> {
    return this.#opened.store.read(async (tx) => {
      const live = await tx.spending.liveSpends(undefined, 1)
      const records = await tx.withdrawals.list({ limit: 1_000_000 })
      const waits = records.some(({ status }) => status === 'requested' || status === 'approved')
      return live.length === 0 && !waits
    })
  }
  /** Everything that is wrong in the end; the process is told to end all that is under way first. */
  async verdict(): Promise<readonly string[]> {
    if (!(await this.finish())) this.faults.push('paying out never came to its end')
    const { store } = this.#opened
    this.faults.push(...(await unsoundPayouts(store, this.book, this.asked)))
    // Whoever kept a signature sends it now: it must be too late for all of them.
    for (const { txid, raw } of this.signers.complete())
      if (this.devnet.trySend(raw) === undefined) this.faults.push(`${txid} can still be mined`)
    await this.lookAtTheDead()
    return this.faults
  }
}
