import { toHex } from '../chain/bytes.ts'
import type { KeyOrigin } from '../descriptor/keypath.ts'
import { hashKey } from '../descriptor/provider.ts'
import type { TaprootTree } from '../descriptor/taproot.ts'

export interface PartialSignature {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}
export interface KnownKey {
  readonly publicKey: Uint8Array
  readonly origin: KeyOrigin
}
export interface LeafScript {
  readonly script: Uint8Array
  readonly version: number
  /** Control blocks in hex that lead to it. */
  readonly controls: Set<string>
}
export interface TapOrigin {
  readonly leafHashes: Set<string>
  readonly origin: KeyOrigin
}
/** What is known of taproot for one input or output. */
export interface TapData {
  keySignature: Uint8Array | undefined
  /** By key and leaf hash in hex. */
  readonly scriptSignatures: Map<string, Uint8Array>
  internalKey: Uint8Array | undefined
  merkleRoot: Uint8Array | undefined
  /** By script and version in hex. */
  readonly scripts: Map<string, LeafScript>
  readonly origins: Map<string, TapOrigin>
  tree: TaprootTree | undefined
}
/** Everything gathered to spend one output: the working sheet of a signer. Keys of maps are hashes in hex. */
export interface SignatureData {
  complete: boolean
  /** The spend uses a witness. */
  witness: boolean
  scriptSig: Uint8Array
  stack: readonly Uint8Array[]
  redeemScript: Uint8Array | undefined
  witnessScript: Uint8Array | undefined
  readonly signatures: Map<string, PartialSignature>
  readonly keys: Map<string, KnownKey>
  readonly tap: TapData
  readonly missing: {
    readonly publicKeys: string[]
    readonly signatures: string[]
    redeemScript: string | undefined
    witnessScript: string | undefined
  }
}
export const EMPTY = new Uint8Array()

const newTapData = (): TapData => ({
  keySignature: undefined,
  scriptSignatures: new Map(),
  internalKey: undefined,
  merkleRoot: undefined,
  scripts: new Map(),
  origins: new Map(),
  tree: undefined,
})
export const newSignatureData = (): SignatureData => ({
  complete: false,
  witness: false,
  scriptSig: EMPTY,
  stack: [],
  redeemScript: undefined,
  witnessScript: undefined,
  signatures: new Map(),
  keys: new Map(),
  tap: newTapData(),
  missing: { publicKeys: [], signatures: [], redeemScript: undefined, witnessScript: undefined },
})
export function addSignature(data: SignatureData, partial: PartialSignature): void {
  const id = hashKey(partial.publicKey)
  if (!data.signatures.has(id)) data.signatures.set(id, partial)
}
/** Adds a leaf with one control block to a map of leaves. */
export function addLeaf(
  scripts: Map<string, LeafScript>,
  script: Uint8Array,
  version: number,
  control: Uint8Array,
): void {
  const id = `${toHex(script)}:${version}`
  const leaf = scripts.get(id) ?? { script, version, controls: new Set<string>() }
  leaf.controls.add(toHex(control))
  scripts.set(id, leaf)
}
/** In the order of the keys, which is the order of the bytes they stand for. */
export const sortedByKey = <T>(map: ReadonlyMap<string, T>): [string, T][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
