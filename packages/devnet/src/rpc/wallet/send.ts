import { base64 } from '@scure/base'
import { decodeTransaction, encodeTransaction } from '../../chain/transaction.ts'
import { must } from '../../failure.ts'
import { MIN_RELAY_FEE_RATE } from '../../mempool/policy.ts'
import { psbtBytes } from '../../psbt/encode.ts'
import { newPsbt } from '../../psbt/psbt.ts'
import { buildTransaction, type Draft, type Recipient } from '../../wallet/build.ts'
import { type Bump, BumpError, bumpTransaction } from '../../wallet/bump.ts'
import { WalletError } from '../../wallet/error.ts'
import { MAX_FEE } from '../../wallet/rates.ts'
import type { Control } from '../../wallet/select.ts'
import { fillPsbt, signDraft } from '../../wallet/sign.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { outputPairs, receiversOf } from '../construct.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Method } from '../method.ts'
import {
  amountValue,
  checkMembers,
  flagValue,
  hashValue,
  kindOf,
  objectValue,
  textValue,
  wholeValue,
} from '../values.ts'
import { refuseReuse } from './balances.ts'
import { walletMethod } from './chosen.ts'
import { feePayers, feeRateOf, recipientsOf } from './options.ts'

/** `-6` for what Core calls too little money: every failure to make a transaction. */
export function builtOr(kind: 'insufficientFunds' | 'wallet', make: () => Draft): Draft {
  try {
    return make()
  } catch (fault) {
    if (!(fault instanceof WalletError)) throw fault
    throw rpcError(kind, fault.message)
  }
}
const noted = (notes: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(notes).flatMap(([name, value]): [string, string][] =>
      value === undefined || value === '' ? [] : [[name, textValue(value)]],
    ),
  )
function sendMoney(
  wallet: Wallet,
  recipients: readonly Recipient[],
  control: Control,
  notes: ReadonlyMap<string, string>,
  verbose: boolean,
): Json {
  if (!wallet.privateKeys) {
    throw rpcError('wallet', 'Error: Private keys are disabled for this wallet')
  }
  const draft = builtOr('insufficientFunds', () => buildTransaction(wallet, recipients, control))
  const transaction = signDraft(wallet, draft)
  if (!transaction) throw rpcError('insufficientFunds', 'Signing transaction failed')
  wallet.commit(transaction, notes)
  const { txid } = transaction
  return verbose ? { txid, fee_reason: draft.reason } : txid
}
const controlOf = (feeRate: bigint | undefined, replaceable: unknown): Control => ({
  ...(feeRate === undefined ? {} : { feeRate }),
  ...(replaceable === undefined ? {} : { replaceable: flagValue(replaceable) }),
})
function sendToAddress(wallet: Wallet, args: readonly unknown[]): Json {
  const [address, amount, comment, to, subtract, replaceable, target, mode, reuse, rate] = args
  refuseReuse(reuse)
  const control = controlOf(feeRateOf(target, mode, rate), replaceable)
  const outputs = receiversOf([[textValue(address), amount]])
  const recipients = recipientsOf(outputs, new Set(subtract === true ? [0] : []))
  return sendMoney(wallet, recipients, control, noted({ comment, to }), args[10] === true)
}
function sendMany(wallet: Wallet, args: readonly unknown[]): Json {
  const [dummy, amounts, , comment, subtract, replaceable, target, mode, rate] = args
  if (dummy !== undefined && dummy !== '') {
    throw rpcError('invalidParameter', 'Dummy value must be set to ""')
  }
  const control = controlOf(feeRateOf(target, mode, rate), replaceable)
  const outputs = receiversOf(outputPairs(amounts))
  const payers = feePayers(
    subtract,
    outputs.map(({ name }) => name),
  )
  const recipients = recipientsOf(outputs, payers)
  return sendMoney(wallet, recipients, control, noted({ comment }), args[9] === true)
}
function setTxFee(wallet: Wallet, args: readonly unknown[]): Json {
  const rate = amountValue(args[0])
  const text = (value: bigint) => `0.${value.toString().padStart(8, '0')} BTC/kvB`
  if (rate > 0n && rate < MIN_RELAY_FEE_RATE) {
    const least = `(${text(MIN_RELAY_FEE_RATE)})`
    throw rpcError('invalidParameter', `txfee cannot be less than min relay tx fee ${least}`)
  }
  if (rate > MAX_FEE) {
    const most = `(${text(MAX_FEE)})`
    throw rpcError('invalidParameter', `txfee cannot be more than wallet max tx fee ${most}`)
  }
  wallet.payRate = rate
  return true
}

