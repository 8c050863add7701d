import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readChoice, readNumber } from './arguments.ts'
import type { SpendJson, WithdrawalExplanationJson, WithdrawalJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWalletId, findWithdrawal } from './find.ts'
import { showPsbt } from './psbt-output.ts'
import { addPayoutDays } from './withdrawal-days.ts'
import {
  payText,
  showWithdrawal,
  showWithdrawalExplanation,
  WITHDRAWAL_COLUMNS,
} from './withdrawal-output.ts'
import { addSpeedFlags, addWithdrawalRequest, speedFields } from './withdrawal-request.ts'

const STATUSES: readonly WithdrawalJson['status'][] = [
  'requested',
  'approved',
  'rejected',
  'batched',
  'signing',
  'sending',
  'mined',
  'settled',
  'cancelled',
  'failed',
]

/** `kaccy withdrawal …` */
export function addWithdrawal(program: Command, bind: Bind): void {
  const withdrawal = program.command('withdrawal').description('what is paid out')
  addWithdrawalRequest(withdrawal, bind)
  addList(withdrawal, bind)
  const one = (name: string, about: string) =>
    addClientFlags(withdrawal.command(`${name} <withdrawal>`)).description(about)
  const show = one('show', 'amount, status, verdict and transaction')
  bind(examples(show, ['kaccy withdrawal show payout-1']), (context, [word = '']) =>
    context.withClient(async (client) => {
      showWithdrawal(context, await findWithdrawal(client, word))
      return EXIT.ok
    }),
  )
  const explain = one('explain', 'why it is what it is, and what would change it')
  bind(examples(explain, ['kaccy withdrawal explain payout-1']), (context, [word = '']) =>
    context.withClient(async (client) => {
      const { id } = await findWithdrawal(client, word)
      const path = `/v1/withdrawals/${id}/explain`
      showWithdrawalExplanation(context, await client.get<WithdrawalExplanationJson>(path))
      return EXIT.ok
    }),
  )
  addDecisions(withdrawal, bind)
  addBump(withdrawal, bind)
  addChild(withdrawal, bind)
  addPayoutDays(withdrawal, bind)
}

function addList(withdrawal: Command, bind: Bind): void {
  const list = addClientFlags(withdrawal.command('list'))
    .description('newest first')
    .option('--status <status>', STATUSES.join(', '))
    .option('--wallet <id|name>', 'of one wallet')
    .option('--customer <id>', 'of one customer')
    .option('--user-id <id>', 'of one user')
    .option('--to <address>', 'to one address')
    .option('--metadata <key=value>', 'with this pair')
    .option('--from <time>', 'requested from this moment on')
    .option('--until <time>', 'requested before this moment')
    .option('--limit <n>', 'at most this many', '20')
    .option('--before <id>', 'older than this withdrawal')
  examples(list, [
    'kaccy withdrawal list --status requested',
    'kaccy withdrawal list --user-id ann --json',
  ])
  bind(list, runList)
}

async function runList(context: Context) {
  const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
  const status = context.text('status')
  const wallet = context.text('wallet')
  const query = {
    status: status === undefined ? undefined : readChoice(status, STATUSES, '--status'),
    customer: context.text('customer'),
    user: context.text('userId'),
    address: context.text('to'),
    metadata: context.text('metadata')?.replace('=', ':'),
    created_from: context.time('from'),
    created_until: context.time('until'),
    after: context.text('before'),
  }
  return context.withClient(async (client) => {
    const of = wallet === undefined ? {} : { wallet: await findWalletId(client, wallet) }
    const rows = await client.list<WithdrawalJson>('/v1/withdrawals', { ...query, ...of }, limit)
    context.list(rows, WITHDRAWAL_COLUMNS, (row) => row)
    return EXIT.ok
  })
}

/** One verb on one withdrawal: what it is asked about, and the body that is sent. */
function decide(
  context: Context,
  word: string,
  verb: string,
  question: (row: WithdrawalJson) => string,
  bodyOf: (row: WithdrawalJson) => object,
) {
  return context.withClient(async (client) => {
    const row = await findWithdrawal(client, word)
    await context.confirm(question(row))
    const path = `/v1/withdrawals/${row.id}/${verb}`
    showWithdrawal(context, await client.post<WithdrawalJson>(path, { body: bodyOf(row) }))
    return EXIT.ok
  })
}

function addDecisions(withdrawal: Command, bind: Bind): void {
  const approve = addClientFlags(withdrawal.command('approve <withdrawal>'))
    .description('say yes to a request that waits for people')
    .option('--digest <hex>', 'only if this is what is asked for (default: what it is now)')
    .option('--yes', 'do not ask')
  bind(examples(approve, ['kaccy withdrawal approve payout-1 --yes']), (context, [word = '']) =>
    decide(
      context,
      word,
      'approve',
      (row) => `Approve ${payText(row)}, asked for by ${row.initiator}?`,
      ({ digest }) => ({ digest: context.text('digest') ?? digest }),
    ),
  )
  const verbs = [
    ['reject', 'turn a request down', 'Turn down'],
    ['cancel', 'take it back; after signing only a conflicting transaction can', 'Take back'],
  ] as const
  for (const [verb, about, question] of verbs) {
    const command = addClientFlags(withdrawal.command(`${verb} <withdrawal>`))
      .description(about)
      .requiredOption('--reason <text>', 'why: it stands in the audit trail')
      .option('--yes', 'do not ask')
    examples(command, [`kaccy withdrawal ${verb} payout-1 --reason 'wrong address' --yes`])
    bind(command, (context, [word = '']) =>
      decide(
        context,
        word,
        verb,
        (row) => `${question} ${payText(row)}?`,
        () => ({ reason: context.text('reason') ?? '' }),
      ),
    )
  }
}

function addBump(withdrawal: Command, bind: Bind): void {
  const bump = addSpeedFlags(addClientFlags(withdrawal.command('bump <withdrawal>')))
    .description('pay a higher fee for what is on its way')
    .option('--yes', 'do not ask')
  examples(bump, [
    'kaccy withdrawal bump payout-1 --fee-rate 25 --yes',
    'kaccy withdrawal bump payout-1 --priority high --max-fee 20000 --yes',
  ])
  bind(bump, (context, [word = '']) => {
    const body = speedFields(context)
    return decide(
      context,
      word,
      'bump',
      (row) => `Pay a higher fee for ${payText(row)}?`,
      () => body,
    )
  })
}

function addChild(withdrawal: Command, bind: Bind): void {
  const child = addSpeedFlags(addClientFlags(withdrawal.command('child <withdrawal>')))
    .description('pay for its transaction with its own change, without another version (CPFP)')
    .option('--yes', 'do not ask')
  examples(child, ['kaccy withdrawal child payout-1 --fee-rate 25 --yes'])
  bind(child, (context, [word = '']) =>
    context.withClient(async (client) => {
      const row = await findWithdrawal(client, word)
      if (row.spend === null)
        throw new EngineError('USAGE_INVALID', `${word} has no transaction yet`, {
          details: { param: 'withdrawal' },
        })
      await context.confirm(`Pay a fee for ${payText(row)} with its change?`)
      const path = `/v1/spends/${row.spend}/child`
      const made = await client.post<SpendJson>(path, { body: speedFields(context) })
      const [version] = made.versions
      if (version) showPsbt(context, version)
      return EXIT.ok
    }),
  )
}
