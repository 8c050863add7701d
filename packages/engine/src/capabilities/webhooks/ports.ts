import type { Json, Refusal, Result, Secret } from '../../kernel/index.ts'
import type { EventGrant } from '../events/index.ts'
import type { Once, OnceRefusal } from '../idempotency/index.ts'

export type WebhookStatus = 'active' | 'paused' | 'removed'
/** Who or what paused it: a person, an answer 410 Gone, or days of failure. */
export type PauseReason = 'operator' | 'gone' | 'failing'

/** One secret that deliveries are signed with: `whsec_` and the base64 of 24 to 64 bytes. */
export interface WebhookSecret {
  readonly secret: Secret<string>
  readonly createdAt: number
  /** Signs until then, milliseconds since the epoch; the newest has no end. */
  readonly expiresAt?: number
}

/** What the person who runs it decides. */
export interface WebhookSettings {
  readonly url: string
  /** Exact (`order.confirmed`), of an area (`order.*`), or all (`*`). Never empty. */
  readonly eventTypes: readonly string[]
  readonly description?: string
  readonly metadata: Readonly<Record<string, string>>
}
/** Where delivery stands. Written only by whoever holds the lease. */
export interface WebhookProgress {
  /** Everything up to this sequence number was delivered, or was not for this subscription. */
  readonly cursor: number
  /** Sequence number of the event delivered last; what the next delivery names as `previous_seq`. */
  readonly lastDelivered: number
  readonly lastDeliveredAt?: number
  /** Failed attempts at the next event; 0 when it goes well. */
  readonly attempts: number
  readonly failingSince?: number
  readonly lastError?: string
  /** When there is something to deliver: not before this. Absent: nothing waits. */
  readonly nextAttemptAt?: number
  /** Attempts so far; the number of the newest delivery in the log. */
  readonly deliveries: number
}
export interface WebhookRecord extends WebhookSettings, WebhookProgress {
  /** `whk_…`, time-ordered. */
  readonly id: string
  readonly status: WebhookStatus
  readonly pausedReason?: PauseReason
  readonly pausedAt?: number
  /** What the key of its creator may see: nothing else is ever delivered. */
  readonly grant: EventGrant
  /** `api:<key id>`, `operator:<name>`. */
  readonly createdBy: string
  readonly createdAt: number
  readonly updatedAt: number
  /** Newest first. */
  readonly secrets: readonly WebhookSecret[]
}
/** The right to deliver: whoever claims raises `fence`, and a commit under an older one changes nothing. */
export interface WebhookLease {
  readonly fence: number
  /** Milliseconds since the epoch; after it another process may take over. */
  readonly until: number
}

/** One attempt, as it was made. */
export interface DeliveryRecord {
  /** `dlv_<webhook>_<number>`. */
  readonly id: string
  readonly webhook: string
  /** Dense for each webhook, from 1. */
  readonly number: number
  readonly seq: number
  readonly type: string
  /** From 1, for one event. */
  readonly attempt: number
  /** When it began, milliseconds since the epoch. */
  readonly at: number
  readonly durationMs: number
  readonly outcome: 'delivered' | 'failed'
  readonly url: string
  readonly body: string
  /** SHA-256 of the body, hex. */
  readonly bodyHash: string
  /** What the receiver answered; absent when it did not. */
  readonly status?: number
  /** The first 4 KiB of its answer. */
  readonly answer?: string
  /** Why it failed, in words. */
  readonly error?: string
}

/** What the dispatcher needs to know of a subscription to see whether an event is for it. */
export type WebhookInterest = Pick<WebhookRecord, 'id' | 'eventTypes' | 'grant'>

/** The first and the last of the events that were seen to be for a subscription. */
export interface WebhookMark {
  readonly id: string
  readonly first: number
  readonly last: number
}

