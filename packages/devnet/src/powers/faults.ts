/**
 * What goes wrong with a call.
 * - `timeout_before`: the node never saw it and never answers; `timeout_after`: the node did it and never answers.
 * - `error`: this code and message are the answer, nothing is done. `warming_up`: the answer of a starting node (-28).
 * - `reset`: the connection breaks before anything is done. `garbage`: the answer is no JSON.
 * - `delay`: done at once, answered `ms` later.
 */
export type FaultKind =
  | 'timeout_before'
  | 'timeout_after'
  | 'error'
  | 'reset'
  | 'warming_up'
  | 'delay'
  | 'garbage'
export interface Fault {
  /** The RPC it belongs to; `*` hits the next call of any name. */
  readonly method: string
  readonly kind: FaultKind
  /** How many calls it hits. Default 1; Infinity until `clear`. */
  readonly times?: number
  /** For `error`. */
  readonly code?: number
  readonly message?: string
  /** For `delay`, in milliseconds. */
  readonly ms?: number
}
interface Armed {
  readonly fault: Fault
  left: number
  hits: number
}

/** Thrown by in-process calls where a network would have failed. */
export class TransportFault extends Error {
  override readonly name = 'TransportFault'
  readonly kind: FaultKind | 'down'

  constructor(kind: FaultKind | 'down') {
    super(`devnet fault: ${kind}`)
    this.kind = kind
  }
}

/** Faults that wait for their call. The first armed that fits is used up first. */
export class Faults {
  readonly #armed: Armed[] = []

  arm(fault: Fault): void {
    this.#armed.push({ fault, left: fault.times ?? 1, hits: 0 })
  }
  /** Takes the fault for this call, if one is armed. */
  take(method: string): Fault | undefined {
    for (const armed of this.#armed) {
      if (armed.left <= 0) continue
      if (armed.fault.method !== method && armed.fault.method !== '*') continue
      armed.left -= 1
      armed.hits += 1
      return armed.fault
    }
    return undefined
  }
  /** Armed faults that no call has hit: a test that leaves one did not test what it meant. */
  pending(): readonly Fault[] {
    return this.#armed.filter(({ hits }) => hits === 0).map(({ fault }) => fault)
  }
  /** Calls hit so far. */
  get hits(): number {
    return this.#armed.reduce((sum, { hits }) => sum + hits, 0)
  }
  clear(): void {
    this.#armed.length = 0
  }
}
