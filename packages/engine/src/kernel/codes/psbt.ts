import type { CodeEntry } from './remedy.ts'

/** Codes of partially signed transactions and the signatures in them. */
export const PSBT_CODES = {
  PSBT_MALFORMED: { remedy: 'caller', title: 'The bytes are not a PSBT' },
  PSBT_VERSION_UNKNOWN: { remedy: 'caller', title: 'The PSBT has a version that is not read here' },
  PSBT_TOO_LARGE: { remedy: 'caller', title: 'The PSBT is larger than any honest one' },
  PSBT_DIFFERENT_TRANSACTION: {
    remedy: 'caller',
    title: 'The PSBT belongs to another transaction',
  },
  PSBT_CONFLICT: { remedy: 'caller', title: 'Two PSBTs contradict each other' },
  PSBT_INCOMPLETE: { remedy: 'caller', title: 'Signatures are missing' },
  PSBT_UNSPENDABLE: { remedy: 'caller', title: 'An input cannot be completed from its PSBT' },
  SIGNATURE_INVALID: { remedy: 'caller', title: 'A signature does not sign the transaction' },
  SIGNATURE_FOREIGN: { remedy: 'caller', title: 'A signature is of a key that may not sign' },
  SIGNATURE_SIGHASH: { remedy: 'caller', title: 'A signature covers less than the transaction' },
} as const satisfies Record<string, CodeEntry>
