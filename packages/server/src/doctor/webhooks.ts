import { EngineError } from '@kaccy/bitcoin/kernel'
import type { ApiClient } from '../cli/client/client.ts'
import type { WebhookJson } from '../cli/client/answers.ts'
import { type Finding, failed, fine, warning } from './finding.ts'

/** Webhooks that stand still, and receivers that do not answer. */
export async function examineWebhooks(client: ApiClient): Promise<Finding[]> {
  try {
    const webhooks = await client.list<WebhookJson>('/v1/webhooks', {}, 1_000)
    const troubled = webhooks.flatMap((webhook) => findingsOf(webhook))
    if (troubled.length > 0) return troubled
    return [fine('webhooks', webhooks.length === 0 ? 'none' : `${webhooks.length}, none behind`)]
  } catch (error) {
    // A key that may not read them is no trouble of the installation.
    if (error instanceof EngineError && error.code === 'SCOPE_MISSING') return []
    return [failed('webhooks', error)]
  }
}

function findingsOf({
  id,
  url,
  status,
  paused_reason,
  failing_since,
  last_error,
}: WebhookJson): Finding[] {
  if (status === 'paused')
    return [
      warning(
        'webhooks',
        `${id} to ${url} is paused: ${paused_reason ?? 'by hand'}`,
        `repair the receiver, then kaccy webhook resume ${id}: nothing is lost`,
      ),
    ]
  if (failing_since === null || failing_since === undefined) return []
  const why = last_error === null || last_error === undefined ? '' : `: ${last_error}`
  return [
    warning(
      'webhooks',
      `${id} to ${url} fails since ${failing_since}${why}`,
      `look at the receiver; kaccy webhook deliveries ${id} shows what it answered`,
    ),
  ]
}
