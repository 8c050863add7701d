import type { EngineEvent } from '@kaccy/bitcoin/events'
import type { EventJson } from '../schemas/events.ts'
import { time } from './basics.ts'

/** An event as every way out shows it: list, stream, webhook, command line. */
export const eventJson = ({
  seq,
  id,
  type,
  at,
  subject,
  origin,
  data,
}: EngineEvent): EventJson => ({
  seq,
  id,
  type,
  at: time(at),
  subject,
  ...(origin ? { request_id: origin.requestId } : {}),
  data: { ...data },
})
