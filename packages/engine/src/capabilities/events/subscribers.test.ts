import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { EngineEvent } from './index.ts'
import { appendEvents, createSubscribers, eventsAfter, type Timer, wakingStore } from './index.ts'

/** A timer that fires only when told, so that no test waits. */
function manualTimer() {
  const due = new Set<{ readonly ms: number; readonly run: () => void }>()
  const timer: Timer = {
    after(ms, run) {
      const entry = { ms, run }
      due.add(entry)
      return () => {
        due.delete(entry)
      }
    },
  }
  const pauses: number[] = []
  return {
    timer,
    pauses,
    fire() {
      for (const entry of [...due]) {
        due.delete(entry)
        pauses.push(entry.ms)
        entry.run()
      }
    },
  }
}
/** Lets everything that can go on without a timer go on. */
const settle = async () => {
  for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve))
}
const clock = { now: () => 1 }
const event = (n: number) => ({
  type: n % 3 === 0 ? 'a.three' : 'a.other',
  subject: `s${n % 2}`,
  data: { n },
})
function setUp() {
  const memory = createMemoryStore()
  const manual = manualTimer()
  const start = () => {
    const subscribers = createSubscribers({ store: memory, clock, timer: manual.timer, pollMs: 5 })
    const store = wakingStore(memory, () => subscribers.wake())
    const emit = (...numbers: number[]) =>
      store.transact((tx) => appendEvents(tx, 1, numbers.map(event)))
    return { subscribers, emit }
  }
  return { memory, manual, start }
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

test('every event arrives in order, those from before and those from after the subscription', async () => {
  const { start, memory } = setUp()
  const { subscribers, emit } = start()
  await emit(...upTo(250))
  const got: number[] = []
  subscribers.subscribe('mail', async ({ seq }) => void got.push(seq))
  await settle()
  expect(got).toEqual(upTo(250))
  await emit(251, 252)
  await settle()
  expect(got).toEqual(upTo(252))
  await subscribers.close()
  expect(await memory.read((tx) => tx.events.cursor('mail'))).toBe(252)
})

test('what another process commits is found at the next look', async () => {
  const { start, memory, manual } = setUp()
  const { subscribers } = start()
  const got: number[] = []
  subscribers.subscribe('mail', async ({ seq }) => void got.push(seq))
  await settle()
  await memory.transact((tx) => tx.events.append(1, [event(1)]))
  await settle()
  expect(got).toEqual([])
  manual.fire()
  await settle()
  expect(got).toEqual([1])
  await subscribers.close()
})

test('a subscriber may ask for some types only', async () => {
  const { start } = setUp()
  const { subscribers, emit } = start()
  const got: number[] = []
  subscribers.subscribe('three', async ({ seq }) => void got.push(seq), { types: ['a.three'] })
  await emit(...upTo(10))
  await settle()
  expect(got).toEqual([3, 6, 9])
  expect(subscribers.status()[0]?.cursor).toBe(10)
  await subscribers.close()
})

test('a poisonous event holds up its own subscriber only, and is tried again with growing pauses', async () => {
  const { start, manual } = setUp()
  const { subscribers, emit } = start()
  const good: number[] = []
  const tried: number[] = []
  let poisoned = true
  subscribers.subscribe('good', async ({ seq }) => void good.push(seq))
  subscribers.subscribe('bad', async ({ seq }) => {
    tried.push(seq)
    if (seq === 2 && poisoned) throw new RangeError('cannot digest this')
  })
  await emit(1, 2, 3)
  await settle()
  expect(good).toEqual([1, 2, 3])
  expect(tried).toEqual([1, 2])
  for (let i = 0; i < 4; i++) {
    manual.fire()
    await settle()
  }
  await emit(4)
  await settle()
  expect(tried).toEqual([1, 2, 2, 2, 2, 2])
  const bad = subscribers.status().find(({ name }) => name === 'bad')
  expect(bad).toMatchObject({ cursor: 1, attempts: 5, lastError: 'cannot digest this' })
  expect(manual.pauses.filter((ms) => ms !== 5)).toEqual([500, 1000, 2000, 4000])
  poisoned = false
  manual.fire()
  await settle()
  expect(tried.slice(6)).toEqual([2, 3, 4])
  expect(good).toEqual([1, 2, 3, 4])
  await subscribers.close()
})

test('a stopped subscriber resumes where it was', async () => {
  const { start } = setUp()
  const first = start()
  await first.emit(1, 2, 3)
  const got: number[] = []
  const subscription = first.subscribers.subscribe('mail', async ({ seq }) => void got.push(seq))
  await settle()
  await subscription.stop()
  await first.emit(4)
  await settle()
  expect(got).toEqual([1, 2, 3])
  const second = start()
  second.subscribers.subscribe('mail', async ({ seq }) => void got.push(seq))
  await settle()
  expect(got).toEqual([1, 2, 3, 4])
  await second.subscribers.close()
})

test('one name runs once in a process', async () => {
  const { start } = setUp()
  const { subscribers } = start()
  subscribers.subscribe('mail', async () => {})
  expect(() => subscribers.subscribe('mail', async () => {})).toThrow('already')
  await subscribers.close()
  expect(() => subscribers.subscribe('mail', async () => {})).toThrow('closed')
})

test('every event can be read page by page', async () => {
  const { start, memory } = setUp()
  await start().emit(...upTo(1200))
  const seen: EngineEvent[] = []
  for await (const one of eventsAfter(memory, { after: 100, types: ['a.three'] })) seen.push(one)
  expect(seen.map(({ seq }) => seq)).toEqual(upTo(1200).filter((n) => n > 100 && n % 3 === 0))
})

test('I9, I30: whatever crashes, every event reaches the subscriber at least once and in order', async () => {
  const life = fc.record({
    /** How many events are written in this life, and after how many deliveries the process dies. */
    writes: fc.integer({ min: 0, max: 8 }),
    dies: fc.integer({ min: 1, max: 12 }),
    /** Dies inside a commit: before or after it. */
    commit: fc.constantFrom('before', 'after', undefined),
    fails: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 6 }), async (lives) => {
      let crash: 'before' | 'after' | undefined
      const store = createMemoryStore({
        onCommit(moment) {
          if (moment === crash) throw new RangeError('the process died')
        },
      })
      const manual = manualTimer()
      const delivered: number[] = []
      let written = 0
      for (const { writes, dies, commit, fails } of lives) {
        if (writes > 0) await store.transact((tx) => tx.events.append(1, upTo(writes).map(event)))
        written += writes
        const subscribers = createSubscribers({ store, clock, timer: manual.timer })
        let left = dies
        let failed = !fails
        const dead = new Promise<never>(() => {})
        subscribers.subscribe('mail', async ({ seq }) => {
          // A dead process never comes back from its handler.
          if (left-- <= 0) return dead
          delivered.push(seq)
          if (failed) return
          failed = true
          throw new RangeError('once')
        })
        crash = commit
        await settle()
        manual.fire()
        await settle()
        crash = undefined
      }
      const last = createSubscribers({ store, clock, timer: manual.timer })
      last.subscribe('mail', async ({ seq }) => void delivered.push(seq))
      await settle()
      await last.close()
      expect([...new Set(delivered)].sort((a, b) => a - b)).toEqual(upTo(written))
      // In order: a number comes only when the one before it has come already.
      let highest = 0
      for (const seq of delivered) {
        expect(seq).toBeLessThanOrEqual(highest + 1)
        highest = Math.max(highest, seq)
      }
    }),
    { numRuns: 60 },
  )
})

