import {
  type Clock,
  type Entropy,
  type Json,
  newId,
  ok,
  type Refusal,
  type Result,
  refuse,
  Secret,
  type Transactor,
} from '../../kernel/index.ts'
import type { AlertRows } from '../alerts/index.ts'
import { type AuditRows, appendAudit } from '../audit/index.ts'
import { appendEvents, type EventRows } from '../events/index.ts'
import {
  againAfterConflict,
  doOnce,
  type IdempotencyRows,
  type Once,
  type OnceRefusal,
} from '../idempotency/index.ts'
import { parseDeliveryId } from './delivery-id.ts'
import { checkSettings } from './input.ts'
import { paused, removed, replayed, resumed } from './machine.ts'
import { MOST_SECRETS, MOST_WEBHOOKS, OVERLAP } from './policy.ts'
import type { WebhookInput, WebhookRecord, WebhookRows, Webhooks, WebhookSecret } from './ports.ts'
import { newWebhookSecret, parseWebhookSecret } from './signature.ts'
import type { TargetRules } from './target.ts'

/** The row doors of this capability. */
export interface WebhooksTx {
  readonly webhooks: WebhookRows
  readonly events: EventRows
  readonly audit: AuditRows
  readonly alerts: AlertRows
  readonly idempotency: IdempotencyRows
}
export interface WebhooksOptions {
  readonly store: Transactor<WebhooksTx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly targets?: TargetRules
}

type Fields = { readonly [key: string]: Json }

/** Trail and event of one change, last in its transaction. Answers the number of the event. */
export async function tell(
  tx: Pick<WebhooksTx, 'audit' | 'events'>,
  at: number,
  verb: 'create' | 'update' | 'remove' | 'pause' | 'resume' | 'rotate' | 'replay',
  webhook: WebhookRecord,
  actor: string,
  more: Fields = {},
): Promise<number> {
  const { id, url } = webhook
  const action = `webhook.${verb}`
  await appendAudit(tx, at, [{ actor, action, subject: id, details: { url, ...more } }])
  const data = { webhook: id, url, status: webhook.status, by: actor, ...more }
  const [event] = await appendEvents(tx, at, [
    { type: `${action}${verb.endsWith('e') ? 'd' : 'ed'}`, subject: id, data },
  ])
  return event?.seq ?? 0
}

const unknown = (id: string) =>
  refuse('WEBHOOK_NOT_FOUND', `no webhook ${id}`, { param: 'id', details: { id } })

type Work<R extends Refusal> = (
  tx: WebhooksTx,
  webhook: WebhookRecord,
  at: number,
) => Promise<Result<WebhookRecord, R>>

/** Runs a change on a webhook that exists, locked. */
const changing =
  ({ store, clock }: WebhooksOptions) =>
  <R extends Refusal = never>(id: string, work: Work<R>) =>
    store.transact((tx) => changeIn(tx, clock.now(), id, work))

/** The same for a request that may be sent again. */
const changingOnce =
  ({ store, clock }: WebhooksOptions) =>
  <R extends Refusal = never>(
    id: string,
    once: Once<WebhookRecord> | undefined,
    work: Work<R>,
  ): Promise<Result<WebhookRecord, R | OnceRefusal | Refusal<'WEBHOOK_NOT_FOUND'>>> => {
    const at = clock.now()
    return againAfterConflict(() =>
      store.transact((tx) => doOnce(tx, once, at, () => changeIn(tx, at, id, work))),
    )
  }

async function changeIn<R extends Refusal>(
  tx: WebhooksTx,
  at: number,
  id: string,
  work: Work<R>,
): Promise<Result<WebhookRecord, R | Refusal<'WEBHOOK_NOT_FOUND'>>> {
  const webhook = await tx.webhooks.lock(id)
  if (!webhook || webhook.status === 'removed') return unknown(id)
  return work(tx, webhook, at)
}

