import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import type {
  Clock,
  Entropy,
  Logger,
  Metrics,
  Timers,
  Tracer,
  Transactor,
} from '../../kernel/index.ts'
import { toHex } from '../../kernel/index.ts'
import type { EngineEvent } from '../events/index.ts'
import { bodyOf } from './body.ts'
import { deliveryId } from './delivery-id.ts'
import type { Outcome } from './machine.ts'
import { mayAskForPause, parseRetryAfter } from './policy.ts'
import type { DeliveryRecord, WebhookAnswer, WebhookRecord, WebhookSender } from './ports.ts'
import type { WebhooksTx } from './service.ts'
import { signWebhook } from './signature.ts'

/** What delivering needs; see `DispatcherOptions`. */
export interface DeliveryOptions {
  readonly store: Transactor<WebhooksTx>
  readonly sender: WebhookSender
  readonly clock: Clock
  readonly entropy: Entropy
  readonly timers: Timers
  readonly logger: Logger
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly userAgent: string
}

/** One attempt that was made: what it means, and what stands in the log. */
export interface Attempt {
  readonly outcome: Outcome
  /** The number comes with the commit. */
  readonly delivery: Omit<DeliveryRecord, 'id' | 'number'>
}

/** Sends one event once. Changes nothing in the store. */
export const attempt = (
  options: DeliveryOptions,
  webhook: WebhookRecord,
  event: EngineEvent,
  signal: AbortSignal,
): Promise<Attempt> =>
  options.tracer.span(
    'webhook.deliver',
    {
      webhook: webhook.id,
      event: event.id,
      type: event.type,
      attempt: webhook.attempts + 1,
      // The request that the event came from: a tracer links the two.
      ...(event.origin?.traceparent === undefined ? {} : { traceparent: event.origin.traceparent }),
    },
    () => make(options, webhook, event, signal),
    ({ outcome, delivery }) => ({
      outcome: outcome.type,
      ...(delivery.status === undefined ? {} : { status: delivery.status }),
    }),
  )

async function make(
  options: DeliveryOptions,
  webhook: WebhookRecord,
  event: EngineEvent,
  signal: AbortSignal,
): Promise<Attempt> {
  const { clock, entropy, metrics } = options
  const at = clock.now()
  const body = bodyOf(event, webhook.lastDelivered)
  const secrets = webhook.secrets
    .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at)
    .map(({ secret }) => secret)
  const headers = {
    ...signWebhook(event.id, at, body, secrets),
    'content-type': 'application/json',
    'user-agent': options.userAgent,
  }
  const answer = await sent(options, { url: webhook.url, headers, body, signal })
  const now = clock.now()
  const random = entropy.bytes(4).reduce((sum, byte) => (sum + byte) / 256, 0)
  const outcome = outcomeOf(event.seq, answer, now, random)
  metrics.count('kaccy_webhook_deliveries_total', 1, { outcome: outcome.type })
  metrics.observe('kaccy_webhook_delivery_seconds', Math.max(0, now - at) / 1000)
  return {
    outcome,
    delivery: {
      webhook: webhook.id,
      seq: event.seq,
      type: event.type,
      attempt: webhook.attempts + 1,
      at,
      durationMs: Math.max(0, now - at),
      outcome: outcome.type,
      url: webhook.url,
      body,
      bodyHash: toHex(sha256(utf8ToBytes(body))),
      ...(answer.kind === 'answered'
        ? { status: answer.status, answer: storable(answer.body) }
        : {}),
      ...(outcome.type === 'failed' ? { error: outcome.error } : {}),
    },
  }
}

async function sent(
  { sender, logger }: DeliveryOptions,
  post: Parameters<WebhookSender['send']>[0],
): Promise<WebhookAnswer> {
  try {
    return await sender.send(post)
  } catch (error) {
    // It has promised not to. The event is tried again like after any other failure.
    const message = error instanceof Error ? error.message : String(error)
    logger.log('error', 'a webhook sender threw', { error: message })
    return { kind: 'failed', reason: 'broken', message: 'the sender failed' }
  }
}

function outcomeOf(seq: number, answer: WebhookAnswer, at: number, random: number): Outcome {
  const failed = { type: 'failed', at, random, gone: false } as const
  if (answer.kind === 'failed') return { ...failed, error: storable(answer.message) }
  const { status } = answer
  if (status >= 200 && status < 300) return { type: 'delivered', seq, at }
  const asked = mayAskForPause(status)
    ? parseRetryAfter(answer.retryAfter, at, Date.parse)
    : undefined
  return {
    ...failed,
    gone: status === 410,
    error: storable(whyFailed(answer)),
    ...(asked === undefined ? {} : { askedMs: asked }),
  }
}
function whyFailed({ status, location }: Extract<WebhookAnswer, { kind: 'answered' }>): string {
  if (status === 410) return 'answered 410: gone for good'
  if (status < 300 || status > 399) return `answered ${status}`
  const target = location === undefined ? 'nowhere' : location.slice(0, 200)
  return `answered ${status}, which points to ${target}; redirects are not followed: enter the final URL`
}

/** Foreign text as any database keeps it. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

/** The record of an attempt as the `number`th of its webhook. */
export const numbered = (
  delivery: Omit<DeliveryRecord, 'id' | 'number'>,
  number: number,
): DeliveryRecord => ({ ...delivery, id: deliveryId(delivery.webhook, number), number })
