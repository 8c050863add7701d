import {
  assert,
  type Clock,
  type Entropy,
  err,
  newId,
  type OrderId,
  type Origin,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Tally,
  type WalletId,
} from '../../kernel/index.ts'
import { appendAudit } from '../audit/index.ts'
import {
  answerTo,
  earlierAnswers,
  judge,
  nameOf,
  type Once,
  type OnceRefusal,
} from '../idempotency/index.ts'
import type { RevealRefusal, Wallets } from '../wallet/index.ts'
import { orderSnapshot } from './announce.ts'
import { FRESH } from './machine.ts'
import type { CheckedInput, InputRefusal, OrderInput } from './order-input.ts'
import type { OrderPrice, OrderRecord } from './ports.ts'
import { type PriceRefusal, samePrice } from './price.ts'
import type { DepositsTx } from './transaction.ts'

export type CreateRefusal =
  | InputRefusal
  | RevealRefusal
  | OnceRefusal
  | PriceRefusal
  | Refusal<'ORDER_EXTERNAL_ID_REUSED'>
export interface CreatedOrder {
  readonly order: OrderRecord
  /** False when the external id had given this order before. */
  readonly created: boolean
}

/** A request for an order whose form is right. */
export interface OrderRequest {
  /** With the amount that follows from its price, if it has one. */
  readonly input: OrderInput
  readonly checked: CheckedInput
  readonly price?: OrderPrice
  /** As in the audit trail. */
  readonly actor: string
  readonly once?: Once<CreatedOrder> | undefined
  /** For whom it was asked: the requests of one commit differ in it. */
  readonly origin?: Origin | undefined
}
export interface OrderMaker {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly wallets: Pick<Wallets, 'revealAddresses'>
  readonly tally?: Tally<DepositsTx>
}
type Answer = Result<CreatedOrder, CreateRefusal>

const toleranceKey = (tolerance: OrderRecord['tolerance']): string =>
  tolerance.kind === 'absolute' ? `${tolerance.sat}` : `${tolerance.ppm}ppm`

/** Equal for equal contents: the order in which a client writes its metadata says nothing. */
const bodyKey = ({
  thresholds: { confirmed, fullConfirmed, finalized },
  tolerance,
  metadata,
}: Pick<OrderRecord, 'thresholds' | 'tolerance' | 'metadata'>): string =>
  JSON.stringify([
    [confirmed, fullConfirmed, finalized],
    toleranceKey(tolerance),
    Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])

/** Of a price in a currency it is the price that was asked for: at another rate the same request costs other satoshi. */
const sameValue = (order: OrderRecord, { input, price }: OrderRequest): boolean =>
  order.price || price ? samePrice(order.price, price) : order.amount === input.amount

const sameRequest = (order: OrderRecord, request: OrderRequest): boolean => {
  const { input, checked } = request
  return (
    order.wallet === input.wallet &&
    sameValue(order, request) &&
    order.customer === input.customer &&
    order.description === input.description &&
    bodyKey(order) === bodyKey(checked) &&
    (order.expiresAt === undefined ? undefined : order.expiresAt - order.createdAt) ===
      checked.expiresInMs
  )
}

function again(order: OrderRecord, request: OrderRequest): Answer {
  if (sameRequest(order, request)) return ok({ order, created: false })
  const { externalId } = request.input
  return refuse('ORDER_EXTERNAL_ID_REUSED', `external_id ${externalId} belongs to another order`, {
    param: 'external_id',
    details: { order: order.id },
  })
}

/** The requests that may make a new order: without an external id, or the first here with one that the store lacks. */
function firstOfEach(
  requests: readonly OrderRequest[],
  known: ReadonlyMap<string, OrderRecord>,
): readonly OrderRequest[] {
  const seen = new Set<string>()
  return requests.filter(({ input: { externalId } }) => {
    if (externalId === undefined) return true
    if (known.has(externalId) || seen.has(externalId)) return false
    seen.add(externalId)
    return true
  })
}

/**
 * Makes orders of one wallet, each with an address of its own, in the caller's transaction: one answer for each request,
 * in their order, as if they had come one after the other. The statements do not grow with the number of requests.
 */
export async function createOrders(
  maker: OrderMaker,
  tx: DepositsTx,
  wallet: WalletId,
  requests: readonly OrderRequest[],
): Promise<readonly Answer[]> {
  const at = maker.clock.now()
  const { unanswered, answerRest } = await firstOfEachKey(tx, requests)
  const answers = await answerAll(maker, tx, wallet, unanswered, at)
  const kept = [...answers].flatMap(([{ once }, answer]) =>
    once && answer.ok ? [answerTo(once, answer.value, at)] : [],
  )
  if (kept.length > 0) await tx.idempotency.insert(kept)
  await tell(tx, answers, at)
  return requests.map((request) => answers.get(request) ?? answerRest(request, answers))
}

type Answers = ReadonlyMap<OrderRequest, Answer>

/**
 * The requests whose idempotency key nobody has used, the first of each key. Those beside them are answered when it is
 * known what became of the first.
 */
