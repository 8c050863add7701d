import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import {
  type Json,
  type PsbtId,
  sat,
  type WalletId,
  type WithdrawalId,
} from '../../kernel/index.ts'
import { isOver, subjectFor, idFor, windowFrom } from '../limits/index.ts'
import {
  approvalState,
  approve,
  approveTransaction,
  createPolicies,
  digestOf,
  judge,
  parsePolicy,
  type PolicySubject,
  type PolicyVerdict,
  release,
  requireTransactionApprovals,
  reserve,
  settle,
} from './index.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2027, 0, 4, 12)
const OK = { name: 'ok', request: { amount_sat: 1 }, expect: { decision: 'allow' } }

const subject = (number: number, more: Partial<PolicySubject> = {}): PolicySubject => ({
  withdrawal: `wdr_${number}` as WithdrawalId,
  wallet: 'wal_1' as WalletId,
  amount: sat(100n),
  maxFee: sat(10n),
  address: 'bcrt1qx',
  script: Uint8Array.of(0, 20, number % 250),
  user: 'ann',
  initiator: 'api:key_1',
  at: NOW + number,
  metadata: {},
  ...more,
})

/** A store with a document in force. */
async function withPolicy(document: Json & object) {
  const store = createMemoryStore()
  const policies = createPolicies({ store, clock: { now: () => NOW }, network: 'regtest' })
  const full = { name: 'x', otherwise: 'allow', tests: [OK], ...document }
  const proposed = await policies.propose(full as Json, 'operator:author')
  if (!proposed.ok) throw new TypeError(proposed.error.message)
  const { version } = proposed.value.policy
  const tested = await policies.test(version, 'operator:author')
  expect(tested).toMatchObject({ ok: true, value: { ok: true } })
  expect(await policies.enable(version, 'operator:boss')).toMatchObject({ ok: true })
  const request = (one: PolicySubject): Promise<PolicyVerdict> =>
    store.transact(async (tx) => {
      const verdict = await judge(tx, one)
      if (verdict.decision !== 'deny') await reserve(tx, one)
      return verdict
    })
  const end = (how: typeof release, number: number, at = NOW) =>
    store.transact((tx) => how(tx, `wdr_${number}` as WithdrawalId, at))
  return { store, policies, request, end }
}

const perDay = { name: 'day', per: 'user', window: { rolling_minutes: 1440 }, amount_sat: 250 }