/** Subscriptions by webhook; deliveries are made by `createDispatcher`. */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  return { ...creating(options), ...verbs(options), ...questions(options) }
}

const creating = ({
  store,
  clock,
  entropy,
  targets = {},
}: WebhooksOptions): Pick<Webhooks, 'create'> => ({
  async create(input, actor, once) {
    const given = secretOf(input, entropy)
    if (!given.ok) return given
    const checked = checkSettings(input, targets)
    if (!checked.ok) return checked
    const at = clock.now()
    const secret = given.value
    const fresh: WebhookRecord = {
      url: input.url,
      eventTypes: input.eventTypes,
      metadata: {},
      ...checked.value,
      id: newId('whk', clock, entropy),
      status: 'active',
      grant: input.grant,
      createdBy: actor,
      createdAt: at,
      updatedAt: at,
      secrets: [{ secret, createdAt: at }],
      cursor: 0,
      lastDelivered: 0,
      attempts: 0,
      deliveries: 0,
    }
    const made = await againAfterConflict(() =>
      store.transact((tx) =>
        doOnce<WebhookRecord, TooMany>(tx, once, at, async () => {
          const own = await tx.webhooks.list({ createdBy: actor, limit: MOST_WEBHOOKS })
          return own.length < MOST_WEBHOOKS ? ok(await born(tx, fresh, actor)) : tooMany()
        }),
      ),
    )
    return made.ok ? ok({ webhook: made.value, secret }) : made
  },
})

type TooMany = Refusal<'WEBHOOKS_TOO_MANY'>
const tooMany = (): Result<never, TooMany> =>
  refuse('WEBHOOKS_TOO_MANY', `one creator may have ${MOST_WEBHOOKS} webhooks at a time`)

/** Its life begins behind its own birth, whose number is known only then. */
async function born(tx: WebhooksTx, fresh: WebhookRecord, actor: string): Promise<WebhookRecord> {
  const { scopes, wallets } = fresh.grant
  const cursor = await tell(tx, fresh.createdAt, 'create', fresh, actor, {
    event_types: fresh.eventTypes,
    scopes,
    ...(wallets ? { wallets } : {}),
  })
  const webhook = { ...fresh, cursor }
  await tx.webhooks.insert(webhook)
  return webhook
}

function secretOf(
  { secret }: WebhookInput,
  entropy: Entropy,
): Result<Secret<string>, Extract<ReturnType<typeof parseWebhookSecret>, { ok: false }>['error']> {
  if (secret === undefined) return ok(newWebhookSecret(entropy))
  const parsed = parseWebhookSecret(secret)
  return parsed.ok ? ok(new Secret(secret)) : parsed
}

type Verbs = Pick<Webhooks, 'update' | 'remove' | 'pause' | 'resume' | 'rotate' | 'replay'>

