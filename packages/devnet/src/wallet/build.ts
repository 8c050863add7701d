import { addressOf } from '../chain/address.ts'
import { tryFromHex } from '../chain/bytes.ts'
import type { TransactionOutput } from '../chain/transaction.ts'
import type { OutputType } from '../descriptor/node.ts'
import { dustThreshold, feeAt } from '../mempool/policy.ts'
import { classifyScript } from '../script/script.ts'
import { WalletError } from './error.ts'
import { chooseRate, discardRate, MAX_FEE, type RateReason, rateText } from './rates.ts'
import { type Chosen, type Control, type Selected, selectCoins } from './select.ts'
import type { Wallet } from './wallet.ts'

export interface Recipient extends TransactionOutput {
  /** The fee comes out of this amount. */
  readonly paysFee: boolean
}
/** A transaction before it is signed. */
export interface Draft {
  readonly version: number
  readonly inputs: readonly {
    readonly txid: string
    readonly vout: number
    readonly sequence: number
    readonly script: Uint8Array
    readonly witness: readonly Uint8Array[]
  }[]
  readonly outputs: readonly TransactionOutput[]
  readonly locktime: number
  /** What the inputs spend, in their order. */
  readonly spent: readonly TransactionOutput[]
  /** Satoshi. */
  readonly fee: bigint
  readonly changePosition: number | undefined
  readonly reason: RateReason
}
const sizeOf = (count: number): number => (count < 253 ? 1 : count < 65_536 ? 3 : 5)
const outputSize = ({ script }: { readonly script: Uint8Array }): number =>
  8 + sizeOf(script.length) + script.length
const EIGHT_HOURS = 8 * 3600
export const MAX_WEIGHT = 400_000

/** The kind of change that hides best among the recipients. Source: Core's TransactionChangeType. */
function changeType(
  wallet: Wallet,
  control: Control,
  recipients: readonly Recipient[],
): OutputType {
  if (control.changeType) return control.changeType
  const kinds = new Set(recipients.map(({ script }) => classifyScript(script).kind))
  const has = (type: OutputType) => wallet.activeRecord(type, true) !== undefined
  if (has('bech32m') && kinds.has('witness_v1_taproot')) return 'bech32m'
  if (has('bech32') && kinds.has('witness_v0_keyhash')) return 'bech32'
  if (has('p2sh-segwit') && kinds.has('scripthash')) return 'p2sh-segwit'
  if (has('legacy') && kinds.has('pubkeyhash')) return 'legacy'
  if (has('bech32m')) return 'bech32m'
  return 'bech32'
}
/** The change script, drawn but not yet used up. */
interface ChangeScript {
  readonly script: Uint8Array | undefined
  readonly fault: string | undefined
  readonly keep: () => void
}
function changeScript(
  wallet: Wallet,
  control: Control,
  recipients: readonly Recipient[],
): ChangeScript {
  if (control.changeScript) {
    return { script: control.changeScript, fault: undefined, keep: () => {} }
  }
  const type = changeType(wallet, control, recipients)
  const record = wallet.activeRecord(type, true)
  if (!record) {
    const fault = `Transaction needs a change address, but we can't generate it. Error: No ${type} addresses available.`
    return { script: undefined, fault, keep: () => {} }
  }
  const script = tryFromHex(record.scriptAt(record.nextIndex) ?? '')
  return { script, fault: undefined, keep: () => void wallet.newScript(type, true) }
}
function vsizeOf(chosen: Chosen, outputs: readonly TransactionOutput[]): number {
  const base = 8 + sizeOf(chosen.coins.length) + sizeOf(outputs.length)
  const body = outputs.reduce((sum, output) => sum + outputSize(output), base) * 4
  const segwit = chosen.coins.some(({ witness }) => witness)
  const inputs = chosen.coins.reduce(
    (sum, { weight, witness }) => sum + weight + (segwit && !witness ? 1 : 0),
    0,
  )
  return Math.ceil((body + inputs + (segwit ? 2 : 0)) / 4)
}
const sum = (outputs: readonly TransactionOutput[]): bigint =>
  outputs.reduce((total, { value }) => total + value, 0n)

function checkWeightLimit(limit: number | undefined): void {
  if (limit === undefined || (limit >= 260 && limit <= MAX_WEIGHT)) return
  throw new WalletError(`Maximum transaction weight must be between 260 and ${MAX_WEIGHT}`)
}
/**
 * Chooses coins for the recipients and puts a transaction together. Never spends more than the coins hold, never pays more
 * than Core's ceiling. @throws WalletError in Core's words.
 */
