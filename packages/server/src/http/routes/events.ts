import { refuse } from '@kaccy/bitcoin/kernel'
import { type EngineEvent, matchesType, mayEventBeSeen } from '@kaccy/bitcoin/events'
import type { AppParts } from '../parts.ts'
import { eventJson } from '../present/events.ts'
import { RefusedError } from '../problem.ts'
import { answer } from '../reply.ts'
import { type Resource, route } from '../route.ts'
import { limitOf } from '../schemas/basics.ts'
import { EventList, EventQuery, EventSchema } from '../schemas/events.ts'
import { sift } from '../sift.ts'

export const eventResource = ({ engine }: AppParts): Resource => ({
  routes: [
    route({
      method: 'GET',
      url: '/v1/events',
      id: 'listEvents',
      tag: 'Events',
      summary: 'Everything that happened, in order, each exactly once',
      description:
        'Ask again with `after=<next>`, also when `has_more` is false: then there is nothing new yet. A key sees an event when it has `events:read` and the read scope of its area, and, if it is limited to wallets, when the event names one of them. What it may not see is passed over, so a page may be short or empty with more behind it.',
      scope: 'events:read',
      schemas: { query: EventQuery, answers: { 200: EventList } },
      async handle({ query, principal }) {
        const { after = '0', subject } = query
        const types = query.types?.split(',')
        // The database filters what it can name; areas are matched here.
        const exact = types?.every((type) => !type.includes('*')) ? types : undefined
        const isAsked = ({ type }: EngineEvent) => !types || matchesType(type, types)
        const page = await sift({
          read: (from = '0', limit) =>
            engine.events({
              after: Number(from),
              limit,
              ...(subject === undefined ? {} : { subject }),
              ...(exact ? { types: exact } : {}),
            }),
          after,
          limit: limitOf(query),
          cursorOf: ({ seq }) => String(seq),
          isSeen: (event) => isAsked(event) && mayEventBeSeen(event, principal),
          show: eventJson,
        })
        const isEnd = page.data.length === 0 && !page.has_more
        if (isEnd && Number(after) > 0) await requireKnown(engine, Number(after))
        return answer(200, page)
      },
    }),
  ],
  named: [EventSchema],
})

/**
 * Who asks behind a number that was never given out has read another database, as after a restore: what comes up to that
 * number would be missed in silence. @throws RefusedError FIELD_INVALID
 */
async function requireKnown(engine: AppParts['engine'], after: number): Promise<void> {
  const head = await engine.eventHead()
  if (after <= head) return
  const message = `after is beyond the newest event, ${head}: it is of another database`
  throw new RefusedError(refuse('FIELD_INVALID', message, { param: 'after' }).error)
}
