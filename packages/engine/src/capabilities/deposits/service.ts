import {
  type Clock,
  EngineError,
  type Entropy,
  err,
  type OrderId,
  type OriginOf,
  ok,
  type PaymentId,
  type Refusal,
  type Result,
  refuse,
  shareRuns,
  silentTracer,
  type Tally,
  type Tracer,
  type Transactor,
  type WalletId,
} from '../../kernel/index.ts'
import { dustThreshold } from '../../protocol/amounts/index.ts'
import { appendAudit } from '../audit/index.ts'
import { originatingStore } from '../events/index.ts'
import { againAfterConflict, earlierAnswers, type Once } from '../idempotency/index.ts'
import type { WalletRecord, Wallets } from '../wallet/index.ts'
import { orderSnapshot } from './announce.ts'
import {
  type CreatedOrder,
  type CreateRefusal,
  createOrders,
  type OrderRequest,
} from './creation.ts'
import { type Explanation, explainOrder } from './explain.ts'
import type { Intake } from './intake.ts'
import { checkInput, type OrderInput } from './order-input.ts'
import type {
  NewestPaymentsFilter,
  OrderFilter,
  OrderPrice,
  OrderRecord,
  PaymentFilter,
  PaymentRecord,
  RateSource,
} from './ports.ts'
import { checkPrice, DEFAULT_RATE_AGE_MS, priceNow, samePrice } from './price.ts'
import { newestPayments, type PaymentDetail, type PaymentView, paymentDetail } from './queries.ts'
import {
  type ConfirmationStatistics,
  confirmationStatistics,
  type StatisticsSpan,
} from './statistics.ts'
import type { DepositsTx } from './transaction.ts'

export type DecisionRefusal = Refusal<
  'ORDER_NOT_FOUND' | 'ORDER_ALREADY_CLOSED' | 'ORDER_HAS_PAYMENTS' | 'ORDER_REASON_MISSING'
>
export interface OrdersOptions {
  readonly store: Transactor<DepositsTx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly intake: Pick<Intake, 'editOrders'>
  /** Asked at the entry of a verb for which request it works. */
  readonly origin?: OriginOf | undefined
  readonly wallets: Pick<Wallets, 'revealAddresses' | 'prepare' | 'wallet'>
  /** Makes satoshi of prices. Without one, orders with a price are refused. */
  readonly rates?: RateSource
  /** A rate that is older is not used. Default 5 minutes. */
  readonly rateMaxAgeMs?: number
  readonly tracer?: Tracer
  /** Counts what a transaction did, once it is committed. */
  readonly tally?: Tally<DepositsTx>
}

type Maker = (request: OrderRequest) => Promise<Result<CreatedOrder, CreateRefusal>>
/** Orders that share one commit at most. */
const SHARED = 100
/** The least output that a default node relays, of all our address types: a witness program of 20 bytes has it. */
const LEAST = dustThreshold(Uint8Array.of(0, 20, ...new Uint8Array(20)))

/** Orders as the platform deals with them. What the chain does to them is the intake's. */
export class Orders {
  readonly #options: OrdersOptions
  readonly #known = new Map<WalletId, WalletRecord>()
  readonly #makers = new Map<WalletId, Maker>()

  constructor(options: OrdersOptions) {
    this.#options = options
  }

