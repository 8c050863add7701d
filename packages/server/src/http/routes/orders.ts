import type { CreatedOrder, OrderFilter, OrderInput } from '@kaccy/bitcoin/deposits'
import {
  type Network,
  type OrderId,
  type Refusal,
  refuse,
  sat,
  type WalletId,
} from '@kaccy/bitcoin/kernel'
import { parseAddress } from '@kaccy/bitcoin/protocol/address'
import { qrSvg } from '../../pay/qr.ts'
import type { AppParts } from '../parts.ts'
import { explanationJson, orderJson, paymentUriOf } from '../present/orders.ts'
import { maySee, type Principal } from '../principal.ts'
import { RefusedError } from '../problem.ts'
import { accept, answer, page } from '../reply.ts'
import { type Answer, type Resource, type Route, route } from '../route.ts'
import { limitOf, ref, textOf } from '../schemas/basics.ts'
import {
  ExplanationSchema,
  OrderList,
  OrderPath,
  OrderQuery,
  type OrderQueryText,
  OrderRequest,
  type OrderRequestBody,
  OrderSchema,
  SettleRequest,
} from '../schemas/orders.ts'
import { orderOf, seenWallet } from '../seen.ts'
import { readTimeIfGiven } from '../time.ts'

const tag = 'Orders'

export const orderResource = (parts: AppParts): Resource => ({
  routes: [
    createOrder(parts),
    getOrder(parts),
    listOrders(parts),
    ...decisions(parts),
    ...views(parts),
  ],
  named: [OrderSchema, ExplanationSchema],
})

function inputOf(body: OrderRequestBody): OrderInput {
  const { tolerance, confirmations = {} } = body
  const { confirmed, full_confirmed: fullConfirmed, finalized } = confirmations
  return {
    wallet: body.wallet as WalletId,
    ...(body.amount_sat === undefined ? {} : { amount: sat(BigInt(body.amount_sat)) }),
    ...(body.price === undefined ? {} : { price: body.price }),
    ...(body.customer === undefined ? {} : { customer: body.customer }),
    ...(body.external_id === undefined ? {} : { externalId: body.external_id }),
    ...(body.expires_in === undefined ? {} : { expiresInMs: body.expires_in * 1000 }),
    ...(tolerance === undefined ? {} : { tolerance: toleranceOf(tolerance) }),
    thresholds: {
      ...(confirmed === undefined ? {} : { confirmed }),
      ...(fullConfirmed === undefined ? {} : { fullConfirmed }),
      ...(finalized === undefined ? {} : { finalized }),
    },
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  }
}

const toleranceOf = (
  tolerance: NonNullable<OrderRequestBody['tolerance']>,
): NonNullable<OrderInput['tolerance']> =>
  'sat' in tolerance
    ? { kind: 'absolute', sat: sat(BigInt(tolerance.sat)) }
    : { kind: 'relative', ppm: tolerance.ppm }

/** A refusal names the order that has the external id; not to a key that may not see that order. */
async function withoutForeignOrder(
  { engine }: AppParts,
  principal: Principal,
  refusal: Refusal,
): Promise<Refusal> {
  const { code, details } = refusal
  if (code !== 'ORDER_EXTERNAL_ID_REUSED' || principal.wallets === undefined) return refusal
  const order = await engine.orders.get(String(details['order']) as OrderId)
  return order && maySee(principal, order.wallet) ? refusal : { ...refusal, details: {} }
}

function createOrder(parts: AppParts): Route {
  const { engine, settings } = parts
  const present = ({ order, created }: CreatedOrder): Answer =>
    answer(created ? 201 : 200, orderJson(order, settings.publicUrl), {
      location: `/v1/orders/${order.id}`,
    })
  return route({
    method: 'POST',
    url: '/v1/orders',
    id: 'createOrder',
    tag,
    summary: 'Make an order with an address of its own',
    description:
      'A new address each time. The same `external_id` with the same contents gives the same order again, with status 200. Without `amount_sat` and `price` it is an open deposit address: every payment to it is credited.',
    scope: 'orders:write',
    once: 'inside',
    refuses: [
      'WALLET_NOT_FOUND',
      'WALLET_RETIRED',
      'WALLET_ADDRESSES_EXHAUSTED',
      'WALLET_SCRIPTS_OVERLAP',
      'ORDER_AMOUNT_DUST',
      'ORDER_AMOUNT_CONFLICT',
      'ORDER_PRICE_INVALID',
      'RATE_UNAVAILABLE',
      'ORDER_THRESHOLDS_INVALID',
      'ORDER_TOLERANCE_INVALID',
      'ORDER_EXPIRY_INVALID',
      'ORDER_METADATA_INVALID',
      'ORDER_CUSTOMER_INVALID',
      'ORDER_EXTERNAL_ID_INVALID',
      'ORDER_EXTERNAL_ID_REUSED',
    ],
    schemas: { body: OrderRequest, answers: { 200: ref(OrderSchema), 201: ref(OrderSchema) } },
    async handle({ body, principal, once }) {
      seenWallet(principal, body.wallet)
      const made = await engine.orders.create(inputOf(body), principal.actor, once(present))
      if (made.ok) return present(made.value)
      throw new RefusedError(await withoutForeignOrder(parts, principal, made.error))
    },
  })
}

const getOrder = ({ engine, settings }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/orders/:order',
    id: 'getOrder',
    tag,
    summary: 'One order',
    scope: 'orders:read',
    refuses: ['ORDER_NOT_FOUND'],
    schemas: { path: OrderPath, answers: { 200: ref(OrderSchema) } },
    handle: async ({ path, principal }) =>
      answer(200, orderJson(await orderOf(engine, principal, path.order), settings.publicUrl)),
  })

