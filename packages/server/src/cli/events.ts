import type { Command } from 'commander'
import type { Host } from '../host/host.ts'
import { pauseFor } from '../host/pause.ts'
import { EXIT } from '../shell.ts'
import { renderEvents } from '../view/events.ts'
import { eventJson } from '../view/json.ts'
import { readNumber } from './arguments.ts'
import { addConfigFlags, type Bind, type Context } from './context.ts'

/** Pause between two looks at the table while following: another process writes it. */
const FOLLOW_MS = 500
const PAGE = 500
/** Lines of a terminal are as wide as they are; a pipe gets everything. */
const WIDE = 1_000

/** `kaccy events` */
export function addEvents(program: Command, bind: Bind): void {
  const events = addConfigFlags(program.command('events'))
    .description('everything that happened, in order, each exactly once')
    .option('--after <seq>', 'behind this number', '0')
    .option('--subject <id>', 'of one order, payment or wallet')
    .option('--limit <n>', 'at most this many')
    .option('--follow', 'wait for more until Ctrl-C')
  bind(events, (context) =>
    context.withHost('database', async (host) => {
      await printEvents(context, host)
      return EXIT.ok
    }),
  )
}

async function printEvents(context: Context, host: Host): Promise<void> {
  const { signal, stdout } = context.shell
  const limit = context.text('limit')
  const subject = context.text('subject')
  let left =
    limit === undefined
      ? Number.POSITIVE_INFINITY
      : readNumber(limit, '--limit', 1, Number.MAX_SAFE_INTEGER)
  let after = readNumber(context.text('after') ?? '0', '--after', 0, Number.MAX_SAFE_INTEGER)
  const width = stdout.isTTY === true ? (stdout.columns ?? 80) : WIDE
  while (left > 0 && !signal.aborted) {
    const page = await host.engine.events({
      after,
      limit: Math.min(PAGE, left),
      ...(subject === undefined ? {} : { subject }),
    })
    if (context.json) for (const event of page) context.object(eventJson(event))
    else if (page.length > 0)
      for (const line of renderEvents(page, width, context.paint)) context.line(line)
    after = page.at(-1)?.seq ?? after
    left -= page.length
    if (page.length > 0) continue
    if (context.options['follow'] !== true) return
    await pauseFor(FOLLOW_MS, signal)
  }
}
