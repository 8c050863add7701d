import type {
  Clock,
  OutPoint,
  Refusal,
  Result,
  Sat,
  Transactor,
  WalletId,
} from '../../kernel/index.ts'
import type { AuditRows } from '../audit/index.ts'
import type { ChainRows } from '../chain/index.ts'
import type { EventRows } from '../events/index.ts'
import type { WalletRows } from '../wallet/index.ts'
import type { Means, MeansTx, SpendPolicy } from './means.ts'
import type { Coin, FreezeRecord } from './ports.ts'

/** The row doors of this capability. */
export interface CoinsTx extends MeansTx {
  readonly wallet: WalletRows
  readonly chain: ChainRows
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
/** What a wallet has, layer by layer, in satoshi. */
export interface FundsLayers {
  /** Coins deep enough to be credited whose spending is not deep yet. */
  readonly confirmed: Sat
  /** Seen, below the credit depth. Not part of `confirmed`. */
  readonly pending: Sat
  /** Spoken for: coins that transactions spend, that are leased to a spend or frozen, and what requests are promised. */
  readonly reserved: Sat
  /** What a new request can have. */
  readonly spendable: Sat
}

export interface Coins {
  /** The present means of a wallet, each part by itself. */
  means(wallet: WalletId, policy?: SpendPolicy): Promise<Means>
  layers(wallet: WalletId, policy?: SpendPolicy): Promise<FundsLayers>
  /**
   * Keeps coins out of every selection until they are let go again; a coin that is leased stays with its spend. Doing it
   * again changes the reason only. Audited.
   */
  freeze(
    wallet: WalletId,
    points: readonly OutPoint[],
    reason: string,
    actor: string,
  ): Promise<Result<readonly FreezeRecord[], FreezeRefusal>>
  /** Lets coins be selected again; those that were not frozen are left out of the answer. */
  unfreeze(
    wallet: WalletId,
    points: readonly OutPoint[],
    actor: string,
  ): Promise<Result<readonly FreezeRecord[], FreezeRefusal>>
  /** By outpoint key, ascending; `after` is exclusive. */
  frozen(
    wallet: WalletId,
    after: string | undefined,
    limit: number,
  ): Promise<readonly FreezeRecord[]>
  /** What a plan may choose from. */
  candidates(wallet: WalletId, policy?: SpendPolicy): Promise<readonly Coin[]>
}
