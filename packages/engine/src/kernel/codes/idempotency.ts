import type { CodeEntry } from './remedy.ts'

/** Codes of requests that are sent again. */
export const IDEMPOTENCY_CODES = {
  IDEMPOTENCY_ANSWERED: { remedy: 'retry', title: 'The request was answered before' },
  IDEMPOTENCY_CONFLICT: {
    remedy: 'caller',
    title: 'The idempotency key belongs to another request',
  },
} as const satisfies Record<string, CodeEntry>
