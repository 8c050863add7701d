import type { Originated } from '../../kernel/index.ts'
import type { AlertRows } from '../alerts/index.ts'
import type { AuditRows } from '../audit/index.ts'
import type { ChainRows } from '../chain/index.ts'
import type { CoinRows } from '../coins/index.ts'
import type { DepositRows } from '../deposits/index.ts'
import type { EventRows } from '../events/index.ts'
import type { WalletRows } from '../wallet/index.ts'
import type { SpendingRows } from './ports.ts'

/** The row doors that one commit about spends needs. */
export interface SpendingTx extends Originated {
  readonly spending: SpendingRows
  readonly coins: CoinRows
  readonly deposits: DepositRows
  readonly wallet: WalletRows
  readonly chain: ChainRows
  readonly events: EventRows
  readonly audit: AuditRows
  readonly alerts: AlertRows
}
