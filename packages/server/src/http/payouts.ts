import type { DayFilter, DayRecord } from '@kaccy/bitcoin/analytics'
import type { Coins, FreezeRecord, LeaseRecord } from '@kaccy/bitcoin/coins'
import type { OutPoint, SpendId } from '@kaccy/bitcoin/kernel'
import type { Policies } from '@kaccy/bitcoin/policy'
import type { Psbts } from '@kaccy/bitcoin/signing'
import type { SpendFilter, SpendRecord, SpendView } from '@kaccy/bitcoin/spending'
import type { Withdrawals } from '@kaccy/bitcoin/withdrawals'

/*
 * What these routes ask of the engine, in one place.
 */

export interface Payouts {
  readonly withdrawals: Withdrawals
  readonly psbts: Psbts
  readonly spends: {
    get(id: SpendId): Promise<SpendView | undefined>
    list(filter: SpendFilter): Promise<readonly SpendRecord[]>
  }
  readonly coins: Pick<Coins, 'freeze' | 'unfreeze'> & {
    /** What is leased and what is frozen of these outpoints. */
    holds(points: readonly OutPoint[]): Promise<{
      readonly leases: readonly LeaseRecord[]
      readonly frozen: readonly FreezeRecord[]
    }>
  }
  readonly policies: Policies
  readonly analytics: { days(filter: DayFilter): Promise<readonly DayRecord[]> }
}

/** The verbs of payouts that an engine has. */
export const payoutsOf = (engine: object): Payouts => engine as Payouts
