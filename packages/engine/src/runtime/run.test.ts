import { expect, test } from 'vitest'
import type { NewAlert } from '../capabilities/alerts/index.ts'
import type { Degradation } from '../capabilities/chain/index.ts'
import { AssertionError, type BlockHash, EngineError } from '../kernel/index.ts'
import type { SyncReport } from './engine.ts'
import { type Health, type Running, runEngine } from './run.ts'

const START = 1_780_000_000_000
const POLL = 30_000
const MINUTE = 60_000

const report = (degraded?: Degradation): SyncReport => ({
  tip: { height: 100, hash: 'a' as BlockHash },
  blocks: 0,
  disconnected: 0,
  lag: 0,
  rescanned: 0,
  expired: 0,
  ...(degraded ? { degraded } : {}),
})

/** A loop over an engine that answers as told, on virtual time: nothing waits but by `pass`. */
function loopWith(settings: { readonly stallMs?: number } = {}) {
  let now = START
  let looks = 0
  let held: (() => void) | undefined
  let answer: () => SyncReport | Promise<SyncReport> = () => report()
  let raising: () => void = () => {}
  const waiting = new Map<() => void, number>()
  const alerts: NewAlert[] = []
  const healths: Health[] = []
  let wakeUp: (() => void) | undefined
  const settle = async () => {
    for (let i = 0; i < 30; i++) await Promise.resolve()
  }
  const start = (): Running =>
    runEngine({
      engine: {
        async sync() {
          looks += 1
          return answer()
        },
        async raise(list) {
          raising()
          alerts.push(...list)
          return []
        },
      },
      source: {
        onWake(listener) {
          wakeUp = listener
          return () => {
            wakeUp = undefined
          }
        },
      },
      clock: { now: () => now },
      timers: {
        after(milliseconds, action) {
          waiting.set(action, now + milliseconds)
          return () => waiting.delete(action)
        },
      },
      onHealth: (health) => healths.push(health),
      ...settings,
    })
  return {
    start,
    settle,
    alerts,
    healths,
    waiting,
    looks: () => looks,
    hint: () => wakeUp?.(),
    listens: () => wakeUp !== undefined,
    says(next: typeof answer) {
      answer = next
    },
    refusesAlerts(how: () => void) {
      raising = how
    },
    hold() {
      answer = () =>
        new Promise((resolve) => {
          held = () => resolve(report())
        })
    },
    release: () => held?.(),
    async pass(milliseconds: number) {
      now += milliseconds
      for (const [action, at] of [...waiting])
        if (at <= now) {
          waiting.delete(action)
          action()
        }
      await settle()
    },
  }
}
const fails = (code: 'NODE_UNREACHABLE' | 'CHAIN_NODE_BEHIND' | 'CHAIN_WRONG_NETWORK') => () => {
  throw new EngineError(code, `it failed: ${code}`)
}

test('looks at once, then every 30 seconds', async () => {
  const loop = loopWith()
  const running = loop.start()
  await loop.settle()
  expect(loop.looks()).toBe(1)
  await loop.pass(POLL - 1)
  expect(loop.looks()).toBe(1)
  await loop.pass(1)
  expect(loop.looks()).toBe(2)
  expect(running.health()).toMatchObject({ lastSyncAt: START + POLL, failures: 0 })
  await running.stop()
})

test('a wake-up looks now; one that comes during a look causes another one, and only one', async () => {
  const loop = loopWith()
  const running = loop.start()
  await loop.settle()
  running.wake()
  await loop.settle()
  expect(loop.looks()).toBe(2)
  loop.hold()
  loop.hint()
  await loop.settle()
  expect(loop.looks()).toBe(3)
  for (let i = 0; i < 5; i++) loop.hint()
  await loop.settle()
  expect(loop.looks()).toBe(3)
  loop.says(() => report())
  loop.release()
  await loop.settle()
  expect(loop.looks()).toBe(4)
  await running.stop()
  expect(loop.looks()).toBe(4)
})

