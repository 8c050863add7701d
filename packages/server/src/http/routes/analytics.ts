import { refuse } from '@kaccy/bitcoin/kernel'
import type { AppParts } from '../parts.ts'
import { payoutDayJson, readDayCursor, writeDayCursor } from '../present/analytics.ts'
import { RefusedError } from '../problem.ts'
import { answer, page } from '../reply.ts'
import { type Resource, route } from '../route.ts'
import { PayoutDayList, PayoutDayQuery, PayoutDaySchema } from '../schemas/analytics.ts'
import { limitOf } from '../schemas/basics.ts'
import { needsEverything, seenWallet } from '../seen.ts'

export const analyticsResource = ({ engine }: AppParts): Resource => ({
  routes: [
    route({
      method: 'GET',
      url: '/v1/analytics/days',
      id: 'listPayoutDays',
      tag: 'Statistics',
      summary: 'Payouts by day, wallet and customer, newest day first',
      description:
        'Volume, network fees and the time to the first confirmation. A key that is limited to wallets names one of them.',
      scope: 'withdrawals:read',
      refuses: ['WALLET_NOT_FOUND'],
      schemas: { query: PayoutDayQuery, answers: { 200: PayoutDayList } },
      async handle({ query, principal }) {
        const { wallet, customer, from, until, after } = query
        if (wallet === undefined) needsEverything(principal)
        const rows = await engine.analytics.days({
          ...(wallet === undefined ? {} : { wallet: seenWallet(principal, wallet) }),
          ...(customer === undefined ? {} : { customer }),
          ...(from === undefined ? {} : { from }),
          ...(until === undefined ? {} : { until }),
          ...(after === undefined ? {} : { before: cursorOf(after) }),
          limit: limitOf(query) + 1,
        })
        return answer(200, page(rows, limitOf(query), payoutDayJson, writeDayCursor))
      },
    }),
  ],
  named: [PayoutDaySchema],
})

/** @throws RefusedError FIELD_INVALID */
function cursorOf(text: string) {
  const cursor = readDayCursor(text)
  if (cursor) return cursor
  throw new RefusedError(
    refuse('FIELD_INVALID', 'after is no cursor of this list', { param: 'after' }).error,
  )
}
