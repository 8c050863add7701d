import type { Column } from '../view/table.ts'
import type { CreatedWebhookJson, WebhookJson } from './client/answers.ts'
import type { Context } from './context.ts'

export const pathOf = (id: string): string => `/v1/webhooks/${encodeURIComponent(id)}`

/** In one word how it goes. */
const stateOf = ({ status, paused_reason: reason, failing_since: since }: WebhookJson): string => {
  if (status === 'paused') return `paused: ${reason ?? 'operator'}`
  return since === null ? 'active' : `failing since ${since.slice(0, 16)}`
}

export const WEBHOOK_COLUMNS: readonly Column<WebhookJson>[] = [
  { title: 'webhook', cell: (row) => row.id },
  {
    title: 'state',
    cell: stateOf,
    meaning: (row) => (stateOf(row) === 'active' ? 'good' : 'bad'),
  },
  { title: 'delivered', align: 'right', cell: (row) => `${row.last_delivered_seq}` },
  { title: 'events', cell: (row) => row.event_types.join(',') },
  { title: 'url', cell: (row) => row.url },
]

/** One webhook; its secret only where the answer has one, which is once. */
export function showWebhook(context: Context, webhook: WebhookJson | CreatedWebhookJson): void {
  const { last_error: error, next_attempt_at: next, last_delivered_at: at } = webhook
  const secret = 'secret' in webhook ? webhook.secret : null
  const fact = (name: string, value: string | null): [string, string][] =>
    value === null ? [] : [[name, value]]
  context.facts(
    [
      ['webhook', webhook.id],
      ['url', webhook.url],
      ['events', webhook.event_types.join(', ')],
      ['state', stateOf(webhook)],
      ['delivered', `up to event ${webhook.last_delivered_seq}${at === null ? '' : `, at ${at}`}`],
      ...fact('next try', next),
      ...fact('last error', error),
      ...fact('description', webhook.description),
      ...fact('secret', secret),
    ],
    webhook,
  )
}
