import type { FreezeRecord, LeaseRecord } from '@kaccy/bitcoin/coins'
import { outPointKey, paymentId, type WalletId } from '@kaccy/bitcoin/kernel'
import type { PaymentView } from '@kaccy/bitcoin/deposits'
import type { CoinJson, FrozenJson } from '../schemas/coins.ts'
import { time } from './basics.ts'
import { paymentJson, standingOfView } from './payments.ts'

/** What keeps some coins from being spent. */
export interface CoinHolds {
  readonly leases: readonly LeaseRecord[]
  readonly frozen: readonly FreezeRecord[]
}

/** Shows coins with what holds them. */
export function coinJson({ leases, frozen }: CoinHolds): (coin: PaymentView) => CoinJson {
  const leased = new Map(leases.map((lease) => [outPointKey(lease.point), lease]))
  const kept = new Map(frozen.map((freeze) => [outPointKey(freeze.point), freeze]))
  return (coin) => {
    const key = outPointKey(coin.payment.point)
    const freeze = kept.get(key)
    return {
      ...paymentJson(standingOfView(coin)),
      frozen: freeze ? { reason: freeze.reason, by: freeze.by, at: time(freeze.at) } : null,
      held_by: leased.get(key)?.spend ?? null,
    }
  }
}

export const frozenJson = (wallet: WalletId, records: readonly FreezeRecord[]): FrozenJson => ({
  wallet,
  coins: records.map(({ point, reason, by, at }) => ({
    id: paymentId(point),
    reason,
    by,
    at: time(at),
  })),
})
