import { toHex } from '../../chain/bytes.ts'
import {
  encodeTransaction,
  type TransactionOutput,
  type TransactionParts,
} from '../../chain/transaction.ts'
import { dustThreshold, feeAt } from '../../mempool/policy.ts'
import { encodePsbt } from '../../psbt/encode.ts'
import { newPsbt, type Psbt } from '../../psbt/psbt.ts'
import { extract } from '../../psbt/update.ts'
import { buildTransaction, type Draft, nameOf } from '../../wallet/build.ts'
import { availableCoins, coinWeight } from '../../wallet/coins.ts'
import { chooseRate, MAX_FEE, rateText } from '../../wallet/rates.ts'
import { fillPsbt } from '../../wallet/sign.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { constructTransaction, looseTransaction, outputPairs, receiversOf } from '../construct.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Method } from '../method.ts'
import { flagValue, kindOf, listValue, objectValue, textValue, wholeValue } from '../values.ts'
import { walletMethod } from './chosen.ts'
import { feePayers, feeRateOf, fundingOptions, type Options, recipientsOf } from './options.ts'
import { builtOr } from './send.ts'

const isSet = (value: unknown): boolean => value !== undefined && value !== null
const refuse = (message: string) => rpcError('invalidParameter', message)
const optionsOf = (value: unknown): Options =>
  isSet(value) && typeof value !== 'boolean' ? objectValue(value) : {}

function fund(
  wallet: Wallet,
  parts: TransactionParts,
  options: unknown,
  settings: {
    readonly payers: ReadonlySet<number>
    readonly addInputs: boolean
    readonly override: boolean
  },
): Draft {
  const { outputs } = parts
  const { control, lock } = fundingOptions(wallet, parts, options, {
    ...settings,
    outputs: outputs.length,
  })
  if (outputs.length === 0) throw refuse('TX must have at least one output')
  const recipients = recipientsOf(outputs, settings.payers)
  const draft = builtOr('wallet', () => buildTransaction(wallet, recipients, control))
  if (lock) for (const { txid, vout } of draft.inputs) wallet.lock(`${txid}:${vout}`, false)
  return draft
}
const changeView = ({ changePosition }: Draft): number => changePosition ?? -1

function fundRaw(wallet: Wallet, args: readonly unknown[]): Json {
  const witness = isSet(args[2]) ? flagValue(args[2]) : undefined
  const transaction = looseTransaction(args[0], undefined, witness)
  const names = transaction.outputs.map(() => 'dummy')
  const payers = feePayers(optionsOf(args[1])['subtractFeeFromOutputs'], names)
  const draft = fund(wallet, transaction, args[1], { payers, addInputs: true, override: true })
  return { hex: toHex(encodeTransaction(draft)), fee: draft.fee, changepos: changeView(draft) }
}
/** Weights named with the inputs become an option. */
function withWeights(inputs: unknown, options: Options): Options {
  if (isSet(options['input_weights'])) {
    throw refuse('Input weights should be specified in inputs rather than in options.')
  }
  const list = isSet(inputs) ? listValue(inputs) : []
  const weights = list.filter((input) => isSet(objectValue(input)['weight']))
  return weights.length > 0 ? { ...options, input_weights: weights } : options
}
function createFundedPsbt(wallet: Wallet, args: readonly unknown[]): Json {
  const [inputs, outputs, locktime, given, derivs] = args
  const options = optionsOf(given)
  const replaceable = isSet(options['replaceable']) ? flagValue(options['replaceable']) : true
  const parts = constructTransaction(inputs, outputs, locktime, replaceable)
  const names = outputPairs(outputs).map(([name]) => name)
  const payers = feePayers(options['subtractFeeFromOutputs'], names)
  const addInputs = parts.inputs.length === 0
  const weighed = withWeights(inputs, options)
  const draft = fund(wallet, parts, weighed, { payers, addInputs, override: true })
  const psbt = newPsbt(draft)
  fillPsbt(wallet, psbt, { sign: false, type: 1, origins: derivs !== false, finalize: true })
  return { psbt: encodePsbt(psbt), fee: draft.fee, changepos: changeView(draft) }
}

