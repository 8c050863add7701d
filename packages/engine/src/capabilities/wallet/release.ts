import {
  type OrderId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type WalletId,
} from '../../kernel/index.ts'
import { labelOfAddress } from './labels.ts'
import type { AddressRecord, WalletRows } from './ports.ts'

/** One address by its place in the wallet. */
export interface AddressPlace {
  readonly wallet: WalletId
  readonly branch: number
  readonly index: number
}

export type ReleaseRefusal = Refusal<
  'WALLET_ADDRESS_UNKNOWN' | 'WALLET_ADDRESS_SHOWN' | 'WALLET_ADDRESS_OWNED'
>

/**
 * Marks a reserved address as seen: from now on it is never recycled. Call it in the transaction that decides to show
 * it, before anything leaves the process. Repeating it changes nothing.
 */
export async function markShown(
  tx: { readonly wallet: WalletRows },
  place: AddressPlace,
): Promise<Result<AddressRecord, Refusal<'WALLET_ADDRESS_UNKNOWN'>>> {
  const row = await lockRow(tx.wallet, place)
  if (row?.state !== 'revealed') return unknown(place)
  if (row.shown) return ok(row)
  const shown = { ...row, shown: true }
  await tx.wallet.saveAddresses([shown])
  return ok(shown)
}

/**
 * Gives back an address whose order was dropped before anybody saw it; the next reveal takes it first.
 * Refuses one that was shown or paid, or that belongs to another order than `owner`.
 */
export async function releaseAddress(
  tx: { readonly wallet: WalletRows },
  place: AddressPlace & { readonly order?: OrderId },
): Promise<Result<AddressRecord, ReleaseRefusal>> {
  const row = await lockRow(tx.wallet, place)
  if (!row || row.state === 'watched') return unknown(place)
  if (row.state === 'free') return ok(row)
  if (row.shown || row.firstUsedAt !== undefined)
    return refuse(
      'WALLET_ADDRESS_SHOWN',
      `address ${row.address} was shown or paid and is never given to another`,
      {
        param: 'address',
        details: { address: row.address, index: row.index },
      },
    )
  if (row.order !== place.order)
    return refuse('WALLET_ADDRESS_OWNED', `address ${row.address} belongs to another order`, {
      param: 'order',
      details: { address: row.address, index: row.index },
    })
  const { order: _order, label, revealedAt: _revealedAt, ...bare } = row
  const free: AddressRecord = { ...bare, state: 'free' }
  await tx.wallet.saveAddresses([free])
  if (label !== undefined) await tx.wallet.saveLabels([labelOfAddress(row.wallet, row.address)])
  return ok(free)
}

/** Reads a row under its keychain's lock, which everything that changes addresses holds. */
async function lockRow(rows: WalletRows, place: AddressPlace): Promise<AddressRecord | undefined> {
  await rows.lockKeychain(place.wallet, place.branch)
  return rows.address(place.wallet, place.branch, place.index)
}

const unknown = (place: AddressPlace) =>
  refuse('WALLET_ADDRESS_UNKNOWN', 'the wallet has not handed out this address', {
    param: 'address',
    details: { wallet: place.wallet, branch: place.branch, index: place.index },
  })
