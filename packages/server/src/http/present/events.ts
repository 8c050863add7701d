import type { EngineEvent } from '@kaccy/bitcoin/events'

/** An event as lists, streams and webhooks show it. */
export const eventJson = ({ seq, id, type, at, subject, origin, data }: EngineEvent) => ({
  seq,
  id,
  type,
  at: new Date(at).toISOString(),
  subject,
  ...(origin === undefined ? {} : { request_id: origin.requestId }),
  data,
})
