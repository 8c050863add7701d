import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import type { Column } from '../view/table.ts'
import { readNumber } from './arguments.ts'
import type { PayoutDayJson } from './client/answers.ts'
import { addClientFlags, type Bind, examples } from './context.ts'
import { findWalletId } from './find.ts'
import { durationText } from './statistics.ts'

const COLUMNS: readonly Column<PayoutDayJson>[] = [
  { title: 'day', cell: (row) => row.day },
  { title: 'wallet', cell: (row) => row.wallet },
  { title: 'customer', cell: (row) => row.customer ?? '' },
  { title: 'requested', align: 'right', cell: (row) => satText(row.requested_sat) },
  { title: 'settled', align: 'right', cell: (row) => satText(row.settled_sat) },
  { title: 'reversed', align: 'right', cell: (row) => satText(row.reversed_sat) },
  { title: 'fees', align: 'right', cell: (row) => satText(row.fees_sat) },
  {
    title: 'to confirm',
    align: 'right',
    cell: ({ mean_confirm_ms: mean }) => (mean === null ? '' : durationText(mean)),
  },
]

/** `kaccy withdrawal days` */
export function addPayoutDays(withdrawal: Command, bind: Bind): void {
  const days = addClientFlags(withdrawal.command('days'))
    .description('volume, fees and time to confirm by day, wallet and customer')
    .option('--wallet <id|name>', 'of one wallet')
    .option('--customer <id>', 'of one customer')
    .option('--from <day>', 'first day, such as 2026-05-01')
    .option('--until <day>', 'last day')
    .option('--limit <n>', 'at most this many rows', '31')
  examples(days, ['kaccy withdrawal days --from 2026-05-01'])
  bind(days, (context) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '31', '--limit', 1, 100_000)
      const word = context.text('wallet')
      const query = {
        wallet: word === undefined ? undefined : await findWalletId(client, word),
        customer: context.text('customer'),
        from: context.text('from'),
        until: context.text('until'),
      }
      const rows = await client.list<PayoutDayJson>('/v1/analytics/days', query, limit)
      context.list(rows, COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
}
