import { type Json, ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'
import type { EngineEvent } from '../events/index.ts'
import type { WebhookBody } from './ports.ts'

/** The body of a delivery, the same text for every attempt. `previousSeq`: the event delivered before it, 0 for none. */
export const bodyOf = (event: EngineEvent, previousSeq: number): string =>
  JSON.stringify({
    seq: event.seq,
    id: event.id,
    type: event.type,
    at: new Date(event.at).toISOString(),
    subject: event.subject,
    ...(event.origin ? { request_id: event.origin.requestId } : {}),
    previous_seq: previousSeq,
    data: event.data,
  } satisfies WebhookBody)

/** An event as it comes from outside: by webhook, by `GET /v1/events`, or by a stream. */
export type ReceivedEvent = Omit<WebhookBody, 'previous_seq'>

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isRecord = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads the body of a delivery. Fields that it does not know are kept out. */
export function parseWebhookBody(
  raw: string | Uint8Array,
): Result<WebhookBody, Refusal<'WEBHOOK_BODY_INVALID'>> {
  const no = (reason: string) => refuse('WEBHOOK_BODY_INVALID', `the body ${reason}`)
  let value: unknown
  try {
    value = JSON.parse(
      typeof raw === 'string' ? raw : new TextDecoder('utf-8', { fatal: true }).decode(raw),
    )
  } catch {
    return no('is not JSON in UTF-8')
  }
  if (!isRecord(value)) return no('is no object')
  const { seq, id, type, at, subject, request_id, previous_seq, data } = value
  if (!isCount(seq) || seq === 0 || !isCount(previous_seq)) return no('has no sequence number')
  if (id !== `evt_${seq}`) return no('has an id that is not that of its number')
  if (typeof type !== 'string' || typeof at !== 'string' || typeof subject !== 'string')
    return no('has no type, time or subject')
  if (!isRecord(data)) return no('has no data')
  return ok({
    seq,
    id,
    type,
    at,
    subject,
    ...(typeof request_id === 'string' ? { request_id } : {}),
    previous_seq,
    data,
  })
}
