import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { EVERYTHING, type EventGrant, wakingStore } from '@kaccy/bitcoin/events'
import {
  createDispatcher,
  createWebhooks,
  type DispatcherOptions,
  parseWebhookBody,
  type WebhookAnswer,
  type WebhookPost,
} from '@kaccy/bitcoin/webhooks'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE
export const fine: WebhookAnswer = { kind: 'answered', status: 200, body: 'thanks' }
export const status = (code: number, more = {}): WebhookAnswer => ({
  kind: 'answered',
  status: code,
  body: '',
  ...more,
})
export const entropy = () => {
  let state = 7
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 24
  }
  return { bytes: (length: number) => Uint8Array.from({ length }, next) }
}

/** A world without real time: the clock moves when told, and what it passes fires. */
export function world(settings: Partial<DispatcherOptions> = {}) {
  const memory = createMemoryStore()
  let now = 1_800_000_000_000
  const clock = { now: () => now }
  const waiting = new Map<() => void, number>()
  const timers = {
    after(ms: number, action: () => void) {
      waiting.set(action, now + ms)
      return () => waiting.delete(action)
    },
  }
  const posts: WebhookPost[] = []
  const answers = new Map<string, (post: WebhookPost) => Promise<WebhookAnswer> | WebhookAnswer>()
  const start = () => {
    const dispatcher = createDispatcher({
      store: memory,
      clock,
      timers,
      entropy: entropy(),
      sender: {
        send: async (post) => {
          posts.push(post)
          return (answers.get(post.url) ?? (() => fine))(post)
        },
      },
      ...settings,
    })
    return dispatcher
  }
  let running: ReturnType<typeof start> | undefined
  const store = wakingStore(memory, () => running?.wake())
  const webhooks = createWebhooks({ store, clock, entropy: entropy() })
  const settle = async () => {
    for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    memory,
    store,
    webhooks,
    posts,
    answers,
    start,
    settle,
    clock,
    waiting,
    run() {
      running = start()
      return running
    },
    async hook(
      url = 'https://a.example/hook',
      more: { types?: string[]; grant?: EventGrant } = {},
    ) {
      const made = await webhooks.create(
        { url, eventTypes: more.types ?? ['order.*'], grant: more.grant ?? EVERYTHING },
        'operator:ann',
      )
      if (!made.ok) throw new TypeError(made.error.message)
      return made.value
    },
    emit: (...types: string[]) =>
      store.transact((tx) =>
        tx.events.append(
          now,
          types.map((type) => ({ type, subject: 'ord_1', data: { wallet: 'wal_1' } })),
        ),
      ),
    /** Lets time go on without anything that waits for it. */
    tick(ms: number) {
      now += ms
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
    bodies: (url?: string) =>
      posts
        .filter((post) => url === undefined || post.url === url)
        .map(({ body }) => {
          const parsed = parseWebhookBody(body)
          if (!parsed.ok) throw new TypeError(parsed.error.message)
          return parsed.value
        }),
    seqs: (url?: string) =>
      posts
        .filter((post) => url === undefined || post.url === url)
        .map(({ body }) => JSON.parse(body).seq as number),
  }
}
