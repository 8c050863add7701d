import { EngineError } from '../../kernel/index.ts'
import { copy } from './copy.ts'
import { compareKeys, type SortKey } from './order.ts'
import type { Session } from './session.ts'

/** An index follows every change of its table; going back is a change like any other. */
interface Index<Row> {
  /** Name of the unique key that `row` would break. */
  conflict(row: Row, key: string): string | undefined
  change(key: string, before: Row | undefined, after: Row | undefined): void
}

/** At most one row per value; rows without a value are not in it. */
export class UniqueIndex<Row> implements Index<Row> {
  readonly #name: string
  readonly #keyOf: (row: Row) => string | undefined
  readonly #keys = new Map<string, string>()
  constructor(name: string, keyOf: (row: Row) => string | undefined) {
    this.#name = name
    this.#keyOf = keyOf
  }
  key(value: string): string | undefined {
    return this.#keys.get(value)
  }
  conflict(row: Row, key: string): string | undefined {
    const value = this.#keyOf(row)
    const owner = value === undefined ? undefined : this.#keys.get(value)
    return owner === undefined || owner === key ? undefined : this.#name
  }
  change(key: string, before: Row | undefined, after: Row | undefined): void {
    const old = before && this.#keyOf(before)
    const fresh = after && this.#keyOf(after)
    if (old === fresh) return
    if (old !== undefined) this.#keys.delete(old)
    if (fresh !== undefined) this.#keys.set(fresh, key)
  }
}

/** Any number of rows under any number of values each. */
export class GroupIndex<Row> implements Index<Row> {
  readonly #keysOf: (row: Row) => readonly string[]
  readonly #groups = new Map<string, Set<string>>()
  constructor(keysOf: (row: Row) => readonly string[]) {
    this.#keysOf = keysOf
  }
  keys(value: string): Iterable<string> {
    return this.#groups.get(value) ?? []
  }
  conflict(): undefined {}
  change(key: string, before: Row | undefined, after: Row | undefined): void {
    const old = before ? this.#keysOf(before) : []
    const fresh = after ? this.#keysOf(after) : []
    if (old.length === fresh.length && old.every((value, i) => value === fresh[i])) return
    for (const value of old) {
      const group = this.#groups.get(value)
      group?.delete(key)
      if (group?.size === 0) this.#groups.delete(value)
    }
    for (const value of fresh) {
      const group = this.#groups.get(value)
      if (group) group.add(key)
      else this.#groups.set(value, new Set([key]))
    }
  }
}

/** Rows in order; a binary search finds a place. Rows without a place are not in it. */
export class SortedIndex<Row> implements Index<Row> {
  readonly #placeOf: (row: Row) => SortKey | undefined
  readonly #places: { readonly place: SortKey; readonly key: string }[] = []
  constructor(placeOf: (row: Row) => SortKey | undefined) {
    this.#placeOf = placeOf
  }
  get size(): number {
    return this.#places.length
  }
  /** Keys from the first place above `after` (or the lowest), ascending. */
  *ascending(after?: SortKey): Generator<string> {
    for (let i = after ? this.#above(after) : 0; i < this.#places.length; i++) {
      const entry = this.#places[i]
      if (entry) yield entry.key
    }
  }
  /** Keys from the first place below `before` (or the highest), descending. */
  *descending(before?: SortKey): Generator<string> {
    for (let i = (before ? this.#from(before) : this.#places.length) - 1; i >= 0; i--) {
      const entry = this.#places[i]
      if (entry) yield entry.key
    }
  }
  conflict(): undefined {}
  change(key: string, before: Row | undefined, after: Row | undefined): void {
    const old = before && this.#placeOf(before)
    const fresh = after && this.#placeOf(after)
    if (old && fresh && compareKeys(old, fresh) === 0) return
    if (old) this.#places.splice(this.#from(old), 1)
    if (fresh) this.#places.splice(this.#from(fresh), 0, { place: fresh, key })
  }
  /** Position of the first place not below `place`. */
  #from(place: SortKey): number {
    return this.#search((candidate) => compareKeys(candidate, place) < 0)
  }
  #above(place: SortKey): number {
    return this.#search((candidate) => compareKeys(candidate, place) <= 0)
  }
  #search(isLeft: (place: SortKey) => boolean): number {
    let low = 0
    let high = this.#places.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#places[middle]
      if (entry && isLeft(entry.place)) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Rows by primary key with their indexes. Every change can be undone by its session. */
export class Table<Row> {
  readonly #name: string
  readonly #keyOf: (row: Row) => string
  readonly #rows = new Map<string, Row>()
  readonly #indexes: readonly Index<Row>[]
  constructor(name: string, keyOf: (row: Row) => string, indexes: readonly Index<Row>[] = []) {
    this.#name = name
    this.#keyOf = keyOf
    this.#indexes = indexes
  }
  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }
  has(key: string): boolean {
    return this.#rows.has(key)
  }
  *rows(keys: Iterable<string>): Generator<Row> {
    for (const key of keys) {
      const row = this.#rows.get(key)
      if (row) yield row
    }
  }
  all(): Iterable<Row> {
    return this.#rows.values()
  }
  /** @throws EngineError STORE_CONFLICT when the primary key or a unique key exists. */
  insert(session: Session, row: Row): void {
    if (this.#rows.has(this.#keyOf(row))) throw this.#conflict('primary key')
    this.put(session, row)
  }
  /** Inserts or replaces. @throws EngineError STORE_CONFLICT when another row has a unique key of this one. */
  put(session: Session, row: Row): void {
    const key = this.#keyOf(row)
    session.requireWriter()
    for (const index of this.#indexes) {
      const broken = index.conflict(row, key)
      if (broken) throw this.#conflict(broken)
    }
    this.#replace(session, key, copy(row))
  }
  remove(session: Session, key: string): void {
    this.#replace(session, key, undefined)
  }
  #replace(session: Session, key: string, after: Row | undefined): void {
    const before = this.#rows.get(key)
    session.undoable(() => this.#set(key, after, before))
    this.#set(key, before, after)
  }
  #set(key: string, before: Row | undefined, after: Row | undefined): void {
    for (const index of this.#indexes) index.change(key, before, after)
    if (after === undefined) this.#rows.delete(key)
    else this.#rows.set(key, after)
  }
  #conflict(key: string): EngineError<'STORE_CONFLICT'> {
    return new EngineError('STORE_CONFLICT', `${this.#name}: a row with the same ${key} exists`, {
      details: { table: this.#name, key },
    })
  }
}

/** The first `limit` rows that match. */
export function firstOf<Row>(
  rows: Iterable<Row>,
  limit: number,
  matches: (row: Row) => boolean = () => true,
): Row[] {
  const found: Row[] = []
  if (limit <= 0) return found
  for (const row of rows) {
    if (!matches(row)) continue
    found.push(row)
    if (found.length >= limit) break
  }
  return found
}

/** The rows before the first that does not belong: for a run inside a sorted index. */
export function* takeWhile<Row>(
  rows: Iterable<Row>,
  belongs: (row: Row) => boolean,
): Generator<Row> {
  for (const row of rows) {
    if (!belongs(row)) return
    yield row
  }
}

/** A number that a transaction may raise: dense, because a rollback takes it back. */
export class Counter {
  #value = 0
  get value(): number {
    return this.#value
  }
  next(session: Session): number {
    session.undoable(() => {
      this.#value--
    })
    this.#value++
    return this.#value
  }
}
