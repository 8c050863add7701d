import { toHex } from '../chain/bytes.ts'
import { hashKey } from '../descriptor/provider.ts'
import { addLeaf } from '../sign/data.ts'
import {
  type Field,
  fail,
  fieldsOf,
  lone,
  once,
  publicKeyIn,
  readKeyOrigin,
  readProprietary,
  readTapOrigin,
  readUnknown,
} from './fields.ts'
import { newInput, type PreimageKind, type PsbtInput } from './psbt.ts'
import type { Reader } from './reader.ts'

type Read = (input: PsbtInput, field: Field, seen: Set<string>) => void

/** A script or bytes that stand once: an empty one counts as absent. */
const single =
  (duplicate: string, long: string, keep: (input: PsbtInput, field: Field) => void): Read =>
  (input, field, seen) => {
    lone(
      seen,
      field,
      `Duplicate Key, input ${duplicate} already provided`,
      `${long} key is more than one byte type`,
    )
    keep(input, field)
  }
const filled = (bytes: Uint8Array): Uint8Array | undefined => (bytes.length > 0 ? bytes : undefined)
const notNull = (bytes: Uint8Array): Uint8Array | undefined =>
  bytes.some((byte) => byte !== 0) ? bytes : undefined

const preimage =
  (kind: PreimageKind, size: number): Read =>
  (input, { key, reader }) => {
    if (key.length !== size + 1) {
      fail(`Size of key was not the expected size for the type ${kind} preimage`)
    }
    const id = toHex(key.subarray(1))
    if (input.preimages[kind].has(id)) {
      fail(`Duplicate Key, input ${kind} preimage already provided`)
    }
    input.preimages[kind].set(id, reader.vector())
  }
function partialSignature(input: PsbtInput, { key, reader }: Field): void {
  const publicKey = publicKeyIn(key, 'partial signature pubkey')
  const id = hashKey(publicKey)
  if (input.signatures.has(id)) {
    fail('Duplicate Key, input partial signature for pubkey already provided')
  }
  input.signatures.set(id, { publicKey, signature: reader.vector() })
}
function checkSchnorr(signature: Uint8Array, path: 'key' | 'script'): Uint8Array {
  const what = `Input Taproot ${path} path signature is`
  if (signature.length < 64) fail(`${what} shorter than 64 bytes`)
  if (signature.length > 65) fail(`${what} longer than 65 bytes`)
  return signature
}
function tapScriptSignature(input: PsbtInput, { key, reader }: Field, seen: Set<string>): void {
  once(seen, key, 'Duplicate Key, input Taproot script signature already provided')
  if (key.length !== 65) fail('Input Taproot script signature key is not 65 bytes')
  input.tapScriptSignatures.set(toHex(key.subarray(1)), checkSchnorr(reader.vector(), 'script'))
}
function tapLeaf(input: PsbtInput, { key, reader }: Field, seen: Set<string>): void {
  once(seen, key, 'Duplicate Key, input Taproot leaf script already provided')
  if (key.length < 34) fail('Taproot leaf script key is not at least 34 bytes')
  if ((key.length - 2) % 32 !== 0) {
    fail("Input Taproot leaf script key's control block size is not valid")
  }
  const value = reader.vector()
  const version = value[value.length - 1]
  if (version === undefined) {
    fail('Input Taproot leaf script must be at least 1 byte')
    return
  }
  addLeaf(input.tapScripts, value.slice(0, -1), version, key.slice(1))
}

const READERS: ReadonlyMap<number, Read> = new Map<number, Read>([
  [
    0,
    single('non-witness utxo', 'Non-witness utxo', (input, { reader }) => {
      input.nonWitnessUtxo = reader.sized((from) => from.transaction(true))
    }),
  ],
  [
    1,
    single('witness utxo', 'Witness utxo', (input, { reader }) => {
      input.witnessUtxo = reader.sized((from) => from.output())
    }),
  ],
  [2, partialSignature],
  [
    3,
    single('sighash type', 'Sighash type', (input, { reader }) => {
      input.sighashType = reader.sized((from) => from.u32() | 0)
    }),
  ],
  [
    4,
    single('redeemScript', 'Input redeemScript', (input, { reader }) => {
      input.redeemScript = filled(reader.vector())
    }),
  ],
  [
    5,
    single('witnessScript', 'Input witnessScript', (input, { reader }) => {
      input.witnessScript = filled(reader.vector())
    }),
  ],
  [6, (input, field) => readKeyOrigin(input.keys, field)],
  [
    7,
    single('final scriptSig', 'Final scriptSig', (input, { reader }) => {
      input.finalScriptSig = filled(reader.vector())
    }),
  ],
  [
    8,
    single('final scriptWitness', 'Final scriptWitness', (input, { reader }) => {
      const stack = reader.sized((from) => from.stack())
      input.finalWitness = stack.length > 0 ? stack : undefined
    }),
  ],
  [0x0a, preimage('ripemd160', 20)],
  [0x0b, preimage('sha256', 32)],
  [0x0c, preimage('hash160', 20)],
  [0x0d, preimage('hash256', 32)],
  [
    0x13,
    single('Taproot key signature', 'Input Taproot key signature', (input, { reader }) => {
      input.tapKeySignature = checkSchnorr(reader.vector(), 'key')
    }),
  ],
  [0x14, tapScriptSignature],
  [0x15, tapLeaf],
  [0x16, (input, field, seen) => readTapOrigin(input.tapOrigins, seen, field, 'Input')],
  [
    0x17,
    single('Taproot internal key', 'Input Taproot internal key', (input, { reader }) => {
      input.tapInternalKey = notNull(reader.sized((from) => from.take(32)))
    }),
  ],
  [
    0x18,
    single('Taproot merkle root', 'Input Taproot merkle root', (input, { reader }) => {
      input.tapMerkleRoot = notNull(reader.sized((from) => from.take(32)))
    }),
  ],
  [0xfc, (input, field) => readProprietary(input.proprietary, field)],
])
/** The map of one input. @throws PsbtError. */
export function readInput(reader: Reader): PsbtInput {
  const input = newInput()
  const seen = new Set<string>()
  for (const field of fieldsOf(reader, 'Separator is missing at the end of an input map')) {
    const read = READERS.get(field.type)
    if (read) read(input, field, seen)
    else readUnknown(input.unknown, field)
  }
  return input
}