async function firstOfEachKey(tx: DepositsTx, requests: readonly OrderRequest[]) {
  const earlier = await earlierAnswers(
    tx,
    requests.flatMap(({ once }) => once?.request ?? []),
  )
  const firsts = new Map<string, OrderRequest>()
  const unanswered = requests.filter((request) => {
    if (!request.once) return true
    const name = nameOf(request.once.request)
    if (firsts.has(name) || earlier(request.once.request)) return false
    firsts.set(name, request)
    return true
  })
  const answerRest = ({ once }: OrderRequest, answers: Answers): Answer => {
    assert(once, 'a request without a key is never a repetition')
    const before = earlier(once.request)
    if (before) return err(before)
    const first = firsts.get(nameOf(once.request))
    const refused = judge(first?.once?.request, once.request)
    const answer = first && answers.get(first)
    assert(refused && answer, 'a request that was left out has a first one')
    // The first one made nothing: this is the same request, so it is refused for the same reason.
    return answer.ok || refused.code === 'IDEMPOTENCY_CONFLICT' ? err(refused) : answer
  }
  return { unanswered, answerRest }
}

async function answerAll(
  maker: OrderMaker,
  tx: DepositsTx,
  wallet: WalletId,
  requests: readonly OrderRequest[],
  at: number,
): Promise<Answers> {
  const externalIds = requests.flatMap(({ input }) => input.externalId ?? [])
  const stored = externalIds.length === 0 ? [] : await tx.deposits.ordersByExternalIds(externalIds)
  const known = new Map(stored.map((order) => [order.externalId ?? '', order]))
  const fresh = firstOfEach(requests, known)
  const made = await make(maker, tx, wallet, fresh, at)
  const byExternalId = new Map(fresh.map((request, i) => [request.input.externalId, made[i]]))
  const answers = new Map(fresh.map((request, i) => [request, made[i]]))
  const answerOf = (request: OrderRequest): Answer => {
    const mine = answers.get(request)
    if (mine) return mine
    const { externalId = '' } = request.input
    const first = byExternalId.get(externalId)
    if (first && !first.ok) return first
    const order = known.get(externalId) ?? first?.value.order
    assert(order, 'a request without an order of its own repeats another one')
    return again(order, request)
  }
  return new Map(requests.map((request) => [request, answerOf(request)]))
}

/** Reveals an address for each request and stores the orders. */
async function make(
  { entropy, wallets, tally }: OrderMaker,
  tx: DepositsTx,
  wallet: WalletId,
  requests: readonly OrderRequest[],
  at: number,
): Promise<readonly Answer[]> {
  if (requests.length === 0) return []
  // Of the same moment as `createdAt`: a list by id is a list by time.
  const moment = { now: () => at }
  const shares = requests.map(() => ({
    order: newId('ord', moment, entropy) as OrderId,
    at,
    shown: true,
  }))
  const revealed = await wallets.revealAddresses(tx, { wallet }, shares)
  const answers = requests.map((request, i): Answer => {
    const place = revealed[i] as (typeof revealed)[number]
    if (!place.ok) return place
    const id = shares[i]?.order as OrderId
    return ok({ order: orderFrom(id, at, request, place.value), created: true })
  })
  const made = answers.flatMap((answer) => (answer.ok ? [answer.value.order] : []))
  if (made.length === 0) return answers
  await tx.deposits.insertOrder(...made)
  tally?.of(tx).count('kaccy_orders_created_total', made.length)
  return answers
}

/** Audit entry and event of each order that was made, with the request that asked for it. */
async function tell(tx: DepositsTx, answers: Answers, at: number): Promise<void> {
  const told = [...answers].flatMap(([{ actor, origin }, answer]) => {
    if (!answer.ok || !answer.value.created) return []
    const { order } = answer.value
    return [{ actor, subject: order.id, data: orderSnapshot(order), origin }]
  })
  if (told.length === 0) return
  await appendAudit(
    tx,
    at,
    told.map(({ actor, subject, data, origin }) => ({
      actor,
      action: 'order.create',
      subject,
      details: data,
      origin,
    })),
  )
  await tx.events.append(
    at,
    told.map(({ subject, data, origin }) => ({
      type: 'order.created',
      subject,
      data,
      ...(origin ? { origin } : {}),
    })),
  )
}

function orderFrom(
  id: OrderId,
  at: number,
  { input, price, checked: { expiresInMs, ...checked } }: OrderRequest,
  place: Pick<OrderRecord, 'branch' | 'index' | 'address' | 'script'>,
): OrderRecord {
  const { branch, index, address, script } = place
  return {
    id,
    wallet: input.wallet,
    branch,
    index,
    address,
    script,
    ...(input.externalId === undefined ? {} : { externalId: input.externalId }),
    ...(input.customer === undefined ? {} : { customer: input.customer }),
    ...(input.amount === undefined ? {} : { amount: input.amount }),
    ...(price ? { price } : {}),
    ...(input.description === undefined ? {} : { description: input.description }),
    ...checked,
    createdAt: at,
    ...(expiresInMs === undefined ? {} : { expiresAt: at + expiresInMs }),
    reachedAt: { pending: at },
    state: FRESH,
  }
}
