import type { AppParts } from '../parts.ts'
import { createdWebhookJson, deliveryJson, webhookJson } from '../present/webhooks.ts'
import { accept, answer, page } from '../reply.ts'
import { type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  CreatedWebhookSchema,
  DeliveryList,
  DeliveryPath,
  DeliveryQuery,
  DeliverySchema,
  ReplayRequest,
  RotateRequest,
  WebhookPath,
  WebhookSchema,
} from '../schemas/webhooks.ts'
import { maySeeWebhook, nothing, webhookOf } from '../seen.ts'

const tag = 'Webhooks'

/** Pause, resume, replay and rotate. */
export const webhookVerbs = (parts: AppParts): readonly Route[] => [
  pausing(parts, 'pause', 'Let events wait'),
  pausing(
    parts,
    'resume',
    'Go on after the last event delivered, at once and with a clean record of failure',
  ),
  replayWebhook(parts),
  rotateWebhook(parts),
]

const pausing = (parts: AppParts, verb: 'pause' | 'resume', summary: string): Route =>
  route({
    method: 'POST',
    url: `/v1/webhooks/:webhook/${verb}`,
    id: `${verb}Webhook`,
    tag,
    summary,
    scope: 'webhooks:write',
    once: 'around',
    refuses: ['WEBHOOK_NOT_FOUND'],
    schemas: { path: WebhookPath, answers: { 200: ref(WebhookSchema) } },
    async handle({ path, principal }) {
      const { id } = await webhookOf(parts.engine, principal, path.webhook)
      return answer(
        200,
        webhookJson(accept(await parts.engine.webhooks[verb](id, principal.actor))),
      )
    },
  })

const replayWebhook = (parts: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/webhooks/:webhook/replay',
    id: 'replayWebhook',
    tag,
    summary: 'Deliver everything from an event on again, in order',
    scope: 'webhooks:write',
    once: 'around',
    refuses: ['WEBHOOK_NOT_FOUND'],
    schemas: { path: WebhookPath, body: ReplayRequest, answers: { 200: ref(WebhookSchema) } },
    async handle({ path, body, principal }) {
      const { id } = await webhookOf(parts.engine, principal, path.webhook)
      const { webhooks } = parts.engine
      return answer(
        200,
        webhookJson(accept(await webhooks.replay(id, body.from_seq, principal.actor))),
      )
    },
  })

const rotateWebhook = (parts: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/webhooks/:webhook/rotate',
    id: 'rotateWebhook',
    tag,
    summary: 'A new signing secret',
    description: 'Older ones sign beside it for a while. `secret` is shown once.',
    scope: 'webhooks:write',
    refuses: ['WEBHOOK_NOT_FOUND'],
    schemas: {
      path: WebhookPath,
      body: RotateRequest,
      answers: { 200: ref(CreatedWebhookSchema) },
    },
    async handle({ path, body, principal }) {
      const { id } = await webhookOf(parts.engine, principal, path.webhook)
      const overlapMs = body.overlap === undefined ? undefined : body.overlap * 1000
      const rotated = await parts.engine.webhooks.rotate(id, overlapMs, principal.actor)
      const { webhook, secret } = accept(rotated)
      return answer(200, createdWebhookJson(webhook, secret.reveal()))
    },
  })

/** The log of attempts. */
export const webhookDeliveries = (parts: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/webhooks/:webhook/deliveries',
    id: 'listDeliveries',
    tag,
    summary: 'Attempts to deliver, newest first, with bodies and answers',
    scope: 'webhooks:read',
    refuses: ['WEBHOOK_NOT_FOUND'],
    schemas: { path: WebhookPath, query: DeliveryQuery, answers: { 200: DeliveryList } },
    async handle({ path, query, principal }) {
      const { id: webhook } = await webhookOf(parts.engine, principal, path.webhook)
      const { after: before } = query
      const rows = await parts.engine.webhooks.deliveries({
        webhook,
        ...(before === undefined ? {} : { before }),
        limit: limitOf(query) + 1,
      })
      return answer(
        200,
        page(rows, limitOf(query), deliveryJson, ({ id }) => id),
      )
    },
  }),
  route({
    method: 'GET',
    url: '/v1/deliveries/:delivery',
    id: 'getDelivery',
    tag,
    summary: 'One attempt to deliver',
    scope: 'webhooks:read',
    refuses: ['NOT_FOUND'],
    schemas: { path: DeliveryPath, answers: { 200: ref(DeliverySchema) } },
    async handle({ path, principal }) {
      const { webhooks } = parts.engine
      const found = await webhooks.delivery(path.delivery)
      const webhook = found && (await webhooks.get(found.webhook))
      if (!webhook || !maySeeWebhook(principal, webhook))
        throw nothing('delivery', path.delivery, 'delivery')
      return answer(200, deliveryJson(found))
    },
  }),
]
