import { base64 } from '@scure/base'
import { ByteWriter, toHex, tryFromHex } from '../chain/bytes.ts'
import { encodeTransaction } from '../chain/transaction.ts'
import { EMPTY, type KnownKey, sortedByKey, type TapOrigin } from '../sign/data.ts'
import {
  type GlobalXpub,
  isFinal,
  originBytes,
  type Proprietary,
  type Psbt,
  type PsbtInput,
  type PsbtOutput,
} from './psbt.ts'

const bytesOf = (hex: string): Uint8Array => tryFromHex(hex) ?? EMPTY

function put(
  writer: ByteWriter,
  type: number,
  value: Uint8Array | undefined,
  key: Uint8Array = EMPTY,
): void {
  if (value) writer.script(Uint8Array.of(type, ...key)).script(value)
}
function putKeys(writer: ByteWriter, type: number, keys: ReadonlyMap<string, KnownKey>): void {
  for (const [, { publicKey, origin }] of sortedByKey(keys)) {
    put(writer, type, originBytes(origin), publicKey)
  }
}
function putTapOrigins(
  writer: ByteWriter,
  type: number,
  origins: ReadonlyMap<string, TapOrigin>,
): void {
  for (const [key, { leafHashes, origin }] of sortedByKey(origins)) {
    const value = new ByteWriter().size(leafHashes.size)
    for (const hash of [...leafHashes].sort()) value.put(bytesOf(hash))
    put(writer, type, value.put(originBytes(origin)).done(), bytesOf(key))
  }
}
function putProprietary(writer: ByteWriter, list: readonly Proprietary[]): void {
  const sorted = [...list].sort((a, b) => (toHex(a.key) < toHex(b.key) ? -1 : 1))
  for (const { key, value } of sorted) writer.script(key).script(value)
}
function putUnknown(writer: ByteWriter, unknown: ReadonlyMap<string, Uint8Array>): void {
  for (const [key, value] of sortedByKey(unknown)) writer.script(bytesOf(key)).script(value)
}
function stackBytes(stack: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter().size(stack.length)
  for (const item of stack) writer.script(item)
  return writer.done()
}

const PREIMAGES = [
  ['ripemd160', 0x0a],
  ['sha256', 0x0b],
  ['hash160', 0x0c],
  ['hash256', 0x0d],
] as const
/** What only an input that is not final carries. */
function putOpen(writer: ByteWriter, input: PsbtInput): void {
  for (const [, { publicKey, signature }] of sortedByKey(input.signatures)) {
    put(writer, 2, signature, publicKey)
  }
  if (input.sighashType !== undefined) {
    put(writer, 3, new ByteWriter().u32(input.sighashType).done())
  }
  put(writer, 4, input.redeemScript)
  put(writer, 5, input.witnessScript)
  putKeys(writer, 6, input.keys)
  for (const [kind, type] of PREIMAGES) {
    for (const [hash, preimage] of sortedByKey(input.preimages[kind])) {
      put(writer, type, preimage, bytesOf(hash))
    }
  }
  put(writer, 0x13, input.tapKeySignature)
  for (const [key, signature] of sortedByKey(input.tapScriptSignatures)) {
    put(writer, 0x14, signature, bytesOf(key))
  }
  for (const [, { script, version, controls }] of sortedByKey(input.tapScripts)) {
    for (const control of [...controls].sort()) {
      put(writer, 0x15, Uint8Array.of(...script, version), bytesOf(control))
    }
  }
  putTapOrigins(writer, 0x16, input.tapOrigins)
  put(writer, 0x17, input.tapInternalKey)
  put(writer, 0x18, input.tapMerkleRoot)
}
function putInput(writer: ByteWriter, input: PsbtInput): void {
  // Signatures of the previous transaction say nothing of its outputs: Core leaves them out.
  put(writer, 0, input.nonWitnessUtxo && encodeTransaction(input.nonWitnessUtxo, false))
  if (input.witnessUtxo) {
    const { value, script } = input.witnessUtxo
    put(writer, 1, new ByteWriter().u64(value).script(script).done())
  }
  if (!isFinal(input)) putOpen(writer, input)
  put(writer, 7, input.finalScriptSig)
  put(writer, 8, input.finalWitness && stackBytes(input.finalWitness))
  putProprietary(writer, input.proprietary)
  putUnknown(writer, input.unknown)
  writer.u8(0)
}
function putOutput(writer: ByteWriter, output: PsbtOutput): void {
  put(writer, 0, output.redeemScript)
  put(writer, 1, output.witnessScript)
  putKeys(writer, 2, output.keys)
  putProprietary(writer, output.proprietary)
  put(writer, 5, output.tapInternalKey)
  if (output.tapTree.length > 0) {
    const tree = new ByteWriter()
    for (const { depth, version, script } of output.tapTree) {
      tree.u8(depth).u8(version).script(script)
    }
    put(writer, 6, tree.done())
  }
  putTapOrigins(writer, 7, output.tapOrigins)
  putUnknown(writer, output.unknown)
  writer.u8(0)
}
/** Core's order: fingerprint, then the shorter path, then the path, then the key. */
export function sortedXpubs(xpubs: readonly GlobalXpub[]): readonly GlobalXpub[] {
  const text = ({ xpub, origin }: GlobalXpub): string => {
    const path = origin.path.map((step) => step.toString(16).padStart(8, '0')).join('')
    const size = origin.path.length.toString(16).padStart(8, '0')
    const key = toHex(xpub.subarray(45)) + toHex(xpub.subarray(13, 45))
    return origin.fingerprint + size + path + key
  }
  return [...xpubs].sort((a, b) => (text(a) < text(b) ? -1 : 1))
}
/** The bytes of a PSBT, fields in Core's order. Source: BIP 174, BIP 371. */
export function psbtBytes(psbt: Psbt): Uint8Array {
  const writer = new ByteWriter().put(bytesOf('70736274ff'))
  put(writer, 0, encodeTransaction(psbt.transaction, false))
  for (const { xpub, origin } of sortedXpubs(psbt.xpubs)) {
    put(writer, 1, originBytes(origin), xpub)
  }
  putProprietary(writer, psbt.proprietary)
  putUnknown(writer, psbt.unknown)
  writer.u8(0)
  for (const input of psbt.inputs) putInput(writer, input)
  for (const output of psbt.outputs) putOutput(writer, output)
  return writer.done()
}
export const encodePsbt = (psbt: Psbt): string => base64.encode(psbtBytes(psbt))
