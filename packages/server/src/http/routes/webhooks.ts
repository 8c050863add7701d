import type { WebhookChanges, WebhookRecord } from '@kaccy/bitcoin/webhooks'
import type { AppParts } from '../parts.ts'
import { createdWebhookJson, webhookJson } from '../present/webhooks.ts'
import { accept, answer } from '../reply.ts'
import { type Resource, type Route, route } from '../route.ts'
import { limitOf, noContent, ref } from '../schemas/basics.ts'
import {
  CreatedWebhookSchema,
  DeliverySchema,
  WebhookChange,
  type WebhookChangeBody,
  WebhookList,
  WebhookPath,
  WebhookQuery,
  WebhookRequest,
  WebhookSchema,
} from '../schemas/webhooks.ts'
import { maySeeWebhook, webhookOf } from '../seen.ts'
import { ended, sift } from '../sift.ts'
import { webhookDeliveries, webhookVerbs } from './webhook-verbs.ts'

const tag = 'Webhooks'

export const webhookResource = (parts: AppParts): Resource => ({
  routes: [
    createWebhook(parts),
    ...reading(parts),
    ...changing(parts),
    ...webhookVerbs(parts),
    ...webhookDeliveries(parts),
  ],
  named: [WebhookSchema, CreatedWebhookSchema, DeliverySchema],
})

const createWebhook = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/webhooks',
    id: 'createWebhook',
    tag,
    summary: 'Have events posted to an address',
    description:
      'Delivered in order, signed by Standard Webhooks, retried for days. It delivers what the key that makes it may see: `events:read` and the read scope of the area. `secret` is shown once; the same `Idempotency-Key` again answers without it.',
    scope: 'webhooks:write',
    once: 'inside',
    refuses: ['WEBHOOK_URL_REFUSED', 'WEBHOOK_SECRET_INVALID', 'WEBHOOKS_TOO_MANY'],
    schemas: { body: WebhookRequest, answers: { 201: ref(CreatedWebhookSchema) } },
    async handle({ body, principal, once }) {
      const { scopes, wallets, actor } = principal
      const input = {
        url: body.url,
        eventTypes: body.event_types,
        ...(body.description === undefined ? {} : { description: body.description }),
        ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
        ...(body.secret === undefined ? {} : { secret: body.secret }),
        grant: { scopes, ...(wallets === undefined ? {} : { wallets }) },
      }
      const kept = once((webhook: WebhookRecord) => answer(201, createdWebhookJson(webhook)))
      const { webhook, secret } = accept(await engine.webhooks.create(input, actor, kept))
      const location = `/v1/webhooks/${webhook.id}`
      return answer(201, createdWebhookJson(webhook, secret.reveal()), { location })
    },
  })

const reading = (parts: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/webhooks',
    id: 'listWebhooks',
    tag,
    summary: 'Webhooks, newest first',
    scope: 'webhooks:read',
    schemas: { query: WebhookQuery, answers: { 200: WebhookList } },
    async handle({ query, principal }) {
      const { status, created_by: createdBy } = query
      const page = await sift({
        read: (before, limit) =>
          parts.engine.webhooks.list({
            limit,
            ...(status === undefined ? {} : { status }),
            ...(createdBy === undefined ? {} : { createdBy }),
            ...(before === undefined ? {} : { before }),
          }),
        after: query.after,
        limit: limitOf(query),
        cursorOf: ({ id }) => id,
        isSeen: (webhook) => maySeeWebhook(principal, webhook),
        show: webhookJson,
      })
      return answer(200, ended(page))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/webhooks/:webhook',
    id: 'getWebhook',
    tag,
    summary: 'One webhook, and where its delivery stands',
    scope: 'webhooks:read',
    refuses: ['WEBHOOK_NOT_FOUND'],
    schemas: { path: WebhookPath, answers: { 200: ref(WebhookSchema) } },
    handle: async ({ path, principal }) =>
      answer(200, webhookJson(await webhookOf(parts.engine, principal, path.webhook))),
  }),
]

const changesOf = (body: WebhookChangeBody): WebhookChanges => ({
  ...(body.url === undefined ? {} : { url: body.url }),
  ...(body.event_types === undefined ? {} : { eventTypes: body.event_types }),
  ...(body.description === undefined ? {} : { description: body.description }),
  ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
})

const changing = (parts: AppParts): readonly Route[] => [
  route({
    method: 'PATCH',
    url: '/v1/webhooks/:webhook',
    id: 'updateWebhook',
    tag,
    summary: 'Change where and what is delivered',
    description: 'Holds from the next attempt on.',
    scope: 'webhooks:write',
    refuses: ['WEBHOOK_NOT_FOUND', 'WEBHOOK_URL_REFUSED'],
    schemas: { path: WebhookPath, body: WebhookChange, answers: { 200: ref(WebhookSchema) } },
    async handle({ path, body, principal }) {
      const { id } = await webhookOf(parts.engine, principal, path.webhook)
      const changed = await parts.engine.webhooks.update(id, changesOf(body), principal.actor)
      return answer(200, webhookJson(accept(changed)))
    },
  }),
  route({
    method: 'DELETE',
    url: '/v1/webhooks/:webhook',
    id: 'removeWebhook',
    tag,
    summary: 'Deliver nothing any more',
    scope: 'webhooks:write',
    refuses: ['WEBHOOK_NOT_FOUND'],
    schemas: { path: WebhookPath, answers: { 204: noContent('It is gone') } },
    async handle({ path, principal }) {
      const { id } = await webhookOf(parts.engine, principal, path.webhook)
      accept(await parts.engine.webhooks.remove(id, principal.actor))
      return answer(204)
    },
  }),
]
