import type { FastifySchema } from 'fastify'

const PROBLEM = 'application/problem+json'
const text = { schema: { type: 'string' } } as const
const anything = { schema: { type: 'object', additionalProperties: true } } as const

/** What an address of the checkout page answers, for the OpenAPI document; nothing of it is checked here. */
interface Told {
  readonly id: string
  readonly summary: string
  readonly type: string
  /** What takes the place of a page that is not there. Default: a problem. */
  readonly missing?: string
}
const answerOf = (description: string, type: string) => ({
  description,
  content: { [type]: type.endsWith('json') ? anything : text },
})

const told = ({ id, summary, type, missing = PROBLEM }: Told): FastifySchema =>
  ({
    operationId: id,
    summary,
    tags: ['Checkout'],
    security: [],
    response: {
      200: answerOf(summary, type),
      404: answerOf('There is no such order or file', missing),
      ...Object.fromEntries(
        [400, 403, 429, 431, 500, 503].map((status) => [status, answerOf('Problem', PROBLEM)]),
      ),
    },
  }) as FastifySchema

/** The checkout page in the OpenAPI document. */
export const PAY_DOCUMENT = {
  page: told({
    id: 'payPage',
    summary: 'The page on which an order is paid',
    type: 'text/html',
    missing: 'text/html',
  }),
  status: told({ id: 'payStatus', summary: 'What the page shows', type: 'application/json' }),
  code: told({
    id: 'payCode',
    summary: 'The code to scan, while the order may be paid',
    type: 'image/svg+xml',
  }),
  events: told({
    id: 'payEvents',
    summary: 'What the page shows, again whenever it changes',
    type: 'text/event-stream',
  }),
  asset: { hide: true } as FastifySchema,
} as const
