import type { CodeEntry } from './remedy.ts'

/** Codes of the area `audit`. */
export const AUDIT_CODES = {} as const satisfies Record<string, CodeEntry>
