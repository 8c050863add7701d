import type { HttpSettings } from '@kaccy/bitcoin-server/http'
import type { Store } from '@kaccy/bitcoin'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { appendEvents, type NewEvent, wakingStore } from '@kaccy/bitcoin/events'
import { WebSocket } from 'ws'
import { Served, type ServedOptions } from './served.ts'

type Streams = NonNullable<HttpSettings['streams']>
export interface StreamedOptions {
  readonly streams?: Streams
  readonly settings?: Partial<HttpSettings>
  readonly port?: number
  readonly store?: Store
  /** False where another engine has registered the wallet in this store. */
  readonly registers?: boolean
  readonly parts?: ServedOptions['parts']
}

/** A served engine whose commits wake the streams, and a way to make events that mean nothing. */
export async function openStreamed(options: StreamedOptions = {}) {
  const listeners = new Set<() => void>()
  const home = options.store ?? createMemoryStore()
  const store = wakingStore(home, () => {
    for (const listener of listeners) listener()
  })
  const served = await Served.open({
    ...(options.port === undefined ? {} : { port: options.port }),
    till: {
      store,
      // In one store two engines make two keys.
      ...(options.registers === false ? { registers: false, entropy: systemEntropy } : {}),
    },
    settings: { ...options.settings, streams: options.streams ?? {} },
    parts: {
      onCommit(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      ...options.parts,
    },
  })
  const emit = (...events: readonly Partial<NewEvent>[]) =>
    store.transact((tx) =>
      appendEvents(
        tx,
        served.till.now,
        events.map((event) => ({
          type: 'order.created',
          subject: 'ord_1',
          data: options.registers === false ? {} : { wallet: served.till.wallet },
          ...event,
        })),
      ),
    )
  return {
    served,
    store,
    emit,
    url: served.url,
    /** `count` events in one commit. */
    many: (count: number, data: NewEvent['data'] = {}) =>
      emit(...Array.from({ length: count }, () => ({ data }))),
    /** As another process would: nobody here is woken. */
    elsewhere: () =>
      home.transact((tx) =>
        appendEvents(tx, served.till.now, [{ type: 'chain.reorg', subject: 'main', data: {} }]),
      ),
    head: () => store.read((tx) => tx.events.head()),
  }
}
export type Streamed = Awaited<ReturnType<typeof openStreamed>>

export interface Got {
  readonly seq: number
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly data: Readonly<Record<string, unknown>>
}
export interface Ended {
  readonly code: number
  readonly reason: string
}
export interface Dial {
  readonly token?: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly protocols?: readonly string[]
  readonly origin?: string
}

/** A client over WebSocket that keeps all it hears. */
export class Listener {
  readonly socket: WebSocket
  readonly got: Got[] = []
  readonly texts: string[] = []
  readonly pings: string[] = []
  readonly ended: Promise<Ended>
  readonly opened: Promise<void>
  #onNews: (() => void) | undefined

  constructor(url: string, { token, query = '', headers = {}, protocols = [], origin }: Dial) {
    this.socket = new WebSocket(
      `${url.replace('http', 'ws')}/v1/events/stream${query}`,
      [...protocols],
      {
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(origin === undefined ? {} : { origin }),
      },
    )
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    // Who does not wait for the opening waits for the end.
    this.opened.catch(() => {})
    this.ended = new Promise((resolve) =>
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    )
    this.socket.on('message', (bytes) => {
      const text = bytes.toString()
      this.texts.push(text)
      this.got.push(JSON.parse(text) as Got)
      this.#onNews?.()
    })
    this.socket.on('ping', (bytes) => this.pings.push(bytes.toString()))
  }
  get seqs(): readonly number[] {
    return this.got.map(({ seq }) => seq)
  }
  /** Resolves once an event with this number or a later one has come. */
  async until(seq: number): Promise<void> {
    while ((this.got.at(-1)?.seq ?? 0) < seq)
      await new Promise<void>((resolve) => {
        this.#onNews = resolve
      })
  }
  close(): void {
    this.socket.terminate()
  }
}

/** The status and problem of a handshake that was refused. */
export function refusedAt(
  url: string,
  dial: Dial,
): Promise<{ readonly status: number; readonly code: string; readonly retryAfter?: string }> {
  const listener = new Listener(url, dial)
  return new Promise((resolve, reject) => {
    listener.socket.once('open', () => {
      listener.close()
      reject(new TypeError('it was let in'))
    })
    listener.socket.once('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => {
        const retryAfter = response.headers['retry-after']
        resolve({
          status: response.statusCode ?? 0,
          code: text === '' ? '' : (JSON.parse(text) as { code: string }).code,
          ...(retryAfter === undefined ? {} : { retryAfter }),
        })
      })
    })
  })
}

export const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
