import type { CodeEntry } from './remedy.ts'

/** Codes of the node adapters. */
export const NODE_CODES = {
  NODE_UNREACHABLE: { remedy: 'retry', title: 'The node cannot be reached' },
  NODE_TIMEOUT: {
    remedy: 'retry',
    title: 'The node did not answer in time; whether it acted is unknown',
  },
  NODE_WARMING_UP: { remedy: 'retry', title: 'The node is still starting' },
  NODE_UNAUTHORIZED: { remedy: 'human', title: 'The node refuses our credentials' },
  NODE_ANSWER_INVALID: {
    remedy: 'human',
    title: 'The node answered something that cannot be understood',
  },
  NODE_BLOCK_PRUNED: { remedy: 'human', title: 'The node no longer has a block that is needed' },
} as const satisfies Record<string, CodeEntry>
