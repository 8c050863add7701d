import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { listOf, readChoice, readDuration, readNumber, readPairs } from './arguments.ts'
import type { CreatedWebhookJson, WebhookJson } from './client/answers.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { readInput } from './output.ts'
import { addDeliveries } from './webhook-deliveries.ts'
import { pathOf, showWebhook, WEBHOOK_COLUMNS } from './webhook-output.ts'

const STATUSES = ['active', 'paused'] as const

/** `kaccy webhook …` */
export function addWebhook(program: Command, bind: Bind): void {
  const webhook = program.command('webhook').description('events posted to your own address')
  const create = settings(addClientFlags(webhook.command('create <url>')))
    .description('deliver events there, in order, signed, for days if need be')
    .option('--secret-file <file>', 'a signing secret of your own (- for standard input)')
    .option('--idempotency-key <key>', 'sent twice, done once')
  examples(create, [
    "kaccy webhook create https://shop.example/hooks/kaccy --types 'order.*'",
    'kaccy webhook create https://shop.example/hooks/kaccy --types order.confirmed,order.failed',
  ])
  bind(create, runCreate)
  const list = addClientFlags(webhook.command('list'))
    .description('newest first')
    .option('--status <status>', 'active or paused')
    .option('--limit <n>', 'at most this many', '20')
  bind(examples(list, ['kaccy webhook list --status paused']), (context) =>
    context.withClient(async (client) => {
      const text = context.text('status')
      const status = text === undefined ? undefined : readChoice(text, STATUSES, '--status')
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      const rows = await client.list<WebhookJson>('/v1/webhooks', { status }, limit)
      context.list(rows, WEBHOOK_COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const show = addClientFlags(webhook.command('show <webhook>')).description('how it goes')
  bind(examples(show, ['kaccy webhook show whk_…']), (context, [id = '']) =>
    context.withClient(async (client) => {
      showWebhook(context, await client.get<WebhookJson>(pathOf(id)))
      return EXIT.ok
    }),
  )
  addChanges(webhook, bind)
  addVerbs(webhook, bind)
  addDeliveries(webhook, bind)
}

const settings = (command: Command): Command =>
  command
    .option('--types <types>', 'with commas: order.confirmed, order.*, or * for all')
    .option('--description <text>', 'for people')
    .option('--metadata <key=value...>', 'kept with it')

function settingsOf(context: Context) {
  const types = context.text('types')
  const pairs = context.texts('metadata')
  return {
    event_types: types === undefined ? undefined : listOf(types),
    description: context.text('description'),
    metadata: pairs === undefined ? undefined : readPairs(pairs, '--metadata'),
  }
}

async function runCreate(context: Context, [url = '']: readonly string[]) {
  const { event_types: types = ['*'], ...more } = settingsOf(context)
  const file = context.text('secretFile')
  const secret = file === undefined ? undefined : (await readInput(context, file)).trim()
  return context.withClient(async (client) => {
    const { made } = await client.create<CreatedWebhookJson>('/v1/webhooks', {
      body: { url, event_types: types, secret, ...more },
      idempotencyKey: context.text('idempotencyKey'),
    })
    showWebhook(context, made)
    return EXIT.ok
  })
}

function addChanges(webhook: Command, bind: Bind): void {
  const update = settings(addClientFlags(webhook.command('update <webhook>')))
    .description('change where and what is delivered')
    .option('--url <url>', 'another address')
  examples(update, ["kaccy webhook update whk_… --types 'order.*,payment.*'"])
  bind(update, (context, [id = '']) => {
    const body = { url: context.text('url'), ...settingsOf(context) }
    if (Object.values(body).every((value) => value === undefined))
      throw new EngineError(
        'USAGE_INVALID',
        'nothing to change: give --url, --types, --description or --metadata',
      )
    return context.withClient(async (client) => {
      showWebhook(context, await client.patch<WebhookJson>(pathOf(id), body))
      return EXIT.ok
    })
  })
  const remove = addClientFlags(webhook.command('remove <webhook>'))
    .description('deliver nothing any more; what waits is not delivered either')
    .option('--yes', 'do not ask')
  bind(examples(remove, ['kaccy webhook remove whk_… --yes']), async (context, [id = '']) => {
    await context.confirm(`Remove ${id}? What waits for it is not delivered any more.`)
    return context.withClient(async (client) => {
      await client.delete(pathOf(id))
      context.facts([['webhook', `${id} is removed`]], { id, removed: true })
      return EXIT.ok
    })
  })
}

function addVerbs(webhook: Command, bind: Bind): void {
  const verbs = [
    ['pause', 'let events wait; none is lost'],
    ['resume', 'go on behind the last event that was delivered'],
  ] as const
  for (const [verb, about] of verbs) {
    const command = addClientFlags(webhook.command(`${verb} <webhook>`)).description(about)
    bind(examples(command, [`kaccy webhook ${verb} whk_…`]), (context, [id = '']) =>
      context.withClient(async (client) => {
        showWebhook(context, await client.post<WebhookJson>(`${pathOf(id)}/${verb}`))
        return EXIT.ok
      }),
    )
  }
  const replay = addClientFlags(webhook.command('replay <webhook>'))
    .description('deliver everything from an event on again, in order')
    .requiredOption('--from <seq>', 'the first event')
  bind(examples(replay, ['kaccy webhook replay whk_… --from 1200']), (context, [id = '']) =>
    context.withClient(async (client) => {
      const from = readNumber(context.text('from') ?? '', '--from', 1, Number.MAX_SAFE_INTEGER)
      const body = { from_seq: from }
      showWebhook(context, await client.post<WebhookJson>(`${pathOf(id)}/replay`, { body }))
      return EXIT.ok
    }),
  )
  const rotate = addClientFlags(webhook.command('rotate <webhook>'))
    .description('a new signing secret; older ones sign beside it for a while')
    .option('--overlap <duration>', 'for how long: 90s, 2h, 1d; 0s ends them at once (default: 1d)')
  bind(examples(rotate, ['kaccy webhook rotate whk_… --overlap 2h']), (context, [id = '']) =>
    context.withClient(async (client) => {
      const text = context.text('overlap')
      const body = text === undefined ? {} : { overlap: readDuration(text, '--overlap') / 1000 }
      showWebhook(context, await client.post<CreatedWebhookJson>(`${pathOf(id)}/rotate`, { body }))
      return EXIT.ok
    }),
  )
}
