import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readChoice, readTime } from './arguments.ts'
import { addConfigFlags, type Bind, type Context } from './context.ts'
import { writableOrThrow } from './output.ts'

/** `kaccy audit …` */
export function addAudit(program: Command, bind: Bind): void {
  const audit = program.command('audit').description('who did what, as a chain of hashes')
  const verify = addConfigFlags(audit.command('verify'))
    .description('check every entry against the one before it')
    .option('--anchor <number:hash>', 'a head that you wrote down elsewhere')
  bind(verify, runVerify)
  const exported = addConfigFlags(audit.command('export'))
    .description('the trail, or a part of it, for people outside')
    .option('--format <format>', 'csv or jsonl', 'jsonl')
    .option('--from <time>', 'from this moment on')
    .option('--until <time>', 'before this moment')
    .option('--actor <name>', 'of one actor')
    .option('--subject <id>', 'about one thing')
    .option('--action <name>', 'of one kind, or of an area: `order.`')
    .option('--output <file>', 'write there instead of standard output')
  bind(exported, runExport)
}

async function runVerify(context: Context) {
  const text = context.text('anchor')
  const [, number = '', hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text ?? '') ?? []
  if (text !== undefined && hash === '')
    throw new EngineError('USAGE_INVALID', '--anchor is not of the form number:hash')
  return context.withHost('database', async ({ engine }) => {
    const anchor = text === undefined ? undefined : { number: Number(number), hash }
    const verdict = await engine.audit.verify(anchor)
    if (!verdict.ok)
      throw new EngineError(
        'SERVER_AUDIT_BROKEN',
        `entry ${verdict.broken.number} does not fit: ${verdict.broken.reason}`,
        { details: { number: verdict.broken.number, reason: verdict.broken.reason } },
      )
    const { entries, head } = verdict
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
  const from = context.text('from')
  const until = context.text('until')
  const actor = context.text('actor')
  const subject = context.text('subject')
  const action = context.text('action')
  const filter = {
    ...(from === undefined ? {} : { from: readTime(from, '--from') }),
    ...(until === undefined ? {} : { until: readTime(until, '--until') }),
    ...(actor === undefined ? {} : { actor }),
    ...(subject === undefined ? {} : { subject }),
    ...(action === undefined ? {} : { action }),
  }
  const file = context.text('output')
  return context.withHost('database', async ({ engine }) => {
    const pieces = engine.audit.export(format, filter)
    if (file === undefined) for await (const piece of pieces) context.shell.stdout.write(piece)
    else {
      const path = resolve(context.shell.folder, file)
      writableOrThrow(path)
      await pipeline(pieces, createWriteStream(path, { mode: 0o600 }))
    }
    return EXIT.ok
  })
}
