import type { ApiKeyRecord, KeyChanges, KeyInput } from '@kaccy/bitcoin/access'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import type { AppParts } from '../parts.ts'
import { createdKeyJson, keyJson, selfJson } from '../present/keys.ts'
import { maySeeGrant, type Principal } from '../principal.ts'
import { accept, answer } from '../reply.ts'
import { type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  CreatedKeySchema,
  KeyChange,
  type KeyChangeBody,
  KeyList,
  KeyPath,
  KeyQuery,
  KeyRequest,
  type KeyRequestBody,
  KeySchema,
  SelfSchema,
} from '../schemas/keys.ts'
import { nothing } from '../seen.ts'
import { ended, sift } from '../sift.ts'
import { readTime } from '../time.ts'

const tag = 'Keys'

export const keyResource = (parts: AppParts): Resource => ({
  routes: [createKey(parts), ...reading(parts), ...changing(parts)],
  named: [KeySchema, CreatedKeySchema, SelfSchema],
})

const inputOf = (body: KeyRequestBody): KeyInput => ({
  name: body.name,
  scopes: body.scopes,
  ...(body.wallets === undefined
    ? {}
    : { wallets: body.wallets as readonly string[] as readonly WalletId[] }),
  ...(body.addresses === undefined ? {} : { addresses: body.addresses }),
  ...(body.expires_at === undefined ? {} : { expiresAt: readTime(body.expires_at, 'expires_at') }),
  ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
})

function changesOf(body: KeyChangeBody): KeyChanges {
  const { expires_at: ends } = body
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
    ...(body.wallets === undefined
      ? {}
      : { wallets: body.wallets as readonly string[] | null as readonly WalletId[] | null }),
    ...(body.addresses === undefined ? {} : { addresses: body.addresses }),
    ...(ends === undefined
      ? {}
      : { expiresAt: ends === null ? null : readTime(ends, 'expires_at') }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  }
}

const locationOf = ({ id }: ApiKeyRecord) => ({ location: `/v1/keys/${id}` })

const createKey = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/keys',
    id: 'createKey',
    tag,
    summary: 'Make an API key',
    description:
      'A key gives only what it has itself: scopes, wallets, addresses and time. `token` is shown once. The same `Idempotency-Key` again makes no second key, and answers without the token, which nobody has any more.',
    scope: 'keys:write',
    once: 'inside',
    refuses: ['KEY_GRANT_FORBIDDEN', 'WALLET_NOT_FOUND'],
    schemas: { body: KeyRequest, answers: { 201: ref(CreatedKeySchema) } },
    async handle({ body, principal, once }) {
      const kept = once((key: ApiKeyRecord) => answer(201, createdKeyJson(key)))
      const made = accept(await engine.access.create(inputOf(body), principal.actor, kept))
      return answer(201, createdKeyJson(made.key, made.secret.reveal()), locationOf(made.key))
    },
  })

/** @throws RefusedError NOT_FOUND, also for a key that may see wallets which the caller may not */
async function keyOf(
  { engine }: AppParts,
  principal: Principal,
  id: string,
): Promise<ApiKeyRecord> {
  const key = await engine.access.get(id)
  if (key && (maySeeGrant(principal, key) || key.id === principal.id)) return key
  throw nothing('key', id)
}

const reading = (parts: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/keys',
    id: 'listKeys',
    tag,
    summary: 'API keys, newest first, also those that have ended',
    scope: 'keys:read',
    schemas: { query: KeyQuery, answers: { 200: KeyList } },
    async handle({ query, principal }) {
      const page = await sift({
        read: (before, limit) =>
          parts.engine.access.list({ limit, ...(before === undefined ? {} : { before }) }),
        after: query.after,
        limit: limitOf(query),
        cursorOf: ({ id }) => id,
        isSeen: (key) => maySeeGrant(principal, key),
        show: keyJson,
      })
      return answer(200, ended(page))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/keys/:key',
    id: 'getKey',
    tag,
    summary: 'One API key',
    scope: 'keys:read',
    refuses: ['NOT_FOUND'],
    schemas: { path: KeyPath, answers: { 200: ref(KeySchema) } },
    handle: async ({ path, principal }) =>
      answer(200, keyJson(await keyOf(parts, principal, path.key))),
  }),
  route({
    method: 'GET',
    url: '/v1/self',
    id: 'getSelf',
    tag,
    summary: 'Who the server takes the caller for',
    scope: 'any',
    schemas: { answers: { 200: ref(SelfSchema) } },
    handle: async ({ principal }) =>
      answer(200, selfJson(principal, parts.engine.access.mode, parts.network)),
  }),
]

const changing = (parts: AppParts): readonly Route[] => [
  route({
    method: 'PATCH',
    url: '/v1/keys/:key',
    id: 'updateKey',
    tag,
    summary: 'Change what a key may do',
    description: 'Holds from the answer on, everywhere. null takes a limit away.',
    scope: 'keys:write',
    refuses: [
      'NOT_FOUND',
      'KEY_ALREADY_REVOKED',
      'KEY_GRANT_FORBIDDEN',
      'KEY_LAST_ADMIN',
      'WALLET_NOT_FOUND',
    ],
    schemas: { path: KeyPath, body: KeyChange, answers: { 200: ref(KeySchema) } },
    async handle({ path, body, principal }) {
      const { id } = await keyOf(parts, principal, path.key)
      const changed = await parts.engine.access.update(id, changesOf(body), principal.actor)
      return answer(200, keyJson(accept(changed)))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/keys/:key/revoke',
    id: 'revokeKey',
    tag,
    summary: 'End a key for ever',
    description:
      'Holds from the answer on, everywhere. A second time changes nothing. What it made stays: look at `GET /v1/webhooks?created_by=api:<key>` and at the keys whose `created_by` it is.',
    scope: 'keys:write',
    once: 'around',
    refuses: ['NOT_FOUND', 'KEY_GRANT_FORBIDDEN', 'KEY_LAST_ADMIN'],
    schemas: { path: KeyPath, answers: { 200: ref(KeySchema) } },
    async handle({ path, principal }) {
      const { id } = await keyOf(parts, principal, path.key)
      return answer(200, keyJson(accept(await parts.engine.access.revoke(id, principal.actor))))
    },
  }),
]
