import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { type Json, sat, type WalletId, type WithdrawalId } from '../../kernel/index.ts'
import {
  judge,
  parsePolicy,
  type PolicySubject,
  release,
  replayPolicy,
  reserve,
  settle,
  createPolicies,
} from './index.ts'

const HOUR = 3_600_000
const T0 = Date.UTC(2027, 2, 27, 12)
const OK = { name: 'ok', request: { amount_sat: 1 }, expect: { decision: 'allow' } }

async function world(document: Json & object) {
  const store = createMemoryStore()
  const policies = createPolicies({ store, clock: { now: () => T0 }, network: 'regtest' })
  const full = { name: 'x', otherwise: 'allow', tests: [OK], ...document }
  const version = async (json: Json) => {
    const proposed = await policies.propose(json, 'operator:ann')
    if (!proposed.ok) throw new TypeError(proposed.error.message)
    return proposed.value.policy.version
  }
  const first = await version(full as Json)
  await policies.test(first, 'operator:ann')
  expect(await policies.enable(first, 'operator:ann')).toMatchObject({ ok: true })
  const request = (number: number, at: number, amount: number, user = 'ann') =>
    store.transact(async (tx) => {
      const subject: PolicySubject = {
        withdrawal: `wdr_${number}` as WithdrawalId,
        wallet: 'wal_1' as WalletId,
        amount: sat(BigInt(amount)),
        maxFee: sat(0n),
        address: 'x',
        script: Uint8Array.of(number % 3),
        user,
        initiator: 'api:1',
        at,
        metadata: {},
      }
      const verdict = await judge(tx, subject)
      if (verdict.decision !== 'deny') await reserve(tx, subject)
      return verdict.decision
    })
  const end = (how: typeof release, number: number, at: number) =>
    store.transact((tx) => how(tx, `wdr_${number}` as WithdrawalId, at))
  const replay = async (json: Json & object, from = T0, until = T0 + 1e9) => {
    const answer = await policies.replay(await version({ ...full, ...json } as Json), {
      from,
      until,
    })
    if (!answer.ok) throw new TypeError(answer.error.message)
    return answer.value
  }
  return { store, policies, request, end, replay, full }
}
const day = (amount: number) => ({
  name: 'day',
  per: 'user',
  window: { rolling_minutes: 1440 },
  amount_sat: amount,
})