const OUTDATED: readonly (readonly [string, string])[] = [
  ['feeRate', 'fee_rate (sat/vB)'],
  ['changeAddress', 'change_address'],
  ['changePosition', 'change_position'],
  ['includeWatching', 'include_watching'],
  ['lockUnspents', 'lock_unspents'],
  ['subtractFeeFromOutputs', 'subtract_fee_from_outputs'],
]
/** Fee arguments may stand in the options instead. @throws RpcError -8 when both do. */
function sendOptions(args: readonly unknown[]): Options {
  const [, target, mode, rate, given] = args
  const options = optionsOf(given)
  const merged: Record<string, unknown> = { ...options }
  const inOptions = isSet(options['conf_target']) || isSet(options['estimate_mode'])
  if (inOptions && (isSet(target) || isSet(mode))) {
    throw refuse(
      'Pass conf_target and estimate_mode either as arguments or in the options object, but not both',
    )
  }
  if (isSet(target)) merged['conf_target'] = target
  if (isSet(mode)) merged['estimate_mode'] = mode
  if (isSet(options['fee_rate']) && isSet(rate)) {
    throw refuse('Pass the fee_rate either as an argument, or in the options object, but not both')
  }
  if (isSet(rate)) merged['fee_rate'] = rate
  const open = !isSet(merged['estimate_mode']) || merged['estimate_mode'] === 'unset'
  if (isSet(merged['conf_target']) && open) throw refuse('Specify estimate_mode')
  for (const [old, next] of OUTDATED) {
    if (isSet(options[old])) throw refuse(`Use ${next} instead of ${old}`)
  }
  return merged
}
/** Signs, sends unless told otherwise, and answers as `send` and `sendall` do. */
function finish(wallet: Wallet, parts: TransactionParts, options: Options): Json {
  const psbt = newPsbt(parts)
  fillPsbt(wallet, psbt, { sign: false, type: 0, origins: true, finalize: true })
  const filled = fillPsbt(wallet, psbt, { sign: true, type: 0, origins: false, finalize: true })
  const complete = 'complete' in filled && filled.complete
  const wantsPsbt = options['psbt'] === true
  const add = options['add_to_wallet'] !== false
  const shown = wantsPsbt || !complete || !add ? encodePsbt(psbt) : undefined
  if (!complete) return { psbt: shown, complete }
  return { psbt: shown, ...sent(wallet, psbt, add && !wantsPsbt), complete }
}
function sent(wallet: Wallet, psbt: Psbt, commit: boolean) {
  const transaction = extract(psbt)
  if (!commit) return { txid: transaction.txid, hex: toHex(transaction.raw) }
  wallet.commit(transaction, new Map())
  return { txid: transaction.txid }
}
function send(wallet: Wallet, args: readonly unknown[]): Json {
  const options = sendOptions(args)
  const replaceable = isSet(options['replaceable']) ? flagValue(options['replaceable']) : true
  const names = outputPairs(args[0]).map(([name]) => name)
  receiversOf(outputPairs(args[0]))
  const payers = feePayers(options['subtract_fee_from_outputs'], names)
  const parts = constructTransaction(options['inputs'], args[0], options['locktime'], replaceable)
  const addInputs = parts.inputs.length === 0
  const weighed = withWeights(options['inputs'], options)
  const draft = fund(wallet, parts, weighed, { payers, addInputs, override: false })
  return finish(wallet, draft, options)
}

