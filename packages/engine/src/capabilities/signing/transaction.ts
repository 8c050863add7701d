import type { IdempotencyRows } from '../idempotency/index.ts'
import type { PolicyTx } from '../policy/index.ts'
import type { SpendingTx } from '../spending/index.ts'

/** The row doors that one commit about signatures needs. */
export interface SigningTx extends SpendingTx, PolicyTx {
  readonly idempotency: IdempotencyRows
}
