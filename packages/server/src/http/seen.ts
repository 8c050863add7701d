import type { Engine } from '@kaccy/bitcoin'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type OrderId, refuse, type WalletId } from '@kaccy/bitcoin/kernel'
import type { WalletRecord } from '@kaccy/bitcoin/wallet'
import { maySee, type Principal } from './principal.ts'
import { RefusedError } from './problem.ts'

/*
 * What a caller names by its id. A key that is limited to wallets hears of everything else what it would hear of an id that
 * does not exist, word for word.
 */

export const noWallet = (id: string): RefusedError =>
  new RefusedError(
    refuse('WALLET_NOT_FOUND', 'no wallet has this id', {
      param: 'wallet',
      details: { wallet: id },
    }).error,
  )
export const noOrder = (id: string): RefusedError =>
  new RefusedError(refuse('ORDER_NOT_FOUND', `no order ${id}`, { param: 'order' }).error)
export const nothing = (what: string, id: string, param = 'id'): RefusedError =>
  new RefusedError(refuse('NOT_FOUND', `no ${what} ${id}`, { param, details: { id } }).error)

/** @throws RefusedError WALLET_NOT_FOUND */
export function seenWallet(principal: Principal, id: string): WalletId {
  const wallet = id as WalletId
  if (!maySee(principal, wallet)) throw noWallet(id)
  return wallet
}

/** @throws RefusedError WALLET_NOT_FOUND */
export async function walletOf(
  engine: Engine,
  principal: Principal,
  id: string,
): Promise<WalletRecord> {
  const wallet = await engine.wallets.wallet(seenWallet(principal, id))
  if (!wallet) throw noWallet(id)
  return wallet
}

/** @throws RefusedError ORDER_NOT_FOUND */
export async function orderOf(
  engine: Engine,
  principal: Principal,
  id: string,
): Promise<OrderRecord> {
  const order = await engine.orders.get(id as OrderId)
  if (!order || !maySee(principal, order.wallet)) throw noOrder(id)
  return order
}

/** For what belongs to no wallet. @throws RefusedError SCOPE_MISSING for a key that is limited to wallets */
export function needsEverything({ wallets }: Principal): void {
  if (wallets === undefined) return
  throw new RefusedError(
    refuse('SCOPE_MISSING', 'this key is limited to wallets, and this is not of one wallet').error,
  )
}
