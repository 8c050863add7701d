import type { AlertRecord } from '@kaccy/bitcoin/alerts'
import type { Command } from 'commander'
import { orThrow } from '../failure.ts'
import { EXIT } from '../shell.ts'
import type { Meaning } from '../view/paint.ts'
import { readNumber } from './arguments.ts'
import { addConfigFlags, type Bind } from './context.ts'

const alertJson = (alert: AlertRecord) => ({
  id: alert.id,
  kind: alert.kind,
  severity: alert.severity,
  subject: alert.subject,
  message: alert.message,
  at: new Date(alert.at).toISOString(),
  data: alert.data,
  acknowledged: alert.acknowledged
    ? { ...alert.acknowledged, at: new Date(alert.acknowledged.at).toISOString() }
    : null,
})

const MEANINGS: Readonly<Record<AlertRecord['severity'], Meaning>> = {
  info: 'quiet',
  warning: 'wait',
  critical: 'bad',
}

/** `kaccy alerts …` */
export function addAlerts(program: Command, bind: Bind): void {
  const alerts = program.command('alerts').description('what a person should look at')
  const list = addConfigFlags(alerts.command('list', { isDefault: true }))
    .description('open alerts, newest first')
    .option('--all', 'also those that somebody has seen')
    .option('--limit <n>', 'at most this many', '20')
  bind(list, (context) =>
    context.withHost('database', async ({ engine }) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 1_000)
      const all = context.options['all'] === true
      const rows = await engine.alerts.list({ limit, ...(all ? {} : { open: true }) })
      context.list(
        rows,
        [
          { title: 'alert', cell: (row) => row.id },
          { title: 'when', cell: (row) => new Date(row.at).toISOString().slice(0, 19) },
          {
            title: 'severity',
            cell: (row) => row.severity,
            meaning: (row) => MEANINGS[row.severity],
          },
          { title: 'what', cell: (row) => row.message },
        ],
        alertJson,
      )
      return EXIT.ok
    }),
  )
  const ack = addConfigFlags(alerts.command('ack <alert>'))
    .description('say that you have seen it; it stands in the audit trail')
    .option('--note <text>', 'what came of it')
  bind(ack, (context, [id = '']) =>
    context.withHost('database', async ({ engine, actor }) => {
      const note = context.text('note')
      const by = { actor, ...(note === undefined ? {} : { note }) }
      const alert = orThrow(await engine.alerts.acknowledge(id, by))
      context.facts(
        [
          ['alert', alert.id],
          ['what', alert.message],
          ['seen by', alert.acknowledged?.by ?? ''],
        ],
        alertJson(alert),
      )
      return EXIT.ok
    }),
  )
}