const BUMP_KINDS = {
  confTarget: 'number',
  conf_target: 'number',
  fee_rate: 'any',
  replaceable: 'bool',
  estimate_mode: 'string',
  outputs: 'any',
  original_change_index: 'number',
} as const
function positionValue(value: unknown): number {
  const at = wholeValue(value)
  if (at >= 0 && at <= 0xffffffff) return at
  throw rpcError('misc', 'JSON integer out of range')
}
function bumpOptions(value: unknown) {
  const options = value === undefined ? {} : objectValue(value)
  checkMembers(options, BUMP_KINDS, { optional: true, strict: true })
  if (options['confTarget'] !== undefined && options['conf_target'] !== undefined) {
    const fault =
      'confTarget and conf_target options should not both be set. Use conf_target (confTarget is deprecated).'
    throw rpcError('invalidParameter', fault)
  }
  const target = options['confTarget'] ?? options['conf_target']
  const feeRate = feeRateOf(target, options['estimate_mode'], options['fee_rate'])
  const { outputs, original_change_index: index, replaceable } = options
  if (kindOf(outputs) === 'array' && (outputs as readonly unknown[]).length === 0) {
    const fault = 'Invalid parameter, output argument cannot be an empty array'
    throw rpcError('invalidParameter', fault)
  }
  // An empty object says nothing: the old outputs stay.
  const wanted = outputs === undefined ? undefined : receiversOf(outputPairs(outputs))
  return {
    replaceable: replaceable !== false,
    ...(feeRate === undefined ? {} : { feeRate }),
    ...(wanted === undefined || wanted.length === 0 ? {} : { outputs: wanted }),
    ...(index === undefined ? {} : { changeIndex: positionValue(index) }),
  }
}
function bumped(wallet: Wallet, args: readonly unknown[], mineOnly: boolean): Bump {
  const txid = hashValue(args[0], 'txid')
  const options = bumpOptions(args[1])
  try {
    return bumpTransaction(wallet, { txid, mineOnly, ...options })
  } catch (fault) {
    if (!(fault instanceof BumpError)) throw fault
    throw rpcError(fault.kind, fault.message)
  }
}
function bumpFee(wallet: Wallet, args: readonly unknown[]): Json {
  if (!wallet.privateKeys) {
    const fault = 'bumpfee is not available with wallets that have private keys disabled.'
    throw rpcError('wallet', `${fault} Use psbtbumpfee instead.`)
  }
  const { draft, original, oldFee } = bumped(wallet, args, true)
  const transaction = signDraft(wallet, draft)
  if (!transaction) throw rpcError('wallet', "Can't sign transaction.")
  const notes = new Map(original.notes)
  notes.set('replaces_txid', original.transaction.txid)
  wallet.commit(transaction, notes)
  wallet.ledger.note(original.transaction.txid, 'replaced_by_txid', transaction.txid)
  return { txid: transaction.txid, origfee: oldFee, fee: draft.fee, errors: [] }
}
function psbtBumpFee(wallet: Wallet, args: readonly unknown[]): Json {
  const { draft, oldFee } = bumped(wallet, args, false)
  const unsigned = must(decodeTransaction(encodeTransaction(draft)), 'a draft has inputs')
  const psbt = newPsbt(unsigned)
  fillPsbt(wallet, psbt, { sign: false, type: 0, origins: true, finalize: true })
  return { psbt: base64.encode(psbtBytes(psbt)), origfee: oldFee, fee: draft.fee, errors: [] }
}

export const sendMethods: readonly Method[] = [
  walletMethod(
    'sendtoaddress',
    [
      'address:string',
      'amount:any',
      'comment:string?',
      'comment_to:string?',
      'subtractfeefromamount:bool?',
      'replaceable:bool?',
      'conf_target:number?',
      'estimate_mode:string?',
      'avoid_reuse:bool?',
      'fee_rate:any?',
      'verbose:bool?',
    ],
    sendToAddress,
  ),
  walletMethod(
    'sendmany',
    [
      'dummy:string?',
      'amounts:object',
      'minconf:number?',
      'comment:string?',
      'subtractfeefrom:array?',
      'replaceable:bool?',
      'conf_target:number?',
      'estimate_mode:string?',
      'fee_rate:any?',
      'verbose:bool?',
    ],
    sendMany,
  ),
  walletMethod('settxfee', ['amount:any'], setTxFee),
  walletMethod('bumpfee', ['txid:string', 'options:object?'], bumpFee),
  walletMethod('psbtbumpfee', ['txid:string', 'options:object?'], psbtBumpFee),
]
