import type { CodeEntry } from './remedy.ts'

/** Codes of the area `wallet`. */
export const WALLET_CODES = {
  WALLET_NOT_FOUND: { remedy: 'caller', title: 'No wallet has this id' },
  WALLET_KEYS_MISSING: { remedy: 'caller', title: 'Exactly one of descriptor and xpub is needed' },
  WALLET_NETWORK: { remedy: 'caller', title: 'The engine works on another network' },
  WALLET_NOT_RANGED: { remedy: 'caller', title: 'The descriptor has no range of addresses' },
  WALLET_KEYS_REGISTERED: { remedy: 'caller', title: 'These keys are registered already' },
  WALLET_BIRTHDAY_ABOVE_TIP: { remedy: 'caller', title: 'The height is above the tip' },
  WALLET_RETIRED: { remedy: 'caller', title: 'The wallet is retired and reveals no address' },
  WALLET_CHAIN_UNKNOWN: { remedy: 'retry', title: 'No block has been followed yet' },
  WALLET_ADDRESSES_EXHAUSTED: { remedy: 'caller', title: 'Every address of the branch is used up' },
  WALLET_SCRIPTS_OVERLAP: {
    remedy: 'human',
    title: 'The next addresses belong to another wallet as well',
  },
  WALLET_ADDRESS_UNKNOWN: { remedy: 'caller', title: 'The wallet has not handed out this address' },
  WALLET_ADDRESS_SHOWN: { remedy: 'caller', title: 'Somebody may have seen the address' },
  WALLET_ADDRESS_OWNED: { remedy: 'caller', title: 'The address belongs to another order' },
  WALLET_LABEL_INVALID: { remedy: 'caller', title: 'The label cannot be kept' },
  WALLET_LABELS_TOO_LARGE: { remedy: 'caller', title: 'The label file is too large' },
  WALLET_RECOVERY_INVALID: { remedy: 'caller', title: 'The recovery file cannot be used' },
  WALLET_RECOVERY_CHECKSUM: { remedy: 'caller', title: 'The recovery file was changed' },
  WALLET_RECOVERY_VERSION: {
    remedy: 'caller',
    title: 'The recovery file has a version that is not understood',
  },
} as const satisfies Record<string, CodeEntry>
