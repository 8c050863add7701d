import { type Sat, sat, type WalletId } from '../../kernel/index.ts'
import { coinsAccount, pendingAccount, spentAccount, unassignedAccount } from './accounts.ts'
import type { AccountTotals, LedgerRows } from './ports.ts'

/** What the books say of one wallet, layer by layer, in satoshi. */
export interface WalletBalance {
  /** Coins at credit depth that nobody spent deep enough: what we control. */
  readonly coins: Sat
  /** Seen, below the credit depth: not ours yet. */
  readonly pending: Sat
  /** The part of `coins` that came without an order to take it. */
  readonly unassigned: Sat
  /** Left by transactions of others with our keys, less the change that came back. Below zero for a moment, see `naturalSide`. */
  readonly spent: bigint
}

/** Debits less credits: positive on the debit side, negative on the credit side. */
export const debitBalance = (totals: AccountTotals): bigint => totals.debits - totals.credits

/** Four rows, however long the history is. @throws AssertionError when an account is below zero (I7). */
export async function walletBalance(
  tx: { readonly ledger: LedgerRows },
  wallet: WalletId,
): Promise<WalletBalance> {
  const accounts = [
    coinsAccount(wallet),
    pendingAccount(wallet),
    unassignedAccount(wallet),
    spentAccount(wallet),
  ]
  const [coins = 0n, pending = 0n, unassigned = 0n, spent = 0n] = (
    await tx.ledger.totals(accounts)
  ).map(debitBalance)
  return { coins: sat(coins), pending: sat(pending), unassigned: sat(-unassigned), spent }
}