describe('a request', () => {
  test('is counted with its reservation, and gives it back once', async () => {
    const { request, end, policies } = await withPolicy({ limits: [perDay] })
    const decide = async (number: number) => (await request(subject(number))).decision
    expect([await decide(1), await decide(2), await decide(3)]).toEqual(['allow', 'allow', 'deny'])
    await end(release, 3)
    expect(await decide(4)).toBe('deny')
    await end(release, 1)
    await end(release, 1)
    expect([await decide(5), await decide(6)]).toEqual(['allow', 'deny'])
    const [use] = await policies.limits({ user: 'ann', at: NOW + 10 })
    expect(use).toMatchObject({
      subject: 'user/ann',
      policyVersion: 1,
      used: { amount: 200n, count: 2 },
      left: { amount: 50n },
      resetsAt: NOW + 2 + DAY,
    })
  })
  test('leaves a rolling window to the millisecond', async () => {
    const { request } = await withPolicy({ limits: [perDay] })
    await request(subject(0, { amount: sat(250n) }))
    const at = (ms: number, number: number) => request(subject(number, { at: NOW + ms }))
    expect((await at(DAY - 1, 1)).decision).toBe('deny')
    expect((await at(DAY, 2)).decision).toBe('allow')
  })
  test('that is held counts as well', async () => {
    const { request } = await withPolicy({
      limits: [perDay],
      rules: [{ name: 'r', when: { amount_sat: { least: 200 } }, decision: 'hold' }],
    })
    expect((await request(subject(1, { amount: sat(200n) }))).decision).toBe('hold')
    expect((await request(subject(2))).decision).toBe('deny')
  })
  test('is decided once, and counted only as it was decided', async () => {
    const { store, request } = await withPolicy({ limits: [perDay] })
    await request(subject(1))
    await expect(request(subject(1))).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
    const again = store.transact((tx) => reserve(tx, subject(1)))
    await expect(again).rejects.toThrow('not waiting to be counted')
    const twice = store.transact(async (tx) => {
      await judge(tx, subject(8))
      await reserve(tx, subject(8))
      await reserve(tx, subject(8))
    })
    await expect(twice).rejects.toThrow('not waiting to be counted')
    const unknown = store.transact((tx) => reserve(tx, subject(9)))
    await expect(unknown).rejects.toThrow('not waiting to be counted')
    const other = store.transact(async (tx) => {
      await judge(tx, subject(2))
      await reserve(tx, subject(2, { amount: sat(1n) }))
    })
    await expect(other).rejects.toThrow('is another one')
    const denied = store.transact(async (tx) => {
      await judge(tx, subject(3, { amount: sat(999n) }))
      await reserve(tx, subject(3, { amount: sat(999n) }))
    })
    await expect(denied).rejects.toThrow('not waiting to be counted')
  })
  test('that was given up and is paid all the same counts again, where it was', async () => {
    const { request, end, policies } = await withPolicy({ limits: [perDay] })
    await request(subject(1))
    await end(release, 1)
    await end(settle, 1, NOW + DAY)
    await end(settle, 1, NOW + DAY)
    const used = async (at: number) => (await policies.limits({ user: 'ann', at }))[0]?.used
    expect(await used(NOW + DAY)).toEqual({ amount: 100n, count: 1 })
    expect(await used(NOW + DAY + 1)).toEqual({ amount: 0n, count: 0 })
    expect(await policies.decision('wdr_1' as WithdrawalId)).toMatchObject({ state: 'settled' })
    await end(settle, 8)
    await end(release, 8)
  })
  test('teaches the habit only when it is paid, and its destination is known from then on', async () => {
    const { request, end, policies } = await withPolicy({ limits: [] })
    const script = Uint8Array.of(0, 1)
    const factsOf = async (number: number) =>
      (await policies.decision(`wdr_${number}` as WithdrawalId))?.facts
    await request(subject(1, { script }))
    await request(subject(2, { script }))
    expect(await factsOf(2)).toMatchObject({
      paidToDestination: 0,
      profile: { subject: 'user/ann', recent: [{ withdrawal: 'wdr_1' }], habit: { paid: 0 } },
      lastHour: { amount: 100n, count: 1 },
    })
    await end(release, 2)
    await end(settle, 1)
    await request(subject(3, { script }))
    expect(await factsOf(3)).toMatchObject({
      paidToDestination: 1,
      profile: { recent: [{}, {}], habit: { paid: 1, total: 100n } },
      lastHour: { amount: 100n, count: 1 },
    })
    await request(subject(4, { script, user: 'bob' }))
    expect(await factsOf(4)).toMatchObject({ paidToDestination: 0, profile: { recent: [] } })
  })
  test('that scores high is held, and rings', async () => {
    const { request, store } = await withPolicy({
      risk: {
        hold: 40,
        deny: 80,
        alert: 40,
        points: { new_destination: 45, rapid_succession: 40 },
      },
    })
    expect(await request(subject(1))).toMatchObject({ decision: 'hold', score: 45 })
    for (const number of [2, 3]) await request(subject(number))
    const last = await request(subject(4))
    expect(last).toMatchObject({ decision: 'deny', score: 85 })
    expect(last.reasons.map(({ code }) => code)).toEqual([
      'risk/score',
      'default',
      'risk/new_destination',
      'risk/rapid_succession',
    ])
    const alerts = await store.read((tx) => tx.alerts.list({ kind: 'withdrawal_risk', limit: 9 }))
    expect(alerts.map(({ subject, severity }) => [subject, severity])).toEqual([
      ['wdr_4', 'critical'],
      ['wdr_3', 'warning'],
      ['wdr_2', 'warning'],
      ['wdr_1', 'warning'],
    ])
    expect(alerts[0]?.data).toMatchObject({ wallet: 'wal_1', score: 85, amount_sat: 100 })
  })
})