describe('a replay', () => {
  test('names the requests that another policy decides otherwise, and only those', async () => {
    const { request, replay } = await world({})
    for (let i = 0; i < 20; i++)
      await request(i, T0 + i * 25 * HOUR, i === 7 || i === 13 ? 900 : 100)
    const rules = [
      {
        name: 'big',
        when: { amount_sat: { least: 500 } },
        decision: 'hold',
        approvals: { needed: 2 },
      },
    ]
    const report = await replay({ rules }, T0, T0 + 19 * 25 * HOUR)
    expect(report).toMatchObject({ version: 2, requests: 19, different: 2 })
    expect(report.changes).toEqual({ 'allow>hold': { count: 2, amount: 1800n } })
    expect(
      report.differences.map(({ withdrawal, before, after }) => [
        withdrawal,
        before.decision,
        after.rule,
        after.approvals,
      ]),
    ).toEqual([
      ['wdr_7', 'allow', 'big', 2],
      ['wdr_13', 'allow', 'big', 2],
    ])
  })
  test('counts what the policy itself would have let through', async () => {
    const { request, replay } = await world({})
    for (const i of [1, 2, 3, 4]) await request(i, T0 + i, 100)
    const report = await replay({ limits: [day(250)] })
    // The third is denied, and so it does not stand in the way of a smaller one.
    await request(5, T0 + 5, 50)
    expect(report.differences.map(({ withdrawal }) => withdrawal)).toEqual(['wdr_3', 'wdr_4'])
    expect((await replay({ limits: [day(250)] })).differences).toHaveLength(2)
    expect(
      (await replay({ limits: [day(249)] })).differences.map(({ withdrawal }) => withdrawal),
    ).toEqual(['wdr_3', 'wdr_4', 'wdr_5'])
  })
  test('counts what was denied then and would be let through', async () => {
    const { request, replay } = await world({ limits: [day(100)] })
    for (const i of [1, 2, 3]) await request(i, T0 + i, 100)
    const report = await replay({ limits: [day(200)] })
    expect(report.changes).toEqual({ 'deny>allow': { count: 1, amount: 100n } })
    expect(report.differences[0]?.withdrawal).toBe('wdr_2')
  })
  test('sees what was before its time, and what was given up', async () => {
    const { request, end, replay } = await world({})
    await request(1, T0 - HOUR, 100)
    await request(2, T0 - 25 * HOUR, 100)
    await request(3, T0, 100)
    await end(release, 3, T0 + 1)
    await request(4, T0 + 2, 100)
    const report = await replay({ limits: [day(200)] })
    expect([report.requests, report.different]).toEqual([2, 0])
    const tight = await replay({ limits: [day(199)] })
    expect(tight.differences.map(({ withdrawal }) => withdrawal)).toEqual(['wdr_3', 'wdr_4'])
  })
  test('other approvals are a difference as well', async () => {
    const hold = (needed: number) => ({
      rules: [{ name: 'r', decision: 'hold', approvals: { needed } }],
      tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'hold' } }],
    })
    const { request, replay } = await world(hold(1))
    await request(1, T0, 1)
    expect((await replay(hold(2))).changes).toEqual({ 'hold>hold': { count: 1, amount: 1n } })
    expect((await replay({ ...hold(1), transaction_approvals: { needed: 1 } })).different).toBe(1)
    expect((await replay(hold(1))).different).toBe(0)
  })
  test('lists no more than was asked for, and counts all', async () => {
    const { request, replay, policies } = await world({})
    for (let i = 0; i < 9; i++) await request(i, T0 + i, 1)
    await replay({ otherwise: 'deny', tests: [] })
    const answer = await policies.replay(2, { from: T0, until: T0 + 9, list: 2 })
    expect(answer).toMatchObject({ ok: true, value: { requests: 9, different: 9 } })
    expect(answer.ok && answer.value.differences).toHaveLength(2)
  })

  const step = fc.record({
    pass: fc.integer({ min: 0, max: 6 * HOUR }),
    amount: fc.integer({ min: 1, max: 200 }),
    user: fc.constantFrom('ann', 'bob'),
    end: fc.option(fc.record({ which: fc.nat({ max: 30 }), paid: fc.boolean() })),
  })
  test('of the policy that was in force gives its own decisions again, all of them', async () => {
    const limits = [
      day(500),
      {
        name: 'm',
        per: 'platform',
        window: { calendar: 'day', zone: 'Europe/Berlin' },
        amount_sat: 700,
        over: 'hold',
      },
      { name: 'n', per: 'destination', window: { calendar: 'week' }, count: 5 },
    ]
    const risk = { hold: 30, deny: 60, large_sat: 190, velocity_sat: 300, points: { large: 20 } }
    const rules = [
      {
        name: 'edge',
        when: { amount_sat: { least: 150 }, new_destination: true },
        decision: 'hold',
      },
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.nat({ max: 40 }),
        async (steps, skip) => {
          const { store, request, end, full } = await world({ limits, risk, rules })
          let at = T0
          for (const [i, one] of steps.entries()) {
            at += one.pass
            await request(i, at, one.amount, one.user)
            if (one.end) await end(one.end.paid ? settle : release, one.end.which, at)
          }
          const policy = parsePolicy(full as Json)
          if (!policy.ok) throw new TypeError(policy.error.message)
          const from = T0 + skip * HOUR
          const report = await replayPolicy(store, 1, policy.value, { from, until: at + 1 })
          expect(report.differences).toEqual([])
          const open = {
            ...policy.value,
            limits: [],
            rules: [],
            risk: { ...policy.value.risk, points: {} as never },
          }
          const decisions = await store.read((tx) => tx.policy.decisions({ limit: 999 }))
          const inTime = decisions.filter(({ subject }) => subject.at >= from)
          expect(report.requests).toBe(inTime.length)
          const freed = await replayPolicy(store, 9, open, { from, until: at + 1 })
          expect(freed.different).toBe(
            inTime.filter(({ verdict }) => verdict.decision !== 'allow').length,
          )
        },
      ),
      { numRuns: 40 },
    )
  })
})
