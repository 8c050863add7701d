import type {
  TransactionInput,
  TransactionOutput,
  TransactionParts,
} from '../../chain/transaction.ts'
import { DescriptorError } from '../../descriptor/error.ts'
import { parseDescriptor } from '../../descriptor/parse.ts'
import { Provider } from '../../descriptor/provider.ts'
import { fingerprintOf } from '../../descriptor/key.ts'
import { witnessKeyHash } from '../../descriptor/node.ts'
import { tryFromHex } from '../../chain/bytes.ts'
import { MAX_WEIGHT, type Recipient } from '../../wallet/build.ts'
import type { Control, Preset } from '../../wallet/select.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import {
  amountValue,
  checkMembers,
  flagValue,
  hashValue,
  kindOf,
  listValue,
  objectValue,
  rateValue,
  textValue,
  wholeValue,
} from '../values.ts'
import { addressValue, outputTypeValue } from './chosen.ts'

export type Options = Readonly<Record<string, unknown>>
const refuse = (message: string) => rpcError('invalidParameter', message)
const isSet = (value: unknown): boolean => value !== undefined && value !== null
const MODES = ['unset', 'economical', 'conservative']

/** The fee rate that a call asks for, in satoshi per 1000 vbytes. @throws RpcError -8 for contradictions. */
export function feeRateOf(target: unknown, mode: unknown, rate: unknown): bigint | undefined {
  if (isSet(rate)) {
    if (isSet(target)) {
      throw refuse(
        'Cannot specify both conf_target and fee_rate. Please provide either a confirmation target in blocks for automatic fee estimation, or an explicit fee rate.',
      )
    }
    if (isSet(mode) && textValue(mode) !== 'unset') {
      throw refuse('Cannot specify both estimate_mode and fee_rate')
    }
    return rateValue(rate)
  }
  if (isSet(mode) && !MODES.includes(textValue(mode).toLowerCase())) {
    const names = MODES.map((name) => `"${name}"`).join(', ')
    throw refuse(`Invalid estimate_mode parameter, must be one of: ${names}`)
  }
  if (isSet(target)) {
    const blocks = wholeValue(target)
    if (blocks < 1 || blocks > 1008) {
      throw refuse('Invalid conf_target, must be between 1 and 1008')
    }
  }
  return undefined
}
/** Places of the outputs that pay the fee, named by address or by number. @throws RpcError -8. */
export function feePayers(value: unknown, names: readonly string[]): ReadonlySet<number> {
  const payers = new Set<number>()
  if (!isSet(value)) return payers
  if (typeof value === 'boolean') return value ? payers.add(0) : payers
  for (const item of listValue(value)) {
    if (typeof item === 'string') {
      const at = names.indexOf(item)
      if (at >= 0) payers.add(at)
    }
    if (kindOf(item) !== 'number') continue
    const at = wholeValue(item)
    if (payers.has(at)) throw refuse(`Invalid parameter, duplicated position: ${at}`)
    if (at < 0) throw refuse(`Invalid parameter, negative position: ${at}`)
    if (at >= names.length) throw refuse(`Invalid parameter, position too large: ${at}`)
    payers.add(at)
  }
  return payers
}
export const recipientsOf = (
  outputs: readonly TransactionOutput[],
  payers: ReadonlySet<number>,
): readonly Recipient[] =>
  outputs.map(({ value, script }, at) => ({ value, script, paysFee: payers.has(at) }))

const KINDS = {
  add_inputs: 'bool',
  include_unsafe: 'bool',
  add_to_wallet: 'bool',
  changeAddress: 'string',
  change_address: 'string',
  changePosition: 'number',
  change_position: 'number',
  change_type: 'string',
  includeWatching: 'bool',
  include_watching: 'bool',
  inputs: 'array',
  lockUnspents: 'bool',
  lock_unspents: 'bool',
  locktime: 'number',
  fee_rate: 'any',
  feeRate: 'any',
  psbt: 'bool',
  solving_data: 'object',
  subtractFeeFromOutputs: 'array',
  subtract_fee_from_outputs: 'array',
  replaceable: 'bool',
  conf_target: 'number',
  estimate_mode: 'string',
  minconf: 'number',
  maxconf: 'number',
  input_weights: 'array',
  max_tx_weight: 'number',
} as const

