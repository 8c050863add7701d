import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import type { Column } from '../view/table.ts'
import type { StatisticsJson } from './client/answers.ts'
import { addClientFlags, type Bind, examples } from './context.ts'
import { findWalletId } from './find.ts'

type Waiting = StatisticsJson['by_fee_rate'][number]['confirmed']
interface Row {
  readonly what: string
  readonly waiting: Waiting
}

/** `2 h 05 m`, `3 m 10 s`, `0.8 s`: as exact as a person needs it. */
export function durationText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 10) return `${(milliseconds / 1000).toFixed(1)} s`
  if (seconds < 60) return `${seconds} s`
  const two = (value: number) => String(value).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} m ${two(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
}

function rowsOf(statistics: StatisticsJson): Row[] {
  const levels = Object.entries(statistics.by_level).flatMap(([what, waiting]) =>
    waiting ? [{ what, waiting }] : [],
  )
  const rates = statistics.by_fee_rate.map(({ from_sat_kvb: from, confirmed: waiting }) => ({
    what: `confirmed, from ${from / 1000} sat/vB`,
    waiting,
  }))
  return [...levels, ...rates]
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'time to', cell: (row) => row.what },
  { title: 'orders', align: 'right', cell: (row) => String(row.waiting.count) },
  { title: 'half', align: 'right', cell: (row) => durationText(row.waiting.median_ms) },
  { title: '9 of 10', align: 'right', cell: (row) => durationText(row.waiting.p90_ms) },
  { title: 'longest', align: 'right', cell: (row) => durationText(row.waiting.max_ms) },
]

/** `kaccy statistics` */
export function addStatistics(program: Command, bind: Bind): void {
  const statistics = addClientFlags(program.command('statistics'))
    .description('how long customers waited for each level, and by fee rate')
    .option('--wallet <id|name>', 'of one wallet')
    .option('--from <time>', 'orders made from this moment on')
    .option('--until <time>', 'orders made before this moment')
  examples(statistics, ['kaccy statistics --from 2026-01-01'])
  bind(statistics, (context) =>
    context.withClient(async (client) => {
      const word = context.text('wallet')
      const found = await client.get<StatisticsJson>('/v1/statistics/confirmations', {
        from: context.time('from') ?? new Date(0).toISOString(),
        until: context.time('until'),
        wallet: word === undefined ? undefined : await findWalletId(client, word),
      })
      if (!context.json) context.line(`${found.orders} orders`)
      context.list(rowsOf(found), COLUMNS, ({ what, waiting }) => ({ time_to: what, ...waiting }))
      return EXIT.ok
    }),
  )
}
