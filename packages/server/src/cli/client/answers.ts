/** A webhook as the API shows it. */
export interface WebhookJson {
  readonly id: string
  readonly url: string
  readonly status: 'active' | 'paused' | 'removed'
  readonly paused_reason: string | null
  readonly failing_since: string | null
  readonly last_error: string | null
}
