import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import type { Column } from '../view/table.ts'
import { readNumber } from './arguments.ts'
import type { ConsolidationJson, ConsolidationPreviewJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { findWallet, findWalletId } from './find.ts'

const PATH = '/v1/consolidations'
const COLUMNS: readonly Column<ConsolidationJson>[] = [
  { title: 'run', cell: (row) => row.id },
  {
    title: 'status',
    cell: (row) => row.status,
    meaning: ({ status }) =>
      status === 'completed' ? 'good' : status === 'failed' ? 'bad' : undefined,
  },
  { title: 'coins', align: 'right', cell: (row) => `${row.inputs}` },
  { title: 'amount', align: 'right', cell: (row) => satText(row.amount_sat) },
  { title: 'fee', align: 'right', cell: (row) => satText(row.fee_sat) },
  { title: 'saves', align: 'right', cell: (row) => satText(row.saving_sat) },
  { title: 'planned', cell: (row) => row.created_at.slice(0, 19) },
]

/** `kaccy consolidation …` */
export function addConsolidation(program: Command, bind: Bind): void {
  const consolidation = program
    .command('consolidation')
    .description('put small coins together while fees are low')
  addMaking(consolidation, bind)
  const list = addClientFlags(consolidation.command('list [wallet]'))
    .description('newest first')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy consolidation list']), (context, [word]) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      const filter = word === undefined ? {} : { wallet: (await findWallet(client, word)).id }
      const rows = await client.list<ConsolidationJson>(PATH, filter, limit)
      context.list(rows, COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const show = addClientFlags(consolidation.command('show <run>')).description('one run')
  bind(examples(show, ['kaccy consolidation show cns_…']), (context, [id = '']) =>
    context.withClient(async (client) => {
      showRun(context, await client.get<ConsolidationJson>(`${PATH}/${encodeURIComponent(id)}`))
      return EXIT.ok
    }),
  )
  const cancel = addClientFlags(consolidation.command('cancel <run>')).description(
    'give it up while nobody could sign it yet',
  )
  bind(examples(cancel, ['kaccy consolidation cancel cns_…']), (context, [id = '']) =>
    context.withClient(async (client) => {
      const path = `${PATH}/${encodeURIComponent(id)}/cancel`
      showRun(context, await client.post<ConsolidationJson>(path))
      return EXIT.ok
    }),
  )
}

function addMaking(consolidation: Command, bind: Bind): void {
  const flagged = (name: string, description: string): Command =>
    addClientFlags(consolidation.command(`${name} [wallet]`))
      .description(description)
      .option('--rate <sat/kvB>', 'exactly this fee rate (default: that of low priority)')
      .option('--max-inputs <n>', 'at most so many coins')
  const preview = flagged('preview', 'what it would do, cost and save; changes nothing')
  bind(examples(preview, ['kaccy consolidation preview shop']), (context, [word]) =>
    context.withClient(async (client) => {
      const body = { ...wishOf(context), wallet: await findWalletId(client, word), dry_run: true }
      showPreview(context, await client.post<ConsolidationPreviewJson>(PATH, { body }))
      return EXIT.ok
    }),
  )
  const run = flagged('run', 'put them together').option('--yes', 'do not ask')
  bind(examples(run, ['kaccy consolidation run shop --yes']), async (context, [word]) => {
    const wish = wishOf(context)
    await context.confirm('Put small coins together, for everybody to see that they are ours?')
    return context.withClient(async (client) => {
      const body = { ...wish, wallet: await findWalletId(client, word) }
      showRun(context, await client.post<ConsolidationJson>(PATH, { body }))
      return EXIT.ok
    })
  })
}

const MOST_RATE = 100_000_000
const MOST_INPUTS = 5_000
function wishOf(context: Context): object {
  const [rate, inputs] = [context.text('rate'), context.text('maxInputs')]
  return {
    ...(rate === undefined ? {} : { fee_rate_sat_kvb: readNumber(rate, '--rate', 1, MOST_RATE) }),
    ...(inputs === undefined
      ? {}
      : { max_inputs: readNumber(inputs, '--max-inputs', 2, MOST_INPUTS) }),
  }
}

type Figures = Pick<
  ConsolidationJson,
  Extract<keyof ConsolidationJson, keyof ConsolidationPreviewJson>
>
const GROUP_TEXT: Readonly<Record<Figures['group'], string>> = {
  script: 'all of one address: nothing new can be seen',
  change: 'change of our own',
  unassigned: 'payments that belong to no order',
  customer: 'deposits of one customer',
  mixed: 'deposits of different customers',
}
const figuresOf = (row: Figures): readonly (readonly [string, string])[] => [
  ['wallet', row.wallet],
  ['coins', `${row.inputs} of ${row.coins} become one, ${satText(row.amount_sat)}`],
  ['linked', `${row.scripts} addresses: ${GROUP_TEXT[row.group]}`],
  ['fee', `${satText(row.fee_sat)} at ${row.fee_rate_sat_kvb} sat/kvB`],
  ['saves', `${satText(row.saving_sat)} at ${row.long_term_fee_rate_sat_kvb} sat/kvB later`],
  ['break-even', `${row.break_even_fee_rate_sat_kvb} sat/kvB`],
]
function showPreview(context: Context, row: ConsolidationPreviewJson): void {
  const facts = [
    ...figuresOf(row),
    ['later', `${satText(row.fee_later_sat)} one by one, ${satText(row.fee_after_sat)} as one`],
    ['rate from', row.fee_source],
  ] as const
  context.facts(facts, row)
}
function showRun(context: Context, row: ConsolidationJson): void {
  const facts = [
    ['run', row.id],
    ['status', row.status],
    ...figuresOf(row),
    ['spend', row.spend],
    ...(row.txid === null ? [] : [['txid', row.txid] as const]),
    ['planned', `${row.created_at} by ${row.created_by} (${row.trigger})`],
  ] as const
  context.facts(facts, row)
}
