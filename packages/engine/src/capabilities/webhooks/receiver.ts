import { ok, type Refusal, type Result, refuse, type Secret } from '../../kernel/index.ts'
import { matchesType } from '../events/index.ts'
import { parseWebhookBody, type ReceivedEvent } from './body.ts'
import type { WebhookBody } from './ports.ts'
import { TOLERANCE_MS, verifyWebhook, type WebhookHeaders } from './signature.ts'

/**
 * Where a consumer keeps what it made of events, and how far it has got. Both belong into one transaction of its own
 * database: then every event counts exactly once, whatever dies when.
 */
export interface WebhookInbox {
  /** Sequence number of the last event that was applied; 0 at first. */
  cursor(): Promise<number>
  /**
   * In one transaction: compares the stored cursor with `after` (and locks it), applies the events in order, stores `upTo` as
   * the cursor. Answers false, with nothing changed, when the cursor is another one: then somebody else was quicker.
   */
  apply(events: readonly ReceivedEvent[], after: number, upTo: number): Promise<boolean>
}

export interface WebhookReceiverOptions {
  /** `whsec_…`; several while they are rotated. Asked for at each delivery, so that a new one works without a restart. */
  readonly secrets:
    | readonly (string | Secret<string>)[]
    | (() => readonly (string | Secret<string>)[])
  readonly inbox: WebhookInbox
  /**
   * Events after a sequence number, oldest first, as `GET /v1/events?after=` answers them: for what was missed. Its key has to
   * see what the webhook sees.
   */
  readonly fetchEvents: (after: number, limit: number) => Promise<readonly ReceivedEvent[]>
  /** The event types of the webhook (`order.*`); what `fetchEvents` gives beyond them is not applied. Default: all. */
  readonly eventTypes?: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How far the signed time may be from `now`. Default 5 minutes. */
  readonly toleranceMs?: number
  /** Events that are pulled at a time. Default 100. */
  readonly pageSize?: number
}

/** What a delivery came to. */
export interface Receipt {
  readonly outcome: 'applied' | 'duplicate'
  /** Events that were applied because of it; more than one where a hole was filled. */
  readonly applied: number
  /** How far the consumer is now. */
  readonly cursor: number
}
export type ReceiveRefusal = Refusal<
  | 'WEBHOOK_SIGNATURE_INVALID'
  | 'WEBHOOK_TIMESTAMP_OUTSIDE'
  | 'WEBHOOK_BODY_INVALID'
  | 'WEBHOOK_HOLE_OPEN'
>
export interface WebhookReceiver {
  /**
   * Takes one delivery. Answer 2xx for a receipt and for no other outcome: 503 for WEBHOOK_HOLE_OPEN, 400 for the other
   * refusals, 500 for whatever the inbox or `fetchEvents` throws, and it comes again. `rawBody` is the body as it came, before
   * any parser.
   */
  receive(
    headers: WebhookHeaders,
    rawBody: string | Uint8Array,
  ): Promise<Result<Receipt, ReceiveRefusal>>
  /** Pulls everything up to now without waiting for a delivery: at the start, and after the webhook was paused. */
  catchUp(): Promise<Receipt>
}

/**
 * Receives webhooks so that the consumer sees every event exactly once and in order, although deliveries come twice, late, in
 * disorder or not at all: a delivery is taken only from its sender; one that came before changes nothing; one that names
 * a predecessor which has not come is the reason to pull everything in between.
 */
export function createWebhookReceiver(options: WebhookReceiverOptions): WebhookReceiver {
  const inbox = new Inbox(options)
  const { secrets, now, toleranceMs = TOLERANCE_MS } = options
  return {
    async receive(headers, rawBody) {
      const keys = typeof secrets === 'function' ? secrets() : secrets
      const verified = verifyWebhook(headers, rawBody, keys, now(), toleranceMs)
      if (!verified.ok) return verified
      const parsed = parseWebhookBody(rawBody)
      if (!parsed.ok) return parsed
      if (parsed.value.id !== verified.value.id)
        return refuse('WEBHOOK_BODY_INVALID', 'the body is not the one that its header names')
      return inbox.take(parsed.value)
    },
    catchUp: () => inbox.catchUp(),
  }
}

class Inbox {
  readonly #options: WebhookReceiverOptions
  /** Deliveries of this process wait for each other: two at once would only pull the same. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: WebhookReceiverOptions) {
    this.#options = options
  }

  take(body: WebhookBody): Promise<Result<Receipt, ReceiveRefusal>> {
    return this.#inTurn(() => this.#take(body))
  }
  catchUp(): Promise<Receipt> {
    return this.#inTurn(async () => {
      const from = await this.#options.inbox.cursor()
      const { cursor, applied } = await this.#pull(from, Number.POSITIVE_INFINITY)
      return { outcome: applied > 0 ? 'applied' : 'duplicate', applied, cursor }
    })
  }
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    // A failure is its caller's; the next one begins all the same.
    this.#last = turn.catch(() => {})
    return turn
  }

  async #take({ previous_seq, ...event }: WebhookBody): Promise<Result<Receipt, ReceiveRefusal>> {
    const { inbox } = this.#options
    for (;;) {
      const cursor = await inbox.cursor()
      if (event.seq <= cursor) return ok({ outcome: 'duplicate', applied: 0, cursor })
      if (previous_seq <= cursor) {
        // Another process may have moved the cursor meanwhile: look again.
        if (!(await inbox.apply([event], cursor, event.seq))) continue
        return ok({ outcome: 'applied', applied: 1, cursor: event.seq })
      }
      const pulled = await this.#pull(cursor, event.seq)
      if (pulled.cursor >= event.seq)
        return ok({ outcome: 'applied', applied: pulled.applied, cursor: pulled.cursor })
      return refuse(
        'WEBHOOK_HOLE_OPEN',
        `event ${previous_seq} came before ${event.seq}, and events after ${pulled.cursor} do not show up to it`,
        { details: { cursor: pulled.cursor, previous_seq, seq: event.seq } },
      )
    }
  }

  /** Applies what comes after `cursor`, at least up to `upTo` where there is so much. */
  async #pull(cursor: number, upTo: number) {
    const { fetchEvents, inbox, eventTypes = ['*'], pageSize = 100 } = this.#options
    let applied = 0
    let at = cursor
    while (at < upTo) {
      const page = (await fetchEvents(at, pageSize)).filter(({ seq }) => seq > at)
      const last = page.at(-1)?.seq
      if (last === undefined) break
      const wanted = page.filter(({ type }) => matchesType(type, eventTypes))
      if (await inbox.apply(wanted, at, last)) {
        applied += wanted.length
        at = last
      } else at = await inbox.cursor()
    }
    return { cursor: at, applied }
  }
}

/**
 * An inbox in memory, for tests and for consumers that only watch: after a restart it begins anew, so they have to read
 * everything again.
 */
export function createMemoryInbox(
  handle: (event: ReceivedEvent) => void | Promise<void>,
): WebhookInbox {
  let cursor = 0
  return {
    cursor: async () => cursor,
    async apply(events, after, upTo) {
      if (cursor !== after) return false
      for (const event of events) await handle(event)
      cursor = upTo
      return true
    },
  }
}
