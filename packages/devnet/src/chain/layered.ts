/**
 * A map over a shared, frozen base: writing goes to a thin layer, so that a thousand devnets can stand on one start chain
 * and a snapshot copies only what happened since.
 */
export class LayeredMap<K, V> {
  readonly #base: ReadonlyMap<K, V>
  /** `undefined` marks a key of the base as deleted. */
  readonly #layer: Map<K, V | undefined>
  #size: number

  constructor(base: ReadonlyMap<K, V>, layer?: ReadonlyMap<K, V | undefined>, size?: number) {
    this.#base = base
    this.#layer = new Map(layer)
    this.#size = size ?? base.size
  }
  get size(): number {
    return this.#size
  }
  get(key: K): V | undefined {
    const own = this.#layer.get(key)
    if (own !== undefined || this.#layer.has(key)) return own
    return this.#base.get(key)
  }
  has(key: K): boolean {
    return this.get(key) !== undefined
  }
  set(key: K, value: V): void {
    if (!this.has(key)) this.#size += 1
    this.#layer.set(key, value)
  }
  delete(key: K): boolean {
    if (!this.has(key)) return false
    this.#size -= 1
    if (this.#base.has(key)) this.#layer.set(key, undefined)
    else this.#layer.delete(key)
    return true
  }
  *entries(): IterableIterator<[K, V]> {
    for (const [key, value] of this.#base) if (!this.#layer.has(key)) yield [key, value]
    for (const [key, value] of this.#layer) if (value !== undefined) yield [key, value]
  }
  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }
  /** An independent copy; costs the thin layer only. */
  copy(): LayeredMap<K, V> {
    return new LayeredMap(this.#base, this.#layer, this.#size)
  }
  /** Everything in one plain map, to stand as a base under others. */
  flatten(): ReadonlyMap<K, V> {
    return new Map(this.entries())
  }
}
