import type { WithdrawalId } from '../../kernel/index.ts'
import { bucketStart, edgesOf, LEVELS } from './buckets.ts'
import type { Reservation, Sum, SumQuery } from './ports.ts'

const [MINUTE, HOUR, DAY] = LEVELS
const NOTHING: Sum = { amount: 0n, count: 0 }
type Entries = Map<WithdrawalId, Reservation>

/** The counting of `LimitRows` without a store, for a policy that is run over the past. */
export class Counters {
  readonly #reservations: Entries = new Map()
  /** By subject, grain and start. */
  readonly #buckets = new Map<string, Sum>()
  /** The entries of each minute of a subject. */
  readonly #minutes = new Map<string, Entries>()
  /** The first and the last day of each subject that was ever counted. */
  readonly #days = new Map<string, { readonly first: number; readonly last: number }>()

  has(withdrawal: WithdrawalId): boolean {
    return this.#reservations.has(withdrawal)
  }

  /** A second time changes nothing. */
  add(reservation: Reservation): void {
    if (this.#reservations.has(reservation.withdrawal)) return
    this.#reservations.set(reservation.withdrawal, reservation)
    for (const subject of reservation.subjects) this.#move(subject, reservation, 1)
  }

  remove(withdrawal: WithdrawalId): void {
    const reservation = this.#reservations.get(withdrawal)
    if (!reservation) return
    this.#reservations.delete(withdrawal)
    for (const subject of reservation.subjects) this.#move(subject, reservation, -1)
  }

  sum({ subject, from }: SumQuery): Sum {
    const { minute, hour, day } = edgesOf(from)
    let { amount, count } = NOTHING
    const add = (sum: Sum | undefined) => {
      amount += sum?.amount ?? 0n
      count += sum?.count ?? 0
    }
    const broken = this.#minutes.get(keyOf(subject, MINUTE, bucketStart(MINUTE, from)))
    for (const entry of broken?.values() ?? [])
      if (entry.at >= from && entry.at < minute) add({ amount: entry.amount, count: 1 })
    for (let at = minute; at < hour; at += MINUTE)
      add(this.#buckets.get(keyOf(subject, MINUTE, at)))
    for (let at = hour; at < day; at += HOUR) add(this.#buckets.get(keyOf(subject, HOUR, at)))
    const { first, last } = this.#days.get(subject) ?? { first: 0, last: -1 }
    for (let at = Math.max(day, first); at <= last; at += DAY)
      add(this.#buckets.get(keyOf(subject, DAY, at)))
    return { amount, count }
  }

  #move(subject: string, reservation: Reservation, sign: 1 | -1): void {
    const { withdrawal, amount, at } = reservation
    const minute = keyOf(subject, MINUTE, bucketStart(MINUTE, at))
    const entries: Entries = this.#minutes.get(minute) ?? new Map()
    this.#minutes.set(minute, entries)
    if (sign === 1) entries.set(withdrawal, reservation)
    else entries.delete(withdrawal)
    for (const level of LEVELS) {
      const key = keyOf(subject, level, bucketStart(level, at))
      const sum = this.#buckets.get(key) ?? NOTHING
      const next = { amount: sum.amount + BigInt(sign) * amount, count: sum.count + sign }
      this.#buckets.set(key, next)
    }
    const day = bucketStart(DAY, at)
    const days = this.#days.get(subject) ?? { first: day, last: day }
    this.#days.set(subject, { first: Math.min(days.first, day), last: Math.max(days.last, day) })
  }
}

const keyOf = (subject: string, level: number, start: number) => `${level}/${start}/${subject}`
