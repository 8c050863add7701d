import { DevnetError } from '../failure.ts'

/** Where the time comes from: a function that is asked each time, or an instant at which the clock stands. In milliseconds. */
export type ClockSource = (() => number) | number
/** How far a clock has moved, to be kept in a snapshot or a file. */
export interface ClockState {
  /** Milliseconds ahead of the source. */
  readonly ahead: number
  /** Milliseconds since the epoch at which the clock stands, whatever the source says. */
  readonly standing?: number
}

/** The node's clock. It only ever jumps forward, except where a snapshot or `setmocktime` takes it back. */
export class NodeClock {
  readonly kind: 'machine' | 'given' | 'standing'
  readonly #source: () => number
  #ahead = 0
  #standing: number | undefined

  /** @throws DevnetError DEVNET_USAGE for what is neither. */
  constructor(source: ClockSource = Date.now) {
    if (typeof source !== 'function' && !Number.isFinite(source)) {
      throw new DevnetError('DEVNET_USAGE', `\`clock\` is a function or milliseconds: ${source}`)
    }
    this.kind = typeof source === 'number' ? 'standing' : source === Date.now ? 'machine' : 'given'
    this.#source = typeof source === 'number' ? () => source : source
  }
  /** Milliseconds since the epoch. */
  readonly now = (): number => this.#standing ?? this.#source() + this.#ahead

  /** @throws DevnetError DEVNET_USAGE for a way back. */
  forward(milliseconds: number): void {
    if (!Number.isFinite(milliseconds) || milliseconds < 0) {
      throw new DevnetError('DEVNET_USAGE', `time runs forward only, not by ${milliseconds} ms`)
    }
    if (this.#standing === undefined) this.#ahead += milliseconds
    else this.#standing += milliseconds
  }
  /** Stands at this instant until it is moved; undefined lets it run with its source again. */
  stand(at: number | undefined): void {
    this.#standing = at
  }
  save(): ClockState {
    const standing = this.#standing
    return { ahead: this.#ahead, ...(standing === undefined ? {} : { standing }) }
  }
  load(state: ClockState): void {
    this.#ahead = state.ahead
    this.#standing = state.standing
  }
}
