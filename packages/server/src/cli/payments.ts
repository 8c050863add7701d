import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { readChoice, readNumber } from './arguments.ts'
import type { PaymentJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findOrder, findWalletId } from './find.ts'
import { paymentObject } from './order-output.ts'
import type { Column } from '../view/table.ts'

const STATUSES = ['mempool', 'mined', 'credited', 'gone'] as const

export const PAYMENT_COLUMNS: readonly Column<PaymentJson>[] = [
  { title: 'transaction output', cell: (row) => `${row.txid}:${row.vout}` },
  { title: 'amount', align: 'right', cell: (row) => satText(row.amount_sat) },
  { title: 'status', cell: (row) => row.status },
  {
    title: 'books',
    cell: (row) => row.booked,
    meaning: (row) => (row.booked === 'credited' ? 'good' : 'wait'),
  },
  { title: 'for', cell: (row) => row.order ?? row.purpose },
]

/** `kaccy payments` */
export function addPayments(program: Command, bind: Bind): void {
  const payments = addClientFlags(program.command('payments'))
    .description('outputs that pay us, newest first')
    .option('--wallet <id|name>', 'to one wallet')
    .option('--order <order>', 'for one order')
    .option('--status <status>', STATUSES.join(', '))
    .option('--unspent', 'only coins that we still have')
    .option('--unassigned', 'only money that no order took')
    .option('--from <time>', 'first seen from this moment on')
    .option('--until <time>', 'first seen before this moment')
    .option('--limit <n>', 'at most this many', '20')
    .option('--after <id>', 'behind this payment')
  examples(payments, [
    'kaccy payments',
    'kaccy payments --unassigned',
    'kaccy payments --order coffee-1 --json',
  ])
  bind(payments, runPayments)
}

async function runPayments(context: Context) {
  const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
  const status = context.text('status')
  return context.withClient(async (client) => {
    const wallet = context.text('wallet')
    const order = context.text('order')
    const after = context.text('after')
    const query = {
      wallet: wallet === undefined ? undefined : await findWalletId(client, wallet),
      order: order === undefined ? undefined : (await findOrder(client, order)).id,
      status: status === undefined ? undefined : readChoice(status, STATUSES, '--status'),
      unspent: context.options['unspent'] === true ? true : undefined,
      purpose: context.options['unassigned'] === true ? 'unassigned' : undefined,
      seen_from: context.time('from'),
      seen_until: context.time('until'),
      after: after === undefined ? undefined : await placeOf(client, after),
    }
    const rows = await client.list<PaymentJson>('/v1/payments', query, limit)
    context.list(rows, PAYMENT_COLUMNS, paymentObject)
    return EXIT.ok
  })
}

/** The place of a payment in the list, which is ordered by time. */
async function placeOf(client: ApiClient, id: string): Promise<string> {
  const payment = await client.get<PaymentJson>(`/v1/payments/${encodeURIComponent(id)}`)
  return `${Date.parse(payment.first_seen_at)}.${payment.id}`
}
