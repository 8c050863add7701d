import type { WalletId } from '../../kernel/index.ts'
import type { AuditRows } from '../audit/index.ts'
import type { EventRows } from '../events/index.ts'
import type { IdempotencyRows } from '../idempotency/index.ts'
import type { AccessRows } from './ports.ts'

/** The row doors of this capability. */
export interface AccessTx {
  readonly access: AccessRows
  readonly idempotency: IdempotencyRows
  readonly audit: AuditRows
  readonly events: EventRows
  /** Of wallets a key needs to know only that they exist. */
  readonly wallet: { wallets(): Promise<readonly { readonly id: WalletId }[]> }
}
