import { toHex, tryFromHex } from '../chain/bytes.ts'
import {
  decodeTransaction,
  type Transaction,
  type TransactionOutput,
  type TransactionParts,
} from '../chain/transaction.ts'
import { Reader } from '../psbt/reader.ts'
import { PsbtError } from '../psbt/psbt.ts'
import { pushData } from '../script/script.ts'
import { scriptOf } from '../chain/address.ts'
import { rpcError } from './errors.ts'
import {
  amountValue,
  hashValue,
  hexValue,
  kindOf,
  listValue,
  objectValue,
  textValue,
  wholeValue,
} from './values.ts'

/** A receiver as named in a call: the key (address or `data`), its script and satoshi. */
export interface Receiver extends TransactionOutput {
  readonly name: string
}
const REPLACEABLE = 0xfffffffd
const NOT_FINAL = 0xfffffffe
const FINAL = 0xffffffff
const refuse = (message: string): never => {
  throw rpcError('invalidParameter', `Invalid parameter, ${message}`)
}

/** Key and value of every output, from an object or a list of pairs. @throws RpcError -8. */
export function outputPairs(value: unknown): readonly (readonly [string, unknown])[] {
  if (value === undefined || value === null) refuse('output argument must be non-null')
  if (kindOf(value) === 'object') return Object.entries(objectValue(value))
  return listValue(value).map((pair) => {
    if (kindOf(pair) !== 'object') refuse('key-value pair not an object as expected')
    const members = Object.entries(objectValue(pair))
    if (members.length !== 1) refuse('key-value pair must contain exactly one key')
    return members[0] as [string, unknown]
  })
}
/** @throws RpcError -3 for amounts, -5 for addresses, -8 for doubles. */
export function receiversOf(pairs: readonly (readonly [string, unknown])[]): readonly Receiver[] {
  const seen = new Set<string>()
  let hasData = false
  return pairs.map(([name, value]) => {
    if (name === 'data') {
      if (hasData) refuse('duplicate key: data')
      hasData = true
      const data = hexValue(textValue(value), 'Data')
      return { name, value: 0n, script: Uint8Array.of(0x6a, ...pushData(data)) }
    }
    const amount = amountValue(value)
    const script = scriptOf(name)
    if (!script) throw rpcError('invalidAddressOrKey', `Invalid Bitcoin address: ${name}`)
    if (seen.has(toHex(script))) refuse(`duplicated address: ${name}`)
    seen.add(toHex(script))
    return { name, value: amount, script }
  })
}
function inputOf(value: unknown, fallback: number): TransactionParts['inputs'][number] {
  const object = objectValue(value)
  const txid = hashValue(object['txid'], 'txid')
  if (kindOf(object['vout']) !== 'number') refuse('missing vout key')
  const vout = wholeValue(object['vout'])
  if (vout < 0) refuse('vout cannot be negative')
  let sequence = fallback
  if (kindOf(object['sequence']) === 'number') {
    sequence = wholeValue(object['sequence'])
    if (sequence < 0 || sequence > FINAL) refuse('sequence number is out of range')
  }
  return { txid, vout, script: new Uint8Array(), sequence, witness: [] }
}
/**
 * The unsigned transaction that `createrawtransaction` and its like describe. `replaceable` undefined signals
 * replacement without insisting. @throws RpcError.
 */
export function constructTransaction(
  inputs: unknown,
  outputs: unknown,
  locktime: unknown,
  replaceable: boolean | undefined,
): TransactionParts {
  const time = locktime === undefined || locktime === null ? 0 : wholeValue(locktime)
  if (time < 0 || time > 0xffffffff) refuse('locktime out of range')
  const fallback = (replaceable ?? true) ? REPLACEABLE : time > 0 ? NOT_FINAL : FINAL
  const list = inputs === undefined || inputs === null ? [] : listValue(inputs)
  const own = list.map((input) => inputOf(input, fallback))
  const made = receiversOf(outputPairs(outputs))
  const signals = own.some(({ sequence }) => sequence <= REPLACEABLE)
  if (replaceable === true && own.length > 0 && !signals) {
    const fault = 'Sequence number(s) contradict replaceable option'
    throw rpcError('invalidParameter', `Invalid parameter combination: ${fault}`)
  }
  return { version: 2, inputs: own, outputs: made, locktime: time }
}

/** A raw transaction, also one without inputs, which looks like a segwit marker. @throws RpcError -22. */
export function looseTransaction(
  hex: unknown,
  fault = 'TX decode failed',
  witness?: boolean,
): Transaction {
  const bytes = tryFromHex(textValue(hex))
  const whole = bytes && decodeTransaction(bytes)
  const bare = whole?.inputs.every((input) => input.witness.length === 0)
  if (whole && (witness !== false || bare) && (witness !== true || whole.inputs.length > 0)) {
    return whole
  }
  if (witness === true) throw rpcError('deserialization', fault)
  try {
    const reader = new Reader(bytes ?? new Uint8Array())
    const transaction = reader.transaction(false)
    if (reader.empty) return transaction
  } catch (failure) {
    if (!(failure instanceof PsbtError)) throw failure
  }
  throw rpcError('deserialization', fault)
}
