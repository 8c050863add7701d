import type { Json } from '@kaccy/bitcoin/kernel'
import type { PolicyRecord } from '@kaccy/bitcoin/policy'
import { aloneAtATime } from '../alone.ts'
import type { AppParts } from '../parts.ts'
import { policyJson, policyTestJson, replayJson } from '../present/policies.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Resource, type Route, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  LimitUseSchema,
  PolicyList,
  PolicyPath,
  PolicyQuery,
  PolicyRequest,
  PolicySchema,
  PolicyTestSchema,
  ReplayRequest,
  ReplaySchema,
} from '../schemas/policies.ts'
import { needsEverything } from '../seen.ts'
import { noPolicy } from '../seen-payouts.ts'
import { readTime, readTimeIfGiven } from '../time.ts'
import { limitRoutes } from './limits.ts'

const tag = 'Policies'
/** A document with long lists of addresses. */
const FILE_LIMIT = 1024 * 1024

export const policyResource = (parts: AppParts): Resource => ({
  routes: [
    ...reading(parts),
    proposePolicy(parts),
    testPolicy(parts),
    enablePolicy(parts),
    replayPolicy(parts),
    ...limitRoutes(parts),
  ],
  named: [PolicySchema, PolicyTestSchema, ReplaySchema, LimitUseSchema],
})

const reading = ({ engine }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/policies',
    id: 'listPolicies',
    tag,
    summary: 'Policies, newest first, without the built-in one',
    description: 'Not for keys that are limited to wallets.',
    scope: 'policies:read',
    schemas: { query: PolicyQuery, answers: { 200: PolicyList } },
    async handle({ query, principal }) {
      needsEverything(principal)
      const rows = await engine.policies.list({
        ...(query.after === undefined ? {} : { before: Number(query.after) }),
        limit: limitOf(query) + 1,
      })
      return answer(
        200,
        page(rows, limitOf(query), policyJson, ({ version }) => String(version)),
      )
    },
  }),
  route({
    method: 'GET',
    url: '/v1/policies/current',
    id: 'getCurrentPolicy',
    tag,
    summary: 'The policy in force',
    description: 'Not for keys that are limited to wallets.',
    scope: 'policies:read',
    schemas: { answers: { 200: ref(PolicySchema) } },
    async handle({ principal }) {
      needsEverything(principal)
      return answer(200, policyJson(await engine.policies.current()))
    },
  }),
  route({
    method: 'GET',
    url: '/v1/policies/:policy',
    id: 'getPolicy',
    tag,
    summary: 'One version of the policy',
    description: 'Not for keys that are limited to wallets.',
    scope: 'policies:read',
    refuses: ['POLICY_NOT_FOUND'],
    schemas: { path: PolicyPath, answers: { 200: ref(PolicySchema) } },
    async handle({ path, principal }) {
      needsEverything(principal)
      const found = await engine.policies.get(path.policy)
      if (!found) throw noPolicy(path.policy)
      return answer(200, policyJson(found))
    },
  }),
]

function proposePolicy({ engine }: AppParts): Route {
  const made = (policy: PolicyRecord): Answer =>
    answer(201, policyJson(policy), { location: `/v1/policies/${policy.version}` })
  return route({
    method: 'POST',
    url: '/v1/policies',
    id: 'proposePolicy',
    tag,
    summary: 'Propose a policy',
    description: 'It gets the next version and decides nothing until it is tested and enabled.',
    scope: 'policies:write',
    once: 'inside',
    bodyLimit: FILE_LIMIT,
    refuses: ['POLICY_INVALID'],
    schemas: { body: PolicyRequest, answers: { 201: ref(PolicySchema) } },
    async handle({ body, principal, once }) {
      needsEverything(principal)
      const document = body.document as Json
      const proposed = await engine.policies.propose(document, principal.actor, once(made))
      return made(accept(proposed).policy)
    },
  })
}

const testPolicy = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/policies/:policy/test',
    id: 'testPolicy',
    tag,
    summary: 'Hold a policy against its own cases',
    description: 'A draft that passes is tested from then on.',
    scope: 'policies:write',
    once: 'around',
    refuses: ['POLICY_NOT_FOUND'],
    schemas: { path: PolicyPath, answers: { 200: ref(PolicyTestSchema) } },
    async handle({ path, principal }) {
      needsEverything(principal)
      const tested = await engine.policies.test(path.policy, principal.actor)
      return answer(200, policyTestJson(accept(tested)))
    },
  })

const enablePolicy = ({ engine }: AppParts): Route =>
  route({
    method: 'POST',
    url: '/v1/policies/:policy/enable',
    id: 'enablePolicy',
    tag,
    summary: 'Put a tested policy in force',
    description:
      'From the commit on, in every process; what was decided before stays as it is. Where the policy in force wants a second person, its author cannot do it.',
    scope: 'policies:write',
    once: 'around',
    refuses: [
      'POLICY_NOT_FOUND',
      'POLICY_NOT_TESTED',
      'POLICY_TESTS_FAILED',
      'POLICY_UNSOUND',
      'POLICY_ENABLER_IS_AUTHOR',
    ],
    schemas: { path: PolicyPath, answers: { 200: ref(PolicySchema) } },
    async handle({ path, principal }) {
      needsEverything(principal)
      const enabled = await engine.policies.enable(path.policy, principal.actor)
      return answer(200, policyJson(accept(enabled)))
    },
  })

function replayPolicy({ engine, clock }: AppParts): Route {
  const alone = aloneAtATime()
  return route({
    method: 'POST',
    url: '/v1/policies/:policy/replay',
    id: 'replayPolicy',
    tag,
    summary: 'Which past requests a policy would have decided otherwise',
    description: 'Changes nothing. Costs what the time holds; for one caller at a time.',
    scope: 'policies:read',
    refuses: ['POLICY_NOT_FOUND'],
    schemas: { path: PolicyPath, body: ReplayRequest, answers: { 200: ref(ReplaySchema) } },
    async handle({ path, body, principal }) {
      needsEverything(principal)
      const options = {
        from: readTime(body.from, 'from'),
        until: readTimeIfGiven(body.until, 'until') ?? clock.now(),
        list: body.list ?? 100,
      }
      const report = await alone(() => engine.policies.replay(path.policy, options))
      return answer(200, replayJson(accept(report)))
    },
  })
}
