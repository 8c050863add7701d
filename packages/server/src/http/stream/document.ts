import { type TSchema, Type } from 'typebox'
import type { FastifySchema } from 'fastify'
import { problemsOf } from '../openapi.ts'
import { StreamQuery } from './query.ts'

const EXAMPLE =
  'id: 42\nevent: chain.reorg\ndata: {"seq":42,"id":"evt_42","type":"chain.reorg"}\n\n'

/** The stream in the OpenAPI document, and how its query is checked. */
export const streamSchema = {
  operationId: 'streamEvents',
  summary: 'Events as they happen: first those behind `after`, then all that follow',
  description: [
    'As a WebSocket (upgrade; each text message is one event as `GET /v1/events` shows it), or as server-sent events with `Accept: text/event-stream`, also on `/v1/events`. A browser offers the protocols `kaccy.v1` and `bearer.<token>` and is answered the first. A key sees the events of the areas that its scopes can read, and of its wallets.',
    'Every event comes at least once, in order. When a stream ends, connect again with `after` (or `Last-Event-ID`) set to the last number that was handled. Close codes: 1001 the server stops, 1008 the client says too much, 4001 the key ended, 4008 the client does not read.',
    'Scope: `events:read`, and the `read` scope of each area.',
  ].join('\n\n'),
  tags: ['Events'],
  security: [{ key: [] }],
  querystring: StreamQuery,
  headers: Type.Object({
    'last-event-id': Type.Optional(
      Type.String({ description: 'As `after`, and stronger: where an EventSource goes on' }),
    ),
  }),
  response: {
    101: { description: 'The connection is a WebSocket now', type: 'null' } as unknown as TSchema,
    200: {
      description: 'An endless stream',
      content: { 'text/event-stream': { schema: { type: 'string' }, example: EXAMPLE } },
    } as unknown as TSchema,
    ...problemsOf([400, 401, 403, 406, 429, 431, 500, 503]),
  },
} as FastifySchema
