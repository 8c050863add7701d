import { base64 } from '@scure/base'
import { toHex } from '../chain/bytes.ts'
import type { Transaction } from '../chain/transaction.ts'
import { fail, fieldsOf, lone, publicKeyIn, readProprietary, readUnknown } from './fields.ts'
import { readInput } from './decode-input.ts'
import { readOutput } from './decode-output.ts'
import { type GlobalXpub, type Psbt, PsbtError, type PsbtInput } from './psbt.ts'
import { Reader } from './reader.ts'

const MAGIC = '70736274ff'
/** How C++ ends the text of a failed stream. */
const STREAM = ': iostream error'

interface Globals {
  readonly transaction: Transaction
  readonly xpubs: GlobalXpub[]
  readonly version: number | undefined
  readonly proprietary: Psbt['proprietary']
  readonly unknown: Psbt['unknown']
}
function readXpub(xpubs: GlobalXpub[], key: Uint8Array, reader: Reader): void {
  if (key.length !== 79) {
    fail('Size of key was not the expected size for the type global xpub')
  }
  const xpub = key.slice(1)
  publicKeyIn(Uint8Array.of(0, ...xpub.subarray(45)), 'global xpub')
  // The four bytes of the version say nothing about the key itself.
  const id = toHex(xpub.subarray(4))
  if (xpubs.some((other) => toHex(other.xpub.subarray(4)) === id)) {
    fail('Duplicate key, global xpub already provided')
  }
  xpubs.push({ xpub, origin: reader.origin(reader.size()) })
}
function readGlobals(reader: Reader): Globals {
  const seen = new Set<string>()
  const xpubs: GlobalXpub[] = []
  const proprietary: Psbt['proprietary'] = []
  const unknown: Psbt['unknown'] = new Map()
  let transaction: Transaction | undefined
  let version: number | undefined
  for (const field of fieldsOf(reader, 'Separator is missing at the end of the global map')) {
    if (field.type === 0) {
      const long = 'Global unsigned tx key is more than one byte type'
      lone(seen, field, 'Duplicate Key, unsigned tx already provided', long)
      transaction = reader.sized((from) => from.transaction(false))
      if (transaction.inputs.some((input) => input.script.length > 0)) {
        fail('Unsigned tx does not have empty scriptSigs and scriptWitnesses.')
      }
    } else if (field.type === 1) readXpub(xpubs, field.key, reader)
    else if (field.type === 0xfb) {
      if (version !== undefined) fail('Duplicate Key, version already provided')
      if (field.key.length !== 1) fail('Global version key is more than one byte type')
      version = reader.sized((from) => from.u32())
      if (version > 0) fail('Unsupported version number')
    } else if (field.type === 0xfc) readProprietary(proprietary, field)
    else readUnknown(unknown, field)
  }
  if (!transaction) throw new PsbtError('No unsigned transaction was provided')
  return { transaction, xpubs, version, proprietary, unknown }
}
function checkUtxo(input: PsbtInput, { txid, vout }: Transaction['inputs'][number]): void {
  const utxo = input.nonWitnessUtxo
  if (!utxo) return
  if (utxo.txid !== txid) fail('Non-witness UTXO does not match outpoint hash')
  if (vout >= utxo.outputs.length) fail('Input specifies output index that does not exist')
}
function readWhole(reader: Reader): Psbt {
  if (toHex(reader.take(5)) !== MAGIC) fail('Invalid PSBT magic bytes')
  const globals = readGlobals(reader)
  const { transaction } = globals
  const inputs: PsbtInput[] = []
  for (const outpoint of transaction.inputs) {
    if (reader.empty) break
    const input = readInput(reader)
    inputs.push(input)
    checkUtxo(input, outpoint)
  }
  if (inputs.length !== transaction.inputs.length) {
    fail('Inputs provided does not match the number of inputs in transaction.')
  }
  const outputs: Psbt['outputs'] = []
  while (outputs.length < transaction.outputs.length && !reader.empty) {
    outputs.push(readOutput(reader))
  }
  if (outputs.length !== transaction.outputs.length) {
    fail('Outputs provided does not match the number of outputs in transaction.')
  }
  return { ...globals, inputs, outputs }
}
/** Reads a PSBT in base64. @throws PsbtError in Core's words, for whatever text. */
export function decodePsbt(text: string): Psbt {
  let bytes: Uint8Array
  try {
    bytes = base64.decode(text)
  } catch {
    throw new PsbtError('invalid base64')
  }
  const reader = new Reader(bytes)
  let psbt: Psbt
  try {
    psbt = readWhole(reader)
  } catch (fault) {
    if (fault instanceof PsbtError) throw new PsbtError(fault.message + STREAM)
    throw fault
  }
  if (!reader.empty) throw new PsbtError('extra data after PSBT')
  return psbt
}