test('two processes that run one name: everything arrives, first arrivals in order, whoever fails or ends', async () => {
  const fates = fc.array(fc.constantFrom('well', 'well', 'fails', 'ends'), { maxLength: 120 })
  await fc.assert(
    fc.asyncProperty(fates, fc.integer({ min: 1, max: 230 }), async (fates, count) => {
      const { start, manual } = setUp()
      const arrived: number[] = []
      const next = fates.values()
      const begin = () => {
        const { subscribers, emit } = start()
        let ended = false
        subscribers.subscribe('mail', async ({ seq }) => {
          const fate = next.next().value ?? 'well'
          // The process is gone, and what it had handled since the last cursor goes with it.
          if (ended || fate === 'ends') {
            ended = true
            throw new TypeError('gone')
          }
          if (fate === 'fails') throw new TypeError('not now')
          arrived.push(seq)
        })
        return { subscribers, emit, isGone: () => ended }
      }
      let both = [begin(), begin()]
      await both[0]?.emit(...upTo(count))
      for (let i = 0; i < 400 && !(arrived.includes(count) && next.next().done === true); i++) {
        manual.fire()
        await settle()
        both = both.map((one) => (one.isGone() ? begin() : one))
      }
      const firsts = arrived.filter((seq, i) => arrived.indexOf(seq) === i)
      expect(firsts).toEqual(upTo(count))
    }),
    { numRuns: 15 },
  )
}, 60_000)
