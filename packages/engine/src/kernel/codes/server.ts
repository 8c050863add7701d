import type { CodeEntry } from './remedy.ts'

/** Codes of the process around the engine: configuration, command line, demo. */
export const SERVER_CODES = {
  CONFIG_KEY_UNKNOWN: { remedy: 'caller', title: 'The configuration names something nobody reads' },
  CONFIG_VALUE_INVALID: { remedy: 'caller', title: 'A setting has a value that cannot be used' },
  CONFIG_VALUE_MISSING: { remedy: 'caller', title: 'A setting that is needed has no value' },
  CONFIG_CONFLICT: { remedy: 'caller', title: 'Two settings contradict each other' },
  CONFIG_FILE_UNREADABLE: { remedy: 'caller', title: 'A file that the configuration names fails' },
  USAGE_INVALID: { remedy: 'caller', title: 'The command line cannot be understood' },
  SERVER_DATABASE_UNUSABLE: { remedy: 'human', title: 'The database cannot be opened' },
  SERVER_DATABASE_NETWORK: { remedy: 'human', title: 'The database belongs to another network' },
  SERVER_NODE_DOWNLOADING: { remedy: 'retry', title: 'The node is still downloading the chain' },
  SERVER_AUDIT_BROKEN: { remedy: 'human', title: 'The audit trail does not verify' },
  SERVER_BOOKS_BROKEN: { remedy: 'human', title: 'The books do not add up' },
  SERVER_DRIFT: { remedy: 'human', title: 'Our coins and the coins of the node differ' },
  SERVER_CHECK_FAILED: { remedy: 'human', title: 'A check of the installation failed' },
  API_UNREACHABLE: { remedy: 'retry', title: 'The server that the command asks cannot be reached' },
  API_CERTIFICATE_REFUSED: {
    remedy: 'human',
    title: 'The certificate of the server is not believed',
  },
  API_ANSWER_UNREADABLE: { remedy: 'human', title: 'The answer is not one of this API' },
  DEMO_FOLDER_FOREIGN: {
    remedy: 'caller',
    title: 'The folder holds something else than this demo',
  },
} as const satisfies Record<string, CodeEntry>