  /**
   * Makes an order with an address of its own; the same external id gives the same order.
   * @param actor as in the audit trail: `operator:<name>`, `api:<key id>`
   * @param once names the request: it makes one order at most, and the answer to it is kept in the same commit
   */
  create(
    input: OrderInput,
    actor: string,
    once?: Once<CreatedOrder>,
  ): Promise<Result<CreatedOrder, CreateRefusal>> {
    const { tracer = silentTracer } = this.#options
    const origin = this.#options.origin?.()
    return tracer.span(
      'orders.create',
      { wallet: input.wallet },
      () => this.#create(input, { actor, once, origin }),
      (answer) => ({ outcome: answer.ok ? 'ok' : answer.error.code }),
    )
  }
  async #create(
    asked: OrderInput,
    by: Pick<OrderRequest, 'actor' | 'once' | 'origin'>,
  ): Promise<Result<CreatedOrder, CreateRefusal>> {
    const priced = await this.#priced(asked)
    if (!priced.ok) return (await this.#answeredBefore(by.once)) ?? priced
    const { input, price } = priced.value
    const checked = checkInput(input, LEAST)
    if (!checked.ok) return checked
    await this.#prepare(input.wallet)
    const request = { input, checked: checked.value, ...by, ...(price ? { price } : {}) }
    // Also two requests with one external id, and two wallets with one script.
    return againAfterConflict(() => this.#makerOf(input.wallet)(request))
  }
  /** A request that has its answer gets it also while no rate is to be had. */
  #answeredBefore(once: Once<CreatedOrder> | undefined) {
    if (!once) return undefined
    return this.#options.store.read(async (tx) => {
      const earlier = (await earlierAnswers(tx, [once.request]))(once.request)
      return earlier && err(earlier)
    })
  }
  get(id: OrderId): Promise<OrderRecord | undefined> {
    return this.#options.store.read((tx) => tx.deposits.order(id))
  }
  byExternalId(id: string): Promise<OrderRecord | undefined> {
    return this.#options.store.read((tx) => tx.deposits.orderByExternalId(id))
  }
  list(filter: OrderFilter): Promise<readonly OrderRecord[]> {
    return this.#options.store.read((tx) => tx.deposits.listOrders(filter))
  }
  payments(filter: PaymentFilter): Promise<readonly PaymentRecord[]> {
    return this.#options.store.read((tx) => tx.deposits.listPayments(filter))
  }
  /** Newest first, with where each stands under the present tip. */
  paymentsNewest(filter: NewestPaymentsFilter): Promise<readonly PaymentView[]> {
    return newestPayments(this.#options.store, filter)
  }
  /** Undefined for an unknown id. */
  payment(id: PaymentId): Promise<PaymentDetail | undefined> {
    return paymentDetail(this.#options.store, id)
  }

  /** Why an order is what it is, and what would change it next; undefined for an unknown id. */
  explain(id: OrderId): Promise<Explanation | undefined> {
    return this.#options.store.read((tx) => explainOrder(tx, id))
  }
  /** How long customers waited for each level. */
  statistics(span: StatisticsSpan): Promise<ConfirmationStatistics> {
    return confirmationStatistics(this.#options.store, span)
  }

  /** Ends an order that nobody has paid. Money that still comes is credited and reported as late. */
  cancel(id: OrderId, actor: string): Promise<Result<OrderRecord, DecisionRefusal>> {
    return this.#decide(id, actor, 'order.cancelled', (order, at) => {
      if (order.cancelledAt !== undefined || order.settled || order.state.status === 'failed')
        return refuse('ORDER_ALREADY_CLOSED', `order ${id} has ended`, { param: 'order' })
      if (order.state.received > 0n)
        return refuse('ORDER_HAS_PAYMENTS', `order ${id} has received money`, { param: 'order' })
      return ok({ ...order, cancelledAt: at })
    })
  }

  /**
   * Somebody takes the order as paid, whatever came. The ledger keeps booking only what really came.
   * @param by who decides, as it stands on the order
   * @param actor the same in the audit trail
   */
  settle(
    id: OrderId,
    by: string,
    reason: string,
    actor = `operator:${by}`,
  ): Promise<Result<OrderRecord, DecisionRefusal>> {
    return this.#decide(id, actor, 'order.settled', (order, at) => {
      if (by === '' || reason === '' || reason.length > 500)
        return refuse('ORDER_REASON_MISSING', 'a decision by hand needs a name and a reason', {
          param: 'reason',
        })
      if (order.settled)
        return refuse('ORDER_ALREADY_CLOSED', `order ${id} is settled`, { param: 'order' })
      return ok({ ...order, settled: { at, by, reason } })
    })
  }

  /**
   * Lets orders expire whose time has passed. Only called when the engine is in step with the node: a payment that was
   * made in time and is still unread must not find its order closed.
   * @returns how many expired
   */
  async expireDue(limit = 500): Promise<number> {
    const { store, clock } = this.#options
    const now = clock.now()
    // Most looks find nothing to do: a read costs no write lock.
    if ((await store.read((tx) => tx.deposits.dueOrders(now, 1))).length === 0) return 0
    const expire = () => this.#expireSome(now, limit)
    let expired = 0
    for (let some = await expire(); some > 0; some = some < limit ? 0 : await expire())
      expired += some
    return expired
  }
  #expireSome(now: number, limit: number): Promise<number> {
    const { store, intake } = this.#options
    return store.transact(async (tx) => {
      const tip = await tx.chain.lockCursor()
      if (!tip) return 0
      const due = await tx.deposits.dueOrders(now, limit)
      const locked = await tx.deposits.lockOrders(due.map((order) => order.id).sort())
      const edits = locked
        .filter((order) => order.expiredAt === undefined)
        .map((before) => ({ before, after: { ...before, expiredAt: now } }))
      await intake.editOrders(tx, edits, tip, now)
      return edits.length
    })
  }

  /**
   * The input with satoshi in the place of its price. The rate is asked here, before any transaction; who asks for an order
   * again gets the rate that it has, also when the source has none any more.
   */
  async #priced(
    input: OrderInput,
  ): Promise<Result<{ readonly input: OrderInput; readonly price?: OrderPrice }, CreateRefusal>> {
    const { price: asked, externalId } = input
    if (!asked) return ok({ input })
    const wrong = checkPrice(asked, input.amount)
    if (wrong) return { ok: false, error: wrong }
    const known = externalId === undefined ? undefined : await this.byExternalId(externalId)
    if (known?.amount !== undefined && known.price && samePrice(known.price, asked))
      return ok({ input: { ...input, amount: known.amount }, price: known.price })
    const { clock, rates, rateMaxAgeMs: maxAgeMs = DEFAULT_RATE_AGE_MS } = this.#options
    const now = await priceNow({ clock, rates, maxAgeMs }, asked)
    if (!now.ok) return now
    return ok({ input: { ...input, amount: now.value.sat }, price: now.value.price })
  }

  /** Derives the next addresses before the transaction that takes one: inside it the keychain is locked. */
  async #prepare(id: WalletId): Promise<void> {
    const { wallets } = this.#options
    const wallet = this.#known.get(id) ?? (await wallets.wallet(id))
    if (!wallet) return
    this.#known.set(id, wallet)
    wallets.prepare(wallet)
  }

  /**
   * Orders of one wallet need the lock of its keychain, so they wait for each other anyway: those that wait at the same
   * moment share one commit.
   */
  #makerOf(wallet: WalletId): Maker {
    const known = this.#makers.get(wallet)
    if (known) return known
    const maker = shareRuns(
      (requests: readonly OrderRequest[]) =>
        this.#options.store.transact((tx) => createOrders(this.#options, tx, wallet, requests)),
      SHARED,
    )
    // Only for wallets that exist: callers may ask for any name.
    if (this.#known.has(wallet)) this.#makers.set(wallet, maker)
    return maker
  }

  #decide(
    id: OrderId,
    actor: string,
    action: 'order.cancelled' | 'order.settled',
    edit: (order: OrderRecord, at: number) => Result<OrderRecord, DecisionRefusal>,
  ): Promise<Result<OrderRecord, DecisionRefusal>> {
    const { clock, intake, origin } = this.#options
    const store = originatingStore(this.#options.store, origin)
    return store.transact(async (tx) => {
      const tip = await tx.chain.lockCursor()
      const [order] = await tx.deposits.lockOrders([id])
      if (!order) return refuse('ORDER_NOT_FOUND', `no order ${id}`, { param: 'order' })
      const at = clock.now()
      const edited = edit(order, at)
      if (!edited.ok) return edited
      if (!tip) throw new EngineError('WALLET_CHAIN_UNKNOWN', 'no block has been followed yet')
      await intake.editOrders(tx, [{ before: order, after: edited.value }], tip, at)
      const after = (await tx.deposits.order(id)) ?? edited.value
      const data = orderSnapshot(after)
      const reason = edited.value.settled?.reason
      const details = reason === undefined ? data : { ...data, reason }
      await appendAudit(tx, at, [{ actor, action, subject: id, details }])
      await tx.events.append(at, [{ type: action, subject: id, data: details }])
      return ok(after)
    })
  }
}
