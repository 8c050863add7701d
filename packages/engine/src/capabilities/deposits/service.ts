import {
  type Clock,
  EngineError,
  type Entropy,
  newId,
  type OrderId,
  ok,
  type Refusal,
  type Result,
  refuse,
  sat,
  type Transactor,
  type WalletId,
} from '../../kernel/index.ts'
import { dustThreshold } from '../../protocol/amounts/index.ts'
import { appendAudit } from '../audit/index.ts'
import type { RevealRefusal, WalletRecord, Wallets } from '../wallet/index.ts'
import { orderSnapshot } from './announce.ts'
import type { Intake } from './intake.ts'
import { FRESH } from './machine.ts'
import { type CheckedInput, checkInput, type InputRefusal, type OrderInput } from './order-input.ts'
import type { OrderFilter, OrderRecord, PaymentFilter, PaymentRecord } from './ports.ts'
import type { DepositsTx } from './transaction.ts'

export type CreateRefusal = InputRefusal | RevealRefusal | Refusal<'ORDER_EXTERNAL_ID_REUSED'>
export interface CreatedOrder {
  readonly order: OrderRecord
  /** False when the external id had given this order before. */
  readonly created: boolean
}
export interface OrdersOptions {
  readonly store: Transactor<DepositsTx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly intake: Intake
  readonly wallets: Pick<Wallets, 'revealAddress' | 'prepare' | 'wallet'>
}
/** The least output of any supported type that a default node relays: a witness program of 32 bytes has the smallest. */
const LEAST = dustThreshold(new Uint8Array([0, 20, ...new Uint8Array(20)]))

const sameRequest = (order: OrderRecord, input: OrderInput, checked: CheckedInput): boolean =>
  order.wallet === input.wallet &&
  order.amount === input.amount &&
  order.customer === input.customer &&
  order.description === input.description &&
  JSON.stringify([order.thresholds, order.metadata, toleranceKey(order.tolerance)]) ===
    JSON.stringify([checked.thresholds, checked.metadata, toleranceKey(checked.tolerance)]) &&
  (order.expiresAt === undefined ? undefined : order.expiresAt - order.createdAt) ===
    checked.expiresInMs
const toleranceKey = (tolerance: OrderRecord['tolerance']): string =>
  tolerance.kind === 'absolute' ? `${tolerance.sat}` : `${tolerance.ppm}ppm`

