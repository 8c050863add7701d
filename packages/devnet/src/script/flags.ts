declare const set: unique symbol
/** A set of Core's script verification flags. Made by `flagsOf` and `parseFlags` only, so that no other number passes for one. */
export type ScriptFlags = number & { readonly [set]: 'script flags' }

/** Core's script verification flags under the names of its script tests, as bits of `ScriptFlags`. Source: Core's interpreter. */
export const FLAG = {
  /** Evaluate the script behind a script hash. BIP 16. */
  P2SH: 1 << 0,
  /** Defined hash types and well-formed public keys only. */
  STRICTENC: 1 << 1,
  /** Strict DER. BIP 66. */
  DERSIG: 1 << 2,
  /** `s` in the lower half. BIP 62. */
  LOW_S: 1 << 3,
  /** The extra element that OP_CHECKMULTISIG takes is empty. BIP 147. */
  NULLDUMMY: 1 << 4,
  /** Only pushes in the input script. */
  SIGPUSHONLY: 1 << 5,
  /** The shortest push and the shortest number. */
  MINIMALDATA: 1 << 6,
  DISCOURAGE_UPGRADABLE_NOPS: 1 << 7,
  /** Exactly one element is left. Needs P2SH and WITNESS. */
  CLEANSTACK: 1 << 8,
  /** BIP 65. */
  CHECKLOCKTIMEVERIFY: 1 << 9,
  /** BIP 112. */
  CHECKSEQUENCEVERIFY: 1 << 10,
  /** Segregated witness. BIP 141. Needs P2SH. */
  WITNESS: 1 << 11,
  DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM: 1 << 12,
  /** OP_IF takes nothing or 0x01 in witness v0 (tapscript wants that always). */
  MINIMALIF: 1 << 13,
  /** A signature that fails is empty. BIP 146. */
  NULLFAIL: 1 << 14,
  /** Compressed keys in witness v0. */
  WITNESS_PUBKEYTYPE: 1 << 15,
  /** No OP_CODESEPARATOR and no deletion of signatures in scripts before segwit. */
  CONST_SCRIPTCODE: 1 << 16,
  /** BIP 341 and BIP 342. */
  TAPROOT: 1 << 17,
  DISCOURAGE_UPGRADABLE_TAPROOT_VERSION: 1 << 18,
  DISCOURAGE_OP_SUCCESS: 1 << 19,
  DISCOURAGE_UPGRADABLE_PUBKEYTYPE: 1 << 20,
} as const
export type ScriptFlag = keyof typeof FLAG

/** Every flag by name, in the order of the bits. */
export const FLAG_NAMES: readonly ScriptFlag[] = Object.keys(FLAG) as ScriptFlag[]

export const flagsOf = (...names: readonly ScriptFlag[]): ScriptFlags =>
  names.reduce((bits, name) => bits | FLAG[name], 0) as ScriptFlags

/** Every flag of either set. */
export const withFlags = (flags: ScriptFlags, others: ScriptFlags): ScriptFlags =>
  (flags | others) as ScriptFlags

/** `flags` without `others`. */
export const withoutFlags = (flags: ScriptFlags, others: ScriptFlags): ScriptFlags =>
  (flags & ~others) as ScriptFlags

export const NO_FLAGS = flagsOf()
export const ALL_FLAGS = flagsOf(...FLAG_NAMES)
/** What every block of regtest has to meet from height 1 on, which is also what Core calls mandatory. */
export const CONSENSUS_FLAGS = flagsOf(
  'P2SH',
  'DERSIG',
  'NULLDUMMY',
  'CHECKLOCKTIMEVERIFY',
  'CHECKSEQUENCEVERIFY',
  'WITNESS',
  'TAPROOT',
)
/** What the mempool of Core 28 asks on top of consensus, with consensus. */
export const STANDARD_FLAGS = withFlags(
  CONSENSUS_FLAGS,
  flagsOf(
    'STRICTENC',
    'MINIMALDATA',
    'DISCOURAGE_UPGRADABLE_NOPS',
    'CLEANSTACK',
    'MINIMALIF',
    'NULLFAIL',
    'LOW_S',
    'DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM',
    'WITNESS_PUBKEYTYPE',
    'CONST_SCRIPTCODE',
    'DISCOURAGE_UPGRADABLE_TAPROOT_VERSION',
    'DISCOURAGE_OP_SUCCESS',
    'DISCOURAGE_UPGRADABLE_PUBKEYTYPE',
  ),
)

const isFlag = (word: string): word is ScriptFlag => Object.hasOwn(FLAG, word)

/** Reads the comma text of Core's tests, `P2SH,WITNESS`; empty and `NONE` are no flags. Undefined when a word is unknown. */
export function parseFlags(text: string): ScriptFlags | undefined {
  if (text === '' || text === 'NONE') return NO_FLAGS
  const words = text.split(',')
  return words.every(isFlag) ? flagsOf(...words) : undefined
}
/** The comma text of Core's tests. */
export const formatFlags = (flags: ScriptFlags): string =>
  FLAG_NAMES.filter((name) => (flags & FLAG[name]) !== 0).join(',')

/** CLEANSTACK needs WITNESS and that needs P2SH: adds what is missing. Without it, setting the missing flag later could make a refused spend valid. */
export function withImplied(flags: ScriptFlags): ScriptFlags {
  let bits: number = flags
  if (bits & FLAG.CLEANSTACK) bits |= FLAG.WITNESS
  if (bits & FLAG.WITNESS) bits |= FLAG.P2SH
  return bits as ScriptFlags
}
