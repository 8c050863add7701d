import type { CodeEntry } from './remedy.ts'

/** Codes of the node adapters. */
export const NODE_CODES = {
  NODE_UNREACHABLE: { remedy: 'retry', title: 'The node cannot be reached' },
  NODE_TIMEOUT: {
    remedy: 'retry',
    title: 'The node did not answer in time; whether it acted is unknown',
  },
  NODE_WARMING_UP: { remedy: 'retry', title: 'The node is still starting' },
  NODE_BUSY: { remedy: 'retry', title: 'The node takes no more work at the moment' },
  NODE_UNAUTHORIZED: { remedy: 'human', title: 'The node refuses our credentials' },
  NODE_CERTIFICATE_REFUSED: {
    remedy: 'human',
    title: "The node's certificate is not the one we trust",
  },
  NODE_ANSWER_INVALID: {
    remedy: 'human',
    title: 'The node answered something that cannot be understood',
  },
  NODE_CALL_REFUSED: { remedy: 'human', title: 'The node answered a call with an error' },
  NODE_METHOD_MISSING: { remedy: 'human', title: 'The node does not have this method' },
  NODE_NETWORK_WRONG: { remedy: 'human', title: 'The node follows another chain than it says' },
  NODE_BLOCK_PRUNED: { remedy: 'human', title: 'The node no longer has a block that is needed' },
  NODE_BLOCK_UNKNOWN: { remedy: 'retry', title: 'The node does not have a block that is needed' },
  NODE_CALL_CANCELLED: { remedy: 'caller', title: 'The caller gave up waiting for the node' },
  NODE_OPTIONS_INVALID: { remedy: 'caller', title: 'A node cannot be used with these options' },
} as const satisfies Record<string, CodeEntry>