function verbs(options: WebhooksOptions): Verbs {
  const change = changing(options)
  const { targets = {} } = options
  return {
    async update(id, changes, actor) {
      const checked = checkSettings(changes, targets)
      if (!checked.ok) return checked
      return change(id, async (tx, webhook, at) => {
        const next = { ...webhook, ...checked.value, updatedAt: at }
        await tx.webhooks.save(next)
        await tell(tx, at, 'update', next, actor, {
          changed: Object.keys(checked.value).map((name) => NAMES[name] ?? name),
          event_types: next.eventTypes,
        })
        return ok(next)
      })
    },
    remove: (id, actor) =>
      change(id, async (tx, webhook, at) => {
        const next = removed(webhook, at)
        await tx.webhooks.save(next, 0)
        await tell(tx, at, 'remove', next, actor)
        return ok(next)
      }),
    pause: (id, actor) =>
      change(id, async (tx, webhook, at) => {
        if (webhook.status === 'paused') return ok(webhook)
        const next = paused(webhook, 'operator', at, await tx.webhooks.fed())
        await tx.webhooks.save(next)
        await tell(tx, at, 'pause', next, actor, { reason: 'operator' })
        return ok(next)
      }),
    resume: (id, actor) =>
      change(id, async (tx, webhook, at) => {
        // One that waits for its next attempt is tried now; one that goes well goes on.
        if (webhook.status === 'active' && webhook.attempts === 0) return ok(webhook)
        const next = resumed(webhook, at)
        await tx.webhooks.save(next)
        await tell(tx, at, 'resume', next, actor, { after: next.cursor })
        return ok(next)
      }),
    rotate: (id, overlapMs = OVERLAP.usual, actor, once) =>
      rotate(options, id, overlapMs, actor, once),
    replay: (id, fromSeq, actor, once) =>
      changingOnce(options)(id, once, async (tx, webhook, at) => {
        const head = await tx.events.head()
        if (!Number.isSafeInteger(fromSeq) || fromSeq < 1 || fromSeq > head + 1)
          return refuse('FIELD_INVALID', `from_seq is a sequence number from 1 to ${head + 1}`, {
            param: 'from_seq',
            details: { head },
          })
        const next = replayed(webhook, fromSeq, at)
        await tx.webhooks.save(next)
        await tell(tx, at, 'replay', next, actor, { from_seq: fromSeq })
        return ok(next)
      }),
  }
}
/** Settings by the names that the outside has for them. */
const NAMES: Readonly<Record<string, string>> = { eventTypes: 'event_types' }

async function rotate(
  options: WebhooksOptions,
  id: string,
  overlapMs: number,
  actor: string,
  once: Once<WebhookRecord> | undefined,
): ReturnType<Webhooks['rotate']> {
  if (!Number.isSafeInteger(overlapMs) || overlapMs < 0 || overlapMs > OVERLAP.most)
    return refuse('FIELD_INVALID', `overlap_ms is 0 to ${OVERLAP.most}`, { param: 'overlap_ms' })
  const secret = newWebhookSecret(options.entropy)
  const made = await changingOnce(options)(id, once, async (tx, webhook, at) => {
    const end = at + overlapMs
    const older: readonly WebhookSecret[] = webhook.secrets
      .map((one) => ({ ...one, expiresAt: Math.min(one.expiresAt ?? end, end) }))
      .filter(({ expiresAt }) => expiresAt > at)
    const secrets = [{ secret, createdAt: at }, ...older].slice(0, MOST_SECRETS)
    const next = { ...webhook, secrets, updatedAt: at }
    await tx.webhooks.save(next)
    await tell(tx, at, 'rotate', next, actor, { overlap_ms: overlapMs })
    return ok(next)
  })
  return made.ok ? ok({ webhook: made.value, secret }) : made
}

const questions = ({
  store,
}: WebhooksOptions): Pick<Webhooks, 'get' | 'list' | 'deliveries' | 'delivery' | 'status'> => ({
  get: (id) =>
    store.read(async (tx) => {
      const webhook = await tx.webhooks.webhook(id)
      return webhook?.status === 'removed' ? undefined : webhook
    }),
  list: (filter) => store.read((tx) => tx.webhooks.list(filter)),
  deliveries: ({ webhook, before, limit }) =>
    store.read((tx) =>
      tx.webhooks.deliveries({
        webhook,
        limit,
        ...(before === undefined ? {} : { before: parseDeliveryId(before)?.number ?? 0 }),
      }),
    ),
  delivery: (id) => store.read((tx) => tx.webhooks.delivery(id)),
  status: () =>
    store.read(async (tx) => {
      const head = await tx.events.head()
      const slowest = await tx.webhooks.slowest()
      if (!slowest) return { head }
      const { id, cursor } = slowest
      const [oldest] = await tx.events.list({ after: cursor, limit: 1 })
      if (!oldest) return { head }
      return { head, slowest: { id, lag: head - cursor, oldestAt: oldest.at } }
    }),
})
