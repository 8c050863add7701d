import type { Refusal } from '../../kernel/index.ts'
import type { KeyOrigin } from '../keys/index.ts'
import type { Transaction, TransactionOutput } from '../transaction/index.ts'

export type PsbtVersion = 0 | 2

/** One pair of a map as it stands in the file: the key with its type, and the value. Source: BIP 174. */
export interface PsbtPair {
  /** As the key begins; 0 to 252 are one byte. */
  readonly type: number
  /** The whole key, the type included. */
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A key with the place it claims to come from. A claim only: `checkPsbt` derives the key anew. */
export interface PsbtOrigin extends KeyOrigin {
  /** 33 bytes, or 65 in old scripts; 32 (x-only) for taproot. */
  readonly publicKey: Uint8Array
  /** Only taproot: leaves that the key stands in; none for the internal key. Source: BIP 371. */
  readonly leafHashes?: readonly Uint8Array[]
}

export interface PsbtXpub extends KeyOrigin {
  /** The 78 bytes of an extended public key. */
  readonly extendedKey: Uint8Array
}

export interface PartialSignature {
  readonly publicKey: Uint8Array
  /** Strict DER and one byte of hash type. */
  readonly signature: Uint8Array
}

/** What every map has. */
interface PsbtMap {
  /**
   * Pairs that are not read here, in the order of the file: unknown ones, proprietary ones, preimages, leaf scripts and their
   * signatures, MuSig2 (BIP 373). Their form is checked where a BIP gives one; their content never decides anything.
   */
  readonly kept: readonly PsbtPair[]
  /** The types of the file in order of appearance, so that writing it again gives the same bytes. Absent in our own. */
  readonly layout?: readonly number[]
}

export interface PsbtInput extends PsbtMap {
  /** The whole transaction that made the coin. Whether it is the right one is what `checkPsbt` looks at. */
  readonly previous?: Transaction
  readonly witnessUtxo?: TransactionOutput
  readonly signatures: readonly PartialSignature[]
  /** The hash type that signers are asked for: unset means ALL, or DEFAULT for taproot. */
  readonly sighash?: number
  readonly redeemScript?: Uint8Array
  readonly witnessScript?: Uint8Array
  readonly origins: readonly PsbtOrigin[]
  readonly finalScript?: Uint8Array
  readonly finalWitness?: readonly Uint8Array[]
  /** Seconds since the epoch, 500,000,000 and more (version 2). */
  readonly requiredTime?: number
  /** A height from 1 (version 2). */
  readonly requiredHeight?: number
  /** 64 bytes, or 65 with a hash type. */
  readonly tapSignature?: Uint8Array
  readonly tapOrigins: readonly PsbtOrigin[]
  readonly tapInternalKey?: Uint8Array
  readonly tapMerkleRoot?: Uint8Array
}

export interface PsbtOutput extends PsbtMap {
  readonly redeemScript?: Uint8Array
  readonly witnessScript?: Uint8Array
  readonly origins: readonly PsbtOrigin[]
  readonly tapOrigins: readonly PsbtOrigin[]
  readonly tapInternalKey?: Uint8Array
  /** Depth, leaf version and script of each leaf, in depth-first order (BIP 371), as they stand in the file. */
  readonly tapTree?: Uint8Array
}

/** A partially signed transaction of version 0 (BIP 174) or 2 (BIP 370). Immutable; everything in it is a claim of its author. */
export interface Psbt extends PsbtMap {
  readonly version: PsbtVersion
  /** Without scripts and witnesses. Of version 2 the lock time is the one that BIP 370 computes. */
  readonly transaction: Transaction
  /** One for each input of the transaction. */
  readonly inputs: readonly PsbtInput[]
  /** One for each output of the transaction. */
  readonly outputs: readonly PsbtOutput[]
  readonly xpubs: readonly PsbtXpub[]
  /** Lock time where no input requires one (version 2). */
  readonly fallbackLockTime?: number
  /** Bits: inputs may be added, outputs may be added, has SIGHASH_SINGLE (version 2). */
  readonly modifiable?: number
}

/** Why a file is no PSBT that we read. Details: `fault` is `malformed`, `amount_range`, `version` or `too_large`. */
export type PsbtRefusal = Refusal<'PSBT_MALFORMED' | 'PSBT_VERSION_UNKNOWN' | 'PSBT_TOO_LARGE'>
