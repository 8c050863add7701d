import type { AlertRecord } from '@kaccy/bitcoin/alerts'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import type { AppParts } from '../parts.ts'
import { alertJson } from '../present/alerts.ts'
import type { Principal } from '../principal.ts'
import { accept, answer } from '../reply.ts'
import { type Resource, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  AcknowledgeRequest,
  AlertList,
  AlertPath,
  AlertQuery,
  AlertSchema,
} from '../schemas/alerts.ts'
import { nothing } from '../seen.ts'
import { ended, sift } from '../sift.ts'

const tag = 'Alerts'

/** Who is limited to wallets sees what names one of them. */
const isSeenBy =
  ({ wallets }: Principal) =>
  ({ data: { wallet } }: AlertRecord): boolean =>
    wallets === undefined || (typeof wallet === 'string' && wallets.includes(wallet as WalletId))

/** @throws RefusedError NOT_FOUND */
async function alertOf(
  { engine }: AppParts,
  principal: Principal,
  id: string,
): Promise<AlertRecord> {
  const alert = await engine.alerts.get(id)
  if (alert && isSeenBy(principal)(alert)) return alert
  throw nothing('alert', id)
}

export const alertResource = (parts: AppParts): Resource => ({
  routes: [
    route({
      method: 'GET',
      url: '/v1/alerts',
      id: 'listAlerts',
      tag,
      summary: 'What people should look at, newest first',
      scope: 'alerts:read',
      schemas: { query: AlertQuery, answers: { 200: AlertList } },
      async handle({ query, principal }) {
        const { open, kind, subject } = query
        const page = await sift({
          read: (before, limit) =>
            parts.engine.alerts.list({
              limit,
              ...(open === undefined ? {} : { open }),
              ...(kind === undefined ? {} : { kind }),
              ...(subject === undefined ? {} : { subject }),
              ...(before === undefined ? {} : { before }),
            }),
          after: query.after,
          limit: limitOf(query),
          cursorOf: ({ id }) => id,
          isSeen: isSeenBy(principal),
          show: alertJson,
        })
        return answer(200, ended(page))
      },
    }),
    route({
      method: 'GET',
      url: '/v1/alerts/:alert',
      id: 'getAlert',
      tag,
      summary: 'One alert',
      scope: 'alerts:read',
      refuses: ['NOT_FOUND'],
      schemas: { path: AlertPath, answers: { 200: ref(AlertSchema) } },
      handle: async ({ path, principal }) =>
        answer(200, alertJson(await alertOf(parts, principal, path.alert))),
    }),
    route({
      method: 'POST',
      url: '/v1/alerts/:alert/acknowledge',
      id: 'acknowledgeAlert',
      tag,
      summary: 'Say that somebody has seen it',
      description:
        'It stands in the audit trail. The first one to say so stays; a second time changes nothing.',
      scope: 'alerts:write',
      once: 'around',
      refuses: ['NOT_FOUND'],
      schemas: { path: AlertPath, body: AcknowledgeRequest, answers: { 200: ref(AlertSchema) } },
      async handle({ path, body, principal }) {
        const { id } = await alertOf(parts, principal, path.alert)
        const { note } = body
        const by = { actor: principal.actor, ...(note === undefined ? {} : { note }) }
        return answer(200, alertJson(accept(await parts.engine.alerts.acknowledge(id, by))))
      },
    }),
  ],
  named: [AlertSchema],
})
