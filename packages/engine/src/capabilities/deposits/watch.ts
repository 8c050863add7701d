import type { Transactor } from '../../kernel/index.ts'
import type { Watch } from '../chain/index.ts'
import type { DepositsTx } from './transaction.ts'

const PAGE = 5000

/**
 * Has the follower look for every coin of ours that is unspent, and for every coin that an unconfirmed payment spends:
 * whoever spends it otherwise takes the payment away. Scripts are the wallet's own business.
 */
export async function watchCoins(
  store: Transactor<DepositsTx>,
  watch: Pick<Watch, 'addOutpoint'>,
): Promise<void> {
  await store.read(async (tx) => {
    let after: Parameters<typeof tx.deposits.listPayments>[0]['after']
    for (;;) {
      const page = await tx.deposits.listPayments({
        unspentOnly: true,
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      })
      for (const payment of page) watch.addOutpoint(payment.point)
      after = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    for (const { inputs } of await tx.deposits.unconfirmed())
      for (const point of inputs) watch.addOutpoint(point)
  })
}
