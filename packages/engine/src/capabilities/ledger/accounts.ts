import type { OrderId, WalletId } from '../../kernel/index.ts'
import type { Account } from './ports.ts'

/** Coins that are ours and deep enough to count. Debit side. */
export const coinsAccount = (wallet: WalletId): Account => `coins/${wallet}`
/** Payments seen, below the credit depth. Debit side. */
export const pendingAccount = (wallet: WalletId): Account => `pending/${wallet}`
/** Whose money the pending payments will become. Credit side. */
export const expectedAccount = (owner: OrderId | WalletId): Account => `expected/${owner}`
/** What we owe to a customer of the platform, or to an order without one. Credit side. */
export const owedAccount = (owner: string): Account => `owed/${owner}`
/** Money that came without an order to take it: a person decides. Credit side. */
export const unassignedAccount = (wallet: WalletId): Account => `unassigned/${wallet}`
/** What left the wallet by transactions that this engine did not make, less the change that came back. */
export const spentAccount = (wallet: WalletId): Account => `spent/${wallet}`

/**
 * The side on which an account grows, by the first part of its path. Undefined where either side may be the larger:
 * `spent`, because change can be deep enough before the coins that paid for it are.
 */
export function naturalSide(account: Account): 'debit' | 'credit' | undefined {
  switch (account.slice(0, account.indexOf('/'))) {
    case 'coins':
    case 'pending':
      return 'debit'
    case 'expected':
    case 'owed':
    case 'unassigned':
      return 'credit'
    default:
      return undefined
  }
}

const KINDS = ['coins', 'pending', 'expected', 'owed', 'unassigned', 'spent'] as const
/** An account's path in its two parts. `owner` is a wallet, an order, or a customer of the platform: as it was given. */
export interface AccountName {
  readonly kind: (typeof KINDS)[number]
  readonly owner: string
}

/** Undefined for a path that none of the constructors here makes. */
export function parseAccount(account: Account): AccountName | undefined {
  const at = account.indexOf('/')
  const kind = KINDS.find((name) => name === account.slice(0, at))
  const owner = account.slice(at + 1)
  return at < 0 || kind === undefined || owner === '' ? undefined : { kind, owner }
}
