import { EngineError } from '@kaccy/bitcoin/kernel'
import type { Command } from 'commander'
import { pauseFor } from '../host/pause.ts'
import { EXIT } from '../shell.ts'
import type { Column } from '../view/table.ts'
import { readDuration, readNumber } from './arguments.ts'
import type { DeliveryJson, WebhookJson } from './client/answers.ts'
import type { ApiClient } from './client/client.ts'
import { addClientFlags, type Bind, type Context, examples } from './context.ts'
import { pathOf } from './webhook-output.ts'

const LOOK_MS = 300

const COLUMNS: readonly Column<DeliveryJson>[] = [
  { title: 'delivery', align: 'right', cell: (row) => `${row.number}` },
  { title: 'when', cell: (row) => row.at.slice(0, 19) },
  { title: 'event', align: 'right', cell: (row) => `${row.seq}` },
  { title: 'type', cell: (row) => row.type },
  { title: 'try', align: 'right', cell: (row) => `${row.attempt}` },
  {
    title: 'outcome',
    cell: (row) => row.outcome,
    meaning: (row) => (row.outcome === 'delivered' ? 'good' : 'bad'),
  },
  { title: 'answer', cell: (row) => row.error ?? `${row.status ?? ''}` },
  { title: 'took', align: 'right', cell: (row) => `${row.duration_ms} ms` },
]

/** `kaccy webhook deliveries`, `kaccy webhook test` */
export function addDeliveries(webhook: Command, bind: Bind): void {
  const deliveries = addClientFlags(webhook.command('deliveries <webhook>'))
    .description('attempts, newest first; --json has what was sent and what came back')
    .option('--limit <n>', 'at most this many', '20')
  examples(deliveries, [
    'kaccy webhook deliveries whk_…',
    'kaccy webhook deliveries whk_… --limit 1 --json',
  ])
  bind(deliveries, (context, [id = '']) =>
    context.withClient(async (client) => {
      const limit = readNumber(context.text('limit') ?? '20', '--limit', 1, 100_000)
      context.list(await deliveriesOf(client, id, limit), COLUMNS, (row) => row)
      return EXIT.ok
    }),
  )
  const test = addClientFlags(webhook.command('test <webhook>'))
    .description('deliver its last event once more, and show what the receiver answers')
    .option('--timeout <duration>', 'how long to wait for the answer', '30s')
  bind(examples(test, ['kaccy webhook test whk_…']), runTest)
}

const deliveriesOf = (client: ApiClient, id: string, limit: number): Promise<DeliveryJson[]> =>
  client.list<DeliveryJson>(`${pathOf(id)}/deliveries`, {}, limit)

async function runTest(context: Context, [id = '']: readonly string[]) {
  const patience = readDuration(context.text('timeout') ?? '30s', '--timeout')
  return context.withClient(async (client) => {
    const { status, last_delivered_seq: seq } = await client.get<WebhookJson>(pathOf(id))
    if (status !== 'active')
      throw new EngineError('USAGE_INVALID', `${id} is paused: kaccy webhook resume ${id} first`)
    const [before] = await deliveriesOf(client, id, 1)
    const from = seq > 0 ? seq : before?.seq
    if (from === undefined)
      throw new EngineError('USAGE_INVALID', `${id} has delivered nothing yet: make an order first`)
    await client.post(`${pathOf(id)}/replay`, { body: { from_seq: from } })
    const found = await nextDelivery(context, client, id, before?.number ?? 0, patience)
    context.list([found], COLUMNS, (row) => row)
    if (!context.json && found.answer) context.line(found.answer)
    return found.outcome === 'delivered' ? EXIT.ok : EXIT.failure
  })
}

/** The first attempt behind a number. @throws EngineError SERVER_CHECK_FAILED when none is made in time */
async function nextDelivery(
  context: Context,
  client: ApiClient,
  id: string,
  number: number,
  patience: number,
): Promise<DeliveryJson> {
  const { signal } = context.shell
  for (let waited = 0; waited <= patience && !signal.aborted; waited += LOOK_MS) {
    const [newest] = await deliveriesOf(client, id, 1)
    if (newest && newest.number > number) return newest
    await pauseFor(LOOK_MS, signal)
  }
  throw new EngineError(
    'SERVER_CHECK_FAILED',
    'no attempt was made in time: webhooks are delivered by a running kaccy serve',
  )
}
