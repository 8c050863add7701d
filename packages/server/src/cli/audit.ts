import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import type { Column } from '../view/table.ts'
import { readChoice, readNumber } from './arguments.ts'
import type { AuditEntryJson, AuditHeadJson, AuditVerdictJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { emit } from './output.ts'

/** `kaccy audit …` */
export function addAudit(program: Command, bind: Bind): void {
  const audit = program.command('audit').description('who did what, as a chain of hashes')
  const list = filtered(addClientFlags(audit.command('list')))
    .description('newest first')
    .option('--limit <n>', 'at most this many', '20')
  examples(list, ['kaccy audit list --action order.', 'kaccy audit list --actor operator:ann'])
  bind(list, runList)
  const verify = addClientFlags(audit.command('verify'))
    .description('check every entry against the one before it')
    .option('--anchor <number:hash>', 'a head that you wrote down elsewhere')
  bind(examples(verify, ['kaccy audit verify']), runVerify)
  const head = addClientFlags(audit.command('head')).description(
    'the newest entry: written down elsewhere, it fixes everything before it',
  )
  bind(examples(head, ['kaccy audit head']), (context) =>
    context.withClient(async (client) => {
      const { number, hash } = await client.get<AuditHeadJson>('/v1/audit/head')
      context.facts([['head', `${number}:${hash}`]], { number, hash })
      return EXIT.ok
    }),
  )
  const exported = filtered(addClientFlags(audit.command('export')))
    .description('the trail, or a part of it, for people outside')
    .option('--format <format>', 'csv or jsonl', 'jsonl')
    .option('--output <file>', 'write there instead of standard output')
  examples(exported, [
    'kaccy audit export --format csv --from 2026-01-01 --output 2026.csv',
    'kaccy audit export --subject ord_… > order.jsonl',
  ])
  bind(exported, runExport)
}

const filtered = (command: Command): Command =>
  command
    .option('--from <time>', 'from this moment on')
    .option('--until <time>', 'before this moment')
    .option('--actor <name>', 'of one actor')
    .option('--subject <id>', 'about one thing')
    .option('--action <name>', 'of one kind, or of an area: `order.`')

const filterOf = (context: Context) => ({
  from: context.time('from'),
  until: context.time('until'),
  actor: context.text('actor'),
  subject: context.text('subject'),
  action: context.text('action'),
})

const COLUMNS: readonly Column<AuditEntryJson>[] = [
  { title: 'entry', align: 'right', cell: (row) => `${row.number}` },
  { title: 'when', cell: (row) => row.at.slice(0, 19) },
  { title: 'actor', cell: (row) => row.actor },
  { title: 'action', cell: (row) => row.action },
  { title: 'subject', cell: (row) => row.subject },
]

async function runList(context: Context) {
  const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
  return context.withClient(async (client) => {
    const rows = await client.list<AuditEntryJson>('/v1/audit', filterOf(context), limit)
    context.list(rows, COLUMNS, (row) => row)
    return EXIT.ok
  })
}

async function runVerify(context: Context) {
  const anchor = context.text('anchor')
  if (anchor !== undefined && !/^\d{1,15}:[0-9a-f]{64}$/.test(anchor))
    throw new EngineError('USAGE_INVALID', '--anchor is not of the form number:hash')
  return context.withClient(async (client) => {
    const verdict = await client.get<AuditVerdictJson>('/v1/audit/verify', { anchor })
    const { entries, head, broken } = verdict
    if (broken !== null || head === null || entries === null) {
      const { number = 0, reason = 'it does not verify' } = broken ?? {}
      throw new EngineError('SERVER_AUDIT_BROKEN', `entry ${number} does not fit: ${reason}`, {
        details: { number, reason },
      })
    }
    context.facts(
      [
        ['audit', `${entries} entries verify`],
        ['head', `${head.number}:${head.hash}`],
      ],
      { ok: true, entries, head },
    )
    return EXIT.ok
  })
}

async function runExport(context: Context) {
  const format = readChoice(context.text('format') ?? 'jsonl', ['csv', 'jsonl'], '--format')
  const filter = filterOf(context)
  return context.withClient(async (client) => {
    await emit(context, client.text('/v1/audit/export', { format, ...filter }))
    return EXIT.ok
  })
}
