import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Json, sat, type WalletId, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { idFor, isOver, subjectFor, windowFrom } from '@kaccy/bitcoin/limits'
import { DAY, HOUR, NOW, subject, withPolicy } from './desk.ts'
import {
  judge,
  parsePolicy,
  type PolicySubject,
  release,
  reserve,
  settle,
} from '@kaccy/bitcoin/policy'

const perDay = { name: 'day', per: 'user', window: { rolling_minutes: 1440 }, amount_sat: 250 }

describe('a request', () => {
  test('is counted with its reservation, and gives it back once', async () => {
    const { request, end, policies, store } = await withPolicy({ limits: [perDay] })
    const decide = async (number: number) => (await request(subject(number))).decision
    expect([await decide(1), await decide(2), await decide(3)]).toEqual(['allow', 'allow', 'deny'])
    await end(release, 3)
    expect(await decide(4)).toBe('deny')
    await end(release, 1)
    await end(release, 1)
    const moves = await store.read((tx) => tx.policy.moves({ limit: 9 }))
    expect(moves.map(({ kind, withdrawal }) => [kind, withdrawal])).toEqual([['released', 'wdr_1']])
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
