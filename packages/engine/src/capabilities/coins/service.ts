import { type OutPoint, type Result, type Sat, sat, type WalletId } from '../../kernel/index.ts'
import { walletBalance } from '../ledger/index.ts'
import { candidatesOf } from './candidates.ts'
import { freezeCoins, unfreezeCoins } from './freezing.ts'
import {
  DEFAULT_SPEND_POLICY,
  type Means,
  type MeansTx,
  meansOf,
  type SpendPolicy,
} from './means.ts'
import type { Coin, FreezeRecord } from './ports.ts'
import type { CoinsDeps, FreezeRefusal } from './transaction.ts'

/** What a wallet has, layer by layer, in satoshi. */
export interface FundsLayers {
  /** Coins deep enough to be credited whose spending is not deep yet. */
  readonly confirmed: Sat
  /** Seen, below the credit depth. Not part of `confirmed`. */
  readonly pending: Sat
  /**
   * The part of `confirmed` that is spoken for: coins that transactions spend, that are leased or frozen, and what requests
   * are promised, less own change that may be spent in their place.
   */
  readonly reserved: Sat
  /** What a new request can have: `confirmed` less `reserved`, and more only by own change that came from another wallet. */
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

/** The layers of one wallet, inside the caller's transaction or snapshot. */
export async function layersOf(
  tx: MeansTx,
  wallet: WalletId,
  policy: SpendPolicy = DEFAULT_SPEND_POLICY,
): Promise<FundsLayers> {
  const { confirmed, spendable } = await meansOf(tx, wallet, policy)
  const { pending } = await walletBalance(tx, wallet)
  const reserved = sat(confirmed > spendable ? confirmed - spendable : 0n)
  return { confirmed, pending, reserved, spendable }
}

export function createCoins(deps: CoinsDeps): Coins {
  const { store, policy: usual = DEFAULT_SPEND_POLICY } = deps
  return {
    means: (wallet, policy = usual) => store.read((tx) => meansOf(tx, wallet, policy)),
    layers: (wallet, policy = usual) => store.read((tx) => layersOf(tx, wallet, policy)),
    freeze: (wallet, points, reason, actor) => freezeCoins(deps, wallet, points, reason, actor),
    unfreeze: (wallet, points, actor) => unfreezeCoins(deps, wallet, points, actor),
    frozen: (wallet, after, limit) => store.read((tx) => tx.coins.listFrozen(wallet, after, limit)),
    candidates: (wallet, policy = usual) => store.read((tx) => candidatesOf(tx, wallet, policy)),
  }
}
