import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import type { Transactor } from '../../kernel/index.ts'
import { EVERYTHING } from '../events/index.ts'
import {
  createDispatcher,
  createWebhooks,
  type WebhookAnswer,
  type WebhookPost,
  type WebhooksTx,
} from './index.ts'

const fine: WebhookAnswer = { kind: 'answered', status: 204, body: '' }
const settle = async (turns = 12) => {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}
const never = new Promise<never>(() => {})
const counting = () => {
  let n = 0
  return { bytes: (length: number) => Uint8Array.from({ length }, () => (n++ * 97) % 251) }
}

/** How one request fares. `unheard`: it arrives and its answer is lost. `late`: it arrives after the lease is over. */
type Fate = 'well' | 'refused' | 'unheard' | 'lost' | 'late' | 'silent'

/** One store and one virtual time, on which any number of processes live and die. */
function universe(nextFate: () => Fate) {
  let crash: 'before' | 'after' | undefined
  const store = createMemoryStore({
    onCommit(moment) {
      if (moment !== crash) return
      crash = undefined
      throw new RangeError('the connection to the database is gone')
    },
  })
  let now = 1_800_000_000_000
  const waiting = new Map<() => void, number>()
  const timers = {
    after(ms: number, action: () => void) {
      waiting.set(action, now + ms)
      return () => waiting.delete(action)
    },
  }
  const clock = { now: () => now }
  const arrived = new Map<string, { readonly seq: number; readonly previous: number }[]>()
  const arrive = ({ url, body }: WebhookPost) => {
    const { seq, previous_seq: previous } = JSON.parse(body)
    arrived.set(url, [...(arrived.get(url) ?? []), { seq, previous }])
  }
  const later = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve))
  async function send(post: WebhookPost): Promise<WebhookAnswer> {
    const fate = nextFate()
    if (fate === 'late') await later(45_000)
    if (fate === 'well' || fate === 'unheard' || fate === 'late') arrive(post)
    if (fate === 'well' || fate === 'late') return fine
    if (fate === 'refused') return { kind: 'answered', status: 503, body: '' }
    if (fate === 'silent') await later(10_000)
    return { kind: 'failed', reason: 'timeout', message: 'no answer' }
  }
  /** A process: when it is dead, nothing of it comes back from anywhere. */
  function start() {
    let isDead = false
    const mortal = <T>(work: () => Promise<T>): Promise<T> =>
      isDead
        ? never
        : work().then(
            (value) => (isDead ? never : value),
            (error: unknown) => (isDead ? never : Promise.reject(error)),
          )
    const own: Transactor<WebhooksTx> = {
      transact: (work) => mortal(() => store.transact(work)),
      read: (work) => mortal(() => store.read(work)),
    }
    const sender = { send: (post: WebhookPost) => mortal(() => send(post)) }
    const dispatcher = createDispatcher({ store: own, clock, timers, entropy: counting(), sender })
    return {
      dispatcher,
      die: () => {
        isDead = true
      },
    }
  }
  return {
    store,
    clock,
    arrived,
    start,
    crashAt: (moment: typeof crash) => {
      crash = moment
    },
    async pass(ms: number) {
      now += ms
      for (const [action, at] of [...waiting])
        if (at <= now) {
          waiting.delete(action)
          action()
        }
      await settle()
    },
  }
}

const fate = fc.constantFrom<Fate>(
  'well',
  'well',
  'well',
  'refused',
  'unheard',
  'lost',
  'late',
  'silent',
)
interface StepOf {
  readonly emit: number
  readonly pass: number
  readonly dies: number | undefined
  readonly crash: 'before' | 'after' | undefined
  readonly asks: 'nothing' | 'pause' | 'resume' | 'rotate' | 'replay'
}
const step: fc.Arbitrary<StepOf> = fc.record({
  emit: fc.integer({ min: 0, max: 4 }),
  pass: fc.constantFrom(0, 500, 5000, 11_000, 31_000, 60_000, 400_000, 7_200_000),
  dies: fc.constantFrom(undefined, undefined, undefined, 0, 1),
  crash: fc.constantFrom<undefined | 'before' | 'after'>(undefined, undefined, 'before', 'after'),
  asks: fc.constantFrom('nothing', 'nothing', 'nothing', 'pause', 'resume', 'rotate', 'replay'),
})

const still = { emit: 0, pass: 0, dies: undefined, crash: undefined, asks: 'nothing' } as const
/** A process whose subscriptions were read before one of them was resumed, and whose start was passed by another process. */
const RESUMED_BESIDE: [Fate[], StepOf[]] = [
  [],
  [
    { ...still, asks: 'pause' },
    { ...still, emit: 1, dies: 1, asks: 'resume' },
    { ...still, emit: 1, pass: 11_000, dies: 1, crash: 'before', asks: 'resume' },
  ],
]

