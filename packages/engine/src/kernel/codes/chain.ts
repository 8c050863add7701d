import type { CodeEntry } from './remedy.ts'

/** Codes of the area `chain`. */
export const CHAIN_CODES = {
  CHAIN_TRANSACTION_INVALID: { remedy: 'caller', title: 'The bytes are no valid transaction' },
  CHAIN_BLOCK_INVALID: { remedy: 'human', title: 'The bytes are no valid block' },
  CHAIN_WRONG_NETWORK: { remedy: 'human', title: 'The node is on another network than the engine' },
  CHAIN_NODE_BEHIND: { remedy: 'retry', title: 'The node lacks blocks that the engine has seen' },
  CHAIN_FORK_UNKNOWN: {
    remedy: 'human',
    title: 'The node and the engine agree on no block at all',
  },
  FEE_ESTIMATE_UNAVAILABLE: { remedy: 'retry', title: 'The node has no fee estimate now' },
  CHAIN_MOVED: { remedy: 'retry', title: 'The chain changed while it was being read' },
} as const satisfies Record<string, CodeEntry>
