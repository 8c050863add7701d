import { ACCESS } from './access.ts'
import { CONSOLIDATIONS } from './consolidations.ts'
import { LEDGER } from './books.ts'
import { CHAIN } from './chain.ts'
import type { Chapter, Check, MakeStore } from './check.ts'
import { COINS } from './coins.ts'
import { LISTS } from './lists.ts'
import { ORDERS } from './orders.ts'
import { PAYMENTS } from './payments.ts'
import { SPENDING } from './spending.ts'
import { DAYS, LIMITS } from './limits.ts'
import { POLICY } from './policy.ts'
import { TRAIL } from './trail.ts'
import { TRANSACTIONS } from './transactions.ts'
import { WALLET } from './wallet.ts'
import { WEBHOOKS } from './webhooks.ts'
import { WITHDRAWALS } from './withdrawals.ts'

const CHAPTERS: Readonly<Record<string, Chapter>> = {
  transactions: TRANSACTIONS,
  chain: CHAIN,
  wallet: WALLET,
  orders: ORDERS,
  payments: PAYMENTS,
  lists: LISTS,
  ledger: LEDGER,
  trail: TRAIL,
  access: ACCESS,
  webhooks: WEBHOOKS,
  coins: COINS,
  spending: SPENDING,
  withdrawals: WITHDRAWALS,
  policy: POLICY,
  limits: LIMITS,
  days: DAYS,
  consolidations: CONSOLIDATIONS,
}

/**
 * What every store has to promise, as checks that need no test framework: each makes an empty store, uses it and throws an
 * AssertionError when a promise is broken. For our own stores and for those of others.
 */
export const storeConformance = (makeStore: MakeStore): readonly Check[] =>
  Object.entries(CHAPTERS).flatMap(([chapter, bodies]) =>
    Object.entries(bodies).map(([name, body]) => ({
      name: `${chapter}: ${name}`,
      async run() {
        const subject = await makeStore()
        try {
          await body(subject)
        } finally {
          await subject.store.close()
          await subject.dispose?.()
        }
      },
    })),
  )
