import type {
  Coin,
  FreezeRecord,
  FundsRecord,
  LeaseRecord,
} from '../../capabilities/coins/index.ts'
import {
  AssertionError,
  fromHex,
  type OutPoint,
  type SpendId,
  sat,
  toHex,
  txid,
  type WalletId,
} from '../../kernel/index.ts'
import { int, num, ownBytes, present } from './doors.ts'
import type { PaymentRow } from './schema.ts'
import type { FreezeRow, FundsRow, LeaseRow } from './schema-payouts.ts'

/** What a query of coins selects: parts of a payment, and where its block is. */
export type CoinRow = Pick<
  PaymentRow,
  | 'txid'
  | 'vout'
  | 'wallet'
  | 'branch'
  | 'idx'
  | 'script'
  | 'address'
  | 'amount'
  | 'coinbase'
  | 'booked'
  | 'first_seen_at'
> & { readonly height: bigint | null }

export const pointOf = (row: { readonly txid: Uint8Array; readonly vout: bigint }): OutPoint => ({
  txid: txid(toHex(row.txid)),
  vout: num(row.vout),
})
export const pointKey = ({
  txid,
  vout,
}: OutPoint): { readonly txid: Uint8Array; readonly vout: bigint } => ({
  txid: fromHex(txid),
  vout: int(vout),
})
/** Outpoints as a set of rows, each once. */
export const pointRows = (
  points: readonly OutPoint[],
): readonly (readonly [Uint8Array, bigint])[] => {
  const distinct = new Map(points.map((point) => [`${point.txid}:${point.vout}`, point]))
  return [...distinct.values()].map(({ txid, vout }) => [fromHex(txid), int(vout)])
}
/** By (txid, output number): the order of rows in every list of coins. */
export const byPoint = (
  a: { readonly point: OutPoint },
  b: { readonly point: OutPoint },
): number =>
  a.point.txid === b.point.txid ? a.point.vout - b.point.vout : a.point.txid < b.point.txid ? -1 : 1

export const coinOf = (row: CoinRow): Coin => ({
  point: pointOf(row),
  wallet: row.wallet as WalletId,
  branch: num(row.branch),
  index: num(row.idx),
  script: ownBytes(row.script),
  address: row.address,
  amount: sat(row.amount),
  coinbase: row.coinbase !== 0n,
  kind: row.booked === 'credited' ? 'credited' : 'own_change',
  ...present('height', row.height === null ? null : num(row.height)),
  firstSeenAt: num(row.first_seen_at),
})

export const fundsRow = ({ wallet, queued, fence }: FundsRecord): FundsRow => ({
  wallet,
  queued,
  fence: int(fence),
})
export const fundsOf = (row: FundsRow): FundsRecord => ({
  wallet: row.wallet as WalletId,
  queued: sat(row.queued),
  fence: num(row.fence),
})

export const leaseRow = (lease: LeaseRecord): LeaseRow => ({
  ...pointKey(lease.point),
  wallet: lease.wallet,
  amount: lease.amount,
  spend: lease.spend,
  fence: int(lease.fence),
  at: int(lease.at),
})
export const leaseOf = (row: LeaseRow): LeaseRecord => ({
  point: pointOf(row),
  wallet: row.wallet as WalletId,
  amount: sat(row.amount),
  spend: row.spend as SpendId,
  fence: num(row.fence),
  at: num(row.at),
})

export const freezeRow = (freeze: FreezeRecord): FreezeRow => ({
  ...pointKey(freeze.point),
  wallet: freeze.wallet,
  amount: freeze.amount,
  reason: freeze.reason,
  actor: freeze.by,
  at: int(freeze.at),
})
export const freezeOf = (row: FreezeRow): FreezeRecord => ({
  point: pointOf(row),
  wallet: row.wallet as WalletId,
  amount: sat(row.amount),
  reason: row.reason,
  by: row.actor,
  at: num(row.at),
})

/** The outpoint in a key `txid:vout`. @throws AssertionError when it is none. */
export function pointOfKey(key: string): readonly [Uint8Array, bigint] {
  const match = /^([0-9a-f]{64}):(\d{1,10})$/.exec(key)
  if (!match) throw new AssertionError(`not the key of an outpoint: ${key.slice(0, 80)}`)
  return [fromHex(match[1] ?? ''), BigInt(match[2] ?? '')]
}
