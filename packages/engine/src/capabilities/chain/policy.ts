import type { BlockHash, BlockRef, Network } from '../../kernel/index.ts'
import type { NodeInfo } from './ports.ts'

/** Hashes of the genesis blocks: what a network is, whatever a node calls it. Source: Core, chainparams. */
export const GENESIS: Readonly<Record<Network, BlockHash>> = {
  main: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f' as BlockHash,
  test: '000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943' as BlockHash,
  testnet4: '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043' as BlockHash,
  signet: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6' as BlockHash,
  regtest: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206' as BlockHash,
}

/** Why the chain cannot be trusted fully right now. Money already booked stays; nothing is expired meanwhile. */
export type Degradation =
  | 'initial_block_download'
  | 'node_behind_its_headers'
  | 'node_behind_us'
  | 'tip_is_old'
  | 'unreachable'

/** Blocks a node may lag behind the best header it knows before that is worth a name. */
const HEADER_SLACK = 2
/** A tip older than this is an alarm on every network where blocks come by themselves (I25). */
export const TIP_AGE_LIMIT_MS = 90 * 60 * 1000

/** What is wrong with a reachable node of the right network, worst first. */
export function degradationOf(info: NodeInfo, now: number): Degradation | undefined {
  if (info.network === 'regtest') {
    // A private chain stands still between tests: neither its age nor its download flag says anything.
    return info.headers > info.tip.height + HEADER_SLACK ? 'node_behind_its_headers' : undefined
  }
  if (info.initialBlockDownload) return 'initial_block_download'
  if (info.headers > info.tip.height + HEADER_SLACK) return 'node_behind_its_headers'
  if (info.tipTime !== undefined && now - info.tipTime * 1000 > TIP_AGE_LIMIT_MS)
    return 'tip_is_old'
  return undefined
}

/**
 * Whether the node's chain may replace ours. A node that merely lacks our newest blocks is behind (restored from a backup,
 * another one behind a balancer): going back with it would undo true credits. It may take us back only when it shows at
 * least as many blocks, or when it knows our tip and says that it is no longer on the best chain.
 */
export function mayFollow(
  ours: BlockRef,
  theirs: BlockRef,
  fork: BlockRef,
  knowsOurTipAsStale: boolean,
): boolean {
  if (fork.hash === ours.hash) return true
  return theirs.height >= ours.height || knowsOurTipAsStale
}

/** What the first look at a mempool after a change of circumstances proves about absent transactions. */
export function absenceOf(look: {
  readonly loaded: boolean
  readonly epoch: string
  readonly previousEpoch: string | undefined
  readonly size: number
  readonly previousSize: number
  readonly degraded: boolean
}): 'proof' | 'none' {
  if (!look.loaded || look.degraded) return 'none'
  if (look.previousEpoch !== undefined && look.previousEpoch !== look.epoch) return 'none'
  // A node that lost nearly everything at once lost its memory, whatever it says of its uptime.
  return look.previousSize >= 50 && look.size * 10 < look.previousSize ? 'none' : 'proof'
}
