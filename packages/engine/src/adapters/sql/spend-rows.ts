import type { SpendRecord } from '../../capabilities/spending/index.ts'
import {
  AssertionError,
  blockHash,
  fromHex,
  type PsbtId,
  type SpendId,
  toHex,
  txid,
  type WalletId,
} from '../../kernel/index.ts'
import { flag, int, maybeInt, num, present } from './doors.ts'
import type { SpendRow } from './schema-payouts.ts'

export const spendRow = (spend: SpendRecord): SpendRow => ({
  id: spend.id,
  wallet: spend.wallet,
  purpose: spend.purpose,
  parent: spend.parent ?? null,
  status: spend.status,
  anchor_txid: fromHex(spend.anchor.txid),
  anchor_vout: int(spend.anchor.vout),
  fence: int(spend.fence),
  versions: int(spend.versions),
  current_version: spend.current,
  mined_version: spend.mined?.psbt ?? null,
  mined_txid: spend.mined ? fromHex(spend.mined.txid) : null,
  mined_height: maybeInt(spend.mined?.block.height),
  mined_hash: spend.mined ? fromHex(spend.mined.block.hash) : null,
  cancelling: flag(spend.cancelling),
  bump_at: maybeInt(spend.bumpAt),
  created_by: spend.createdBy,
  created_at: int(spend.createdAt),
  updated_at: int(spend.updatedAt),
})

function minedOf(row: SpendRow): SpendRecord['mined'] {
  const { mined_version: psbt, mined_txid: hash, mined_height: height, mined_hash: block } = row
  if (psbt === null) return undefined
  if (hash === null || height === null || block === null)
    throw new AssertionError(`spend ${row.id} is mined nowhere`)
  return {
    psbt: psbt as PsbtId,
    txid: txid(toHex(hash)),
    block: { height: num(height), hash: blockHash(toHex(block)) },
  }
}

export const spendOf = (row: SpendRow): SpendRecord => ({
  id: row.id as SpendId,
  wallet: row.wallet as WalletId,
  purpose: row.purpose as SpendRecord['purpose'],
  ...present('parent', row.parent as SpendId | null),
  status: row.status as SpendRecord['status'],
  anchor: { txid: txid(toHex(row.anchor_txid)), vout: num(row.anchor_vout) },
  fence: num(row.fence),
  versions: num(row.versions),
  current: row.current_version as PsbtId,
  ...present('mined', minedOf(row)),
  cancelling: row.cancelling !== 0n,
  ...present('bumpAt', row.bump_at === null ? null : num(row.bump_at)),
  createdBy: row.created_by,
  createdAt: num(row.created_at),
  updatedAt: num(row.updated_at),
})