export function buildTransaction(
  wallet: Wallet,
  recipients: readonly Recipient[],
  control: Control,
): Draft {
  if (recipients.length === 0) {
    throw new WalletError('Transaction must have at least one recipient')
  }
  checkWeightLimit(control.maxWeight)
  if (recipients.some((recipient) => recipient.value < dustThreshold(recipient))) {
    throw new WalletError('Transaction amount too small')
  }
  const change = changeScript(wallet, control, recipients)
  const { rate, reason } = chooseRate(wallet, control.feeRate, control.overrideMinimum)
  if (control.feeRate !== undefined && rate > control.feeRate) {
    const minimum = `is lower than the minimum fee rate setting (${rateText(rate)})`
    throw new WalletError(`Fee rate (${rateText(control.feeRate)}) ${minimum}`)
  }
  const chosen = choose(wallet, recipients, control, rate, change.script)
  const outputs: TransactionOutput[] = recipients.map(({ value, script }) => ({ value, script }))
  let changePosition: number | undefined
  if (chosen.change > 0n) {
    if (!change.script) throw new WalletError(change.fault ?? 'no change address')
    changePosition = control.changePosition ?? drawPosition(wallet, outputs.length + 1)
    outputs.splice(changePosition, 0, { value: chosen.change, script: change.script })
  }
  const fee = settleFee(
    recipients,
    outputs,
    chosen,
    feeAt(rate, vsizeOf(chosen, outputs)),
    changePosition,
  )
  if (vsizeOf(chosen, outputs) * 4 > MAX_WEIGHT) throw new WalletError('Transaction too large')
  if (fee > MAX_FEE) {
    const limit = '(e.g. -maxtxfee, maxfeerate)'
    throw new WalletError(`Fee exceeds maximum configured by user ${limit}`)
  }
  // Used or not, the address was drawn: Core does not hand it out again. Without change it tries once more and draws a second.
  change.keep()
  if (changePosition === undefined) change.keep()
  return { ...frame(wallet, control, chosen), outputs, fee, changePosition, reason }
}
function choose(
  wallet: Wallet,
  recipients: readonly Recipient[],
  control: Control,
  rate: bigint,
  script: Uint8Array | undefined,
): Chosen {
  const prototype = { value: 0n, script: script ?? new Uint8Array() }
  const own = script && wallet.providerOf(script)
  // Without knowledge of the change script, a nested key is what it costs at least.
  const spendSize = own ? 68 : 91
  const discard = discardRate(wallet)
  const least = feeAt(discard, spendSize) + 1n
  const dust = (dustThreshold(prototype) * discard) / 3000n
  const size = recipients.reduce((total, recipient) => total + outputSize(recipient), 10)
  const noInputs = size + sizeOf(recipients.length)
  const subtract = recipients.some(({ paysFee }) => paysFee)
  const room = (control.maxWeight ?? MAX_WEIGHT) - noInputs * 4
  return selectCoins(wallet, control, {
    room,
    changeWeight: outputSize(prototype) * 4,
    target: sum(recipients) + (subtract ? 0n : feeAt(rate, noInputs)),
    rate,
    subtract,
    changeFee: subtract ? 0n : feeAt(rate, outputSize(prototype)),
    leastChange: least > dust ? least : dust,
  })
}
function drawPosition(wallet: Wallet, count: number): number {
  const [first = 0, second = 0] = wallet.draw()
  return (first * 256 + second) % count
}
/** Gives what is too much to the change, or takes the fee from those who pay it. Returns the fee. */
function settleFee(
  recipients: readonly Recipient[],
  outputs: TransactionOutput[],
  chosen: Chosen,
  needed: bigint,
  changePosition: number | undefined,
): bigint {
  const current = () => chosen.value - sum(outputs)
  const raise = (at: number, by: bigint) => {
    const output = outputs[at]
    if (output) outputs[at] = { ...output, value: output.value + by }
  }
  if (changePosition !== undefined && needed < current()) {
    raise(changePosition, current() - needed)
  }
  const payers = recipients.flatMap(({ paysFee }, at) => {
    const shifted = changePosition !== undefined && at >= changePosition ? at + 1 : at
    return paysFee ? [shifted] : []
  })
  const missing = needed - current()
  payers.forEach((at, order) => {
    const count = BigInt(payers.length)
    raise(at, -(missing / count + (order === 0 ? missing % count : 0n)))
    const output = outputs[at]
    if (!output || output.value >= dustThreshold(output)) return
    throw new WalletError(
      output.value < 0n
        ? 'The transaction amount is too small to pay the fee'
        : 'The transaction amount is too small to send after the fee has been deducted',
    )
  })
  if (current() < needed) throw new WalletError('Insufficient funds')
  return current()
}
function frame(
  wallet: Wallet,
  control: Control,
  chosen: Chosen,
): Pick<Draft, 'version' | 'inputs' | 'locktime' | 'spent'> {
  const replaceable = control.replaceable ?? true
  const sequence = replaceable ? 0xfffffffd : 0xfffffffe
  const inputs = chosen.coins.map((coin: Selected) => ({
    txid: coin.txid,
    vout: coin.vout,
    sequence: coin.sequence ?? sequence,
    script: coin.script ?? new Uint8Array(),
    witness: coin.stack ?? [],
  }))
  const preset = chosen.coins.some((coin) => coin.sequence !== undefined)
  const locktime = control.locktime ?? (preset ? 0 : currentHeight(wallet))
  const spent = chosen.coins.map(({ output }) => output)
  return { version: control.version ?? 2, inputs, locktime, spent }
}
/** The tip's height where the chain is up to date: nobody gains by mining such a transaction into an older block. */
function currentHeight(wallet: Wallet): number {
  const { regtest } = wallet.host
  const { tip } = regtest.chain
  return tip.header.time >= regtest.now() - EIGHT_HOURS ? tip.height : 0
}
/** For messages: an address, or the script in hex where there is none. */
export const nameOf = (script: Uint8Array): string =>
  addressOf(script) ?? Buffer.from(script).toString('hex')
