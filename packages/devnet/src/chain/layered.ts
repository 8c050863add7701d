/** Layers above the base before they are merged into one. */
const LAYERS_MAX = 6

/**
 * A map over a shared, frozen base: writing goes to a thin layer, so that a thousand devnets can stand on one start chain. A copy
 * freezes the layer and shares it: it costs what was written since the copy before, not what the map holds.
 */
export class LayeredMap<K, V> {
  readonly #base: ReadonlyMap<K, V>
  /** Frozen layers between, the newest first. `undefined` marks a deleted key. */
  #frozen: readonly ReadonlyMap<K, V | undefined>[]
  #layer: Map<K, V | undefined>
  #size: number

  constructor(base: ReadonlyMap<K, V>) {
    this.#base = base
    this.#frozen = []
    this.#layer = new Map()
    this.#size = base.size
  }
  get size(): number {
    return this.#size
  }
  get(key: K): V | undefined {
    const own = this.#layer.get(key)
    if (own !== undefined || this.#layer.has(key)) return own
    return this.#below(key)
  }
  #below(key: K): V | undefined {
    for (const layer of this.#frozen) {
      const value = layer.get(key)
      if (value !== undefined || layer.has(key)) return value
    }
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
    if (this.#below(key) === undefined) this.#layer.delete(key)
    else this.#layer.set(key, undefined)
    return true
  }
  *entries(): IterableIterator<[K, V]> {
    const above = new Set<K>()
    const layers = [this.#layer, ...this.#frozen]
    // From the base upwards, as the keys came: a key stands where its newest layer has it.
    const merged = new Map<K, V | undefined>()
    for (const layer of layers.reverse()) {
      for (const [key, value] of layer) {
        above.add(key)
        merged.delete(key)
        merged.set(key, value)
      }
    }
    for (const [key, value] of this.#base) if (!above.has(key)) yield [key, value]
    for (const [key, value] of merged) if (value !== undefined) yield [key, value]
  }
  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value
  }
  /** An independent copy. */
  copy(): LayeredMap<K, V> {
    if (this.#layer.size > 0) this.#freeze()
    const copy = new LayeredMap<K, V>(this.#base)
    copy.#frozen = this.#frozen
    copy.#size = this.#size
    return copy
  }
  #freeze(): void {
    const layers = [this.#layer, ...this.#frozen]
    this.#layer = new Map()
    // Merging the small upper layers again and again would cost the whole: a layer is only merged into one of its own size.
    while (layers.length > 1) {
      const [upper, lower] = layers as [Map<K, V | undefined>, Map<K, V | undefined>]
      if (layers.length <= LAYERS_MAX && lower.size > 2 * upper.size) break
      const merged = new Map(lower)
      for (const [key, value] of upper) merged.set(key, value)
      layers.splice(0, 2, merged)
    }
    this.#frozen = layers
  }
  /** Everything in one plain map, to stand as a base under others. */
  flatten(): ReadonlyMap<K, V> {
    return new Map(this.entries())
  }
}