/** Orders as the platform deals with them. What the chain does to them is the intake's. */
export function createOrders(options: OrdersOptions) {
  const { store, clock, entropy, wallets } = options
  const known = new Map<WalletId, WalletRecord>()

  /** Derives the next addresses before the transaction that takes one: inside it the keychain is locked. */
  async function prepare(id: WalletId): Promise<void> {
    const wallet = known.get(id) ?? (await wallets.wallet(id))
    if (!wallet) return
    known.set(id, wallet)
    wallets.prepare(wallet)
  }

  async function insert(
    tx: DepositsTx,
    input: OrderInput,
    checked: CheckedInput,
    actor: string,
  ): Promise<Result<CreatedOrder, CreateRefusal>> {
    const { externalId } = input
    const existing =
      externalId === undefined ? undefined : await tx.deposits.orderByExternalId(externalId)
    if (existing)
      return sameRequest(existing, input, checked)
        ? ok({ order: existing, created: false })
        : refuse('ORDER_EXTERNAL_ID_REUSED', `external_id ${externalId} belongs to another order`, {
            param: 'external_id',
            details: { order: existing.id },
          })
    const at = clock.now()
    const id = newId('ord', clock, entropy) as OrderId
    const request = { wallet: input.wallet, order: id, at, shown: true }
    const revealed = await wallets.revealAddress(tx, request)
    if (!revealed.ok) return revealed
    const { branch, index, address, script } = revealed.value
    const { expiresInMs, ...kept } = checked
    const order: OrderRecord = {
      id,
      wallet: input.wallet,
      branch,
      index,
      address,
      script,
      ...(externalId === undefined ? {} : { externalId }),
      ...(input.customer === undefined ? {} : { customer: input.customer }),
      ...(input.amount === undefined ? {} : { amount: input.amount }),
      ...(input.description === undefined ? {} : { description: input.description }),
      ...kept,
      createdAt: at,
      ...(expiresInMs === undefined ? {} : { expiresAt: at + expiresInMs }),
      reachedAt: { pending: at },
      state: FRESH,
    }
    await tx.deposits.insertOrder(order)
    const data = orderSnapshot(order)
    await appendAudit(tx, at, [{ actor, action: 'order.create', subject: id, details: data }])
    await tx.events.append(at, [{ type: 'order.created', subject: id, data }])
    return ok({ order, created: true })
  }

  async function decide(
    id: OrderId,
    actor: string,
    action: string,
    edit: (order: OrderRecord, at: number) => Result<OrderRecord, Refusal>,
  ): Promise<Result<OrderRecord, Refusal>> {
    return store.transact(async (tx) => {
      const [order] = await tx.deposits.lockOrders([id])
      if (!order) return refuse('ORDER_NOT_FOUND', `no order ${id}`, { param: 'order' })
      const at = clock.now()
      const edited = edit(order, at)
      if (!edited.ok) return edited
      const tip = await tx.chain.tip()
      if (!tip) throw new EngineError('WALLET_CHAIN_UNKNOWN', 'no block has been followed yet')
      await options.intake.editOrders(tx, [{ before: order, after: edited.value }], tip, at)
      const after = (await tx.deposits.order(id)) ?? edited.value
      const details = orderSnapshot(after)
      const reason = edited.value.settled?.reason
      await appendAudit(tx, at, [
        {
          actor,
          action,
          subject: id,
          details: reason === undefined ? details : { ...details, reason },
        },
      ])
      await tx.events.append(at, [{ type: action, subject: id, data: details }])
      return ok(after)
    })
  }

  return {
    /**
     * Makes an order with an address of its own; the same external id gives the same order.
     * @param actor as in the audit trail: `operator:<name>`, `api:<key id>`
     */
    async create(input: OrderInput, actor: string): Promise<Result<CreatedOrder, CreateRefusal>> {
      const checked = checkInput(input, sat(LEAST))
      if (!checked.ok) return checked
      await prepare(input.wallet)
      const attempt = () => store.transact((tx) => insert(tx, input, checked.value, actor))
      try {
        return await attempt()
      } catch (error) {
        // Two requests with one external id at the same moment: the unique key lets one pass, the other finds it now.
        const raced = error instanceof EngineError && error.code === 'STORE_CONFLICT'
        if (!raced || input.externalId === undefined) throw error
        return attempt()
      }
    },
    get: (id: OrderId) => store.read((tx) => tx.deposits.order(id)),
    byExternalId: (id: string) => store.read((tx) => tx.deposits.orderByExternalId(id)),
    list: (filter: OrderFilter): Promise<readonly OrderRecord[]> =>
      store.read((tx) => tx.deposits.listOrders(filter)),
    payments: (filter: PaymentFilter): Promise<readonly PaymentRecord[]> =>
      store.read((tx) => tx.deposits.listPayments(filter)),

    /** Ends an order that nobody has paid. Money that still comes is credited and reported as late. */
    cancel: (id: OrderId, actor: string) =>
      decide(id, actor, 'order.cancelled', (order, at) => {
        if (order.cancelledAt !== undefined || order.settled || order.state.status === 'failed')
          return refuse('ORDER_ALREADY_CLOSED', `order ${id} has ended`, { param: 'order' })
        if (order.state.received > 0n)
          return refuse('ORDER_HAS_PAYMENTS', `order ${id} has received money`, { param: 'order' })
        return ok({ ...order, cancelledAt: at })
      }),

    /** An operator takes the order as paid, whatever came. The ledger keeps booking only what really came. */
    settle(id: OrderId, by: string, reason: string) {
      return decide(id, `operator:${by}`, 'order.settled', (order, at) => {
        if (by === '' || reason === '' || reason.length > 500)
          return refuse('ORDER_REASON_MISSING', 'a decision by hand needs a name and a reason', {
            param: 'reason',
          })
        if (order.settled)
          return refuse('ORDER_ALREADY_CLOSED', `order ${id} is settled`, { param: 'order' })
        return ok({ ...order, settled: { at, by, reason } })
      })
    },

    /**
     * Lets orders expire whose time has passed. Only called when the engine is in step with the node: a payment that was
     * made in time and is still unread must not find its order closed.
     * @returns how many expired
     */
    async expireDue(limit = 500): Promise<number> {
      const now = clock.now()
      // Most looks find nothing to do: a read costs no write lock.
      if ((await store.read((tx) => tx.deposits.dueOrders(now, 1))).length === 0) return 0
      return store.transact(async (tx) => {
        const tip = await tx.chain.tip()
        if (!tip) return 0
        const due = await tx.deposits.dueOrders(now, limit)
        const locked = await tx.deposits.lockOrders(due.map((order) => order.id).sort())
        const edits = locked
          .filter((order) => order.expiredAt === undefined)
          .map((before) => ({ before, after: { ...before, expiredAt: now } }))
        await options.intake.editOrders(tx, edits, tip, now)
        return edits.length
      })
    },
  }
}
export type Orders = ReturnType<typeof createOrders>
