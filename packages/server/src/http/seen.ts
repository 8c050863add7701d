import type { Engine } from '@kaccy/bitcoin'
import { type Grant, mayGrant } from '@kaccy/bitcoin/access'
import type { OrderRecord } from '@kaccy/bitcoin/deposits'
import { type OrderId, refuse, type WalletId } from '@kaccy/bitcoin/kernel'
import type { WalletRecord } from '@kaccy/bitcoin/wallet'
import type { WebhookRecord } from '@kaccy/bitcoin/webhooks'
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

/**
 * Whoever may see a webhook sees in its log what it delivers: so it must show nothing that the caller may not see, and what
 * an operator made is for those who may do everything.
 */
export const maySeeWebhook = ({ scopes, wallets }: Principal, { grant }: WebhookRecord): boolean =>
  mayGrant({ scopes, ...(wallets === undefined ? {} : { wallets }) }, grant as Grant)

/** @throws RefusedError WEBHOOK_NOT_FOUND */
export async function webhookOf(
  engine: Engine,
  principal: Principal,
  id: string,
): Promise<WebhookRecord> {
  const webhook = await engine.webhooks.get(id)
  if (webhook && maySeeWebhook(principal, webhook)) return webhook
  const more = { param: 'webhook', details: { id } }
  throw new RefusedError(refuse('WEBHOOK_NOT_FOUND', `no webhook ${id}`, more).error)
}
