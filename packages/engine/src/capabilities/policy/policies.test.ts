import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { asError, type Json } from '../../kernel/index.ts'
import { canonicalJson, verifyAudit } from '../audit/index.ts'
import { createPolicies, DEFAULT_DOCUMENT } from './index.ts'

const NOW = 1_800_000_000_000
const OK = { name: 'ok', request: { amount_sat: 1 }, expect: { decision: 'allow' } }
const open = (more: Json & object = {}): Json => ({
  name: 'open',
  otherwise: 'allow',
  tests: [OK],
  ...more,
})

function engine() {
  const store = createMemoryStore()
  let now = NOW
  const clock = { now: () => ++now }
  return { store, policies: createPolicies({ store, clock, network: 'regtest' }) }
}
async function proposed(
  policies: ReturnType<typeof engine>['policies'],
  document: Json,
  actor = 'operator:ann',
) {
  const answer = await policies.propose(document, actor)
  if (!answer.ok) throw asError(answer.error)
  return answer.value
}
const codeOf = (answer: { ok: boolean; error?: { code: string } }) =>
  answer.ok ? 'ok' : answer.error?.code

describe('a policy', () => {
  test('goes from draft to tested to enabled to retired, and may come back', async () => {
    const { policies, store } = engine()
    expect(await policies.current()).toMatchObject({ version: 0, status: 'enabled' })
    const { policy, findings } = await proposed(policies, open())
    expect([policy.version, policy.status, findings]).toEqual([1, 'draft', []])
    expect(codeOf(await policies.enable(1, 'operator:bob'))).toBe('POLICY_NOT_TESTED')
    expect(await policies.test(1, 'operator:ann')).toMatchObject({
      ok: true,
      value: { ok: true, cases: 1 },
    })
    expect(await policies.get(1)).toMatchObject({ status: 'tested', testedBy: 'operator:ann' })
    const enabled = await policies.enable(1, 'operator:bob')
    expect(enabled).toMatchObject({
      ok: true,
      value: { status: 'enabled', enabledBy: 'operator:bob' },
    })
    expect(await policies.current()).toEqual(enabled.ok && enabled.value)
    expect(await policies.get(0)).toMatchObject({ status: 'retired' })
    await proposed(policies, open({ name: 'second' }))
    await policies.test(2, 'operator:ann')
    await policies.enable(2, 'operator:bob')
    expect(await policies.get(1)).toMatchObject({ status: 'retired' })
    expect(
      (await policies.list({ limit: 9 })).map(({ version, status }) => [version, status]),
    ).toEqual([
      [2, 'enabled'],
      [1, 'retired'],
    ])
    await policies.enable(1, 'operator:cy')
    const back = await policies.current()
    expect(back).toMatchObject({ version: 1, enabledBy: 'operator:cy' })
    expect(back).not.toHaveProperty('retiredAt')
    await policies.enable(0, 'operator:cy')
    expect(await policies.current()).toMatchObject({ version: 0, status: 'enabled' })
    expect(await policies.get(1)).toMatchObject({ status: 'retired' })
    const events = await store.read((tx) => tx.events.list({ after: 0, limit: 99 }))
    expect(events.map(({ type, subject }) => `${type} ${subject}`)).toEqual([
      'policy.proposed policy/1',
      'policy.tested policy/1',
      'policy.enabled policy/1',
      'policy.proposed policy/2',
      'policy.tested policy/2',
      'policy.enabled policy/2',
      'policy.enabled policy/1',
      'policy.enabled policy/0',
    ])
    expect(events[6]?.data).toMatchObject({ version: 1, previous: 2, actor: 'operator:cy' })
    const trail = await store.read((tx) => tx.audit.list({ action: 'policy.', limit: 99 }))
    expect(trail).toHaveLength(8)
    expect(trail[0]?.details).toMatchObject({ version: 1, digest: policy.digest })
    expect(await verifyAudit(store)).toMatchObject({ ok: true })
  })

  test('keeps its document as it was proposed, in canonical form', async () => {
    const { policies } = engine()
    const { policy } = await proposed(policies, open({ zone: 'UTC' }))
    expect(policy.document).toBe(canonicalJson(open({ zone: 'UTC' })))
    expect((await policies.get(0))?.document).toBe(canonicalJson(DEFAULT_DOCUMENT))
  })

  test('that fails its tests, or has rules that never decide, stays a draft', async () => {
    const { policies } = engine()
    await proposed(policies, { name: 'x', otherwise: 'deny', tests: [OK] })
    const rules = ['a', 'b'].map((name) => ({ name, decision: 'allow' }))
    const shadowed = await proposed(policies, open({ rules }))
    expect(shadowed.findings).toEqual([{ kind: 'shadowed', rule: 'b', by: ['a'] }])
    await proposed(policies, { name: 'x', otherwise: 'allow' })
    for (const version of [1, 2, 3]) {
      expect(await policies.test(version, 'operator:ann')).toMatchObject({
        ok: true,
        value: { ok: false },
      })
      expect(await policies.get(version)).toMatchObject({ status: 'draft' })
      expect(codeOf(await policies.enable(version, 'operator:ann'))).toBe('POLICY_NOT_TESTED')
    }
  })

  test('is tested again before it is put in force', async () => {
    const { policies, store } = engine()
    await proposed(policies, { name: 'x', otherwise: 'deny', tests: [OK] })
    await proposed(policies, { name: 'x', otherwise: 'allow' })
    await store.transact(async (tx) => {
      for (const version of [1, 2]) {
        const policy = await tx.policy.policy(version)
        // As an engine with other rules may have left it.
        if (policy) await tx.policy.save({ ...policy, status: 'tested' })
      }
    })
    const failed = await policies.enable(1, 'operator:ann')
    expect(failed).toMatchObject({
      error: {
        code: 'POLICY_TESTS_FAILED',
        details: { what: 'decision', expected: 'allow', got: 'deny' },
      },
    })
    expect(codeOf(await policies.enable(2, 'operator:ann'))).toBe('POLICY_UNSOUND')
    expect(await policies.current()).toMatchObject({ version: 0 })
  })

  test('is put in force by a second person where the one in force says so', async () => {
    const { policies } = engine()
    await proposed(policies, open({ second_person: true }))
    await policies.test(1, 'operator:ann')
    expect(codeOf(await policies.enable(1, 'operator:ann'))).toBe('ok')
    await proposed(policies, open())
    await policies.test(2, 'operator:bob')
    expect(codeOf(await policies.enable(2, 'operator:ann'))).toBe('POLICY_ENABLER_IS_AUTHOR')
    expect(codeOf(await policies.enable(2, 'operator:bob'))).toBe('ok')
  })

  test('that is in force already changes nothing, and an unknown one is not found', async () => {
    const { policies, store } = engine()
    expect(codeOf(await policies.enable(0, 'operator:ann'))).toBe('ok')
    expect(await store.read((tx) => tx.events.head())).toBe(0)
    expect(codeOf(await policies.enable(7, 'operator:ann'))).toBe('POLICY_NOT_FOUND')
    expect(codeOf(await policies.test(7, 'operator:ann'))).toBe('POLICY_NOT_FOUND')
    expect(codeOf(await policies.replay(7, { from: 0, until: 1 }))).toBe('POLICY_NOT_FOUND')
    expect(await policies.get(7)).toBeUndefined()
  })

  test('names addresses of its own network only', async () => {
    const { policies } = engine()
    const lists = { a: ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'] }
    const answer = await policies.propose(open({ lists }), 'operator:ann')
    expect(answer).toMatchObject({
      ok: false,
      error: { code: 'POLICY_INVALID', param: 'lists.a[0]' },
    })
  })
})
