import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { renderEvents } from '../view/events.ts'
import type { EventView } from '../view/model.ts'
import { readNumber } from './arguments.ts'
import type { EventJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'

/** Lines of a terminal are as wide as they are; a pipe gets everything. */
const WIDE = 1_000

/** `kaccy events` */
export function addEvents(program: Command, bind: Bind): void {
  const events = addClientFlags(program.command('events'))
    .description('everything that happened, in order, each exactly once')
    .option('--after <seq>', 'behind this number', '0')
    .option('--types <types>', 'only these, with commas: order.confirmed,payment.*')
    .option('--subject <id>', 'of one order, payment or wallet')
    .option('--limit <n>', 'at most this many')
    .option('--follow', 'wait for more until Ctrl-C')
  examples(events, [
    'kaccy events',
    "kaccy events --types 'order.*' --follow",
    'kaccy events --after 1200 --json',
  ])
  bind(events, (context) =>
    context.withClient(async (client) => {
      await printEvents(context, client)
      return EXIT.ok
    }),
  )
}

const viewOf = ({ at, ...event }: EventJson): EventView =>
  ({ ...event, at: Date.parse(at) }) as EventView

async function printEvents(context: Context, client: ApiClient): Promise<void> {
  const { signal, stdout } = context.shell
  const text = context.text('limit')
  const limit =
    text === undefined
      ? Number.POSITIVE_INFINITY
      : readNumber(text, '--limit', 1, Number.MAX_SAFE_INTEGER)
  const after = readNumber(context.text('after') ?? '0', '--after', 0, Number.MAX_SAFE_INTEGER)
  const query = { types: context.text('types'), subject: context.text('subject') }
  const follows = context.options['follow'] === true
  const width = stdout.isTTY === true ? (stdout.columns ?? 80) : WIDE
  const events = follows
    ? client.follow(after, query, signal)
    : client.rows<EventJson>('/v1/events', { ...query, after }, limit)
  let left = limit
  for await (const event of events) {
    if (context.json) context.object(event)
    else for (const line of renderEvents([viewOf(event)], width, context.paint)) context.line(line)
    left -= 1
    if (left <= 0 || signal.aborted) return
  }
}
