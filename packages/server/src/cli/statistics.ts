import type { ConfirmationStatistics, Waiting } from '@kaccy/bitcoin/deposits'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readTime } from './arguments.ts'
import { addConfigFlags, type Bind } from './context.ts'
import { findWallet } from './wallet.ts'

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

function rowsOf(statistics: ConfirmationStatistics): Row[] {
  const levels = Object.entries(statistics.byLevel).flatMap(([what, waiting]) =>
    waiting ? [{ what, waiting }] : [],
  )
  const rates = statistics.byFeeRate.map(({ fromSatPerVb, waiting }) => ({
    what: `confirmed, from ${fromSatPerVb} sat/vB`,
    waiting,
  }))
  return [...levels, ...rates]
}

/** `kaccy statistics` */
export function addStatistics(program: Command, bind: Bind): void {
  const statistics = addConfigFlags(program.command('statistics'))
    .description('how long customers waited for each level, and by fee rate')
    .option('--wallet <id|name>', 'of one wallet')
    .option('--from <time>', 'orders made from this moment on')
    .option('--until <time>', 'orders made before this moment')
  bind(statistics, (context) =>
    context.withHost('database', async (host) => {
      const from = context.text('from')
      const until = context.text('until')
      const word = context.text('wallet')
      const found = await host.engine.orders.statistics({
        from: from === undefined ? 0 : readTime(from, '--from'),
        until: until === undefined ? Number.MAX_SAFE_INTEGER : readTime(until, '--until'),
        ...(word === undefined ? {} : { wallet: (await findWallet(host, word)).id }),
      })
      if (!context.json) context.line(`${found.orders} orders`)
      context.list(
        rowsOf(found),
        [
          { title: 'time to', cell: (row) => row.what },
          { title: 'orders', align: 'right', cell: (row) => String(row.waiting.count) },
          { title: 'half', align: 'right', cell: (row) => durationText(row.waiting.medianMs) },
          { title: '9 of 10', align: 'right', cell: (row) => durationText(row.waiting.p90Ms) },
          { title: 'longest', align: 'right', cell: (row) => durationText(row.waiting.maxMs) },
        ],
        ({ what, waiting }) => ({
          time_to: what,
          count: waiting.count,
          median_ms: waiting.medianMs,
          p90_ms: waiting.p90Ms,
          max_ms: waiting.maxMs,
        }),
      )
      return EXIT.ok
    }),
  )
}
