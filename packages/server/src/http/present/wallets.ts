import type { FundsLayers } from '@kaccy/bitcoin/coins'
import type { WalletTransaction } from '@kaccy/bitcoin/deposits'
import type { WalletId } from '@kaccy/bitcoin/kernel'
import type { WalletBalance } from '@kaccy/bitcoin/ledger'
import type { AddressRecord, GapReport, WalletRecord } from '@kaccy/bitcoin/wallet'
import type {
  AddressJson,
  BalanceJson,
  GapsJson,
  TransactionJson,
  WalletJson,
} from '../schemas/wallets.ts'
import { satoshi, time, timeOrNull } from './basics.ts'

/** A wallet as the API shows it. */
export const walletJson = (wallet: WalletRecord): WalletJson => ({
  id: wallet.id,
  name: wallet.name,
  network: wallet.network,
  descriptor: wallet.descriptor,
  status: wallet.status,
  gap_limit: wallet.gapLimit,
  lookahead: wallet.lookahead,
  birthday: wallet.birthday,
  rescan: wallet.rescan
    ? {
        from_height: wallet.rescan.from,
        next_height: wallet.rescan.next,
        to_height: wallet.rescan.to,
      }
    : null,
  created_at: time(wallet.createdAt),
})

export const balanceJson = (
  wallet: WalletId,
  layers: FundsLayers,
  { unassigned }: Pick<WalletBalance, 'unassigned'>,
): BalanceJson => ({
  wallet,
  confirmed_sat: satoshi(layers.confirmed),
  pending_sat: satoshi(layers.pending),
  reserved_sat: satoshi(layers.reserved),
  spendable_sat: satoshi(layers.spendable),
  unassigned_sat: satoshi(unassigned),
})

export const addressJson = (row: AddressRecord): AddressJson => ({
  branch: row.branch,
  index: row.index,
  address: row.address,
  state: row.state,
  order: row.order ?? null,
  label: row.label ?? null,
  revealed_at: timeOrNull(row.revealedAt),
  first_used_at: timeOrNull(row.firstUsedAt),
})

export function transactionJson(seen: WalletTransaction): TransactionJson {
  const { transaction, payments, spent } = seen
  const { view, feeRate } = transaction
  return {
    txid: transaction.txid,
    state: view.state,
    confirmations: seen.confirmations,
    block: view.state === 'mined' ? { height: view.block.height, hash: view.block.hash } : null,
    gone: view.state === 'gone' ? { reason: view.reason, by: view.by ?? null } : null,
    received_sat: satoshi(seen.received),
    sent_sat: satoshi(seen.sent),
    net_sat: satoshi(seen.net),
    payments: payments.map(({ id }) => id),
    spent: spent.map(({ id }) => id),
    vsize: transaction.vsize,
    fee_rate_sat_kvb: feeRate === undefined ? null : Number(feeRate),
    first_seen_at: time(transaction.firstSeenAt),
  }
}

export const gapsJson = (wallet: WalletId, gaps: readonly GapReport[]): GapsJson => ({
  wallet,
  branches: gaps.map((gap) => ({
    branch: gap.branch,
    level: gap.level,
    limit: gap.limit,
    unused: gap.unused,
    remaining: gap.remaining,
    reach: gap.reach,
    last_used: gap.lastUsed,
    next_index: gap.nextIndex,
  })),
})
