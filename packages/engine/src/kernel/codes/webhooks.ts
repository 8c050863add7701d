import type { CodeEntry } from './remedy.ts'

/** Codes of webhooks: subscriptions, and the kit of those who receive them. */
export const WEBHOOK_CODES = {
  WEBHOOK_NOT_FOUND: { remedy: 'caller', title: 'No webhook has this id' },
  WEBHOOK_URL_REFUSED: { remedy: 'caller', title: 'The target of a webhook cannot be used' },
  WEBHOOKS_TOO_MANY: { remedy: 'caller', title: 'Its creator has as many webhooks as it may have' },
  WEBHOOK_SECRET_INVALID: { remedy: 'caller', title: 'The signing secret cannot be used' },
  WEBHOOK_SIGNATURE_INVALID: {
    remedy: 'caller',
    title: 'The delivery is not signed by the sender',
  },
  WEBHOOK_TIMESTAMP_OUTSIDE: {
    remedy: 'caller',
    title: 'The delivery is too old or from the future',
  },
  WEBHOOK_BODY_INVALID: { remedy: 'caller', title: 'The body of the delivery is no event' },
  WEBHOOK_HOLE_OPEN: {
    remedy: 'retry',
    title: 'Events before the delivered one cannot be read yet',
  },
} as const satisfies Record<string, CodeEntry>
