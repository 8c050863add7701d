import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import type { Meaning } from '../view/paint.ts'
import type { Column } from '../view/table.ts'
import { readNumber } from './arguments.ts'
import type { AlertJson } from './client/answers.ts'
import { addClientFlags, type Bind, examples } from './context.ts'

const MEANINGS: Readonly<Record<AlertJson['severity'], Meaning>> = {
  info: 'quiet',
  warning: 'wait',
  critical: 'bad',
}
const COLUMNS: readonly Column<AlertJson>[] = [
  { title: 'alert', cell: (row) => row.id },
  { title: 'when', cell: (row) => row.at.slice(0, 19) },
  { title: 'severity', cell: (row) => row.severity, meaning: (row) => MEANINGS[row.severity] },
  { title: 'what', cell: (row) => row.message },
]

/** `kaccy alerts …` */
export function addAlerts(program: Command, bind: Bind): void {
  const alerts = program.command('alerts').description('what a person should look at')
  const list = addClientFlags(alerts.command('list', { isDefault: true }))
    .description('open alerts, newest first')
    .option('--all', 'also those that somebody has seen')
    .option('--subject <id>', 'about one order, payment, wallet or webhook')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy alerts', 'kaccy alerts list --all --json']), (context) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      const open = context.options['all'] === true ? undefined : true
      const query = { open, subject: context.text('subject') }
      context.list(await client.list<AlertJson>('/v1/alerts', query, limit), COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const ack = addClientFlags(alerts.command('ack <alert>'))
    .description('say that you have seen it; it stands in the audit trail')
    .option('--note <text>', 'what came of it')
  examples(ack, ["kaccy alerts ack alr_7 --note 'refunded by hand'"])
  bind(ack, (context, [id = '']) =>
    context.withClient(async (client) => {
      const note = context.text('note')
      const path = `/v1/alerts/${encodeURIComponent(id)}/acknowledge`
      const alert = await client.post<AlertJson>(path, { body: note === undefined ? {} : { note } })
      context.facts(
        [
          ['alert', alert.id],
          ['what', alert.message],
          ['seen by', alert.acknowledged?.by ?? ''],
        ],
        alert,
      )
      return EXIT.ok
    }),
  )
}
