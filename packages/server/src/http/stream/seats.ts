import { type ErrorCode, refuse } from '@kaccy/bitcoin/kernel'
import { RefusedError } from '../problem.ts'
import type { StreamSettings } from './policy.ts'

const RETRY_AFTER_S = 10
const refused = (code: ErrorCode & ('STREAMS_FULL' | 'STREAMS_TOO_MANY'), message: string) =>
  new RefusedError(refuse(code, message).error, { 'retry-after': String(RETRY_AFTER_S) })

/** Counts open streams, so that neither one key nor one address nor all of them together take more than their share. */
export class Seats {
  readonly #limits: Pick<StreamSettings, 'total' | 'perKey' | 'perAddress'>
  readonly #taken = new Map<string, number>()

  constructor(limits: Pick<StreamSettings, 'total' | 'perKey' | 'perAddress'>) {
    this.#limits = limits
  }
  /** Takes a seat; the answer gives it back, once. @throws RefusedError STREAMS_FULL, STREAMS_TOO_MANY */
  take(key: string, address: string): () => void {
    const { total, perKey, perAddress } = this.#limits
    const own = ['all', `key ${key}`, `address ${address}`] as const
    const isFull = (name: string, most: number) => (this.#taken.get(name) ?? 0) >= most
    if (isFull(own[0], total)) throw refused('STREAMS_FULL', `${total} streams are open`)
    if (isFull(own[1], perKey))
      throw refused('STREAMS_TOO_MANY', `this key has ${perKey} open streams`)
    if (isFull(own[2], perAddress))
      throw refused('STREAMS_TOO_MANY', `this address has ${perAddress} open streams`)
    for (const name of own) this.#taken.set(name, (this.#taken.get(name) ?? 0) + 1)
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      for (const name of own) this.#leave(name)
    }
  }
  #leave(name: string): void {
    const left = (this.#taken.get(name) ?? 1) - 1
    if (left === 0) this.#taken.delete(name)
    else this.#taken.set(name, left)
  }
}
