import { type Rejection, reject } from '../chain/checks.ts'
import type { Coin } from '../chain/node.ts'
import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import { classifyScript, isUnspendable, parseScript } from '../script/script.ts'

/** Core 28's defaults. Fee rates in satoshi per 1000 vbytes. */
export const MIN_RELAY_FEE_RATE = 1000n
export const INCREMENTAL_FEE_RATE = 1000n
export const DUST_FEE_RATE = 3000n
export const MAX_REPLACEMENTS = 100
export const EXPIRY_SECONDS = 336 * 3600
export const MAX_MEMPOOL_BYTES = 300_000_000
const MAX_STANDARD_WEIGHT = 400_000
const MAX_SCRIPT_SIG = 1650
const MAX_DATA_CARRIER = 83
const MIN_STRIPPED_SIZE = 65

/** Limits of unconfirmed families; sizes in vbytes. */
export interface FamilyLimits {
  readonly ancestors: number
  readonly ancestorSize: number
  readonly descendants: number
  readonly descendantSize: number
}
export const FAMILY_LIMITS: FamilyLimits = {
  ancestors: 25,
  ancestorSize: 101_000,
  descendants: 25,
  descendantSize: 101_000,
}

/** Satoshi that `rate` asks of `size` vbytes, rounded up as Core does. */
export const feeAt = (rate: bigint, size: number): bigint => (rate * BigInt(size) + 999n) / 1000n
/** Satoshi per 1000 vbytes, rounded down. */
export const rateOf = (fee: bigint, size: number): bigint => (fee * 1000n) / BigInt(size)
/** `0.00454545 BTC/kvB`, as Core's messages write a fee rate. */
export const formatRate = (rate: bigint): string =>
  `${rate / 100_000_000n}.${(rate % 100_000_000n).toString().padStart(8, '0')} BTC/kvB`

/** Satoshi below which an output costs more to spend than it is worth. */
export function dustThreshold(output: TransactionOutput): bigint {
  if (isUnspendable(output.script)) return 0n
  const size = 8 + (output.script.length < 253 ? 1 : 3) + output.script.length
  const spending = classifyScript(output.script).version >= 0 ? 67 : 148
  return feeAt(DUST_FEE_RATE, size + spending)
}
const dustOutputs = (transaction: Transaction): number =>
  transaction.outputs.filter((output) => output.value < dustThreshold(output)).length

function checkOutput(output: TransactionOutput): Rejection | undefined {
  const { kind } = classifyScript(output.script)
  if (kind === 'nonstandard') return reject('scriptpubkey')
  if (kind === 'nulldata' && output.script.length > MAX_DATA_CARRIER) return reject('scriptpubkey')
  const keys = (output.script[output.script.length - 2] ?? 0) - 0x50
  return kind === 'multisig' && keys > 3 ? reject('scriptpubkey') : undefined
}
/** What Core's default policy relays, seen from the transaction alone. Source: Core's IsStandardTx. */
export function checkStandard(transaction: Transaction): Rejection | undefined {
  if (transaction.version < 1 || transaction.version > 3) return reject('version')
  if (transaction.weight > MAX_STANDARD_WEIGHT) return reject('tx-size')
  for (const input of transaction.inputs) {
    if (input.script.length > MAX_SCRIPT_SIG) return reject('scriptsig-size')
    const pieces = parseScript(input.script)
    if (!pieces?.every((piece) => piece.opcode <= 0x60)) return reject('scriptsig-not-pushonly')
  }
  let dataOutputs = 0
  for (const output of transaction.outputs) {
    const fault = checkOutput(output)
    if (fault) return fault
    if (output.script[0] === 0x6a) dataOutputs += 1
  }
  if (dustOutputs(transaction) > 1) return reject('dust')
  if (dataOutputs > 1) return reject('multi-op-return')
  return undefined
}
export const checkSize = (transaction: Transaction): Rejection | undefined =>
  transaction.strippedSize < MIN_STRIPPED_SIZE ? reject('tx-size-small') : undefined

/** What Core's default policy relays, seen from the spent coins. */
export function checkStandardInputs(
  transaction: Transaction,
  spent: readonly Coin[],
): Rejection | undefined {
  const forms = spent.map((coin) => classifyScript(coin.script))
  if (forms.some(({ kind }) => kind === 'nonstandard' || kind === 'witness_unknown')) {
    return reject('bad-txns-nonstandard-inputs')
  }
  const odd = transaction.inputs.some((input, i) => {
    if (input.witness.length === 0) return false
    const form = forms[i]
    if (!form || form.kind === 'anchor') return true
    const wrapped = form.kind === 'scripthash' && parseScript(input.script)?.length === 1
    if (form.version < 0 && !wrapped) return true
    const last = input.witness[input.witness.length - 1]
    const annex = form.kind === 'witness_v1_taproot' && input.witness.length > 1
    return annex && last?.[0] === 0x50
  })
  return odd ? reject('bad-witness-nonstandard') : undefined
}
/** A dust output may only stand in a transaction without fee, which nobody mines alone (ephemeral dust). */
export const checkEphemeralDust = (transaction: Transaction, fee: bigint): Rejection | undefined =>
  fee !== 0n && dustOutputs(transaction) > 0
    ? reject('dust', 'tx with dust output must be 0-fee')
    : undefined

/** True when the transaction itself opts in to replacement. Source: BIP 125. */
export const signalsReplacement = (transaction: Transaction): boolean =>
  transaction.inputs.some((input) => input.sequence < 0xfffffffe)
