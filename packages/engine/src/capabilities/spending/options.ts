import {
  assert,
  type BlockRef,
  type Clock,
  type Entropy,
  type Network,
  type Tally,
  type Transactor,
  type WalletId,
} from '../../kernel/index.ts'
import { type Descriptor, parseDescriptor } from '../../protocol/descriptor/index.ts'
import type { ChainSource } from '../chain/index.ts'
import type { FeeQuotes } from './fees.ts'
import type { MempoolSource } from './node.ts'
import type { SpendOwners } from './owner.ts'
import type { SpendingTx } from './transaction.ts'

export interface SpendingOptions<Tx extends SpendingTx> {
  readonly store: Transactor<Tx>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly network: Network
  readonly source: Pick<ChainSource, 'transaction' | 'mempoolTransactions'>
  readonly mempool: MempoolSource
  readonly quotes: FeeQuotes
  readonly owners: SpendOwners<Tx>
  /** Order of inputs and outputs. Default `random`. */
  readonly order?: 'bip69' | 'random'
  /** How long a transaction may wait before an automatic bump is considered again, milliseconds. Default 30 minutes. */
  readonly bumpEveryMs?: number
  readonly settleDepth?: number
  readonly tally?: Tally<Tx>
}

/** The keys of the wallet that a spend moves coins of. @throws AssertionError: it was checked when it was registered */
export async function descriptorOf(
  tx: Pick<SpendingTx, 'wallet'>,
  network: Network,
  wallet: WalletId,
): Promise<Descriptor> {
  const record = await tx.wallet.wallet(wallet)
  assert(record, `a spend of wallet ${wallet}, which is not there`)
  const parsed = parseDescriptor(record.descriptor, { network, requireChecksum: true })
  assert(parsed.ok, `the descriptor of wallet ${wallet} does not parse`)
  return parsed.value
}

/** The tip of the stored view. @throws AssertionError before any chain was followed: there are no coins then */
export async function tipOf(tx: Pick<SpendingTx, 'chain'>): Promise<BlockRef> {
  const tip = await tx.chain.tip()
  assert(tip, 'no chain is followed yet')
  return { height: tip.height, hash: tip.hash }
}
