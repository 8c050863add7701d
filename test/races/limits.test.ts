import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Json, sat, type WalletId, type WithdrawalId } from '@kaccy/bitcoin/kernel'
import { createPolicies, judge, type Policies, reserve } from '@kaccy/bitcoin/policy'
import { afterAll, expect, test } from 'vitest'
import { findPostgres, startPostgres } from '../counterparts/postgres.ts'
import type { PayerErrand, PayerReport } from './payer.ts'
import { killAll, startRacer } from './process.ts'
import { type Meeting, openMeeting } from './store.ts'

/** 1,000 requests; a quarter where `npm run night` has not asked for everything. */
const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')
const TOTAL = Math.max(250, Math.round(1000 * SCALE))
const PROCESSES = 2
const DAY = 86_400_000
const T0 = Date.UTC(2027, 2, 1)
/** Every request is 100 sat: 10 for each of five users, 40 for the platform, 17 for each of three wallets. */
const LIMITS = { user: 1000, platform: 4000, wallet: 1700 }
const DOCUMENT: Json = {
  name: 'race',
  otherwise: 'allow',
  risk: { hold: null, deny: null, alert: null },
  limits: [
    { name: 'u', per: 'user', window: { rolling_minutes: 1440 }, amount_sat: LIMITS.user },
    {
      name: 'p',
      per: 'platform',
      window: { calendar: 'day', zone: 'Europe/Berlin' },
      amount_sat: LIMITS.platform,
    },
    { name: 'w', per: 'wallet', window: { calendar: 'month' }, amount_sat: LIMITS.wallet },
  ],
  rules: [
    { name: 'shared', when: { users: ['shared'] }, decision: 'hold', approvals: { needed: 5 } },
  ],
  tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'allow' } }],
}
/** The request that everybody approves at once. */
const SHARED = 'wdr_shared' as WithdrawalId
afterAll(killAll)

async function run(meeting: Meeting, errand: Pick<PayerErrand, 'at' | 'giveUp'>, round: string) {
  const racers = await Promise.all(
    Array.from({ length: PROCESSES }, (_, n) =>
      startRacer<PayerReport>(new URL('./payer.ts', import.meta.url), {
        meeting,
        name: `${round}${n}`,
        count: TOTAL / PROCESSES,
        ...errand,
      } satisfies PayerErrand),
    ),
  )
  const begun = performance.now()
  const reports = await Promise.all(racers.map((one) => one.begin()))
  const seconds = (performance.now() - begun) / 1000
  const rate = Math.round(TOTAL / seconds)
  console.log(
    `${meeting.kind}: ${TOTAL} requests in ${PROCESSES} processes, ${rate} decided a second`,
  )
  return {
    asked: reports.flatMap(({ asked }) => asked),
    completed: reports.flatMap(({ completed }) => completed),
    approved: reports.flatMap(({ approved }) => approved),
  }
}

async function enable(policies: Policies): Promise<void> {
  const proposed = await policies.propose(DOCUMENT, 'operator:ann')
  if (!proposed.ok) throw new TypeError(proposed.error.message)
  await policies.test(1, 'operator:ann')
  const enabled = await policies.enable(1, 'operator:ann')
  if (!enabled.ok) throw new TypeError(enabled.error.message)
}

async function race(meeting: Meeting): Promise<void> {
  const { store, close } = await openMeeting(meeting)
  const policies = createPolicies({ store, clock: { now: () => T0 }, network: 'regtest' })
  try {
    await enable(policies)
    // Months before the race, so that it counts in none of its windows.
    const shared = {
      withdrawal: SHARED,
      wallet: 'wal_9' as WalletId,
      amount: sat(1n),
      maxFee: sat(0n),
      address: 'x',
      script: Uint8Array.of(9),
      user: 'shared',
      initiator: 'api:1',
      at: T0 - 200 * DAY,
      metadata: {},
    }
    await store.transact(async (tx) => {
      expect((await judge(tx, shared)).decision).toBe('hold')
      await reserve(tx, shared)
    })
    const first = await run(meeting, { at: T0, giveUp: 3 }, 'a')
    expect(first.asked).toHaveLength(TOTAL)
    const standing = first.asked.filter((one) => one.decision === 'allow' && !one.givenUp)
    expect(standing.length * 100).toBeLessThanOrEqual(LIMITS.platform)
    for (const user of ['u0', 'u1', 'u2', 'u3', 'u4']) {
      const count = standing.filter((one) => one.user === user).length
      expect(count * 100).toBeLessThanOrEqual(LIMITS.user)
      const [use] = await policies.limits({ user, at: T0 })
      expect(use?.used).toEqual({ amount: BigInt(count) * 100n, count })
    }
    // Ten people of two processes: each counts once, and exactly one of them was the last that was needed.
    expect(new Set(first.approved).size).toBe(10)
    expect(first.approved).toHaveLength(10)
    expect(first.completed.length).toBeGreaterThan(0)

    // A month later everything is free again, and nothing is given up: every limit is used to its end, and no further.
    const second = await run(meeting, { at: T0 + 31 * DAY, giveUp: 0 }, 'b')
    expect(second.asked.filter((one) => one.decision === 'allow')).toHaveLength(40)
    const [user, platform] = await policies.limits({ user: 'u1', at: T0 + 31 * DAY })
    expect(platform?.used).toEqual({ amount: 4000n, count: 40 })
    expect(user?.used?.amount).toBeLessThanOrEqual(1000n)

    // One after the other: the same policy over the recorded order gives the same decisions.
    const replay = await policies.replay(1, { from: T0 - 300 * DAY, until: T0 + 300 * DAY })
    expect(replay).toMatchObject({ ok: true, value: { requests: 2 * TOTAL + 1, different: 0 } })
  } finally {
    await close()
  }
}

test(`${PROCESSES} processes on one SQLite file: ${TOTAL} requests, no limit is exceeded`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kaccy-race-'))
  try {
    await race({ kind: 'sqlite', file: join(folder, 'race.db') })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 600_000)

test(`${PROCESSES} processes on one PostgreSQL: ${TOTAL} requests, no limit is exceeded`, async (context) => {
  const programs = await findPostgres()
  if ('missing' in programs) {
    console.log(`SKIPPED: ${programs.missing}`)
    return context.skip(programs.missing)
  }
  const server = await startPostgres()
  try {
    await race({ kind: 'postgres', url: await server.createDatabase(), schema: 'kaccy' })
  } finally {
    await server.stop()
  }
}, 600_000)