/** The row door. Every method sees removed ones too, unless it says otherwise. */
export interface WebhookRows {
  /** @throws EngineError STORE_CONFLICT for an id that exists. */
  insert(webhook: WebhookRecord): Promise<void>
  webhook(id: string): Promise<WebhookRecord | undefined>
  /** The same, locked against other writers until the transaction ends. */
  lock(id: string): Promise<WebhookRecord | undefined>
  /** Writes all of it; with `leaseUntil` also the end of the lease (0 gives it back). @throws AssertionError for an unknown id. */
  save(webhook: WebhookRecord, leaseUntil?: number): Promise<void>
  /** Newest first, without removed ones; `before` is an id. */
  list(filter: {
    readonly status?: WebhookStatus
    readonly createdBy?: string
    readonly before?: string
    readonly limit: number
  }): Promise<readonly WebhookRecord[]>
  /** Active ones in order of id, for matching. */
  interests(after: string | undefined, limit: number): Promise<readonly WebhookInterest[]>

  /** Up to which event it is written down who has something to deliver; 0 at first. */
  fed(): Promise<number>
  /** Never goes back. */
  saveFed(seq: number): Promise<void>
  /**
   * Of these subscriptions those that are active, have nothing to deliver yet and stand before `last` get something, due at
   * `at`: their cursor moves to just before `first`. Rows are locked before they are looked at, so that a worker that finds
   * nothing left and this cannot miss each other.
   */
  mark(at: number, marks: readonly WebhookMark[]): Promise<void>

  /** Active ones that are due at `at` and that nobody holds, the longest waiting first. */
  due(at: number, limit: number): Promise<readonly string[]>
  /** When the next one that nobody holds at `at` is due; undefined when nothing waits. */
  nextDue(at: number): Promise<number | undefined>
  /** Takes the lease, if it is active, due and nobody's. Undefined otherwise. */
  claim(
    id: string,
    at: number,
    until: number,
  ): Promise<{ readonly webhook: WebhookRecord; readonly lease: WebhookLease } | undefined>
  /** The webhook, locked, if the lease is still this one; undefined when another process has taken over. */
  lockLeased(id: string, fence: number): Promise<WebhookRecord | undefined>
  /** Of those with something to deliver the one that is furthest behind. */
  slowest(): Promise<{ readonly id: string; readonly cursor: number } | undefined>

  log(delivery: DeliveryRecord): Promise<void>
  delivery(id: string): Promise<DeliveryRecord | undefined>
  /** Newest first; `before` is a number. */
  deliveries(filter: {
    readonly webhook: string
    readonly before?: number
    readonly limit: number
  }): Promise<readonly DeliveryRecord[]>
  /** Forgets deliveries of this webhook up to this number. */
  forgetUpTo(webhook: string, number: number): Promise<void>
  /** Forgets up to `limit` deliveries that began before `at`; answers how many. */
  forgetBefore(at: number, limit: number): Promise<number>
}

export interface WebhookPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal?: AbortSignal
}
/** What came of one request. Only `answered` says that the receiver has heard it. */
export type WebhookAnswer = Readonly<
  | {
      kind: 'answered'
      status: number
      /** The first 4 KiB, as UTF-8. */
      body: string
      /** The header Retry-After as it came. */
      retryAfter?: string
      /** The header Location of a redirect, which nobody follows. */
      location?: string
    }
  | {
      kind: 'failed'
      reason: 'refused' | 'unresolved' | 'unreachable' | 'certificate' | 'timeout' | 'broken'
      message: string
    }
>
/**
 * Sends one request to a foreign address. Obligations: never rejects; ends within 10 s; connects only to an address that it
 * has checked itself; follows no redirect; verifies TLS; reads no more of the answer than it gives back.
 */
export interface WebhookSender {
  send(post: WebhookPost): Promise<WebhookAnswer>
}

export interface WebhookInput {
  readonly url: string
  readonly eventTypes: readonly string[]
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** What the key of the creator may see; everything for an operator. */
  readonly grant: EventGrant
  /** A secret of the caller's instead of a fresh one. */
  readonly secret?: string
}
export type WebhookChanges = Partial<
  Pick<WebhookInput, 'url' | 'eventTypes' | 'description' | 'metadata'>