function solvingData(value: unknown): Provider | undefined {
  if (!isSet(value)) return undefined
  const data = objectValue(value)
  const known = new Provider()
  const list = (name: string) => (isSet(data[name]) ? listValue(data[name]) : [])
  for (const item of list('pubkeys')) {
    const publicKey = tryFromHex(textValue(item))
    if (publicKey?.length !== 33 && publicKey?.length !== 65) {
      throw rpcError('invalidAddressOrKey', `Pubkey "${item}" must be a hex string`)
    }
    known.addKey({
      publicKey,
      origin: { fingerprint: fingerprintOf(publicKey), path: [] },
      secret: undefined,
    })
    known.addScript(witnessKeyHash(publicKey))
  }
  for (const item of list('scripts')) {
    const script = tryFromHex(textValue(item))
    if (!script) throw rpcError('invalidAddressOrKey', `'${item}' is not hex`)
    known.addScript(script)
  }
  for (const item of list('descriptors')) {
    try {
      parseDescriptor(textValue(item), true).expand(0, known)
    } catch (fault) {
      if (!(fault instanceof DescriptorError)) throw fault
      throw refuse(`Unable to parse descriptor '${item}': ${fault.message}`)
    }
  }
  return known
}
function inputWeights(value: unknown): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const item of isSet(value) ? listValue(value) : []) {
    const object = objectValue(item)
    const txid = hashValue(object['txid'], 'txid')
    if (kindOf(object['vout']) !== 'number') throw refuse('Invalid parameter, missing vout key')
    const vout = wholeValue(object['vout'])
    if (vout < 0) throw refuse('Invalid parameter, vout cannot be negative')
    if (kindOf(object['weight']) !== 'number') {
      throw refuse('Invalid parameter, missing weight key')
    }
    const weight = wholeValue(object['weight'])
    if (weight < 165) {
      throw refuse(
        'Invalid parameter, weight cannot be less than 165 (41 bytes (size of outpoint + sequence + empty scriptSig) * 4 (witness scaling factor)) + 1 (empty witness)',
      )
    }
    if (weight > MAX_WEIGHT) {
      const fault =
        'Invalid parameter, weight cannot be greater than the maximum standard tx weight'
      throw refuse(`${fault} of ${MAX_WEIGHT}`)
    }
    weights.set(`${txid}:${vout}`, weight)
  }
  return weights
}
function changeOptions(options: Options, outputs: number): Partial<Control> {
  const address = options['change_address'] ?? options['changeAddress']
  const position = options['change_position'] ?? options['changePosition']
  const control: { -readonly [K in keyof Control]?: Control[K] } = {}
  if (isSet(address)) {
    const fault = 'Change address must be a valid bitcoin address'
    control.changeScript = addressValue(address, fault)
  }
  if (isSet(position)) {
    const at = wholeValue(position)
    if (at < 0 || at > outputs) throw refuse('changePosition out of bounds')
    control.changePosition = at
  }
  if (isSet(options['change_type'])) {
    if (isSet(address)) {
      throw refuse('Cannot specify both change address and address type options')
    }
    control.changeType = outputTypeValue(options['change_type'], 'change')
  }
  return control
}
function rateOptions(options: Options, override: boolean): Partial<Control> {
  const perKilo = options['feeRate']
  if (isSet(perKilo)) {
    if (isSet(options['fee_rate'])) {
      throw refuse('Cannot specify both fee_rate (sat/vB) and feeRate (BTC/kvB)')
    }
    if (isSet(options['conf_target'])) {
      throw refuse(
        'Cannot specify both conf_target and feeRate. Please provide either a confirmation target in blocks for automatic fee estimation, or an explicit fee rate.',
      )
    }
    if (isSet(options['estimate_mode'])) {
      throw refuse('Cannot specify both estimate_mode and feeRate')
    }
    return { feeRate: amountValue(perKilo), overrideMinimum: true }
  }
  const rate = feeRateOf(options['conf_target'], options['estimate_mode'], options['fee_rate'])
  return rate === undefined ? {} : { feeRate: rate, overrideMinimum: override }
}
function depthOptions(options: Options): Partial<Control> {
  const minDepth = isSet(options['minconf']) ? wholeValue(options['minconf']) : 0
  if (minDepth < 0) throw refuse('Negative minconf')
  if (!isSet(options['maxconf'])) return { minDepth }
  const maxDepth = wholeValue(options['maxconf'])
  if (maxDepth < minDepth) {
    throw refuse(`maxconf can't be lower than minconf: ${maxDepth} < ${minDepth}`)
  }
  return { minDepth, maxDepth }
}
export interface Funding {
  readonly control: Control
  readonly lock: boolean
}
/**
 * The options of the calls that fund a transaction. `override`: an explicit rate may lie below the floor.
 * @throws RpcError -3, -5, -8 in Core's words and order.
 */
export function fundingOptions(
  wallet: Wallet,
  parts: TransactionParts,
  value: unknown,
  settings: { readonly outputs: number; readonly addInputs: boolean; readonly override: boolean },
): Funding {
  const options: Options = typeof value === 'boolean' || !isSet(value) ? {} : objectValue(value)
  checkMembers(options, KINDS, { optional: true, strict: true })
  const add = options['add_inputs']
  const change = changeOptions(options, settings.outputs)
  const rates = rateOptions(options, settings.override)
  const depths = depthOptions(options)
  const external = solvingData(options['solving_data'])
  const weights = inputWeights(options['input_weights'])
  const limit = options['max_tx_weight']
  const control: Control = {
    inputs: presets(wallet, parts, weights),
    addInputs: isSet(add) ? flagValue(add) : settings.addInputs,
    ...change,
    ...rates,
    ...depths,
    ...(isSet(options['replaceable']) ? { replaceable: flagValue(options['replaceable']) } : {}),
    includeUnsafe: options['include_unsafe'] === true,
    locktime: parts.locktime,
    version: parts.version,
    ...(isSet(limit) ? { maxWeight: wholeValue(limit) } : {}),
    ...(external ? { external } : {}),
  }
  return { control, lock: (options['lock_unspents'] ?? options['lockUnspents']) === true }
}
function presets(
  wallet: Wallet,
  parts: TransactionParts,
  weights: ReadonlyMap<string, number>,
): readonly Preset[] {
  const { mempool } = wallet.host.regtest
  return parts.inputs.map((input): Preset => {
    const { txid, vout, sequence, script, witness } = input as TransactionInput
    const key = `${txid}:${vout}`
    const own = wallet.output(txid, vout)
    const mine = own !== undefined && wallet.isMine(own.script)
    const coin = mine ? undefined : mempool.coinAt(txid, key, vout)
    if (!mine && !coin) {
      throw rpcError('wallet', 'Unable to find UTXO for external input')
    }
    const weight = weights.get(key)
    return {
      txid,
      vout,
      sequence,
      script,
      witness,
      ...(coin ? { coin } : {}),
      ...(weight === undefined ? {} : { weight }),
    }
  })
}
