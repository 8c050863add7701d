import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { satText } from '../view/amount.ts'
import type { Column } from '../view/table.ts'
import type { LimitUseJson } from './client/answers.ts'
import { addClientFlags, type Bind, examples } from './context.ts'
import { findWalletId } from './find.ts'
import { durationText } from './statistics.ts'

const windowText = ({ kind, ms, unit, zone }: LimitUseJson['window']): string => {
  if (kind === 'single') return 'one request'
  return kind === 'rolling' ? `last ${durationText(ms ?? 0)}` : `${unit} (${zone})`
}
/** `12 of 20`, for satoshi and for requests. */
const both = (sat: number | null, count: number | null): string =>
  [sat === null ? '' : satText(sat), count === null ? '' : `${count} requests`]
    .filter((text) => text !== '')
    .join(', ')

const LIMIT_COLUMNS: readonly Column<LimitUseJson>[] = [
  { title: 'limit', cell: (row) => row.name },
  { title: 'of', cell: (row) => row.subject },
  { title: 'in', cell: (row) => windowText(row.window) },
  { title: 'most', cell: (row) => both(row.amount_sat, row.count) },
  { title: 'used', cell: (row) => both(row.used_sat, row.used_count) },
  {
    title: 'left',
    cell: (row) => both(row.left_sat, row.left_count),
    meaning: (row) => (row.left_sat === 0 || row.left_count === 0 ? 'bad' : undefined),
  },
  { title: 'over it', cell: (row) => row.over },
  { title: 'room again', cell: (row) => row.resets_at ?? '' },
]

/** `kaccy limit` */
export function addLimit(program: Command, bind: Bind): void {
  const limit = addClientFlags(program.command('limit'))
    .description('the limits in force, and what is used of them')
    .option('--user-id <id>', 'also limits of this user')
    .option('--customer <id>', 'also limits of this customer')
    .option('--wallet <id|name>', 'also limits of this wallet')
    .option('--to <address>', 'also limits of this destination')
  examples(limit, ['kaccy limit', 'kaccy limit --user-id ann --json'])
  bind(limit, (context) =>
    context.withClient(async (client) => {
      const word = context.text('wallet')
      const { data } = await client.get<{ readonly data: readonly LimitUseJson[] }>('/v1/limits', {
        user: context.text('userId'),
        customer: context.text('customer'),
        wallet: word === undefined ? undefined : await findWalletId(client, word),
        address: context.text('to'),
      })
      context.list(data, LIMIT_COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
}
