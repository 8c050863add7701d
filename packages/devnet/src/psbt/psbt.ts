import { ByteWriter, sha256d, toReversedHex } from '../chain/bytes.ts'
import {
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
  type TransactionParts,
} from '../chain/transaction.ts'
import type { KeyOrigin } from '../descriptor/keypath.ts'
import type { TapLeaf } from '../descriptor/taproot.ts'
import type { KnownKey, LeafScript, PartialSignature, TapOrigin } from '../sign/data.ts'

/** A field of somebody's own, kept as it is. */
export interface Proprietary {
  readonly identifier: Uint8Array
  readonly subtype: number
  /** The whole key of the field, type included. */
  readonly key: Uint8Array
  readonly value: Uint8Array
}
export type PreimageKind = 'ripemd160' | 'sha256' | 'hash160' | 'hash256'
interface Extra {
  readonly proprietary: Proprietary[]
  /** By key in hex. */
  readonly unknown: Map<string, Uint8Array>
}
/** One input of a PSBT. Maps go by hex: signatures by hash of the key, keys by the key itself. Source: BIP 174, BIP 371. */
export interface PsbtInput extends Extra {
  nonWitnessUtxo: Transaction | undefined
  witnessUtxo: TransactionOutput | undefined
  readonly signatures: Map<string, PartialSignature>
  sighashType: number | undefined
  redeemScript: Uint8Array | undefined
  witnessScript: Uint8Array | undefined
  readonly keys: Map<string, KnownKey>
  finalScriptSig: Uint8Array | undefined
  finalWitness: readonly Uint8Array[] | undefined
  readonly preimages: Readonly<Record<PreimageKind, Map<string, Uint8Array>>>
  tapKeySignature: Uint8Array | undefined
  /** By key and leaf hash in hex, one behind the other. */
  readonly tapScriptSignatures: Map<string, Uint8Array>
  readonly tapScripts: Map<string, LeafScript>
  readonly tapOrigins: Map<string, TapOrigin>
  tapInternalKey: Uint8Array | undefined
  tapMerkleRoot: Uint8Array | undefined
}
export interface PsbtOutput extends Extra {
  redeemScript: Uint8Array | undefined
  witnessScript: Uint8Array | undefined
  readonly keys: Map<string, KnownKey>
  tapInternalKey: Uint8Array | undefined
  tapTree: readonly TapLeaf[]
  readonly tapOrigins: Map<string, TapOrigin>
}
export interface GlobalXpub {
  /** 78 bytes with version. */
  readonly xpub: Uint8Array
  readonly origin: KeyOrigin
}
/** A partially signed transaction, version 0. Its inputs and outputs stand in the order of the transaction's. */
export interface Psbt extends Extra {
  transaction: Transaction
  readonly xpubs: GlobalXpub[]
  version: number | undefined
  inputs: PsbtInput[]
  outputs: PsbtOutput[]
}
/** A PSBT that cannot be read, in Core's words. */
export class PsbtError extends Error {
  override readonly name = 'PsbtError'
}

export const newInput = (): PsbtInput => ({
  nonWitnessUtxo: undefined,
  witnessUtxo: undefined,
  signatures: new Map(),
  sighashType: undefined,
  redeemScript: undefined,
  witnessScript: undefined,
  keys: new Map(),
  finalScriptSig: undefined,
  finalWitness: undefined,
  preimages: {
    ripemd160: new Map(),
    sha256: new Map(),
    hash160: new Map(),
    hash256: new Map(),
  },
  tapKeySignature: undefined,
  tapScriptSignatures: new Map(),
  tapScripts: new Map(),
  tapOrigins: new Map(),
  tapInternalKey: undefined,
  tapMerkleRoot: undefined,
  proprietary: [],
  unknown: new Map(),
})
export const newOutput = (): PsbtOutput => ({
  redeemScript: undefined,
  witnessScript: undefined,
  keys: new Map(),
  tapInternalKey: undefined,
  tapTree: [],
  tapOrigins: new Map(),
  proprietary: [],
  unknown: new Map(),
})
/** A PSBT around a transaction; its signatures are left out. */
export function newPsbt(parts: TransactionParts): Psbt {
  return {
    transaction: unsignedTransaction(parts),
    xpubs: [],
    version: undefined,
    inputs: parts.inputs.map(newInput),
    outputs: parts.outputs.map(newOutput),
    proprietary: [],
    unknown: new Map(),
  }
}
/** The transaction without signatures, also one without inputs, which the wire form cannot tell from a segwit marker. */
export function unsignedTransaction(parts: TransactionParts): Transaction {
  const inputs = parts.inputs.map(({ txid, vout, sequence }) => ({
    txid,
    vout,
    key: `${txid}:${vout}`,
    script: new Uint8Array(),
    sequence,
    witness: [],
  }))
  const { version, outputs, locktime } = parts
  const raw = encodeTransaction({ version, inputs, outputs, locktime }, false)
  const txid = toReversedHex(sha256d(raw))
  return {
    version,
    inputs,
    outputs,
    locktime,
    raw,
    txid,
    wtxid: txid,
    strippedSize: raw.length,
    weight: raw.length * 4,
    vsize: raw.length,
    hasWitness: false,
    isCoinbase: false,
  }
}
export const isFinal = (input: PsbtInput): boolean =>
  (input.finalScriptSig?.length ?? 0) > 0 || (input.finalWitness?.length ?? 0) > 0
/** The output that an input spends; undefined when it is not there or does not fit the outpoint. */
export function spentOutput(psbt: Psbt, index: number): TransactionOutput | undefined {
  const input = psbt.inputs[index]
  const outpoint = psbt.transaction.inputs[index]
  const whole = input?.nonWitnessUtxo
  if (!whole) return input?.witnessUtxo
  return whole.txid === outpoint?.txid ? whole.outputs[outpoint.vout] : undefined
}
export const spentOutputs = (psbt: Psbt): readonly (TransactionOutput | undefined)[] =>
  psbt.inputs.map((_, at) => spentOutput(psbt, at))

/** Path bytes as they stand in a PSBT: fingerprint, then steps in little endian. */
export function originBytes({ fingerprint, path }: KeyOrigin): Uint8Array {
  const writer = new ByteWriter().put(Uint8Array.from(Buffer.from(fingerprint, 'hex')))
  for (const step of path) writer.u32(step)
  return writer.done()
}
