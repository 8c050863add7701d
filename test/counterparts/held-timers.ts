import type { Timers } from '@kaccy/bitcoin/adapters/bitcoind'

/** Timers that never fire by themselves: a test decides when a deadline has passed. */
export class HeldTimers implements Timers {
  readonly #armed = new Map<number, Set<() => void>>()
  readonly #waiting: { readonly milliseconds: number; readonly arrived: () => void }[] = []
  /** Every delay that was asked for, in order. */
  readonly asked: number[] = []

  after(milliseconds: number, action: () => void): () => void {
    this.asked.push(milliseconds)
    const actions = this.#armed.get(milliseconds) ?? new Set()
    this.#armed.set(milliseconds, actions)
    actions.add(action)
    for (const waiting of this.#waiting) {
      if (waiting.milliseconds === milliseconds) waiting.arrived()
    }
    return () => actions.delete(action)
  }
  /** Waits until somebody set a timer of this length, then lets it fire. */
  async fire(milliseconds: number): Promise<void> {
    if (!this.#armed.get(milliseconds)?.size) {
      await new Promise<void>((arrived) => this.#waiting.push({ milliseconds, arrived }))
    }
    for (const action of this.#armed.get(milliseconds) ?? []) action()
  }
}
