import type { Clock, Refusal, Transactor } from '../../kernel/index.ts'
import type { AuditRows } from '../audit/index.ts'
import type { EventRows } from '../events/index.ts'
import type { WalletRows } from '../wallet/index.ts'
import type { MeansTx, SpendPolicy } from './means.ts'

/** The row doors of this capability. */
export interface CoinsTx extends MeansTx {
  readonly wallet: WalletRows
  readonly events: EventRows
  readonly audit: AuditRows
}
export interface CoinsDeps {
  readonly store: Transactor<CoinsTx>
  readonly clock: Clock
  /** For whoever names no other. */
  readonly policy?: SpendPolicy
}
export type FreezeRefusal = Refusal<
  'WALLET_NOT_FOUND' | 'COIN_UNKNOWN' | 'COIN_REASON_INVALID' | 'COINS_TOO_MANY'
>
