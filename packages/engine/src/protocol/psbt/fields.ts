/** Types of the global map. Source: BIP 174, BIP 370. */
export const GLOBAL = {
  UNSIGNED_TX: 0x00,
  XPUB: 0x01,
  TX_VERSION: 0x02,
  FALLBACK_LOCKTIME: 0x03,
  INPUT_COUNT: 0x04,
  OUTPUT_COUNT: 0x05,
  TX_MODIFIABLE: 0x06,
  VERSION: 0xfb,
} as const

/** Types of an input's map. Source: BIP 174, 370, 371, 373. */
export const INPUT = {
  NON_WITNESS_UTXO: 0x00,
  WITNESS_UTXO: 0x01,
  PARTIAL_SIG: 0x02,
  SIGHASH_TYPE: 0x03,
  REDEEM_SCRIPT: 0x04,
  WITNESS_SCRIPT: 0x05,
  BIP32_DERIVATION: 0x06,
  FINAL_SCRIPTSIG: 0x07,
  FINAL_SCRIPTWITNESS: 0x08,
  RIPEMD160: 0x0a,
  SHA256: 0x0b,
  HASH160: 0x0c,
  HASH256: 0x0d,
  PREVIOUS_TXID: 0x0e,
  OUTPUT_INDEX: 0x0f,
  SEQUENCE: 0x10,
  REQUIRED_TIME: 0x11,
  REQUIRED_HEIGHT: 0x12,
  TAP_KEY_SIG: 0x13,
  TAP_SCRIPT_SIG: 0x14,
  TAP_LEAF_SCRIPT: 0x15,
  TAP_BIP32_DERIVATION: 0x16,
  TAP_INTERNAL_KEY: 0x17,
  TAP_MERKLE_ROOT: 0x18,
  MUSIG2_PARTICIPANTS: 0x1a,
  MUSIG2_NONCE: 0x1b,
  MUSIG2_PARTIAL_SIG: 0x1c,
} as const

/** Types of an output's map. Source: BIP 174, 370, 371, 373. */
export const OUTPUT = {
  REDEEM_SCRIPT: 0x00,
  WITNESS_SCRIPT: 0x01,
  BIP32_DERIVATION: 0x02,
  AMOUNT: 0x03,
  SCRIPT: 0x04,
  TAP_INTERNAL_KEY: 0x05,
  TAP_TREE: 0x06,
  TAP_BIP32_DERIVATION: 0x07,
  MUSIG2_PARTICIPANTS: 0x08,
} as const

/** In every map: an identifier, a type of its own and data. */
export const PROPRIETARY = 0xfc
/** `psbt` and 0xff. */
export const MAGIC = Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff)
/** Lock times from here on are seconds. */
export const LOCKTIME_THRESHOLD = 500_000_000
export const FINAL_SEQUENCE = 0xffff_ffff
