import { EngineError, type Secret } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT, type ExitCode } from '../shell.ts'
import { renderEvents } from '../view/events.ts'
import type { EventView } from '../view/model.ts'
import { printable } from '../view/table.ts'
import { readNumber } from './arguments.ts'
import type { EventJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientFlags, type Bind, type Context } from './context.ts'
import type { Attempt } from './forward.ts'

const WIDE = 1_000
const RETRIES = '3'
/** Of an answer that is no success, what is shown. */
const SHOWN = 120

/** `kaccy listen` */
export function addListen(program: Command, bind: Bind): void {
  const listen = addClientFlags(program.command('listen'))
    .description(
      'hear the events of a running server, and hand them to a webhook handler on this machine',
    )
    .option('--forward-to <url>', 'the handler, such as http://127.0.0.1:3000/webhooks')
    .option('--events <types>', 'only these, with commas: order.confirmed,payment.*')
    .option('--after <seq>', 'begin behind this number; without it, with what happens from now on')
    .option('--retries <n>', 'attempts after the first that fails', RETRIES)
    .option('--limit <n>', 'end after so many events; 1 if a delivery failed')
    .option('--print-secret', 'print the secret that the handler verifies with, and end')
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  kaccy listen --api http://127.0.0.1:8080 --forward-to http://127.0.0.1:3000/webhooks',
        "  kaccy listen --events 'order.*' --after 0 --json",
        '  export WEBHOOK_SECRET=$(kaccy listen --print-secret)',
      ].join('\n'),
    )
  bind(listen, async (context) => {
    const { config } = context.load()
    const [url, key] = [config['api.url'], config['api.key']]
    if (url === undefined) throw missing('api.url', 'which server: give --api or KACCY_API_URL')
    if (key === undefined)
      throw missing('api.key', 'which key: give --api-key-file or KACCY_API_KEY')
    const { secretOf } = await import('./forward.ts')
    const secret = secretOf(url, key)
    if (context.options['printSecret'] === true) {
      if (context.json) context.object({ type: 'secret', secret: secret.reveal() })
      else context.line(secret.reveal())
      return EXIT.ok
    }
    return context.withClient((client) => listenTo(context, client, secret))
  })
}

const missing = (param: string, message: string): EngineError =>
  new EngineError('CONFIG_VALUE_MISSING', message, { details: { param } })

async function listenTo(
  context: Context,
  client: ApiClient,
  secret: Secret<string>,
): Promise<ExitCode> {
  const { signal } = context.shell
  const target = context.text('forwardTo')
  const retries = readNumber(context.text('retries') ?? RETRIES, '--retries', 0, 20)
  const { Forwarder } = await import('./forward.ts')
  const forwarder =
    target === undefined ? undefined : new Forwarder({ target, secret, retries, signal })
  const limit = context.text('limit')
  let left =
    limit === undefined
      ? Number.POSITIVE_INFINITY
      : readNumber(limit, '--limit', 1, Number.MAX_SAFE_INTEGER)
  const text = context.text('after')
  const after =
    text === undefined
      ? await newestOf(client)
      : readNumber(text, '--after', 0, Number.MAX_SAFE_INTEGER)
  greet(context, client, { target, secret, after })
  let failed = 0
  for await (const event of client.follow(after, { types: context.text('events') }, signal)) {
    show(context, event)
    if (forwarder) {
      const isDone = await forwarder.forward(event, (attempt) => tell(context, event, attempt))
      if (signal.aborted) break
      if (!isDone) failed += 1
    }
    left -= 1
    if (left <= 0) break
  }
  return failed > 0 ? EXIT.failure : EXIT.ok
}

/** The newest number there is: the stream says it first of all. */
async function newestOf(client: ApiClient): Promise<number> {
  let text = ''
  for await (const piece of client.text(
    '/v1/events/stream',
    { after: 'now' },
    'text/event-stream',
  )) {
    text += piece
    const id = /^id: (\d+)$/m.exec(text)?.[1]
    if (id !== undefined) return Number(id)
  }
  throw new EngineError('API_ANSWER_UNREADABLE', `${client.name} ended its stream at once`)
}

interface Start {
  readonly target: string | undefined
  readonly secret: Secret<string>
  readonly after: number
}
function greet(context: Context, client: ApiClient, { target, secret, after }: Start): void {
  if (context.json) {
    context.object({
      type: 'listening',
      api: client.name,
      forward_to: target ?? null,
      secret: secret.reveal(),
      after,
    })
    return
  }
  context.line(`listening to ${client.name} behind event ${after}`)
  if (target === undefined) return
  context.line(`forwarding to ${target}`)
  context.line(`the handler verifies with ${secret.reveal()} (the same for this server and key)`)
}

const viewOf = ({ at, ...event }: EventJson): EventView =>
  ({ ...event, at: Date.parse(at) }) as EventView

function show(context: Context, event: EventJson): void {
  if (context.json) {
    context.object({ type: 'event', event })
    return
  }
  const { stdout } = context.shell
  const width = stdout.isTTY === true ? (stdout.columns ?? 80) : WIDE
  for (const line of renderEvents([viewOf(event)], width, context.paint)) context.line(line)
}

function tell(context: Context, { seq }: EventJson, attempt: Attempt): void {
  const { number, isGood, status, reason, durationMs, willRetryInMs } = attempt
  if (context.json) {
    context.object({
      type: 'delivery',
      seq,
      attempt: number,
      ok: isGood,
      status: status ?? null,
      reason: reason ?? null,
      duration_ms: durationMs,
      retry_in_ms: willRetryInMs ?? null,
    })
    return
  }
  const said = reason === undefined ? '' : ` ${printable(reason).slice(0, SHOWN)}`
  const next =
    willRetryInMs === undefined ? '' : `, again in ${(willRetryInMs / 1000).toLocaleString('en')} s`
  const mark = context.paint(isGood ? 'good' : 'bad', String(status ?? 'no answer'))
  context.line(`        ${mark} in ${durationMs} ms${said}${isGood ? '' : next}`)
}
