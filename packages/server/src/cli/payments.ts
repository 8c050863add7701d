import type { PaymentRecord } from '@kaccy/bitcoin/deposits'
import type { OrderId, PaymentId } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { readNumber } from './arguments.ts'
import { addConfigFlags, type Bind } from './context.ts'
import { findWallet } from './wallet.ts'

const paymentJson = (payment: PaymentRecord) => ({
  id: payment.id,
  txid: payment.point.txid,
  vout: payment.point.vout,
  wallet: payment.wallet,
  address: payment.address,
  amount_sat: Number(payment.amount),
  order: payment.order ?? null,
  purpose: payment.purpose,
  booked: payment.booked.state,
  late: payment.late,
  spent_by: payment.spender ?? null,
  first_seen_at: new Date(payment.firstSeenAt).toISOString(),
})

/** `kaccy payments` */
export function addPayments(program: Command, bind: Bind): void {
  const payments = addConfigFlags(program.command('payments'))
    .description('outputs that pay us')
    .option('--wallet <id|name>', 'to one wallet')
    .option('--order <id>', 'for one order')
    .option('--unspent', 'only coins that we still have')
    .option('--unassigned', 'only money that no order took')
    .option('--limit <n>', 'at most this many', '20')
    .option('--after <id>', 'behind this payment')
  bind(payments, (context) =>
    context.withHost('database', async (host) => {
      const word = context.text('wallet')
      const wallet = word === undefined ? undefined : (await findWallet(host, word)).id
      const order = context.text('order')
      const after = context.text('after')
      const rows = await host.engine.orders.payments({
        limit: readNumber(context.text('limit') ?? '20', '--limit', 1, 1_000),
        ...(wallet === undefined ? {} : { wallet }),
        ...(order === undefined ? {} : { order: order as OrderId }),
        ...(context.options['unspent'] === true ? { unspentOnly: true } : {}),
        ...(context.options['unassigned'] === true ? { purpose: 'unassigned' } : {}),
        ...(after === undefined ? {} : { after: after as PaymentId }),
      })
      context.list(
        rows,
        [
          { title: 'transaction output', cell: (row) => `${row.point.txid}:${row.point.vout}` },
          { title: 'amount', align: 'right', cell: (row) => satText(row.amount) },
          {
            title: 'books',
            cell: (row) => row.booked.state,
            meaning: (row) => (row.booked.state === 'credited' ? 'good' : 'wait'),
          },
          { title: 'for', cell: (row) => row.order ?? row.purpose },
        ],
        paymentJson,
      )
      return EXIT.ok
    }),
  )
}