interface Sweep {
  readonly parts: TransactionParts
  readonly value: bigint
  readonly vsize: number
}
/** Everything that is spent by `sendall`: the named inputs, or all that the wallet has. */
function sweep(wallet: Wallet, parts: TransactionParts, options: Options, rate: bigint): Sweep {
  let value = 0n
  let weight = 0
  const count = (output: TransactionOutput) => {
    value += output.value
    weight += coinWeight(wallet, output)?.weight ?? 0
  }
  const sendMax = options['send_max'] === true
  const named = isSet(options['inputs'])
  if (named && isSet(options['send_max'])) {
    throw refuse('Cannot combine send_max with specific inputs.')
  }
  if (named && (isSet(options['minconf']) || isSet(options['maxconf']))) {
    throw refuse('Cannot combine minconf or maxconf with specific inputs.')
  }
  const inputs = [...parts.inputs]
  if (named) for (const input of parts.inputs) count(ownCoin(wallet, input.txid, input.vout))
  else {
    const sequence = options['replaceable'] === false ? 0xffffffff : 0xfffffffd
    const filter = {
      minDepth: isSet(options['minconf']) ? wholeValue(options['minconf']) : 0,
      maxDepth: isSet(options['maxconf']) ? wholeValue(options['maxconf']) : 9_999_999,
    }
    for (const { txid, vout, output } of availableCoins(wallet, filter)) {
      const own = coinWeight(wallet, output)
      if (!own || (sendMax && feeAt(rate, Math.ceil(own.weight / 4)) > output.value)) continue
      inputs.push({ txid, vout, script: new Uint8Array(), sequence, witness: [] })
      count(output)
    }
  }
  const body = encodeTransaction({ ...parts, inputs: [] }, false).length
  const size = inputs.length < 253 ? 0 : 2
  return {
    parts: { ...parts, inputs },
    value,
    vsize: Math.ceil(((body + size) * 4 + weight + 2) / 4),
  }
}
function ownCoin(wallet: Wallet, txid: string, vout: number): TransactionOutput {
  const place = `(${txid}:${vout})`
  if (wallet.ledger.isSpent(`${txid}:${vout}`)) {
    throw refuse(`Input not available. UTXO ${place} was already spent.`)
  }
  const output = wallet.output(txid, vout)
  if (output && wallet.isMine(output.script)) return output
  throw refuse(`Input not found. UTXO ${place} is not part of wallet.`)
}
/** Shares what is left among the receivers without an amount; the first one takes the remainder. */
function share(
  outputs: readonly (TransactionOutput & { readonly open: boolean })[],
  value: bigint,
  fee: bigint,
): readonly TransactionOutput[] {
  const short = (message: string) => rpcError('insufficientFunds', message)
  const claimed = outputs.reduce((sum, output) => sum + output.value, 0n)
  if (claimed > value) throw short('Assigned more value to outputs than available funds.')
  const rest = value - fee - claimed
  if (rest < 0n) {
    throw short('Insufficient funds for fees after creating specified outputs.')
  }
  const count = BigInt(outputs.filter(({ open }) => open).length)
  let first = true
  return outputs.map(({ open, script, value: own }) => {
    const output = { script, value: open ? rest / count + (first ? rest % count : 0n) : own }
    if (open) first = false
    if (output.value >= dustThreshold(output)) return output
    if (open) throw short('Dynamically assigned remainder results in dust output.')
    throw refuse(`Specified output amount to ${nameOf(script)} is below dust threshold.`)
  })
}
function sendAll(wallet: Wallet, args: readonly unknown[]): Json {
  const options = sendOptions(args)
  const recipients = listValue(args[0])
  const open = new Set(recipients.filter((item) => typeof item === 'string'))
  const pairs = recipients.map((item) =>
    kindOf(item) === 'string' ? { [textValue(item)]: 0 } : item,
  )
  if (open.size === 0) {
    throw refuse('Must provide at least one address without a specified amount')
  }
  const asked = feeRateOf(options['conf_target'], options['estimate_mode'], options['fee_rate'])
  const { rate } = chooseRate(wallet, asked)
  if (asked !== undefined && rate > asked) {
    const minimum = `is lower than the minimum fee rate setting (${rateText(rate)})`
    throw refuse(`Fee rate (${rateText(asked)}) ${minimum}`)
  }
  const replaceable = isSet(options['replaceable']) ? flagValue(options['replaceable']) : true
  const parts = constructTransaction(options['inputs'], pairs, options['locktime'], replaceable)
  const { parts: swept, value, vsize } = sweep(wallet, parts, options, rate)
  const fee = feeAt(rate, vsize)
  if (fee > MAX_FEE) {
    const limit = '(e.g. -maxtxfee, maxfeerate)'
    throw rpcError('wallet', `Fee exceeds maximum configured by user ${limit}`)
  }
  if (value - fee <= 0n) {
    const advice =
      options['send_max'] === true
        ? 'transaction, try using lower feerate.'
        : "transaction. Try using lower feerate or excluding uneconomic UTXOs with 'send_max' option."
    throw rpcError('insufficientFunds', `Total value of UTXO pool too low to pay for ${advice}`)
  }
  const receivers = receiversOf(outputPairs(pairs))
  const outputs = share(
    receivers.map((receiver) => ({ ...receiver, open: open.has(receiver.name) })),
    value,
    fee,
  )
  if (options['lock_unspents'] === true) {
    for (const { txid, vout } of swept.inputs) wallet.lock(`${txid}:${vout}`, false)
  }
  return finish(wallet, { ...swept, outputs }, options)
}

const FEE_PARAMETERS = ['conf_target:number?', 'estimate_mode:string?', 'fee_rate:any?']
export const fundMethods: readonly Method[] = [
  walletMethod(
    'fundrawtransaction',
    ['hexstring:string', 'options:any?', 'iswitness:bool?'],
    fundRaw,
  ),
  walletMethod(
    'walletcreatefundedpsbt',
    ['inputs:array?', 'outputs:any', 'locktime:number?', 'options:object?', 'bip32derivs:bool?'],
    createFundedPsbt,
  ),
  walletMethod('send', ['outputs:any', ...FEE_PARAMETERS, 'options:object?'], send),
  walletMethod('sendall', ['recipients:array', ...FEE_PARAMETERS, 'options:object?'], sendAll),
]
