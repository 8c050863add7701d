import { DevnetError } from '../failure.ts'
import type { Regtest } from './regtest.ts'

/**
 * What goes wrong with a call.
 * - `timeout_before`: the node never saw it and never answers; `timeout_after`: the node did it and never answers.
 * - `error`: this code and message are the answer, nothing is done. `warming_up`: the answer of a starting node (-28).
 * - `reset`: the connection breaks before anything is done; `reset_after`: it was done. `garbage`: done, the answer is no JSON.
 * - `delay`: done at once, answered `ms` later.
 * - `wrong`: done, but `answer` is what comes back.
 * - `stale`: answered by a node that has not heard of the last `blocks` blocks (0: that hears of nothing new). It stands still
 *   at the moment of arming, so that all its answers fit together, and lasts until it is cleared.
 */
export type FaultKind =
  | 'timeout_before'
  | 'timeout_after'
  | 'error'
  | 'reset'
  | 'reset_after'
  | 'warming_up'
  | 'delay'
  | 'garbage'
  | 'wrong'
  | 'stale'
/** Every kind, for whoever reads one from outside. */
export const FAULT_KINDS: readonly FaultKind[] = [
  'timeout_before',
  'timeout_after',
  'error',
  'reset',
  'reset_after',
  'warming_up',
  'delay',
  'garbage',
  'wrong',
  'stale',
]
export interface Fault {
  /** The RPC it belongs to, or several; `*` fits a call of any name. */
  readonly method: string | readonly string[]
  readonly kind: FaultKind
  /** How many calls it hits. Default 1, for `stale` Infinity; Infinity until `clear`. */
  readonly times?: number
  /** Calls that pass unharmed before. Default 0. */
  readonly after?: number
  /** For `error`. */
  readonly code?: number
  readonly message?: string
  /** For `delay`, in milliseconds. */
  readonly ms?: number
  /** For `wrong`: the answer, or a function of the right one. Amounts are bigint satoshi. */
  readonly answer?: unknown
  /** For `stale`: how far behind. */
  readonly blocks?: number
}
/** A fault that waits for its calls. */
export interface ArmedFault {
  readonly id: number
  readonly fault: Fault
  /** Calls it hit so far. */
  readonly hits: number
  /** Calls it will still hit. */
  readonly left: number
}
interface Armed {
  readonly id: number
  readonly fault: Fault
  readonly fits: (method: string) => boolean
  /** The node that lags, for `stale`. */
  readonly instead: Regtest | undefined
  skip: number
  left: number
  hits: number
}
/** A fault on its way, and the node that answers in its place. */
export interface TakenFault extends Fault {
  readonly instead?: Regtest
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
/** The kinds after which a caller has no answer. */
export const SILENT: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'timeout_before',
  'timeout_after',
  'reset',
  'reset_after',
  'garbage',
])
/** The kinds that keep the node from doing anything. */
export const UNDONE: ReadonlySet<FaultKind> = new Set<FaultKind>(['timeout_before', 'reset'])

/** Faults that wait for their call. The first armed that fits is used up first. */
export class Faults {
  readonly #lagging: ((blocks: number) => Regtest) | undefined
  #armed: Armed[] = []
  #count = 0

  /** `lagging` makes the node that answers stale calls. */
  constructor(lagging?: (blocks: number) => Regtest) {
    this.#lagging = lagging
  }
  /** Returns the number to clear it by. @throws DevnetError DEVNET_USAGE for a lag deeper than the chain, and for what is no fault. */
  arm(fault: Fault): number {
    const methods = typeof fault.method === 'string' ? [fault.method] : fault.method
    if (!FAULT_KINDS.includes(fault.kind)) {
      throw new DevnetError('DEVNET_USAGE', `no such fault: ${fault.kind}`)
    }
    if (!methods?.every((method) => typeof method === 'string')) {
      throw new DevnetError('DEVNET_USAGE', 'a fault needs the name of a `method`, or `*`')
    }
    for (const [name, count] of Object.entries({ times: fault.times, after: fault.after })) {
      if (count !== undefined && !(count >= 0)) {
        throw new DevnetError('DEVNET_USAGE', `\`${name}\` of a fault cannot be ${count}`)
      }
    }
    const stale = fault.kind === 'stale'
    this.#count += 1
    this.#armed.push({
      id: this.#count,
      fault,
      fits: (method) => methods.includes('*') || methods.includes(method),
      instead: stale ? this.#lagging?.(fault.blocks ?? 1) : undefined,
      skip: fault.after ?? 0,
      left: fault.times ?? (stale ? Number.POSITIVE_INFINITY : 1),
      hits: 0,
    })
    return this.#count
  }
  /** Takes the fault for this call, if one is armed. */
  take(method: string): TakenFault | undefined {
    for (const armed of this.#armed) {
      if (armed.left <= 0 || !armed.fits(method)) continue
      if (armed.skip > 0) {
        armed.skip -= 1
        continue
      }
      armed.left -= 1
      armed.hits += 1
      return armed.instead ? { ...armed.fault, instead: armed.instead } : armed.fault
    }
    return undefined
  }
  /** All that were armed since the last `clear`, used up or not. */
  list(): readonly ArmedFault[] {
    return this.#armed.map(({ id, fault, hits, left }) => ({ id, fault, hits, left }))
  }
  /** Armed faults that no call has hit: a test that leaves one did not test what it meant. */
  pending(): readonly Fault[] {
    return this.#armed.filter(({ hits }) => hits === 0).map(({ fault }) => fault)
  }
  /** Calls hit so far. */
  get hits(): number {
    return this.#armed.reduce((sum, { hits }) => sum + hits, 0)
  }
  /** Disarms one by its number, or all. */
  clear(id?: number): void {
    this.#armed = id === undefined ? [] : this.#armed.filter((armed) => armed.id !== id)
  }
}
