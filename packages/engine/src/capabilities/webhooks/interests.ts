import { areaOf, type EngineEvent, matchesType, mayEventBeSeen } from '../events/index.ts'
import type { WebhookInterest } from './ports.ts'

type Group = Map<string, Set<string>>

const add = (group: Group, key: string, id: string) => {
  const ids = group.get(key)
  if (ids) ids.add(id)
  else group.set(key, new Set([id]))
}
const drop = (group: Group, key: string, id: string) => {
  const ids = group.get(key)
  ids?.delete(id)
  if (ids?.size === 0) group.delete(key)
}

/**
 * Which subscriptions an event is for, found without looking at the others: those that may see everything by the type, those
 * limited to wallets by the wallet. A thousand idle ones cost an event nothing.
 */
export class Interests {
  readonly #all = new Map<string, WebhookInterest>()
  readonly #byPattern: Group = new Map()
  readonly #byWallet: Group = new Map()
  /** Limited to wallets, and still allowed to see what happens to the chain. */
  readonly #ofChain: Group = new Map()

  get size(): number {
    return this.#all.size
  }
  put(interest: WebhookInterest): void {
    this.remove(interest.id)
    this.#all.set(interest.id, interest)
    this.#change(add, interest)
  }
  remove(id: string): void {
    const known = this.#all.get(id)
    if (!known) return
    this.#all.delete(id)
    this.#change(drop, known)
  }
  #change(change: typeof add, { id, eventTypes, grant }: WebhookInterest): void {
    for (const wallet of grant.wallets ?? []) change(this.#byWallet, wallet, id)
    const group = grant.wallets === undefined ? this.#byPattern : this.#ofChain
    for (const pattern of eventTypes) change(group, pattern, id)
  }

  /** Ids of the subscriptions that get this event. */
  *of(event: Pick<EngineEvent, 'type' | 'data'>): Generator<string> {
    const seen = new Set<string>()
    for (const id of this.#candidates(event)) {
      const interest = this.#all.get(id)
      if (!interest || seen.has(id)) continue
      seen.add(id)
      if (isFor(event, interest)) yield id
    }
  }
  *#candidates({ type, data }: Pick<EngineEvent, 'type' | 'data'>): Generator<string> {
    const area = areaOf(type)
    for (const pattern of [type, `${area}.*`, '*']) {
      yield* this.#byPattern.get(pattern) ?? []
      if (area === 'chain') yield* this.#ofChain.get(pattern) ?? []
    }
    const { wallet } = data
    if (typeof wallet === 'string') yield* this.#byWallet.get(wallet) ?? []
  }
}

/** Whether an event is for a subscription: asked for, and visible to its creator. */
export const isFor = (
  event: Pick<EngineEvent, 'type' | 'data'>,
  { eventTypes, grant }: Pick<WebhookInterest, 'eventTypes' | 'grant'>,
): boolean => matchesType(event.type, eventTypes) && mayEventBeSeen(event, grant)
