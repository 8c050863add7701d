import type { CodeEntry } from './remedy.ts'

/** Codes of API keys. Codes of keys on the curve begin with `KEY_` too; they stand with the protocol. */
export const ACCESS_CODES = {
  KEY_UNKNOWN: { remedy: 'caller', title: 'The API key is not known' },
  KEY_EXPIRED: { remedy: 'caller', title: 'The API key has expired' },
  KEY_REVOKED: { remedy: 'caller', title: 'The API key was revoked' },
  KEY_ALREADY_REVOKED: { remedy: 'caller', title: 'A revoked key cannot be changed' },
  KEY_ADDRESS_FORBIDDEN: {
    remedy: 'caller',
    title: 'The API key may not be used from this address',
  },
  KEY_MODE: { remedy: 'caller', title: 'The API key is for another network' },
  KEY_GRANT_FORBIDDEN: { remedy: 'caller', title: 'A key cannot give what it does not have' },
  KEY_LAST_ADMIN: { remedy: 'caller', title: 'It is the last key that may do everything' },
} as const satisfies Record<string, CodeEntry>
