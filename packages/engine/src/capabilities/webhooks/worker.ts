import { raiseAlerts } from '../alerts/index.ts'
import type { EngineEvent } from '../events/index.ts'
import { type Attempt, attempt, type DeliveryOptions, numbered } from './delivery.ts'
import { isFor } from './interests.ts'
import { afterAttempt, afterLast, afterSkipped, type Outcome } from './machine.ts'
import type { WebhookLease, WebhookRecord } from './ports.ts'
import { tell, type WebhooksTx } from './service.ts'

export interface WorkerOptions extends DeliveryOptions {
  readonly leaseMs: number
  readonly giveUpMs: number
  /** Deliveries of each webhook that the log keeps. */
  readonly keep: number
  /** No further attempt is begun. */
  readonly isStopping: () => boolean
  /** The attempt that runs is to be given up. */
  readonly signal: AbortSignal
  /** An attempt has been waiting for its answer for long, or is over. */
  readonly onSlow: (isSlow: boolean) => void
}

const PAGE = 100
/** Deliveries of one subscription in a row before another one that waits gets the place. */
const TURN = 100
const WORTH_SAVING = 1000
const SLOW_MS = 2000

/** `next`: the one after it. `again`: the subscription stands elsewhere now. `over`: somebody else's, paused or failed. */
type Course = 'next' | 'again' | 'over'

/**
 * Delivers what waits for one subscription, event after event, as long as it holds the lease: until nothing is left, an
 * attempt fails, or its turn is over. Two processes never commit for one subscription at a time, because every commit
 * looks whether the lease is still this one.
 */
export async function work(options: WorkerOptions, id: string): Promise<void> {
  const { store, clock, leaseMs } = options
  const at = clock.now()
  const claimed = await store.transact((tx) => tx.webhooks.claim(id, at, at + leaseMs))
  if (claimed) await new Worker(options, claimed.webhook, claimed.lease).run()
}

class Worker {
  readonly #options: WorkerOptions
  readonly #fence: number
  /** As it was committed last. */
  #webhook: WebhookRecord
  /** Up to where nothing is left, also what was passed over and not committed. */
  #position: number
  #left = TURN
  #leasedUntil: number

  constructor(options: WorkerOptions, webhook: WebhookRecord, lease: WebhookLease) {
    this.#options = options
    this.#webhook = webhook
    this.#position = webhook.cursor
    this.#fence = lease.fence
    this.#leasedUntil = lease.until
  }

