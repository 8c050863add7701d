import type { Clock, Transactor } from '../../kernel/index.ts'
import type { EngineEvent } from '../events/index.ts'
import { Interests } from './interests.ts'
import type { WebhookMark } from './ports.ts'
import type { WebhooksTx } from './service.ts'

const PAGE = 500
/** Events that nobody asked for are passed over in memory; so many are worth a commit. */
const WORTH_SAVING = 1000
/** After these a subscription wants other events than before. */
const CHANGES = ['created', 'updated', 'removed', 'paused', 'resumed'].map((w) => `webhook.${w}`)

/**
 * Reads every event once and writes down who has something to deliver. Any number of processes may run one: marks are
 * made under the lock of the subscription's row and depend on its cursor, so that a second one changes nothing.
 */
export class Feed {
  readonly #store: Transactor<WebhooksTx>
  readonly #clock: Clock
  readonly #interests = new Interests()
  #loaded = false
  /** Everything up to here was looked at; stored is what somebody waits for. */
  #position = 0
  #stored = 0

  constructor(store: Transactor<WebhooksTx>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Goes up to the newest event. */
  async advance(): Promise<void> {
    if (!this.#loaded) await this.#load()
    for (;;) {
      await this.#jump()
      const after = this.#position
      const page = await this.#store.read(async (tx) =>
        (await tx.events.head()) > after ? tx.events.list({ after, limit: PAGE }) : [],
      )
      const last = page.at(-1)
      if (!last) return
      await this.#follow(page)
      await this.#mark(page, last.seq)
      this.#position = last.seq
      if (page.length < PAGE) return
    }
  }

  /** What another process has passed needs no second look, but for the changes of subscriptions: nobody else tells of them. */
  async #jump(): Promise<void> {
    for (let from = this.#position; ; ) {
      const { stored, page } = await this.#store.read(async (tx) => {
        const stored = await tx.webhooks.fed()
        const isAhead = stored > this.#position
        const filter = { after: from, limit: PAGE, types: CHANGES }
        return { stored, page: isAhead ? await tx.events.list(filter) : [] }
      })
      await this.#follow(page)
      const last = page.at(-1)
      if (last && page.length === PAGE) {
        from = last.seq
        continue
      }
      this.#stored = stored
      this.#position = Math.max(this.#position, stored)
      return
    }
  }

  /** Where to begin is read first: so what is known is never older than the first event that is read. */
  async #load(): Promise<void> {
    this.#position = await this.#store.read((tx) => tx.webhooks.fed())
    for (let after: string | undefined; ; ) {
      const page = await this.#store.read((tx) => tx.webhooks.interests(after, PAGE))
      for (const interest of page) this.#interests.put(interest)
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    this.#loaded = true
  }

  /** Every change of a subscription, in whatever process, is an event: after it the subscription is read again. */
  async #follow(page: readonly EngineEvent[]): Promise<void> {
    const changed = new Set(
      page.filter(({ type }) => type.startsWith('webhook.')).map(({ subject }) => subject),
    )
    if (changed.size === 0) return
    const found = await this.#store.read(async (tx) => {
      const list = []
      for (const id of changed) list.push(await tx.webhooks.webhook(id))
      return list
    })
    for (const id of changed) this.#interests.remove(id)
    for (const webhook of found) if (webhook?.status === 'active') this.#interests.put(webhook)
  }

  async #mark(page: readonly EngineEvent[], last: number): Promise<void> {
    const marks = new Map<string, WebhookMark>()
    for (const event of page)
      for (const id of this.#interests.of(event))
        marks.set(id, { id, first: marks.get(id)?.first ?? event.seq, last: event.seq })
    if (marks.size === 0 && last - this.#stored < WORTH_SAVING) return
    await this.#store.transact(async (tx) => {
      if (marks.size > 0) await tx.webhooks.mark(this.#clock.now(), [...marks.values()])
      await tx.webhooks.saveFed(last)
    })
  }
}
