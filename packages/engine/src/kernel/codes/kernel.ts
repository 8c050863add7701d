import type { CodeEntry } from './remedy.ts'

/** Codes that every area may use. */
export const KERNEL_CODES = {
  AMOUNT_INVALID: { remedy: 'caller', title: 'The amount is not an exact number of satoshis' },
  FEE_RATE_INVALID: { remedy: 'caller', title: 'The fee rate cannot be used' },
  FIELD_INVALID: { remedy: 'caller', title: 'A field has a value that cannot be used' },
  JSON_INVALID: { remedy: 'caller', title: 'The text is not strict JSON' },
  NOT_FOUND: { remedy: 'caller', title: 'Nothing has this id' },
} as const satisfies Record<string, CodeEntry>