describe('limits hold whatever happens', () => {
  const WINDOWS: readonly Json[] = [
    'single',
    { rolling_minutes: 60 },
    { rolling_minutes: 1440 },
    { calendar: 'day', zone: 'Europe/Berlin' },
    { calendar: 'day', zone: 'America/St_Johns' },
    { calendar: 'week' },
    { calendar: 'month', zone: 'Asia/Kathmandu' },
  ]
  const limits = WINDOWS.flatMap((window, i) =>
    ['platform', 'user', 'customer', 'wallet', 'destination'].map((per) => ({
      name: `${per}-${i}`,
      per,
      window,
      amount_sat: 300 + 40 * i,
      ...(window === 'single' ? {} : { count: 3 + i }),
    })),
  )
  /** Around the end of summer time in Berlin, and in a few hours the end of a week and of a month. */
  const START = Date.UTC(2027, 9, 30, 20)
  const step = fc.record({
    pass: fc.oneof(fc.integer({ min: 0, max: 5 * HOUR }), fc.constantFrom(HOUR, HOUR - 1, DAY)),
    amount: fc.integer({ min: 1, max: 310 }),
    who: fc.nat({ max: 3 }),
    end: fc.option(fc.record({ which: fc.nat({ max: 40 }), paid: fc.boolean() })),
  })
  const policy = parsePolicy({ name: 'x', limits })

  test('every decision is that of a recount of everything', async () => {
    if (!policy.ok) throw new TypeError(policy.error.message)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const risk = { hold: null, deny: null }
        const { request, end } = await withPolicy({ limits, risk })
        const counted = new Map<number, PolicySubject>()
        let at = START
        for (const [i, one] of steps.entries()) {
          at += one.pass
          const user = ['ann', 'bob', 'cy', undefined][one.who]
          const next = subject(i, {
            at,
            amount: sat(BigInt(one.amount)),
            wallet: `wal_${one.who % 2}` as WalletId,
            script: Uint8Array.of(0, one.who % 3),
            ...(user === undefined ? {} : { customer: `c${one.who % 2}` }),
          })
          const { user: _, ...anonymous } = next
          const asked: PolicySubject = user === undefined ? anonymous : { ...next, user }
          const view = (one: PolicySubject) => ({ ...one, destination: String(one.script) })
          const over = policy.value.limits.filter((limit) => {
            const whose = (one: PolicySubject) => subjectFor(limit.per, idFor(limit.per, view(one)))
            const from = windowFrom(limit.window, at)
            const inside = [...counted.values()].filter(
              (one) => from !== undefined && one.at >= from && whose(one) === whose(asked),
            )
            const amount = inside.reduce((sum, one) => sum + one.amount, 0n)
            return isOver(limit, { amount, count: inside.length }, asked.amount)
          })
          const verdict = await request(asked)
          expect(verdict.decision).toBe(over.length > 0 ? 'deny' : 'allow')
          const codes = verdict.reasons
            .map(({ code }) => code)
            .filter((code) => code.startsWith('limit/'))
          expect(codes).toEqual(over.map(({ name }) => `limit/${name}`))
          if (verdict.decision === 'allow') counted.set(i, asked)
          if (one.end) {
            await end(one.end.paid ? settle : release, one.end.which, at)
            if (!one.end.paid) counted.delete(one.end.which)
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('approvals of a request', () => {
  const document = {
    groups: { treasury: ['operator:ann', 'operator:bob', 'api:key_1'] },
    rules: [
      {
        name: 'held',
        decision: 'hold',
        approvals: { needed: 2, from: ['treasury'] },
        transaction_approvals: { needed: 1, from: ['treasury'] },
      },
    ],
    tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'hold' } }],
  }
  const held = async () => {
    const made = await withPolicy(document)
    const verdict = await made.request(subject(1))
    const give = (by: string, digest = verdict.digest, withdrawal = 'wdr_1') =>
      made.store.transact((tx) =>
        approve(tx, { withdrawal: withdrawal as WithdrawalId, digest, by, at: NOW }),
      )
    return { ...made, verdict, give }
  }
  const codeOf = (answer: Awaited<ReturnType<typeof approve>>) =>
    answer.ok ? answer.value : answer.error.code

  test('two people of the group, not who asked, nobody twice, only what they saw', async () => {
    const { give, verdict, store } = await held()
    expect(verdict).toMatchObject({
      decision: 'hold',
      approvals: { needed: 2, from: ['treasury'] },
    })
    expect(codeOf(await give('operator:ann', '0'.repeat(64)))).toBe('APPROVAL_DIGEST_MISMATCH')
    expect(codeOf(await give('api:key_1'))).toBe('APPROVER_IS_INITIATOR')
    expect(codeOf(await give('operator:eve'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('engine'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('operator:ann', verdict.digest, 'wdr_2'))).toBe('APPROVAL_NOT_NEEDED')
    expect(codeOf(await give('operator:ann'))).toEqual({ have: 1, need: 2, complete: false })
    expect(codeOf(await give('operator:ann'))).toBe('APPROVER_REPEATED')
    expect(codeOf(await give('operator:bob'))).toEqual({ have: 2, need: 2, complete: true })
    const state = await store.read((tx) => approvalState(tx, { kind: 'withdrawal', id: 'wdr_1' }))
    expect(state?.approvals.map(({ by }) => by)).toEqual(['operator:ann', 'operator:bob'])
    const trail = await store.read((tx) => tx.audit.list({ action: 'approval.give', limit: 9 }))
    expect(trail.map(({ actor, subject }) => [actor, subject])).toEqual([
      ['operator:ann', 'wdr_1'],
      ['operator:bob', 'wdr_1'],
    ])
  })
  test('the groups stay those of the request, whatever policy comes', async () => {
    const { give, policies } = await held()
    expect(await policies.enable(0, 'operator:boss')).toMatchObject({ ok: true })
    expect(codeOf(await give('operator:eve'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('operator:bob'))).toMatchObject({ have: 1, need: 2 })
  })
  test('anybody approves where no group is named, but the engine and who asked', async () => {
    const { request, store } = await withPolicy({
      rules: [{ name: 'held', decision: 'hold' }],
      tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'hold' } }],
    })
    const { digest } = await request(subject(1))
    const give = (by: string) =>
      store.transact((tx) =>
        approve(tx, { withdrawal: subject(1).withdrawal, digest, by, at: NOW }),
      )
    expect(codeOf(await give('engine'))).toBe('APPROVER_NOT_ALLOWED')
    expect(codeOf(await give('api:key_1'))).toBe('APPROVER_IS_INITIATOR')
    expect(codeOf(await give('api:key_2'))).toEqual({ have: 1, need: 1, complete: true })
  })
  test('a digest is of everything that an approval is for', () => {
    const one = subject(1, { customer: 'c' })
    const { user: _, ...nobody } = one
    const changed: readonly PolicySubject[] = [
      { ...one, withdrawal: 'wdr_2' as WithdrawalId },
      { ...one, wallet: 'wal_2' as WalletId },
      { ...one, amount: sat(101n) },
      { ...one, maxFee: sat(11n) },
      { ...one, address: 'bcrt1qy' },
      { ...one, script: Uint8Array.of(9) },
      { ...one, customer: 'd' },
      { ...one, initiator: 'api:key_2' },
      { ...one, metadata: { a: 'b' } },
      nobody,
    ]
    const digests = [one, ...changed].map(digestOf)
    expect(new Set(digests).size).toBe(digests.length)
    expect(digestOf({ ...one, at: 5 })).toBe(digestOf(one))
  })
})

describe('approvals of a transaction', () => {
  const psbt = 'psb_1' as PsbtId
  const hash = 'ab'.repeat(32)
  const document = {
    groups: { a: ['operator:ann', 'api:key_2'], b: ['operator:bob', 'operator:ann'] },
    rules: [
      {
        name: 'two',
        when: { users: ['ann'] },
        decision: 'allow',
        transaction_approvals: { needed: 2, from: ['b'] },
      },
      {
        name: 'one',
        when: { users: ['bob'] },
        decision: 'allow',
        transaction_approvals: { needed: 1, from: ['a'] },
      },
    ],
  }
  const ids = (...numbers: number[]) => numbers.map((number) => `wdr_${number}` as WithdrawalId)
  const made = async (withdrawals: readonly WithdrawalId[], initiators: readonly string[] = []) => {
    const { store, request } = await withPolicy(document)
    await request(subject(1))
    await request(subject(2, { user: 'bob', initiator: 'api:key_2' }))
    await request(subject(3, { user: 'cy' }))
    const begun = await store.transact((tx) =>
      requireTransactionApprovals(tx, { psbt, hash, withdrawals, initiators, at: NOW }),
    )
    const give = async (by: string, of = hash) => {
      const answer = await store.transact((tx) =>
        approveTransaction(tx, { psbt, hash: of, by, at: NOW }),
      )
      return answer.ok ? answer.value : answer.error.code
    }
    return { begun, give, store }
  }
  test('each verdict in a batch is met, and none of the initiators approves', async () => {
    const { begun, give } = await made(ids(1, 2, 3), ['operator:cy'])
    expect(begun).toEqual({ have: 0, need: 2, complete: false })
    expect(await give('operator:bob', 'cd'.repeat(32))).toBe('APPROVAL_DIGEST_MISMATCH')
    for (const by of ['api:key_1', 'api:key_2', 'operator:cy'])
      expect(await give(by)).toBe('APPROVER_IS_INITIATOR')
    expect(await give('operator:bob')).toEqual({ have: 1, need: 2, complete: false })
    // Of both groups: the second of one, and the one of the other.
    expect(await give('operator:ann')).toEqual({ have: 2, need: 2, complete: true })
  })
  test('what needs none is complete, and nothing waits', async () => {
    const { begun, give } = await made(ids(3))
    expect(begun).toEqual({ have: 0, need: 0, complete: true })
    expect(await give('operator:ann')).toBe('APPROVAL_NOT_NEEDED')
  })
  test('of something that was never decided is a bug', async () => {
    await expect(made(ids(1, 9))).rejects.toThrow('never decided')
  })
})
