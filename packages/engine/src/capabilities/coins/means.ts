import { type Sat, sat, sumSat, type WalletId } from '../../kernel/index.ts'
import type { DepositRows } from '../deposits/index.ts'
import { type LedgerRows, walletBalance } from '../ledger/index.ts'
import type { CoinRows } from './ports.ts'

/** Which coins may be spent before the ledger has them. */
export interface SpendPolicy {
  /** Change of our own transactions below the credit depth. Coins of others below it are never spent. */
  readonly ownChange: boolean
  /**
   * How many unconfirmed transactions in a row our own change may stand on, itself included. Nodes take 25 at most, and a
   * recipient who spends his output counts as well.
   */
  readonly chainLimit: number
}
export const DEFAULT_SPEND_POLICY: SpendPolicy = { ownChange: true, chainLimit: 10 }

/** The row doors that the means of a wallet are read through. */
export interface MeansTx {
  readonly coins: CoinRows
  readonly deposits: DepositRows
  readonly ledger: LedgerRows
}

/** What a wallet can pay with, and why it is not more. All in satoshi. */
export interface Means {
  /** Coins that the ledger has, whether or not something spends them. */
  readonly confirmed: Sat
  /** The part of it that a transaction in the mempool or in a young block spends. */
  readonly leaving: Sat
  /** The part of it that is leased to a spend or frozen, and that nothing spends yet. */
  readonly encumbered: Sat
  /** Own change that is not credited yet, where the policy lets it be spent. */
  readonly ownChange: Sat
  /** Promised to requests that no spend serves yet. */
  readonly queued: Sat
  /** What a new request can have; zero when more is promised than there is. */
  readonly spendable: Sat
  /** What is missing to keep every promise: above zero when coins were frozen, spent by others or reorganised away. */
  readonly missing: Sat
}

/** A few rows and the coins that are held, however long the history is: no coin is summed that nothing holds. */
export async function meansOf(
  tx: MeansTx,
  wallet: WalletId,
  policy: SpendPolicy = DEFAULT_SPEND_POLICY,
): Promise<Means> {
  const { coins: confirmed } = await walletBalance(tx, wallet)
  const leaving = sumSat((await tx.deposits.leavingPayments(wallet)).map(({ amount }) => amount))
  const encumbered = await tx.coins.encumbered(wallet)
  const ownChange = policy.ownChange ? await tx.coins.ownChange(wallet) : sat(0n)
  const { queued } = await tx.coins.funds(wallet)
  const left = confirmed - leaving - encumbered + ownChange - queued
  return {
    confirmed,
    leaving,
    encumbered,
    ownChange,
    queued,
    spendable: sat(left > 0n ? left : 0n),
    missing: sat(left < 0n ? -left : 0n),
  }
}
