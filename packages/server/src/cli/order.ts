import type { OrderRecord, OrderStatus, Thresholds } from '@kaccy/bitcoin/deposits'
import { asError, EngineError, type OrderId, refuse } from '@kaccy/bitcoin/kernel'
import { formatPaymentUri } from '@kaccy/bitcoin/protocol/uri'
import type { Command } from 'commander'
import { orThrow } from '../failure.ts'
import type { Host } from '../host/host.ts'
import { orderView, readSnapshot } from '../host/snapshot.ts'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import { renderOrder, renderPayments } from '../view/card.ts'
import { orderJson, paymentJson } from '../view/json.ts'
import { meaningOfStatus } from '../view/ladder.ts'
import {
  readAmount,
  readChoice,
  readDuration,
  readNumber,
  readPairs,
  readTolerance,
} from './arguments.ts'
import { addConfigFlags, type Bind, type Context } from './context.ts'
import { findWallet } from './wallet.ts'

const STATUSES: readonly OrderStatus[] = [
  'pending',
  'unconfirmed',
  'confirmed',
  'full_confirmed',
  'finalized',
  'failed',
]

/** By its own id, by the caller's, or by its address. @throws EngineError ORDER_NOT_FOUND */
async function findOrder({ engine }: Host, word: string): Promise<OrderRecord> {
  const byId = word.startsWith('ord_') ? await engine.orders.get(word as OrderId) : undefined
  const found =
    byId ??
    (await engine.orders.byExternalId(word)) ??
    (await engine.orders.list({ address: word, limit: 1 }))[0]
  if (found) return found
  throw asError(refuse('ORDER_NOT_FOUND', `no order ${word}`, { param: 'order' }).error)
}

const fullJson = (order: OrderRecord) => ({
  ...orderJson(orderView(order)),
  wallet: order.wallet,
  customer: order.customer ?? null,
  description: order.description ?? null,
  metadata: order.metadata,
  confirmations: {
    confirmed: order.thresholds.confirmed,
    full_confirmed: order.thresholds.fullConfirmed,
    finalized: order.thresholds.finalized,
  },
  created_at: new Date(order.createdAt).toISOString(),
  expires_at: order.expiresAt === undefined ? null : new Date(order.expiresAt).toISOString(),
  payment_uri: uriOf(order),
})

/** BIP 21: what a wallet opens. */
const uriOf = (order: OrderRecord): string =>
  formatPaymentUri({
    address: order.address,
    ...(order.amount === undefined ? {} : { amount: order.amount }),
    ...(order.description === undefined ? {} : { message: order.description }),
  })

/** `kaccy order …` */
export function addOrder(program: Command, bind: Bind): void {
  const order = program.command('order').description('what customers owe')
  const create = addConfigFlags(order.command('create'))
    .description('an order with an address of its own')
    .option('--wallet <id|name>', 'where it is paid to (default: the only wallet)')
    .option('--amount <amount>', 'satoshi, or 0.0015btc; without it: an open deposit address')
    .option('--external-id <id>', 'your own id: the same one gives the same order')
    .option('--customer <id>', 'who is credited; without it the order is')
    .option('--expires-in <duration>', '90s, 15m, 2h, 7d (default: 1h)')
    .option('--tolerance <amount|share>', 'what still counts as exact: 500 or 0.5%')
    .option('--confirmations <levels>', 'depths of confirmed,full_confirmed,finalized: 1,3,6')
    .option('--description <text>', 'what it is for')
    .option('--metadata <key=value...>', 'kept with the order')
  bind(create, runCreate)
  const list = addConfigFlags(order.command('list'))
    .description('newest first')
    .option('--status <status>', STATUSES.join(', '))
    .option('--customer <id>', 'of one customer')
    .option('--limit <n>', 'at most this many', '20')
    .option('--before <id>', 'older than this order')
  bind(list, runList)
  const one = (name: string, about: string) =>
    addConfigFlags(order.command(`${name} <order>`)).description(about)
  bind(one('show', 'amounts, level and payments'), runShow)
  bind(one('explain', 'why it is what it is, and what would change it'), runExplain)
  bind(one('cancel', 'end an order that nobody has paid'), (context, [word = '']) =>
    context.withHost('database', async (host) => {
      const { id } = await findOrder(host, word)
      show(context, orThrow(await host.engine.orders.cancel(id, host.actor)))
      return EXIT.ok
    }),
  )
  const settle = one('settle', 'take it as paid, whatever came').requiredOption(
    '--reason <text>',
    'why: it stands in the audit trail',
  )
  bind(settle, (context, [word = '']) =>
    context.withHost('database', async (host) => {
      const { id } = await findOrder(host, word)
      const by = host.actor.slice('operator:'.length)
      const reason = context.text('reason') ?? ''
      show(context, orThrow(await host.engine.orders.settle(id, by, reason)))
      return EXIT.ok
    }),
  )
}