>
/** The secret is shown here and never again. */
export interface CreatedWebhook {
  readonly webhook: WebhookRecord
  readonly secret: Secret<string>
}

type Unknown = Refusal<'WEBHOOK_NOT_FOUND'>
type Invalid = Refusal<'WEBHOOK_URL_REFUSED' | 'FIELD_INVALID'>

/**
 * Subscriptions by webhook. `actor` is who asks (`api:<key id>`, `operator:<name>`). Every change is committed with its audit
 * entry (`webhook.<verb>`) and its event. A removed webhook is unknown to every verb but `delivery` and `deliveries`.
 */
export interface Webhooks {
  /** @param once its `answer` gets the record without the secret: a request that is sent again cannot show it again */
  create(
    input: WebhookInput,
    actor: string,
    once?: Once<WebhookRecord>,
  ): Promise<
    Result<
      CreatedWebhook,
      Invalid | OnceRefusal | Refusal<'WEBHOOK_SECRET_INVALID' | 'WEBHOOKS_TOO_MANY'>
    >
  >
  get(id: string): Promise<WebhookRecord | undefined>
  /** Newest first; `before` is an id. */
  list(filter: {
    readonly status?: 'active' | 'paused'
    readonly createdBy?: string
    readonly before?: string
    readonly limit: number
  }): Promise<readonly WebhookRecord[]>
  /** A changed URL or filter holds from the next attempt on. */
  update(
    id: string,
    changes: WebhookChanges,
    actor: string,
  ): Promise<Result<WebhookRecord, Unknown | Invalid>>
  /** Nothing is delivered any more; the log stays until its time. */
  remove(id: string, actor: string): Promise<Result<WebhookRecord, Unknown>>
  /** Events wait meanwhile. Pausing a paused one changes nothing. */
  pause(id: string, actor: string): Promise<Result<WebhookRecord, Unknown>>
  /** Goes on after the last event delivered, at once and with a clean record of failure. */
  resume(id: string, actor: string): Promise<Result<WebhookRecord, Unknown>>
  /** A new secret; older ones sign beside it for `overlapMs` more (default 24 hours, at most 30 days; 0 ends them at once). */
  rotate(
    id: string,
    overlapMs: number | undefined,
    actor: string,
    once?: Once<WebhookRecord>,
  ): Promise<Result<CreatedWebhook, Unknown | OnceRefusal | Refusal<'FIELD_INVALID'>>>
  /** Delivers again everything from the event `fromSeq` on, in order. */
  replay(
    id: string,
    fromSeq: number,
    actor: string,
    once?: Once<WebhookRecord>,
  ): Promise<Result<WebhookRecord, Unknown | OnceRefusal | Refusal<'FIELD_INVALID'>>>
  /** Attempts, newest first; `before` is the id of a delivery. */
  deliveries(filter: {
    readonly webhook: string
    readonly before?: string
    readonly limit: number
  }): Promise<readonly DeliveryRecord[]>
  delivery(id: string): Promise<DeliveryRecord | undefined>
  /** Where everything stands, for readiness checks. Costs the same whatever the number of subscriptions. */
  status(): Promise<WebhooksStatus>
}
export interface WebhooksStatus {
  /** Newest event. */
  readonly head: number
  /** The subscription that is furthest behind, with the oldest event that waits for it; absent when nothing waits. */
  readonly slowest?: {
    readonly id: string
    /** Events after its cursor, its own and those of others. */
    readonly lag: number
    /** When the oldest of them was written, milliseconds since the epoch. */
    readonly oldestAt: number
  }
}

/** The body of a delivery. */
export interface WebhookBody {
  readonly seq: number
  readonly id: string
  readonly type: string
  /** RFC 3339, UTC. */
  readonly at: string
  readonly subject: string
  readonly request_id?: string
  /** The event delivered to this subscription before it; 0 for the first. */
  readonly previous_seq: number
  readonly data: { readonly [key: string]: Json }
}
