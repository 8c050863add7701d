import type { Regtest } from './regtest.ts'

export type WaitEnd = 'reached' | 'timeout' | 'ended'

/** Calls that wait for the chain to move. They end by the chain, by their time, or by the end of the node. */
export class Waits {
  readonly #regtest: Regtest
  readonly #open = new Set<() => void>()

  constructor(regtest: Regtest) {
    this.#regtest = regtest
  }
  /** Resolves when `isReached` says so after a change of the tip, after `ms` (0: never), or when the node ends. */
  until(isReached: () => boolean, ms: number): Promise<WaitEnd> {
    if (isReached()) return Promise.resolve('reached')
    return new Promise((resolve) => {
      const finish = (how: WaitEnd): void => {
        clearTimeout(timer)
        ignore()
        this.#open.delete(end)
        resolve(how)
      }
      const end = (): void => finish('ended')
      const timer = ms > 0 ? setTimeout(() => finish('timeout'), ms) : undefined
      const ignore = this.#regtest.happenings.listen(({ kind }) => {
        if ((kind === 'tipChanged' || kind === 'restored') && isReached()) finish('reached')
      })
      this.#open.add(end)
    })
  }
  /** The node ends: every call answers with the tip as it is. */
  endAll(): void {
    for (const end of [...this.#open]) end()
  }
  get size(): number {
    return this.#open.size
  }
}
