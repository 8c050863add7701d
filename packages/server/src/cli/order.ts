import type { OrderStatus } from '@kaccy/bitcoin/deposits'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readChoice, readNumber } from './arguments.ts'
import type { ExplanationJson, OrderJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findOrder, findWalletId } from './find.ts'
import { addOrderCreate } from './order-create.ts'
import {
  ORDER_COLUMNS,
  orderObject,
  paymentObject,
  showExplanation,
  showOrder,
  showPayments,
} from './order-output.ts'
import { addOrderLinks } from './order-links.ts'

const STATUSES: readonly OrderStatus[] = [
  'pending',
  'unconfirmed',
  'confirmed',
  'full_confirmed',
  'finalized',
  'failed',
]

/** `kaccy order …` */
export function addOrder(program: Command, bind: Bind): void {
  const order = program.command('order').description('what customers owe')
  addOrderCreate(order, bind)
  const list = addClientFlags(order.command('list'))
    .description('newest first')
    .option('--status <status>', STATUSES.join(', '))
    .option('--customer <id>', 'of one customer')
    .option('--wallet <id|name>', 'of one wallet')
    .option('--metadata <key=value>', 'with this pair')
    .option('--from <time>', 'made from this moment on')
    .option('--until <time>', 'made before this moment')
    .option('--limit <n>', 'at most this many', '20')
    .option('--before <id>', 'older than this order')
  examples(list, [
    'kaccy order list --status unconfirmed',
    'kaccy order list --customer alice --json',
  ])
  bind(list, runList)
  const one = (name: string, about: string) =>
    addClientFlags(order.command(`${name} <order>`)).description(about)
  const show = one('show', 'amounts, level and payments')
  bind(examples(show, ['kaccy order show coffee-1']), runShow)
  const explain = one('explain', 'why it is what it is, and what would change it')
  bind(examples(explain, ['kaccy order explain coffee-1']), runExplain)
  addOrderLinks(order, bind)
  const cancel = one('cancel', 'end an order that nobody has paid')
  bind(examples(cancel, ['kaccy order cancel coffee-1']), (context, [word = '']) =>
    context.withClient(async (client) => {
      const { id } = await findOrder(client, word)
      showOrder(context, await client.post<OrderJson>(`/v1/orders/${id}/cancel`))
      return EXIT.ok
    }),
  )
  const settle = one('settle', 'take it as paid, whatever came').requiredOption(
    '--reason <text>',
    'why: it stands in the audit trail',
  )
  examples(settle, ["kaccy order settle coffee-1 --reason 'paid in cash'"])
  bind(settle, (context, [word = '']) =>
    context.withClient(async (client) => {
      const { id } = await findOrder(client, word)
      const body = { reason: context.text('reason') ?? '' }
      showOrder(context, await client.post<OrderJson>(`/v1/orders/${id}/settle`, { body }))
      return EXIT.ok
    }),
  )
}

async function runList(context: Context) {
  const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
  const status = context.text('status')
  const wallet = context.text('wallet')
  const query = {
    status: status === undefined ? undefined : readChoice(status, STATUSES, '--status'),
    customer: context.text('customer'),
    metadata: context.text('metadata')?.replace('=', ':'),
    created_from: context.time('from'),
    created_until: context.time('until'),
    after: context.text('before'),
  }
  return context.withClient(async (client) => {
    const of = wallet === undefined ? {} : { wallet: await findWalletId(client, wallet) }
    const rows = await client.list<OrderJson>('/v1/orders', { ...query, ...of }, limit)
    context.list(rows, ORDER_COLUMNS, orderObject)
    return EXIT.ok
  })
}

const explanationOf = (client: ApiClient, { id }: OrderJson): Promise<ExplanationJson> =>
  client.get<ExplanationJson>(`/v1/orders/${id}/explain`)

async function runShow(context: Context, [word = '']: readonly string[]) {
  return context.withClient(async (client) => {
    const order = await findOrder(client, word)
    const payments = await paymentsOf(client, order)
    if (context.json) {
      const shown = payments.map(({ payment }) => paymentObject(payment))
      context.object({ ...orderObject(order), payments: shown })
      return EXIT.ok
    }
    showOrder(context, order)
    showPayments(context, payments)
    return EXIT.ok
  })
}

/** Its payments, first seen first. Before the first block nothing can have been paid. */
async function paymentsOf(
  client: ApiClient,
  order: OrderJson,
): Promise<ExplanationJson['payments']> {
  try {
    const { payments } = await explanationOf(client, order)
    return [...payments].sort((a, b) =>
      a.payment.first_seen_at < b.payment.first_seen_at ? -1 : 1,
    )
  } catch (error) {
    if (error instanceof EngineError && error.code === 'WALLET_CHAIN_UNKNOWN') return []
    throw error
  }
}

async function runExplain(context: Context, [word = '']: readonly string[]) {
  return context.withClient(async (client) => {
    showExplanation(context, await explanationOf(client, await findOrder(client, word)))
    return EXIT.ok
  })
}
