import type { CodeEntry } from './remedy.ts'

/** Codes of the store. */
export const STORE_CODES = {
  STORE_CONFLICT: { remedy: 'caller', title: 'Something with the same unique key exists' },
  STORE_UNAVAILABLE: { remedy: 'retry', title: 'The database cannot be reached or did not commit' },
  STORE_SCHEMA_NEWER: { remedy: 'human', title: 'The database belongs to a newer version' },
  STORE_SCHEMA_OLDER: { remedy: 'human', title: 'The database has not been migrated' },
} as const satisfies Record<string, CodeEntry>