function filterOf(query: OrderQueryText, { wallets }: Principal, network: Network): OrderFilter {
  const createdFrom = readTimeIfGiven(query.created_from, 'created_from')
  const createdUntil = readTimeIfGiven(query.created_until, 'created_until')
  const colon = query.metadata?.indexOf(':') ?? -1
  return {
    ...(wallets === undefined ? {} : { wallets }),
    ...(query.wallet === undefined ? {} : { wallet: query.wallet as WalletId }),
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.customer === undefined ? {} : { customer: query.customer }),
    ...(query.external_id === undefined ? {} : { externalId: query.external_id }),
    ...(query.address === undefined
      ? {}
      : { address: accept(parseAddress(query.address, network)).text }),
    ...(createdFrom === undefined ? {} : { createdFrom }),
    ...(createdUntil === undefined ? {} : { createdUntil }),
    ...(query.metadata === undefined
      ? {}
      : {
          metadata: { key: query.metadata.slice(0, colon), value: query.metadata.slice(colon + 1) },
        }),
    ...(query.after === undefined ? {} : { before: query.after as OrderId }),
    limit: limitOf(query) + 1,
  }
}

const listOrders = ({ engine, settings, network }: AppParts): Route =>
  route({
    method: 'GET',
    url: '/v1/orders',
    id: 'listOrders',
    tag,
    summary: 'Orders, newest first',
    description: 'Orders that are made while you page never appear twice and push none out.',
    scope: 'orders:read',
    refuses: ['ADDRESS_INVALID', 'ADDRESS_CHECKSUM', 'ADDRESS_NETWORK'],
    schemas: { query: OrderQuery, answers: { 200: OrderList } },
    async handle({ query, principal }) {
      const rows = await engine.orders.list(filterOf(query, principal, network))
      const show = (order: (typeof rows)[number]) => orderJson(order, settings.publicUrl)
      return answer(
        200,
        page(rows, limitOf(query), show, ({ id }) => id),
      )
    },
  })

const decisions = ({ engine, settings }: AppParts): readonly Route[] => [
  route({
    method: 'POST',
    url: '/v1/orders/:order/cancel',
    id: 'cancelOrder',
    tag,
    summary: 'End an order that nobody has paid',
    description: 'Money that still comes is credited and reported as late.',
    scope: 'orders:write',
    once: 'around',
    refuses: [
      'ORDER_NOT_FOUND',
      'ORDER_ALREADY_CLOSED',
      'ORDER_HAS_PAYMENTS',
      'WALLET_CHAIN_UNKNOWN',
    ],
    schemas: { path: OrderPath, answers: { 200: ref(OrderSchema) } },
    async handle({ path, principal }) {
      const { id } = await orderOf(engine, principal, path.order)
      const order = accept(await engine.orders.cancel(id, principal.actor))
      return answer(200, orderJson(order, settings.publicUrl))
    },
  }),
  route({
    method: 'POST',
    url: '/v1/orders/:order/settle',
    id: 'settleOrder',
    tag,
    summary: 'Take an order as paid, whatever came',
    description: 'The ledger keeps booking only what really came.',
    scope: 'orders:write',
    once: 'around',
    refuses: [
      'ORDER_NOT_FOUND',
      'ORDER_ALREADY_CLOSED',
      'ORDER_REASON_MISSING',
      'WALLET_CHAIN_UNKNOWN',
    ],
    schemas: { path: OrderPath, body: SettleRequest, answers: { 200: ref(OrderSchema) } },
    async handle({ path, body, principal }) {
      const { id } = await orderOf(engine, principal, path.order)
      const { actor } = principal
      const order = accept(await engine.orders.settle(id, nameOf(actor), body.reason, actor))
      return answer(200, orderJson(order, settings.publicUrl))
    },
  }),
]

/** An operator stands with the bare name on the order, as the command line writes it. */
const nameOf = (actor: string): string => actor.replace(/^operator:/, '')

const views = ({ engine, settings }: AppParts): readonly Route[] => [
  route({
    method: 'GET',
    url: '/v1/orders/:order/explain',
    id: 'explainOrder',
    tag,
    summary: 'Why an order is what it is, and what would change it',
    scope: 'orders:read',
    refuses: ['ORDER_NOT_FOUND', 'WALLET_CHAIN_UNKNOWN'],
    schemas: { path: OrderPath, answers: { 200: ref(ExplanationSchema) } },
    async handle({ path, principal }) {
      const { id } = await orderOf(engine, principal, path.order)
      const explained = await engine.orders.explain(id)
      if (explained) return answer(200, explanationJson(explained, settings.publicUrl))
      throw new RefusedError(refuse('WALLET_CHAIN_UNKNOWN', 'no block has been followed yet').error)
    },
  }),
  route({
    method: 'GET',
    url: '/v1/orders/:order/qr.svg',
    id: 'getOrderCode',
    tag,
    summary: 'The payment link of an order as a QR code',
    scope: 'orders:read',
    refuses: ['ORDER_NOT_FOUND'],
    schemas: { path: OrderPath, answers: { 200: textOf('image/svg+xml', 'An SVG image') } },
    async handle({ path, principal }) {
      const order = await orderOf(engine, principal, path.order)
      return answer(200, qrSvg(paymentUriOf(order)), {
        'content-type': 'image/svg+xml; charset=utf-8',
      })
    },
  }),
]
