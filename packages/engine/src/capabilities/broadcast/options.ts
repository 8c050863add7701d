import type { Clock, Entropy, Network, Tally, Transactor } from '../../kernel/index.ts'
import type { SpendingTx, SpendOwners } from '../spending/index.ts'
import type { Broadcaster } from './ports.ts'

export interface BroadcastOptions<Tx extends SpendingTx> {
  readonly store: Transactor<Tx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly network: Network
  readonly broadcaster: Broadcaster
  readonly owners: SpendOwners<Tx>
  readonly tally?: Tally<Tx>
}
