import { aloneAtATime } from '../alone.ts'
import type { AppParts } from '../parts.ts'
import { statisticsJson } from '../present/ledger.ts'
import { answer } from '../reply.ts'
import { type Resource, route } from '../route.ts'
import { ref } from '../schemas/basics.ts'
import { StatisticsQuery, StatisticsSchema } from '../schemas/ledger.ts'
import { seenWallet } from '../seen.ts'
import { readTime, readTimeIfGiven } from '../time.ts'

export function statisticsResource({ engine, clock }: AppParts): Resource {
  const alone = aloneAtATime()
  return {
    routes: [
      route({
        method: 'GET',
        url: '/v1/statistics/confirmations',
        id: 'getConfirmationStatistics',
        tag: 'Statistics',
        summary: 'How long customers waited for each level, and by fee rate',
        description: 'Costs what the span of time holds; for one caller at a time.',
        scope: 'orders:read',
        refuses: ['WALLET_NOT_FOUND'],
        schemas: { query: StatisticsQuery, answers: { 200: ref(StatisticsSchema) } },
        async handle({ query, principal }) {
          const { wallets } = principal
          const found = await alone(() =>
            engine.orders.statistics({
              from: readTime(query.from, 'from'),
              until: readTimeIfGiven(query.until, 'until') ?? clock.now(),
              ...(wallets === undefined ? {} : { wallets }),
              ...(query.wallet === undefined
                ? {}
                : { wallet: seenWallet(principal, query.wallet) }),
            }),
          )
          return answer(200, statisticsJson(found))
        },
      }),
    ],
    named: [StatisticsSchema],
  }
}