test('stopping lets the look under way finish, cancels the timer and the hints', async () => {
  const loop = loopWith()
  const running = loop.start()
  await loop.settle()
  loop.hold()
  running.wake()
  await loop.settle()
  let ended = false
  const stopped = running.stop().then(() => {
    ended = true
  })
  await loop.settle()
  expect(ended).toBe(false)
  loop.release()
  await stopped
  expect(loop.waiting.size).toBe(0)
  expect(loop.listens()).toBe(false)
  await loop.pass(10 * POLL)
  expect(loop.looks()).toBe(2)
  await running.stop()
})

test('a failed look is counted and named; the next good one clears it', async () => {
  const loop = loopWith()
  loop.says(fails('NODE_UNREACHABLE'))
  const running = loop.start()
  await loop.settle()
  await loop.pass(POLL)
  expect(running.health()).toEqual({
    lastSyncAt: undefined,
    degraded: 'unreachable',
    failure: { code: 'NODE_UNREACHABLE', message: 'it failed: NODE_UNREACHABLE', since: START },
    failures: 2,
  })
  loop.says(() => report())
  await loop.pass(POLL)
  expect(running.health()).toMatchObject({ degraded: undefined, failure: undefined, failures: 0 })
  expect(loop.healths).toHaveLength(3)
  await running.stop()
})

test('five minutes without a good look are told once, with the reason', async () => {
  const loop = loopWith()
  const running = loop.start()
  await loop.settle()
  loop.says(fails('NODE_UNREACHABLE'))
  for (let i = 0; i < 9; i++) await loop.pass(POLL)
  expect(loop.alerts).toEqual([])
  await loop.pass(POLL)
  expect(loop.alerts).toMatchObject([
    { kind: 'chain_stalled', severity: 'critical', key: `stalled/${START}` },
  ])
  expect(loop.alerts[0]?.message).toBe(
    'The chain has not been read for 300 s: it failed: NODE_UNREACHABLE',
  )
  await loop.pass(POLL)
  // The same key again: the store rings once.
  expect(new Set(loop.alerts.map(({ key }) => key)).size).toBe(1)
  await running.stop()
})

test('a node behind us is named as that, in health and in the alarm', async () => {
  const loop = loopWith({ stallMs: MINUTE })
  loop.says(fails('CHAIN_NODE_BEHIND'))
  const running = loop.start()
  await loop.settle()
  expect(running.health().degraded).toBe('node_behind_us')
  await loop.pass(MINUTE)
  expect(loop.alerts[0]).toMatchObject({ kind: 'node_behind', data: { code: 'CHAIN_NODE_BEHIND' } })
  await running.stop()
})

test('a node that answers but stays degraded is told too; an old tip at once (I25)', async () => {
  const loop = loopWith({ stallMs: MINUTE })
  loop.says(() => report('node_behind_its_headers'))
  const running = loop.start()
  await loop.settle()
  await loop.pass(POLL)
  expect(loop.alerts).toEqual([])
  await loop.pass(POLL)
  expect(loop.alerts).toMatchObject([
    { kind: 'node_behind', data: { reason: 'node_behind_its_headers', since: START } },
  ])
  loop.says(() => report())
  await loop.pass(POLL)
  loop.says(() => report('tip_is_old'))
  await loop.pass(POLL)
  expect(loop.alerts.at(-1)).toMatchObject({
    kind: 'chain_stalled',
    data: { reason: 'tip_is_old' },
  })
  await running.stop()
})

test('an alarm that cannot be stored does not end the loop', async () => {
  const loop = loopWith({ stallMs: POLL })
  loop.says(fails('NODE_UNREACHABLE'))
  loop.refusesAlerts(() => {
    throw new EngineError('STORE_UNAVAILABLE', 'no disk')
  })
  const running = loop.start()
  await loop.settle()
  await loop.pass(POLL)
  await loop.pass(POLL)
  expect(loop.looks()).toBe(3)
  await running.stop()
})

test.each([
  ['the wrong network', fails('CHAIN_WRONG_NETWORK'), 'CHAIN_WRONG_NETWORK'],
  [
    'a bug of ours',
    () => {
      throw new AssertionError('I7: below zero')
    },
    'I7: below zero',
  ],
])('%s ends it', async (_, answer, expected) => {
  const loop = loopWith()
  loop.says(answer)
  const running = loop.start()
  await expect(running.ended).rejects.toThrow(expected)
  expect(loop.listens()).toBe(false)
  expect(loop.waiting.size).toBe(0)
})
