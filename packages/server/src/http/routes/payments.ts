import { type NewestPaymentsFilter, paymentCursor } from '@kaccy/bitcoin/deposits'
import type { OrderId, PaymentId, WalletId } from '@kaccy/bitcoin/kernel'
import { readPaymentCursor, writePaymentCursor } from '../cursor.ts'
import type { AppParts } from '../parts.ts'
import { paymentJson, standingOfView } from '../present/payments.ts'
import { maySee, type Principal } from '../principal.ts'
import { answer, page } from '../reply.ts'
import { type Resource, route } from '../route.ts'
import { limitOf, ref } from '../schemas/basics.ts'
import {
  FactSchema,
  PaymentList,
  PaymentPath,
  PaymentQuery,
  type PaymentQueryText,
  PaymentSchema,
} from '../schemas/payments.ts'
import { nothing } from '../seen.ts'
import { readTimeIfGiven } from '../time.ts'

function filterOf(query: PaymentQueryText, { wallets }: Principal): NewestPaymentsFilter {
  const seenFrom = readTimeIfGiven(query.seen_from, 'seen_from')
  const seenUntil = readTimeIfGiven(query.seen_until, 'seen_until')
  return {
    ...(wallets === undefined ? {} : { wallets }),
    ...(query.wallet === undefined ? {} : { wallet: query.wallet as WalletId }),
    ...(query.order === undefined ? {} : { order: query.order as OrderId }),
    ...(query.status === undefined ? {} : { statuses: [query.status] }),
    ...(query.purpose === undefined ? {} : { purposes: [query.purpose] }),
    ...(query.unspent === true ? { unspent: true } : {}),
    ...(seenFrom === undefined ? {} : { seenFrom }),
    ...(seenUntil === undefined ? {} : { seenUntil }),
    ...(query.after === undefined ? {} : { before: readPaymentCursor(query.after) }),
    limit: limitOf(query) + 1,
  }
}

export const paymentResource = ({ engine }: AppParts): Resource => ({
  routes: [
    route({
      method: 'GET',
      url: '/v1/payments',
      id: 'listPayments',
      tag: 'Payments',
      summary: 'Outputs that pay us, newest first',
      scope: 'payments:read',
      schemas: { query: PaymentQuery, answers: { 200: PaymentList } },
      async handle({ query, principal }) {
        const rows = await engine.orders.paymentsNewest(filterOf(query, principal))
        const show = (row: (typeof rows)[number]) => paymentJson(standingOfView(row))
        const cursorOf = (row: (typeof rows)[number]) => writePaymentCursor(paymentCursor(row))
        return answer(200, page(rows, limitOf(query), show, cursorOf))
      },
    }),
    route({
      method: 'GET',
      url: '/v1/payments/:payment',
      id: 'getPayment',
      tag: 'Payments',
      summary: 'One output that pays us',
      scope: 'payments:read',
      refuses: ['NOT_FOUND'],
      schemas: { path: PaymentPath, answers: { 200: ref(PaymentSchema) } },
      async handle({ path, principal }) {
        const found = await engine.orders.payment(path.payment as PaymentId)
        if (found && maySee(principal, found.payment.wallet))
          return answer(200, paymentJson(standingOfView(found)))
        throw nothing('payment', path.payment, 'payment')
      },
    }),
  ],
  named: [PaymentSchema, FactSchema],
})
