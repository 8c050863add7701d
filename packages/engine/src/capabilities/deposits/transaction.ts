import type { AlertRows } from '../alerts/index.ts'
import type { AuditRows } from '../audit/index.ts'
import type { ChainRows } from '../chain/index.ts'
import type { EventRows } from '../events/index.ts'
import type { IdempotencyRows } from '../idempotency/index.ts'
import type { LedgerRows } from '../ledger/index.ts'
import type { AddressRecord, WalletRows } from '../wallet/index.ts'
import type { DepositRows, OrderRecord } from './ports.ts'

/** The row doors that one commit of the deposit path needs. */
export interface DepositsTx {
  readonly deposits: DepositRows
  readonly wallet: WalletRows
  readonly chain: ChainRows
  readonly ledger: LedgerRows
  readonly events: EventRows
  readonly audit: AuditRows
  readonly alerts: AlertRows
  readonly idempotency: IdempotencyRows
}

/** Makes an order of ours out of one that the platform keeps for this address; undefined when it keeps none. */
export type Adopt = (tx: DepositsTx, address: AddressRecord) => Promise<OrderRecord | undefined>
