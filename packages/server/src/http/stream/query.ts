import type { Engine } from '@kaccy/bitcoin'
import { refuse } from '@kaccy/bitcoin/kernel'
import { type Static, Type } from 'typebox'
import { RefusedError } from '../problem.ts'
import { object } from '../schemas/basics.ts'
import type { StreamFilter } from './client.ts'

const TYPE = '(?:\\*|[a-z][a-z_]{0,39}\\.(?:\\*|[a-z][a-z_]{0,59}))'

export const StreamQuery = object({
  after: Type.Optional(
    Type.String({
      pattern: '^(?:now|0|[1-9]\\d{0,15})$',
      description:
        'Begins behind this sequence number; 0 is the beginning of all. Without it, or with `now`: only what happens from now on',
    }),
  ),
  subject: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Only events of this order, payment, wallet …',
    }),
  ),
  types: Type.Optional(
    Type.String({
      maxLength: 2_000,
      pattern: `^${TYPE}(?:,${TYPE}){0,49}$`,
      description: 'Only these types, with commas: `order.confirmed`, `order.*`',
    }),
  ),
})
type Query = Static<typeof StreamQuery>

export const filterOf = ({ subject, types }: Query): StreamFilter => ({
  ...(subject === undefined ? {} : { subject }),
  ...(types === undefined ? {} : { types: [...new Set(types.split(','))] }),
})

/**
 * From where a stream begins. What a client that comes back says it has (`Last-Event-ID`) is newer than the address it was
 * made with. @throws RefusedError FIELD_INVALID for a number that was never given out: then the client's numbers are of
 * another database, and it would miss what comes.
 */
export async function beginningOf(
  { after = 'now' }: Query,
  lastEventId: string | undefined,
  engine: Pick<Engine, 'eventHead'>,
): Promise<number> {
  const text = lastEventId === undefined || lastEventId === '' ? after : lastEventId
  const param = text === lastEventId ? 'Last-Event-ID' : 'after'
  const head = await engine.eventHead()
  if (text === 'now') return head
  const seq = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(seq) && seq <= head) return seq
  const reason = Number.isSafeInteger(seq)
    ? `is beyond the newest event, ${head}: it is of another database`
    : 'is no sequence number'
  throw new RefusedError(refuse('FIELD_INVALID', `${param} ${reason}`, { param }).error)
}
