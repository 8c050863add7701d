import { type Clock, type Entropy, newId, type OrderId } from '../../kernel/index.ts'
import { appendAudit } from '../audit/index.ts'
import type { AddressRecord } from '../wallet/index.ts'
import { orderSnapshot } from './announce.ts'
import { FRESH, type Standing } from './machine.ts'
import { DEFAULT_THRESHOLDS, EXACT, parseThresholds } from './policy.ts'
import type { OrderRecord, Thresholds, Tolerance } from './ports.ts'
import type { Adopt, DepositsTx } from './transaction.ts'

/** An order as a platform keeps it in its own tables. */
export interface PlatformOrder {
  readonly externalId: string
  readonly amount?: OrderRecord['amount']
  readonly customer?: string
  readonly tolerance?: Tolerance
  readonly thresholds?: Partial<Thresholds>
  readonly expiresAt?: number
}

/**
 * A platform that keeps its own orders and only reveals addresses here. Both calls run inside our commit: with a store
 * that shares the platform's database, its tables and ours move together or not at all. They must not ask the world.
 * A platform that would rather not share a commit reads the event stream instead; both tell the same.
 */
export interface PlatformOrders {
  /** The order that the platform gave this address to; undefined when it knows none. */
  orderByAddress(tx: DepositsTx, address: string): Promise<PlatformOrder | undefined>
  /** The order's state changed; `payments` carry the txids to record. */
  updateStatus(tx: DepositsTx, order: OrderRecord, payments: readonly Standing[]): Promise<void>
}

/** Makes our order out of the platform's at the first payment to its address. */
export function adoptFrom(
  platform: PlatformOrders | undefined,
  clock: Clock,
  entropy: Entropy,
): Adopt {
  return async (tx, address) => {
    const theirs = await platform?.orderByAddress(tx, address.address)
    if (!theirs) return undefined
    // One order has one address here: money to a second one is unassigned, so that a person sees it.
    if (await tx.deposits.orderByExternalId(theirs.externalId)) return undefined
    const thresholds = parseThresholds(theirs.thresholds)
    const at = clock.now()
    const order: OrderRecord = {
      id: newId('ord', { now: () => at }, entropy) as OrderId,
      ...placeOf(address),
      externalId: theirs.externalId,
      ...(theirs.customer === undefined ? {} : { customer: theirs.customer }),
      ...(theirs.amount === undefined ? {} : { amount: theirs.amount }),
      tolerance: theirs.tolerance ?? EXACT,
      thresholds: thresholds.ok ? thresholds.value : DEFAULT_THRESHOLDS,
      metadata: {},
      createdAt: at,
      ...(theirs.expiresAt === undefined ? {} : { expiresAt: theirs.expiresAt }),
      reachedAt: {},
      state: FRESH,
    }
    await tx.deposits.insertOrder(order)
    await tx.wallet.saveAddresses([{ ...address, order: order.id, state: 'revealed', shown: true }])
    const data = orderSnapshot(order)
    await appendAudit(tx, at, [
      { actor: 'engine', action: 'order.adopted', subject: order.id, details: data },
    ])
    await tx.events.append(at, [{ type: 'order.created', subject: order.id, data }])
    return order
  }
}

const placeOf = ({ wallet, branch, index, address, script }: AddressRecord) => ({
  wallet,
  branch,
  index,
  address,
  script,
})