  async run(): Promise<void> {
    for (;;) {
      if (this.#options.isStopping() || this.#left <= 0) return this.#giveBack()
      const { events, upTo, isLast } = await this.#page()
      const course = await this.#deliverAll(events, isLast ? upTo : undefined)
      if (course === 'over') return
      if (course === 'again') continue
      this.#position = Math.max(this.#position, upTo)
      if (isLast) {
        if (await this.#settle()) return
      } else if (this.#position - this.#webhook.cursor >= WORTH_SAVING) {
        if (!(await this.#keepPlace())) return
      }
    }
  }

  async #page() {
    const { eventTypes } = this.#webhook
    // By its types where an index can do it; what is passed over otherwise is passed over once.
    const types = eventTypes.some((type) => type.endsWith('*')) ? {} : { types: eventTypes }
    return this.#options.store.read(async (tx) => {
      const head = await tx.events.head()
      const after = this.#position
      const events = head > after ? await tx.events.list({ after, limit: PAGE, ...types }) : []
      const isLast = events.length < PAGE
      return { events, isLast, upTo: isLast ? head : (events.at(-1)?.seq ?? head) }
    })
  }

  /** @param end the newest event there was, when these are all up to it */
  async #deliverAll(events: readonly EngineEvent[], end: number | undefined): Promise<Course> {
    const last = events.findLast((event) => isFor(event, this.#webhook))
    for (const event of events) {
      if (!isFor(event, this.#webhook)) {
        this.#position = event.seq
        continue
      }
      if (this.#options.isStopping() || this.#left <= 0) return 'again'
      const course = await this.#deliver(event, event === last ? end : undefined)
      if (course !== 'next') return course
    }
    return 'next'
  }

  async #deliver(event: EngineEvent, end: number | undefined): Promise<Course> {
    const { store, clock, leaseMs, timers, onSlow, signal } = this.#options
    // What is left of the lease must outlast the attempt; renewing it also shows whether it is still ours.
    if (this.#leasedUntil - clock.now() < leaseMs / 2 && !(await this.#keepPlace())) return 'over'
    let isSlow = false
    const cancel = timers.after(SLOW_MS, () => {
      isSlow = true
      onSlow(true)
    })
    const made = await attempt(this.#options, this.#webhook, event, signal)
    cancel()
    if (isSlow) onSlow(false)
    if (signal.aborted && made.outcome.type === 'failed') {
      // We hung up; that says nothing about the receiver.
      await this.#giveBack()
      return 'over'
    }
    this.#left -= 1
    return store.transact((tx) => this.#commit(tx, made, end)).then((next) => this.#took(next))
  }

  /** Subscription, log and whatever follows, in one transaction. Undefined: another process has taken over. */
  async #commit(tx: WebhooksTx, { outcome, delivery }: Attempt, end: number | undefined) {
    const { clock, leaseMs, giveUpMs, keep } = this.#options
    const fresh = await this.#mine(tx)
    if (!fresh) return undefined
    // Somebody asked for a replay meanwhile: what was just delivered stands in the log and moves nothing.
    const isMoved = fresh.cursor !== this.#webhook.cursor
    const moved = isMoved
      ? { ...fresh, deliveries: fresh.deliveries + 1 }
      : afterAttempt(fresh, outcome, giveUpMs)
    const isDone = !isMoved && (await this.#isLast(tx, outcome, end))
    const next = isDone && end !== undefined ? afterLast(moved, end) : moved
    const isWell = isMoved || outcome.type === 'delivered'
    const goesOn = next.status === 'active' && isWell && !isDone
    const until = goesOn ? clock.now() + leaseMs : 0
    await tx.webhooks.save(next, until)
    await tx.webhooks.log(numbered(delivery, next.deliveries))
    if (next.deliveries > keep) await tx.webhooks.forgetUpTo(next.id, next.deliveries - keep)
    if (next.status === 'paused' && fresh.status === 'active') await tellPaused(tx, next)
    return { webhook: next, until, goesOn, isMoved }
  }
  /**
   * Whether this was the newest event, which most deliveries are: then the same commit gives the lease back. Asked after the
   * row is locked: whoever marks it for a later event waits for this commit.
   */
  async #isLast(tx: WebhooksTx, outcome: Outcome, end: number | undefined): Promise<boolean> {
    return outcome.type === 'delivered' && end !== undefined && (await tx.events.head()) === end
  }
  #took(
    next: { webhook: WebhookRecord; until: number; goesOn: boolean; isMoved: boolean } | undefined,
  ): Course {
    if (!next?.goesOn) return 'over'
    this.#webhook = next.webhook
    this.#leasedUntil = next.until
    this.#position = next.webhook.cursor
    return next.isMoved ? 'again' : 'next'
  }

  /** Nothing is left: the lease goes back, unless something was marked that this worker has not read. True when it ended. */
  async #settle(): Promise<boolean> {
    return this.#options.store.transact(async (tx) => {
      const fresh = await this.#mine(tx)
      if (fresh?.status !== 'active') {
        if (fresh) await tx.webhooks.save(fresh, 0)
        return true
      }
      if (this.#follows(fresh)) return false
      // Read after the row is locked: who marks this row holds the same lock.
      if ((await tx.webhooks.fed()) > this.#position) return false
      await tx.webhooks.save(afterLast(fresh, this.#position), 0)
      return true
    })
  }

  /** Writes down what was passed over, and renews the lease. False when it is over. */
  async #keepPlace(): Promise<boolean> {
    const until = this.#options.clock.now() + this.#options.leaseMs
    return this.#options.store.transact(async (tx) => {
      const fresh = await this.#mine(tx)
      if (fresh?.status !== 'active') {
        if (fresh) await tx.webhooks.save(fresh, 0)
        return false
      }
      const next = this.#follows(fresh) ? fresh : afterSkipped(fresh, this.#position)
      await tx.webhooks.save(next, until)
      this.#webhook = next
      this.#leasedUntil = until
      return true
    })
  }

  /** The next process, or the next turn, goes on at once. */
  async #giveBack(): Promise<void> {
    const { store, clock } = this.#options
    await store.transact(async (tx) => {
      const fresh = await this.#mine(tx)
      if (!fresh) return
      if (fresh.status !== 'active') return tx.webhooks.save(fresh, 0)
      const next = this.#follows(fresh) ? fresh : afterSkipped(fresh, this.#position)
      const waits = next.attempts > 0 ? next.nextAttemptAt : undefined
      return tx.webhooks.save({ ...next, nextAttemptAt: waits ?? clock.now() }, 0)
    })
  }

  async #mine(tx: WebhooksTx): Promise<WebhookRecord | undefined> {
    const fresh = await tx.webhooks.lockLeased(this.#webhook.id, this.#fence)
    return fresh?.status === 'removed' ? undefined : fresh
  }
  /** True when a replay has moved it: this worker goes where it stands now. */
  #follows(fresh: WebhookRecord): boolean {
    if (fresh.cursor === this.#webhook.cursor) return false
    this.#webhook = fresh
    this.#position = fresh.cursor
    return true
  }
}

/** Nobody delivers any more: people are told, not only the log. */
async function tellPaused(tx: WebhooksTx, webhook: WebhookRecord): Promise<void> {
  const { id, pausedAt = 0, pausedReason = 'failing', lastError = '', failingSince = 0 } = webhook
  const host = URL.parse(webhook.url)?.host ?? ''
  await raiseAlerts(tx, pausedAt, [
    {
      key: `webhook_paused/${id}/${pausedAt}`,
      kind: 'webhook_paused',
      severity: 'warning',
      subject: id,
      message: `The webhook to ${host} is paused and its events wait: ${lastError}`,
      data: { webhook: id, reason: pausedReason, failing_since: failingSince },
    },
  ])
  await tell(tx, pausedAt, 'pause', webhook, 'engine', { reason: pausedReason, error: lastError })
}
