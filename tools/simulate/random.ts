/** Small seeded generator (splitmix32): the same seed gives the same schedule on every machine. */
export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  /** 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  /** Whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + (this.next() % (to - from + 1))
  }
  chance(percent: number): boolean {
    return this.next() % 100 < percent
  }
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.next() % Math.max(1, list.length)]
  }
  /** One of the names, as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries<number>(weights) as [T, number][]
    let at = this.next() % entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      if (at < weight) return name
      at -= weight
    }
    return entries[0]?.[0] as T
  }
}