test('I30: whatever fails and dies, in two processes, every event arrives, first arrivals in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fate, { maxLength: 60 }),
      fc.array(step, { maxLength: 25 }),
      async (fates, steps) => {
        const next = fates.values()
        const u = universe(() => next.next().value ?? 'well')
        const webhooks = createWebhooks({ store: u.store, clock: u.clock, entropy: counting() })
        const urls = ['https://a.example/', 'https://b.example/']
        const ids: string[] = []
        for (const url of urls) {
          const made = await webhooks.create(
            { url, eventTypes: ['order.*'], grant: EVERYTHING },
            'operator:ann',
          )
          if (made.ok) ids.push(made.value.webhook.id)
        }
        const [id = ''] = ids
        const processes = [u.start(), u.start()]
        const emitted: number[] = []
        const emit = async (count: number) => {
          for (let i = 0; i < count; i++) {
            const types = i % 2 === 0 ? ['order.created'] : ['payment.unmatched', 'order.confirmed']
            const events = await u.store.transact((tx) =>
              tx.events.append(
                1,
                types.map((type) => ({ type, subject: 'ord_1', data: {} })),
              ),
            )
            emitted.push(
              ...events.filter(({ type }) => type.startsWith('order.')).map(({ seq }) => seq),
            )
          }
        }
        for (const { emit: count, pass, dies, crash, asks } of steps) {
          await emit(count)
          if (dies !== undefined) {
            processes[dies]?.die()
            processes[dies] = u.start()
          }
          if (asks === 'pause') await webhooks.pause(id, 'operator:ann')
          if (asks === 'resume') await webhooks.resume(id, 'operator:ann')
          if (asks === 'rotate') await webhooks.rotate(id, 1000, 'operator:ann')
          if (asks === 'replay' && emitted[0]) await webhooks.replay(id, emitted[0], 'operator:ann')
          u.crashAt(crash)
          await u.pass(pass)
          u.crashAt(undefined)
        }
        for (const one of ids) await webhooks.resume(one, 'operator:ann')
        await emit(1)
        for (let i = 0; i < 40; i++) await u.pass(24 * 3_600_000)
        for (const one of ids) await webhooks.resume(one, 'operator:ann')
        for (let i = 0; i < 10; i++) await u.pass(24 * 3_600_000)
        for (const url of urls) {
          const arrivals = u.arrived.get(url) ?? []
          const firsts = arrivals.filter(
            ({ seq }, i) => arrivals.findIndex((one) => one.seq === seq) === i,
          )
          expect(
            firsts.map(({ seq }) => seq),
            url,
          ).toEqual(emitted)
          // What is named as the predecessor had come before: no receiver ever sees a hole that is none.
          let highest = 0
          for (const { seq, previous } of arrivals) {
            expect(previous).toBeLessThanOrEqual(Math.max(highest, emitted[0] ?? 0))
            highest = Math.max(highest, seq)
          }
        }
        await Promise.all(processes.map(({ dispatcher }) => dispatcher.stop()))
      },
    ),
    { numRuns: 60, examples: [RESUMED_BESIDE] },
  )
}, 120_000)

test('an expired lease is taken over; the one who held it commits nothing more', async () => {
  const fates: Fate[] = ['late']
  const u = universe(() => fates.shift() ?? 'well')
  const webhooks = createWebhooks({ store: u.store, clock: u.clock, entropy: counting() })
  const made = await webhooks.create(
    { url: 'https://a.example/', eventTypes: ['*'], grant: EVERYTHING },
    'operator:ann',
  )
  const id = made.ok ? made.value.webhook.id : ''
  const first = u.start()
  await u.store.transact((tx) =>
    tx.events.append(
      1,
      [1, 2].map((n) => ({ type: 'order.created', subject: `ord_${n}`, data: {} })),
    ),
  )
  await u.pass(1000)
  const second = u.start()
  await u.pass(20_000)
  expect(u.arrived.get('https://a.example/')).toBeUndefined()
  await u.pass(11_000)
  expect(u.arrived.get('https://a.example/')?.map(({ seq }) => seq)).toEqual([2, 3])
  await u.pass(60_000)
  expect(u.arrived.get('https://a.example/')?.map(({ seq }) => seq)).toEqual([2, 3, 2])
  const log = await webhooks.deliveries({ webhook: id, limit: 9 })
  expect(log.map(({ seq }) => seq)).toEqual([3, 2])
  expect(await webhooks.get(id)).toMatchObject({ cursor: 3, lastDelivered: 3, deliveries: 2 })
  await Promise.all([first.dispatcher.stop(), second.dispatcher.stop()])
})

test('a row that cannot be worked on is left alone for a while, and others go on', async () => {
  let broken = ''
  const store = createMemoryStore()
  const failing: Transactor<WebhooksTx> = {
    read: store.read,
    transact: (work) =>
      store.transact((tx) =>
        work({
          ...tx,
          webhooks: {
            ...tx.webhooks,
            claim: (id, ...more) => {
              if (id === broken) throw new RangeError('this row is broken')
              return tx.webhooks.claim(id, ...more)
            },
          },
        }),
      ),
  }
  const u = universe(() => 'well')
  const webhooks = createWebhooks({ store, clock: u.clock, entropy: counting() })
  for (const url of ['https://a.example/', 'https://b.example/']) {
    const made = await webhooks.create(
      { url, eventTypes: ['*'], grant: EVERYTHING },
      'operator:ann',
    )
    if (made.ok && broken === '') broken = made.value.webhook.id
  }
  const posts: string[] = []
  const notes: string[] = []
  let tries = 0
  const waiting: (() => void)[] = []
  const dispatcher = createDispatcher({
    store: failing,
    clock: u.clock,
    entropy: counting(),
    timers: {
      after(_, action) {
        waiting.push(action)
        return () => {}
      },
    },
    logger: {
      log: (_, message) => void (message.includes(broken) && notes.push(`${message} ${tries++}`)),
    },
    sender: {
      async send({ url }) {
        posts.push(url)
        return fine
      },
    },
  })
  await store.transact((tx) => tx.events.append(1, [{ type: 'x.y', subject: 'z', data: {} }]))
  dispatcher.wake()
  await settle(40)
  expect(posts.filter((url) => url.includes('b.example'))).not.toEqual([])
  expect(notes).toHaveLength(1)
  broken = ''
  for (const action of waiting.splice(0)) action()
  await settle(40)
  expect(posts.filter((url) => url.includes('a.example'))).not.toEqual([])
  await dispatcher.stop()
})
