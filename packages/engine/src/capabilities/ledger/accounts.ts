import type { OrderId, WalletId, WithdrawalId } from '../../kernel/index.ts'
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
/**
 * What left the wallet, less the change that came back and what withdrawals and fees account for: zero for transactions of
 * this engine once they are settled, and what transactions of others with our keys took.
 */
export const spentAccount = (wallet: WalletId): Account => `spent/${wallet}`
/** What a withdrawal holds until it is paid or given up. Credit side. */
export const heldAccount = (withdrawal: WithdrawalId): Account => `held/${withdrawal}`
/** All that miners were paid by transactions of this engine, whoever bore it. Debit side. */
export const NETWORK_FEES: Account = 'fees/network'
/**
 * The platform's own means, as this engine knows them: it pays withdrawals that name no customer, and gets back what customers
 * and recipients bear of fees. The engine books no other income of the platform, so either side may be the larger.
 */
export const HOUSE: Account = 'house'

/**
 * The side on which an account grows, by the first part of its path. Undefined where either side may be the larger: `house`,
 * and `spent`, because change can be deep enough before the coins that paid for it are.
 */
export function naturalSide(account: Account): 'debit' | 'credit' | undefined {
  switch (account.slice(0, account.indexOf('/'))) {
    case 'coins':
    case 'pending':
    case 'fees':
      return 'debit'
    case 'expected':
    case 'owed':
    case 'unassigned':
    case 'held':
      return 'credit'
    default:
      return undefined
  }
}

const KINDS = [
  'coins',
  'pending',
  'expected',
  'owed',
  'unassigned',
  'spent',
  'held',
  'fees',
  'house',
] as const
/**
 * An account's path in its two parts. `owner` is a wallet, an order, a withdrawal, or a customer of the platform: as it was
 * given. It is empty for `house`.
 */
export interface AccountName {
  readonly kind: (typeof KINDS)[number]
  readonly owner: string
}

/** Undefined for a path that none of the constructors here makes. */
export function parseAccount(account: Account): AccountName | undefined {
  if (account === HOUSE) return { kind: 'house', owner: '' }
  const at = account.indexOf('/')
  const kind = KINDS.find((name) => name === account.slice(0, at))
  const owner = account.slice(at + 1)
  if (at < 0 || kind === undefined || kind === 'house' || owner === '') return undefined
  return { kind, owner }
}
