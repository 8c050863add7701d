import type { Clock, Logger, OrderId, Timers } from '@kaccy/bitcoin/kernel'
import { type PayEngine, type PayView, readPay, revisionOf } from './view.ts'

export interface PayWatchOptions {
  readonly engine: PayEngine
  /** The newest sequence number of the events. */
  readonly head: () => Promise<number>
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** Pause between two looks, milliseconds. */
  readonly pollMs: number
  /** Pages that are open at once, in all and for one order. */
  readonly most: number
  readonly mostOfOrder: number
}
type Listener = (view: PayView) => void
export type Watching =
  | { readonly end: () => void }
  | { readonly refused: 'unknown order' | 'too many' }

interface Watched {
  readonly listeners: Set<Listener>
  revision?: string
  /** When the order runs out, while that is ahead. */
  expiresAt?: number
}

/** More events than this between two looks are not read: then everything that is watched is looked at. */
const PAGE = 200

/**
 * Follows the orders whose pages are open, all with one loop: it asks what was committed since the last look, and reads an
 * order only when something was about it, a block came, or its time ran out. Nobody watches: nothing is asked.
 */
export class PayWatch {
  readonly #options: PayWatchOptions
  readonly #watched = new Map<OrderId, Watched>()
  #count = 0
  /** How far everything is told; undefined while nobody watches. */
  #cursor: number | undefined
  #tip: string | undefined
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(options: PayWatchOptions) {
    this.#options = options
  }
  get size(): number {
    return this.#count
  }
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  /** Tells how the order stands now, before it resolves, and then of every change, until `end` is called. */
  async add(id: OrderId, listener: Listener): Promise<Watching> {
    const { engine, clock, most, mostOfOrder } = this.#options
    const entry: Watched = this.#watched.get(id) ?? { listeners: new Set() }
    if (this.#isClosed || this.#count >= most || entry.listeners.size >= mostOfOrder)
      return { refused: 'too many' }
    this.#watched.set(id, entry)
    entry.listeners.add(listener)
    this.#count += 1
    const end = () => this.#end(id, entry, listener)
    try {
      if (this.#cursor === undefined) await this.#begin()
      // Read after the cursor was set: what is committed in between is told, twice rather than never.
      const view = await readPay(engine, id, clock.now())
      if (!view) {
        end()
        return { refused: 'unknown order' }
      }
      if (note(entry, view)) tell(entry, view)
      else listener(view)
    } catch (error) {
      end()
      throw error
    }
    this.#plan()
    return { end }
  }

  #end(id: OrderId, entry: Watched, listener: Listener): void {
    if (!entry.listeners.delete(listener)) return
    this.#count -= 1
    if (entry.listeners.size === 0 && this.#watched.get(id) === entry) this.#watched.delete(id)
  }

  async #begin(): Promise<void> {
    const { engine, head } = this.#options
    const [newest, best] = await Promise.all([head(), engine.tip()])
    // Another page may have begun in the meantime: the older mark misses nothing.
    this.#cursor ??= newest
    this.#tip ??= best?.hash
  }

  #plan(): void {
    if (this.#cancel || this.#isClosed || this.#count === 0) return
    const { timers, pollMs } = this.#options
    this.#cancel = timers.after(pollMs, () => void this.#turn())
  }

  async #turn(): Promise<void> {
    const [cursor, tip] = [this.#cursor, this.#tip]
    try {
      for (const id of await this.#changed()) await this.#read(id)
    } catch (error) {
      // The store will be back; until then every page keeps what it shows, and nothing counts as told.
      this.#cursor = cursor
      this.#tip = tip
      this.#options.logger.log('warn', 'open checkout pages could not be brought up to date', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
    this.#cancel = undefined
    if (this.#count === 0) {
      this.#cursor = undefined
      this.#tip = undefined
    }
    this.#plan()
  }

  async #changed(): Promise<readonly OrderId[]> {
    const { engine, head, clock } = this.#options
    if (this.#cursor === undefined) await this.#begin()
    const after = this.#cursor ?? 0
    const [newest, best] = await Promise.all([head(), engine.tip()])
    const events = newest > after ? await engine.events({ after, limit: PAGE }) : []
    const isTooMuch = events.length === PAGE
    const isNewBlock = best?.hash !== this.#tip
    this.#cursor = isTooMuch ? newest : (events.at(-1)?.seq ?? after)
    this.#tip = best?.hash
    if (isTooMuch || isNewBlock) return [...this.#watched.keys()]
    const named = new Set(events.flatMap(({ subject, data }) => [subject, data['order']]))
    const now = clock.now()
    return [...this.#watched].flatMap(([id, { expiresAt }]) =>
      named.has(id) || (expiresAt !== undefined && now > expiresAt) ? [id] : [],
    )
  }

  async #read(id: OrderId): Promise<void> {
    const { engine, clock } = this.#options
    const view = await readPay(engine, id, clock.now())
    const entry = this.#watched.get(id)
    if (view && entry && note(entry, view)) tell(entry, view)
  }
}

/** Keeps what the view says; whether it says anything else than the last one. */
function note(entry: Watched, view: PayView): boolean {
  const revision = revisionOf(view)
  const isNew = entry.revision !== revision
  entry.revision = revision
  if (view.expiresAt !== undefined && view.now <= view.expiresAt) entry.expiresAt = view.expiresAt
  else delete entry.expiresAt
  return isNew
}
function tell({ listeners }: Watched, view: PayView): void {
  for (const listener of [...listeners]) listener(view)
}
