import type { EngineEvent, EventRows } from '@kaccy/bitcoin/events'
import type { Secret, Transactor } from '@kaccy/bitcoin/kernel'
import {
  bodyOf,
  createWebhookReceiver,
  type ReceivedEvent,
  type WebhookInbox,
  type WebhookPost,
} from '@kaccy/bitcoin/webhooks'
import type Database from 'better-sqlite3'

/** What a delivery on its way may meet; it arrives `well` in most cases. */
export const TROUBLES = [
  /** Never arrives, and the sender hears nothing. */
  'dropped',
  /** Arrives, and the sender hears nothing. */
  'unheard',
  /** Somebody on the way says that it arrived, and it does not. */
  'swallowed',
  /** Arrives twice. */
  'doubled',
  /** Somebody on the way says that it arrived, and it does later, after others. */
  'reordered',
] as const
export type Trouble = (typeof TROUBLES)[number] | 'well'

const asReceived = (event: EngineEvent): ReceivedEvent => {
  const { previous_seq: _, ...received } = JSON.parse(bodyOf(event, 0))
  return received
}

/** The shop's own books in its own database: every event once, with the cursor, in one transaction. */
export function bookInbox(database: Database.Database): WebhookInbox {
  database.exec(`create table if not exists inbox (seq integer not null) strict;
    create table if not exists sales (seq integer primary key, amount integer not null) strict;
    insert into inbox select 0 where not exists (select 1 from inbox)`)
  const cursor = () => database.prepare('select seq from inbox').pluck().get() as number
  return {
    cursor: async () => cursor(),
    apply: async (events, after, upTo) =>
      database
        .transaction(() => {
          if (cursor() !== after) return false
          const book = database.prepare('insert into sales values (?, ?)')
          for (const { seq, data } of events) book.run(seq, data['amount_sat'])
          database.prepare('update inbox set seq = ?').run(upTo)
          return true
        })
        .immediate(),
  }
}

export interface ShopOptions {
  readonly inbox: WebhookInbox
  readonly secret: Secret<string>
  readonly now: () => number
  /** The events as `GET /v1/events` shows them. */
  readonly store: Transactor<{ readonly events: EventRows }>
}
/** A shop that uses the kit. It may die at any moment: then nothing it does afterwards happens. */
export function openShop({ inbox, secret, now, store }: ShopOptions) {
  let isDead = false
  const alive = () => {
    if (isDead) throw new RangeError('the shop is closed')
  }
  const receiver = createWebhookReceiver({
    secrets: [secret],
    now,
    eventTypes: ['order.*'],
    pageSize: 3,
    inbox: {
      cursor: inbox.cursor,
      async apply(...work) {
        alive()
        return inbox.apply(...work)
      },
    },
    async fetchEvents(after, limit) {
      alive()
      const page = await store.read((tx) => tx.events.list({ after, limit }))
      return page.map(asReceived)
    },
  })
  return {
    /** The status that the shop answers with. */
    async answer({ headers, body }: Pick<WebhookPost, 'headers' | 'body'>): Promise<number> {
      try {
        const receipt = await receiver.receive(headers, body)
        if (receipt.ok) return 204
        return receipt.error.code === 'WEBHOOK_HOLE_OPEN' ? 503 : 400
      } catch {
        // The handler or the database failed: the delivery has to come again.
        return 500
      }
    },
    close: () => {
      isDead = true
    },
  }
}
