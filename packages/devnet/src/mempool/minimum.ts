import { INCREMENTAL_FEE_RATE } from './policy.ts'

const HALF_LIFE_SECONDS = 12 * 3600
const PAUSE_SECONDS = 10

export interface MinimumState {
  /** Satoshi per 1000 vbytes, with a fraction while it decays. */
  readonly rate: number
  /** Seconds since the epoch. */
  readonly updated: number
  readonly blockSince: boolean
}

/**
 * The fee rate below which nothing enters after the pool was too full. It rises with every eviction and, once a block was
 * found, halves every 12 hours: sooner while the pool is small. Source: Core's GetMinFee and TrimToSize.
 */
export class RollingMinimum {
  /** Satoshi per 1000 vbytes, with a fraction while it decays. */
  #rate = 0
  #updated: number
  #blockSince = false

  /** `now`: seconds since the epoch. */
  constructor(now: number) {
    this.#updated = now
  }
  /** Satoshi per 1000 vbytes; 0 where nothing was evicted for long. */
  current(now: number, usage: number, limit: number): bigint {
    if (!this.#blockSince || this.#rate === 0) return BigInt(Math.round(this.#rate))
    if (now > this.#updated + PAUSE_SECONDS) {
      const speed = usage < Math.floor(limit / 4) ? 4 : usage < Math.floor(limit / 2) ? 2 : 1
      this.#rate /= 2 ** ((now - this.#updated) / (HALF_LIFE_SECONDS / speed))
      this.#updated = now
      if (this.#rate < Number(INCREMENTAL_FEE_RATE) / 2) {
        this.#rate = 0
        return 0n
      }
    }
    const rate = BigInt(Math.round(this.#rate))
    return rate > INCREMENTAL_FEE_RATE ? rate : INCREMENTAL_FEE_RATE
  }
  /** Something was evicted that paid `rate` together with its descendants. */
  raise(rate: bigint): void {
    if (Number(rate) <= this.#rate) return
    this.#rate = Number(rate)
    this.#blockSince = false
  }
  /** From now on it may fall. */
  blockFound(now: number): void {
    this.#updated = now
    this.#blockSince = true
  }
  reset(): void {
    this.#rate = 0
  }
  /** To be kept in a file. */
  save(): MinimumState {
    return { rate: this.#rate, updated: this.#updated, blockSince: this.#blockSince }
  }
  load({ rate, updated, blockSince }: MinimumState): void {
    this.#rate = rate
    this.#updated = updated
    this.#blockSince = blockSince
  }
  copy(): RollingMinimum {
    const copy = new RollingMinimum(this.#updated)
    copy.#rate = this.#rate
    copy.#blockSince = this.#blockSince
    return copy
  }
}
