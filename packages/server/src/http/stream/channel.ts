import type { Frame } from './frame.ts'

/** One connection to a client, in either form. */
export interface Channel {
  readonly form: 'websocket' | 'sse'
  /** Bytes that were handed over and have not left this process. */
  readonly waiting: number
  /** Begins: tells from where to resume, also when nothing happens for a while. */
  open(position: number): void
  /** Hands events over, in order. Never waits; look at `waiting`. */
  write(frames: readonly Frame[]): void
  /** Resolves when all that was handed over has left this process, or the connection is gone. */
  flushed(): Promise<void>
  /** A sign of life, with how far the client has been served. False when the last one had no answer: nobody is there. */
  beat(position: number): boolean
  /** Says why it ends. What was handed over before goes out first. */
  close(code: number, reason: string): void
  /** Lets go of the connection at once. */
  terminate(): void
}

/** Counts writes that are under way. */
export class Writes {
  #open = 0
  #left = 0
  #waiting: (() => void)[] = []
  /** Writes that ended since the last look. */
  takeProgress(): number {
    const left = this.#left
    this.#left = 0
    return left
  }
  /** The callback of one write. */
  begin(): () => void {
    this.#open += 1
    return () => {
      this.#open -= 1
      this.#left += 1
      if (this.#open === 0) this.release()
    }
  }
  release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }
  flushed(): Promise<void> {
    if (this.#open === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
