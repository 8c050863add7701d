import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readAmount, readDuration, readNumber, readPairs, readTolerance } from './arguments.ts'
import type { OrderJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWalletId } from './find.ts'
import { showCode } from './order-links.ts'
import { orderObject, showOrder } from './order-output.ts'

/** `kaccy order create` */
export function addOrderCreate(order: Command, bind: Bind): void {
  const create = addClientFlags(order.command('create'))
    .description('an order with an address of its own')
    .option('--wallet <id|name>', 'where it is paid to (default: the only wallet)')
    .option('--amount <amount>', 'satoshi, or 0.0015btc; without it: an open deposit address')
    .option('--price <amount>', "in a currency, at the rate of now: '19.90 EUR'")
    .option('--external-id <id>', 'your own id: the same one gives the same order')
    .option('--customer <id>', 'who is credited; without it the order is')
    .option('--expires-in <duration>', '90s, 15m, 2h, 7d (default: 1h)')
    .option('--tolerance <amount|share>', 'what still counts as exact: 500 or 0.5%')
    .option('--confirmations <levels>', 'depths of confirmed,full_confirmed,finalized: 1,3,6')
    .option('--description <text>', 'what it is for')
    .option('--metadata <key=value...>', 'kept with the order')
    .option('--idempotency-key <key>', 'sent twice, done once')
    .option('--qr', 'show the code that a wallet scans')
  examples(create, [
    'kaccy order create --amount 150000 --external-id coffee-1',
    'kaccy order create --amount 0.0015btc --expires-in 15m --qr',
    "kaccy order create --price '19.90 EUR' --metadata table=7",
  ])
  bind(create, runCreate)
}

/** The body of the request, as far as flags say something. @throws EngineError USAGE_INVALID */
function bodyOf(context: Context, wallet: string): object {
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    const text = context.text(name)
    return text === undefined ? undefined : parse(text)
  }
  const pairs = context.options['metadata'] as readonly string[] | undefined
  // What is undefined is no member of the JSON.
  return {
    wallet,
    amount_sat: read('amount', (text) => Number(readAmount(text, '--amount'))),
    price: read('price', readPrice),
    external_id: context.text('externalId'),
    customer: context.text('customer'),
    expires_in: read('expiresIn', (text) => readDuration(text, '--expires-in') / 1000),
    tolerance: read('tolerance', toleranceOf),
    confirmations: read('confirmations', readLevels),
    description: context.text('description'),
    metadata: pairs === undefined ? undefined : readPairs(pairs, '--metadata'),
  }
}

async function runCreate(context: Context) {
  return context.withClient(async (client) => {
    const id = await findWalletId(client, context.text('wallet'))
    const { made, created } = await client.create<OrderJson>('/v1/orders', {
      body: bodyOf(context, id),
      idempotencyKey: context.text('idempotencyKey'),
    })
    if (context.json) context.object({ ...orderObject(made), created })
    else showOrder(context, made)
    if (context.options['qr'] === true && !context.json) await showCode(context, made.bip21)
    return EXIT.ok
  })
}

const toleranceOf = (text: string): object => {
  const tolerance = readTolerance(text, '--tolerance')
  return tolerance.kind === 'absolute' ? { sat: Number(tolerance.sat) } : { ppm: tolerance.ppm }
}

function readPrice(text: string): object {
  const [, amount, currency = ''] =
    /^(\d{1,20}(?:\.\d{1,18})?)\s*([A-Za-z]{3,10})$/.exec(text) ?? []
  if (amount !== undefined) return { amount, currency: currency.toUpperCase() }
  throw new EngineError('USAGE_INVALID', "--price is not of the form '19.90 EUR'", {
    details: { param: '--price' },
  })
}

function readLevels(text: string): object {
  const levels = text.split(',').map((level) => readNumber(level, '--confirmations', 0, 10_000))
  const [confirmed, full, finalized, more] = levels
  if (
    confirmed === undefined ||
    full === undefined ||
    finalized === undefined ||
    more !== undefined
  )
    throw new EngineError('USAGE_INVALID', '--confirmations is not of the form 1,3,6')
  return { confirmed, full_confirmed: full, finalized }
}
