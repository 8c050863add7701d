import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readAmount, readChoice, readPairs, readRate } from './arguments.ts'
import type { WithdrawalJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWalletId } from './find.ts'
import { payText, showWithdrawal } from './withdrawal-output.ts'

const FEE_PAYERS = ['platform', 'customer', 'recipient'] as const
const PRIORITIES = ['low', 'normal', 'high'] as const

/** Flags that say how soon. */
export const addSpeedFlags = (command: Command): Command =>
  command
    .option('--priority <priority>', 'low, normal, high')
    .option('--fee-rate <sat/vB>', 'exactly this rate, such as 12.5')
    .option('--deadline <time>', 'mined by then, as cheaply as that allows')
    .option('--max-fee <amount>', 'the most that the fee may be')

/** As the API has them. */
export function speedFields(context: Context): object {
  const priority = context.text('priority')
  const rate = context.text('feeRate')
  const fee = context.text('maxFee')
  return {
    priority: priority === undefined ? undefined : readChoice(priority, PRIORITIES, '--priority'),
    fee_rate_sat_kvb: rate === undefined ? undefined : readRate(rate, '--fee-rate'),
    deadline: context.time('deadline'),
    max_fee_sat: fee === undefined ? undefined : Number(readAmount(fee, '--max-fee')),
  }
}

/** `kaccy withdrawal request` */
export function addWithdrawalRequest(withdrawal: Command, bind: Bind): void {
  const request = addSpeedFlags(addClientFlags(withdrawal.command('request')))
    .description('pay somebody; your own id makes sure that it happens once')
    .requiredOption('--to <address>', 'who gets it')
    .requiredOption('--amount <amount>', 'satoshi, or 0.0015btc')
    .requiredOption('--external-id <id>', 'your own id: the same one gives the same withdrawal')
    .option('--wallet <id|name>', 'whose coins pay it (default: the only wallet)')
    .option('--fee-payer <who>', FEE_PAYERS.join(', '))
    .option('--max-fee-rate <sat/vB>', 'the highest rate that it may be sent or bumped with')
    .option('--customer <id>', "whose account is debited; without it: the platform's own means")
    .option('--user-id <id>', 'who withdraws: limits and risk are counted by it')
    .option('--description <text>', 'what it is for')
    .option('--metadata <key=value...>', 'kept with it')
    .option('--idempotency-key <key>', 'sent twice, done once (default: the external id)')
    .option('--yes', 'do not ask')
  examples(request, [
    'kaccy withdrawal request --to bcrt1q… --amount 150000 --external-id payout-1 --yes',
    'kaccy withdrawal request --to bcrt1q… --amount 0.0015btc --external-id payout-2 --fee-rate 12.5 --max-fee 5000',
  ])
  bind(request, runRequest)
}

/** Visible ASCII of the length that the header takes; anything else becomes a key of its own. */
const KEY = /^[\x21-\x7e]{1,255}$/

async function runRequest(context: Context) {
  const address = context.text('to') ?? ''
  const amount = Number(readAmount(context.text('amount') ?? '', '--amount'))
  const externalId = context.text('externalId') ?? ''
  const payer = context.text('feePayer')
  const rate = context.text('maxFeeRate')
  const pairs = context.texts('metadata')
  if (externalId === '')
    throw new EngineError('USAGE_INVALID', '--external-id is empty', {
      details: { param: '--external-id' },
    })
  const body = {
    address,
    amount_sat: amount,
    external_id: externalId,
    fee_payer: payer === undefined ? undefined : readChoice(payer, FEE_PAYERS, '--fee-payer'),
    ...speedFields(context),
    max_fee_rate_sat_kvb: rate === undefined ? undefined : readRate(rate, '--max-fee-rate'),
    customer: context.text('customer'),
    user: context.text('userId'),
    description: context.text('description'),
    metadata: pairs === undefined ? undefined : readPairs(pairs, '--metadata'),
  }
  await context.confirm(`Pay ${payText({ amount_sat: amount, address })}?`)
  return context.withClient(async (client) => {
    const wallet = await findWalletId(client, context.text('wallet'))
    const own = KEY.test(externalId) ? externalId : undefined
    const { made, created } = await client.create<WithdrawalJson>('/v1/withdrawals', {
      body: { wallet, ...body },
      idempotencyKey: context.text('idempotencyKey') ?? own,
    })
    if (context.json) context.object({ ...made, created })
    else showWithdrawal(context, made)
    return EXIT.ok
  })
}