async function runCreate(context: Context) {
  return context.withHost('database', async (host) => {
    const wallet = await findWallet(host, context.text('wallet'))
    const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
      const text = context.text(name)
      return text === undefined ? undefined : parse(text)
    }
    const pairs = context.options['metadata'] as readonly string[] | undefined
    const given = {
      amount: read('amount', (text) => readAmount(text, '--amount')),
      externalId: context.text('externalId'),
      customer: context.text('customer'),
      expiresInMs: read('expiresIn', (text) => readDuration(text, '--expires-in')),
      tolerance: read('tolerance', (text) => readTolerance(text, '--tolerance')),
      thresholds: read('confirmations', readThresholds),
      description: context.text('description'),
      metadata: pairs === undefined ? undefined : readPairs(pairs, '--metadata'),
    }
    const present = Object.entries(given).filter(([, value]) => value !== undefined)
    const input = { ...Object.fromEntries(present), wallet: wallet.id }
    const { order, created } = orThrow(await host.engine.orders.create(input, host.actor))
    if (context.json) context.object({ ...fullJson(order), created })
    else show(context, order)
    return EXIT.ok
  })
}

function readThresholds(text: string): Thresholds {
  const levels = text.split(',').map((level) => readNumber(level, '--confirmations', 0, 10_000))
  const [confirmed, fullConfirmed, finalized, more] = levels
  if (
    confirmed === undefined ||
    fullConfirmed === undefined ||
    finalized === undefined ||
    more !== undefined
  )
    throw new EngineError('USAGE_INVALID', '--confirmations is not of the form 1,3,6')
  return { confirmed, fullConfirmed, finalized }
}

function show(context: Context, order: OrderRecord): void {
  if (context.json) {
    context.object(fullJson(order))
    return
  }
  for (const line of renderOrder(orderView(order), context.paint)) context.line(line)
  context.line()
  context.line(`  ${context.paint('quiet', 'order')}    ${order.id}`)
  context.line(`  ${context.paint('quiet', 'link')}     ${uriOf(order)}`)
  if (order.expiresAt !== undefined)
    context.line(
      `  ${context.paint('quiet', 'expires')}  ${new Date(order.expiresAt).toISOString()}`,
    )
}

async function runList(context: Context) {
  return context.withHost('database', async ({ engine }) => {
    const status = context.text('status')
    const customer = context.text('customer')
    const before = context.text('before')
    const rows = await engine.orders.list({
      limit: readNumber(context.text('limit') ?? '20', '--limit', 1, 1_000),
      ...(status === undefined ? {} : { status: readChoice(status, STATUSES, '--status') }),
      ...(customer === undefined ? {} : { customer }),
      ...(before === undefined ? {} : { before: before as OrderId }),
    })
    context.list(
      rows,
      [
        { title: 'order', cell: (row) => row.id },
        { title: 'external id', cell: (row) => row.externalId ?? '' },
        {
          title: 'amount',
          align: 'right',
          cell: (row) => (row.amount === undefined ? 'any' : satText(row.amount)),
        },
        { title: 'received', align: 'right', cell: (row) => satText(row.state.received) },
        {
          title: 'status',
          cell: (row) => row.state.status,
          meaning: (row) => meaningOfStatus(row.state.status),
        },
        { title: 'verdict', cell: (row) => row.state.verdict },
      ],
      fullJson,
    )
    return EXIT.ok
  })
}

async function runShow(context: Context, [word = '']: readonly string[]) {
  return context.withHost('database', async (host) => {
    const order = await findOrder(host, word)
    const { payments } = await readSnapshot(host.engine, host.store, order.id, 1)
    if (context.json) {
      context.object({ ...fullJson(order), payments: payments.map(paymentJson) })
      return EXIT.ok
    }
    show(context, order)
    context.line()
    context.line(context.paint('quiet', ' payments'))
    for (const line of renderPayments(payments, context.paint)) context.line(line)
    return EXIT.ok
  })
}

async function runExplain(context: Context, [word = '']: readonly string[]) {
  return context.withHost('database', async (host) => {
    const { id } = await findOrder(host, word)
    const explained = await host.engine.orders.explain(id)
    if (!explained)
      throw new EngineError(
        'WALLET_CHAIN_UNKNOWN',
        'no block has been followed yet: run kaccy serve',
      )
    const { order, tip, payments, because, next } = explained
    if (context.json) {
      const facts = payments.flatMap((payment) => payment.facts)
      context.object({ order: fullJson(order), tip, because, next, facts })
      return EXIT.ok
    }
    const { paint } = context
    const status = paint(meaningOfStatus(order.state.status), order.state.status)
    context.line(`${order.id} is ${status}, ${order.state.verdict}, at block ${tip.height}`)
    context.line()
    context.line(paint('quiet', 'because'))
    for (const line of because) context.line(`  ${line}`)
    context.line()
    context.line(paint('quiet', 'what would change it'))
    for (const line of next.length > 0 ? next : ['nothing but a reorganisation'])
      context.line(`  ${line}`)
    context.line()
    context.line(paint('quiet', 'observed'))
    for (const { facts } of payments)
      for (const fact of facts) {
        const block = fact.block ? ` in block ${fact.block.height}` : ''
        context.line(
          `  ${new Date(fact.at).toISOString()}  ${fact.kind.padEnd(10)} ${fact.txid}${block}`,
        )
      }
    return EXIT.ok
  })
}
