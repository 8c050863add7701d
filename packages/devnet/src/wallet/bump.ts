import type { TransactionOutput } from '../chain/transaction.ts'
import {
  feeAt,
  INCREMENTAL_FEE_RATE,
  MIN_RELAY_FEE_RATE,
  rateOf,
  signalsReplacement,
} from '../mempool/policy.ts'
import { buildTransaction, type Draft, type Recipient } from './build.ts'
import { coinWeight } from './coins.ts'
import type { Entry } from './entry.ts'
import { WalletError } from './error.ts'
import { chooseRate, MAX_FEE, moneyText, WALLET_INCREMENT } from './rates.ts'
import type { Control, Preset } from './select.ts'
import type { Wallet } from './wallet.ts'

/** Why a transaction cannot be bumped; `kind` names Core's error number. */
export class BumpError extends Error {
  override readonly name = 'BumpError'
  readonly kind: 'wallet' | 'invalidParameter' | 'invalidAddressOrKey' | 'misc'
  constructor(kind: BumpError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}
export interface BumpRequest {
  readonly txid: string
  /** Satoshi per 1000 vbytes. */
  readonly feeRate?: bigint
  readonly replaceable?: boolean
  /** Instead of the old ones. */
  readonly outputs?: readonly TransactionOutput[]
  /** The old output that takes the change. */
  readonly changeIndex?: number
  /** All inputs must be the wallet's own. */
  readonly mineOnly: boolean
}
export interface Bump {
  readonly draft: Draft
  readonly original: Entry
  /** Satoshi. */
  readonly oldFee: bigint
}
/** @throws BumpError when the transaction may not be replaced. Source: Core's feebumper. */
function checkBumpable(wallet: Wallet, entry: Entry, mineOnly: boolean): void {
  const { ledger, host } = wallet
  const { transaction, notes } = entry
  if (ledger.hasSpend(transaction)) {
    throw new BumpError('invalidParameter', 'Transaction has descendants in the wallet')
  }
  if (host.regtest.mempool.pool.descendants(transaction.txid).size > 0) {
    throw new BumpError('invalidParameter', 'Transaction has descendants in the mempool')
  }
  if (ledger.depth(entry) !== 0) {
    const fault = 'Transaction has been mined, or is conflicted with a mined transaction'
    throw new BumpError('wallet', fault)
  }
  if (!signalsReplacement(transaction)) {
    throw new BumpError('wallet', 'Transaction is not BIP 125 replaceable')
  }
  const by = notes.get('replaced_by_txid')
  if (by !== undefined) {
    const fault = `Cannot bump transaction ${transaction.txid} which was already bumped by transaction ${by}`
    throw new BumpError('wallet', fault)
  }
  const mine = transaction.inputs.every(({ txid, vout }) => {
    const output = wallet.output(txid, vout)
    return output !== undefined && wallet.isMine(output.script)
  })
  if (mineOnly && !mine) {
    const fault = "Transaction contains inputs that don't belong to this wallet"
    throw new BumpError('wallet', fault)
  }
}
function spentOf(wallet: Wallet, { transaction }: Entry): TransactionOutput[] {
  const { mempool } = wallet.host.regtest
  return transaction.inputs.map(({ txid, key, vout }) => {
    const coin = mempool.coinAt(txid, key, vout)
    if (!coin) throw new BumpError('misc', `${key} is already spent`)
    return coin
  })
}
const total = (outputs: readonly TransactionOutput[]): bigint =>
  outputs.reduce((sum, { value }) => sum + value, 0n)

/** Weight of an input as it stands, with room for the longest signature. */
const standingWeight = (input: Entry['transaction']['inputs'][number]): number => {
  const items = input.witness.reduce((sum, item) => sum + 1 + item.length, 0)
  return (41 + input.script.length) * 4 + 1 + items + 2
}
function checkRate(wallet: Wallet, rate: bigint, size: number, oldFee: bigint): void {
  const floor = wallet.host.regtest.mempool.minFeeRate
  // At rest the mempool has no minimum of its own: the relay fee is checked below.
  if (floor > MIN_RELAY_FEE_RATE && rate < floor) {
    const fault = `(${moneyText(rate)}) is lower than the minimum fee rate (${moneyText(floor)})`
    throw new BumpError('wallet', `New fee rate ${fault} to get into the mempool -- `)
  }
  const fee = feeAt(rate, size)
  const increment = feeAt(INCREMENTAL_FEE_RATE, size)
  if (fee < oldFee + increment) {
    const parts = `(oldFee ${moneyText(oldFee)} + incrementalFee ${moneyText(increment)})`
    const least = `must be at least ${moneyText(oldFee + increment)} ${parts}`
    throw new BumpError('invalidParameter', `Insufficient total fee ${moneyText(fee)}, ${least}`)
  }
  if (fee > MAX_FEE) {
    const limit = `(cannot be higher than -maxtxfee ${moneyText(MAX_FEE)})`
    const fault = `Specified or calculated fee ${moneyText(fee)} is too high ${limit}`
    throw new BumpError('wallet', fault)
  }
}
/** Most vbytes that the old transaction can take, with the new outputs where there are some. */
function largestSize(
  wallet: Wallet,
  { transaction }: Entry,
  spent: readonly TransactionOutput[],
  outputs: readonly TransactionOutput[],
): number {
  const size = (count: number) => (count < 253 ? 1 : 3)
  const base = 8 + size(transaction.inputs.length) + size(outputs.length)
  const body = outputs.reduce(
    (sum, { script }) => sum + 8 + size(script.length) + script.length,
    base,
  )
  const inputs = transaction.inputs.map((input, at) => {
    const coin = spent[at]
    const known = coin && coinWeight(wallet, coin)
    return known ?? { weight: standingWeight(input), witness: input.witness.length > 0 }
  })
  const segwit = inputs.some(({ witness }) => witness)
  const weight = inputs.reduce((sum, own) => sum + own.weight + (segwit && !own.witness ? 1 : 0), 0)
  return Math.ceil((body * 4 + weight + (segwit ? 2 : 0)) / 4)
}
/** A replacement that pays more, with the same inputs and, where needed, others. @throws BumpError. */
export function bumpTransaction(wallet: Wallet, request: BumpRequest): Bump {
  const { outputs, changeIndex } = request
  if (outputs && changeIndex !== undefined) {
    const fault =
      "The options 'outputs' and 'original_change_index' are incompatible. You can only either specify a new set of outputs, or designate a change output to be recycled."
    throw new BumpError('invalidParameter', fault)
  }
  const original = wallet.ledger.entries.get(request.txid)
  if (!original) {
    throw new BumpError('invalidAddressOrKey', 'Invalid or non-wallet transaction id')
  }
  const { transaction } = original
  if (changeIndex !== undefined && changeIndex >= transaction.outputs.length) {
    throw new BumpError('invalidParameter', 'Change position is out of range')
  }
  const spent = spentOf(wallet, original)
  checkBumpable(wallet, original, request.mineOnly)
  const oldFee = total(spent) - total(transaction.outputs)
  const wanted = outputs ?? transaction.outputs
  const plan = recipientsOf(wallet, wanted, changeIndex)
  if (request.feeRate !== undefined) {
    checkRate(wallet, request.feeRate, largestSize(wallet, original, spent, wanted), oldFee)
  }
  const inputs = transaction.inputs.map((input, at): Preset => {
    const coin = spent[at]
    const own = coin && wallet.isMine(coin.script)
    const { txid, vout } = input
    if (own || !coin) return { txid, vout }
    return { txid, vout, coin, weight: standingWeight(input) }
  })
  const control: Control = {
    inputs,
    addInputs: true,
    feeRate: request.feeRate ?? raisedRate(wallet, original, oldFee),
    replaceable: request.replaceable ?? true,
    // A replacement must not bring new unconfirmed inputs (BIP 125 rule 2).
    minDepth: 1,
    ...(plan.change ? { changeScript: plan.change } : {}),
  }
  try {
    return { draft: buildTransaction(wallet, plan.recipients, control), original, oldFee }
  } catch (fault) {
    if (!(fault instanceof WalletError)) throw fault
    throw new BumpError('wallet', `Unable to create transaction. ${fault.message}`)
  }
}
function recipientsOf(
  wallet: Wallet,
  outputs: readonly TransactionOutput[],
  changeIndex: number | undefined,
): { readonly recipients: readonly Recipient[]; readonly change: Uint8Array | undefined } {
  const recipients: Recipient[] = []
  let change: Uint8Array | undefined
  outputs.forEach((output, at) => {
    const isChange = changeIndex === undefined ? wallet.isChange(output.script) : changeIndex === at
    if (isChange) change = output.script
    else recipients.push({ ...output, paysFee: false })
  })
  if (recipients.length > 0) return { recipients, change }
  if (!change) {
    const fault = 'Unable to create transaction. Transaction must have at least one recipient'
    throw new BumpError('invalidParameter', fault)
  }
  // Everything went to a change address: it pays the fee itself.
  return {
    recipients: [{ value: total(outputs), script: change, paysFee: true }],
    change: undefined,
  }
}
function raisedRate(wallet: Wallet, { transaction }: Entry, oldFee: bigint): bigint {
  const raised = rateOf(oldFee, transaction.vsize) + 1n + WALLET_INCREMENT
  const least = chooseRate(wallet, undefined).rate
  return raised > least ? raised : least
}
