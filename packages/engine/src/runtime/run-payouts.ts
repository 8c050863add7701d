import { type Clock, EngineError, type Logger, silentLogger, type Timers } from '../kernel/index.ts'

/** One turn's parts, in the order in which a payout goes through them. Each answers how much it did. */
export interface PayoutSteps {
  /** Batches approved requests into transactions. */
  plan(): Promise<number>
  /** Asks signers. */
  sign(): Promise<number>
  /** Sends what is final. */
  send(): Promise<number>
  /** Pays more for what is too slow. */
  bump(): Promise<number>
  /** Puts small coins together when fees are low. */
  consolidate(): Promise<number>
}
export type PayoutStep = keyof PayoutSteps

/** How paying out stands, for people and for readiness checks. Times in milliseconds since the epoch. */
export interface PayoutHealth {
  /** When a whole turn succeeded last. */
  readonly lastTurnAt: number | undefined
  /** Steps whose last try failed. */
  readonly failures: Readonly<
    Partial<Record<PayoutStep, { code: string; message: string; since: number }>>
  >
}
export interface RunPayoutsOptions {
  readonly engine: { readonly payouts: PayoutSteps }
  readonly clock: Clock
  readonly timers: Timers
  readonly logger?: Logger
  /** A turn at least this often, for what time alone makes due. Default 5 seconds. */
  readonly pollMs?: number
  readonly onHealth?: (health: PayoutHealth) => void
}
export interface RunningPayouts {
  /** Takes a turn now: something was committed. See `wakingStore` of `events`. */
  wake(): void
  health(): PayoutHealth
  /** Lets the step that is under way finish, then ends. */
  stop(): Promise<void>
  /** Resolves when it ended: by `stop`, or with a bug of ours, after which nothing may go on as if it were fine. */
  readonly ended: Promise<void>
}

const POLL_MS = 5_000
const STEPS: readonly PayoutStep[] = ['plan', 'sign', 'send', 'bump', 'consolidate']

/**
 * Pays out until it is stopped. Beside `runEngine`, in the same process or in one of its own; any number of processes may do so on
 * one store. A step that fails because the world does keeps no other one from its turn.
 */
export function runPayouts(options: RunPayoutsOptions): RunningPayouts {
  const loop = new Loop(options)
  const ended = loop.run()
  return {
    wake: () => loop.wake(),
    health: () => loop.health,
    stop() {
      loop.stop()
      return ended
    },
    ended,
  }
}

class Loop {
  readonly #options: RunPayoutsOptions
  #stopping = false
  #woken = false
  #interrupt: () => void = () => {}
  health: PayoutHealth = { lastTurnAt: undefined, failures: {} }

  constructor(options: RunPayoutsOptions) {
    this.#options = options
  }
  wake(): void {
    this.#woken = true
    this.#interrupt()
  }
  stop(): void {
    this.#stopping = true
    this.#interrupt()
  }
  async run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false
      const done = await this.#turn()
      // What a turn did may be work for the next one: a plan wants signatures.
      if (done === 0) await this.#waitForTurn()
    }
  }

  async #turn(): Promise<number> {
    let done = 0
    let whole = true
    for (const step of STEPS) {
      if (this.#stopping) return 0
      const made = await this.#try(step)
      if (made === undefined) whole = false
      else done += made
    }
    if (whole) this.#setHealth({ ...this.health, lastTurnAt: this.#options.clock.now() })
    return whole ? done : 0
  }
  async #try(step: PayoutStep): Promise<number | undefined> {
    const { engine, clock, logger = silentLogger } = this.#options
    try {
      const made = await engine.payouts[step]()
      if (this.health.failures[step]) {
        const { [step]: _, ...failures } = this.health.failures
        this.#setHealth({ ...this.health, failures })
      }
      return made
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      const { code, message } = error
      const since = this.health.failures[step]?.since ?? clock.now()
      const failures = { ...this.health.failures, [step]: { code, message, since } }
      this.#setHealth({ ...this.health, failures })
      logger.log('warn', 'a step of paying out failed', { step, code, reason: message })
      return undefined
    }
  }
  #setHealth(next: PayoutHealth): void {
    this.health = next
    this.#options.onHealth?.(next)
  }
  #waitForTurn(): Promise<void> {
    const { timers, pollMs = POLL_MS } = this.#options
    return new Promise((resolve) => {
      const cancel = timers.after(pollMs, resolve)
      this.#interrupt = () => {
        cancel()
        resolve()
      }
      if (this.#stopping || this.#woken) this.#interrupt()
    })
  }
}
