import type { MeansTx } from '../coins/index.ts'
import type { IdempotencyRows } from '../idempotency/index.ts'
import type { SpendingTx } from '../spending/index.ts'
import type { ConsolidationRows } from './ports.ts'

/** The row doors that one commit of a run needs. */
export interface ConsolidationTx extends SpendingTx, MeansTx {
  readonly consolidations: ConsolidationRows
  readonly idempotency: IdempotencyRows
}
