import type { TransactionOutput } from '../chain/transaction.ts'
import type { OutputType } from '../descriptor/node.ts'
import type { Provider } from '../descriptor/provider.ts'
import { feeAt } from '../mempool/policy.ts'
import { spendingWeight } from '../sign/transaction.ts'
import { availableCoins, coinWeight, isTooDeep, type WalletCoin } from './coins.ts'
import { WalletError } from './error.ts'
import type { Wallet } from './wallet.ts'

/** An input that the caller named. */
export interface Preset {
  readonly txid: string
  readonly vout: number
  readonly sequence?: number
  readonly script?: Uint8Array
  readonly witness?: readonly Uint8Array[]
  /** Weight units, where the caller knows better. */
  readonly weight?: number
  /** The coin, where it is not the wallet's. */
  readonly coin?: TransactionOutput
}
/** How the caller wants a transaction made. Rates in satoshi per 1000 vbytes. */
export interface Control {
  readonly inputs?: readonly Preset[]
  /** Coins beyond the named ones may be added. Default true. */
  readonly addInputs?: boolean
  readonly changeScript?: Uint8Array
  readonly changeType?: OutputType
  readonly changePosition?: number
  readonly feeRate?: bigint
  readonly overrideMinimum?: boolean
  /** Signals replacement (BIP 125). Default true, as in Core 28. */
  readonly replaceable?: boolean
  readonly minDepth?: number
  readonly maxDepth?: number
  readonly includeUnsafe?: boolean
  readonly locktime?: number
  readonly version?: number
  readonly maxWeight?: number
  /** Knowledge for spending coins that are not the wallet's. */
  readonly external?: Provider
}
export interface Selected {
  readonly txid: string
  readonly vout: number
  readonly output: TransactionOutput
  readonly weight: number
  readonly witness: boolean
  readonly sequence?: number | undefined
  readonly script?: Uint8Array | undefined
  readonly stack?: readonly Uint8Array[] | undefined
}
export interface Chosen {
  readonly coins: readonly Selected[]
  /** Satoshi of all coins together. */
  readonly value: bigint
  /** Satoshi for a change output; 0 for none. */
  readonly change: bigint
}
export interface Need {
  /** Satoshi for recipients and, unless they pay the fee, for everything but the inputs. */
  readonly target: bigint
  readonly rate: bigint
  readonly subtract: boolean
  readonly changeFee: bigint
  readonly leastChange: bigint
  /** Weight units left for inputs and change, and what the change takes of them. */
  readonly room: number
  readonly changeWeight: number
}
const outpointText = ({ txid, vout }: Preset): string => `COutPoint(${txid.slice(0, 10)}, ${vout})`

function presetCoin(wallet: Wallet, control: Control, preset: Preset): Selected {
  const own = wallet.output(preset.txid, preset.vout)
  const mine = own !== undefined && wallet.isMine(own.script)
  const output = mine ? own : (preset.coin ?? own)
  if (!output) throw new WalletError(`Not found pre-selected input ${outpointText(preset)}`)
  const { txid, vout, sequence, script, witness } = preset
  const rest = { txid, vout, output, sequence, script, stack: witness }
  if (preset.weight !== undefined) return { ...rest, weight: preset.weight - 1, witness: true }
  const known =
    coinWeight(wallet, output) ??
    (control.external && spendingWeight(output.script, control.external))
  if (!known) throw new WalletError(`Not solvable pre-selected input ${outpointText(preset)}`)
  return { ...rest, ...known }
}
const costOf = (rate: bigint, { weight }: { readonly weight: number }): bigint =>
  feeAt(rate, Math.ceil(weight / 4))

/** @throws WalletError when coins that the caller did not name make the transaction heavier than it may be. */
function checkRoom(coins: readonly Selected[], need: Need, change: bigint): void {
  const weight = coins.reduce((sum, coin) => sum + coin.weight, 0)
  const room = need.room - need.changeWeight
  if (weight <= (change > 0n ? room : need.room)) return
  if (room < 0) {
    const fault = 'Maximum transaction weight is too low, can not accommodate change output'
    throw new WalletError(fault)
  }
  const advice = "try sending a smaller amount or manually consolidating your wallet's UTXOs"
  throw new WalletError(`The inputs size exceeds the maximum weight. Please ${advice}`)
}
/** Confirmed before unconfirmed, large before small; equal ones as they came. */
const byWorth = (a: WalletCoin, b: WalletCoin): number => {
  if (a.depth > 0 !== b.depth > 0) return a.depth > 0 ? -1 : 1
  if (a.output.value !== b.output.value) return a.output.value > b.output.value ? -1 : 1
  return 0
}
/**
 * Named coins first, then others until the target and a change worth keeping are covered.
 * @throws WalletError in Core's words when there is not enough.
 */
export function selectCoins(wallet: Wallet, control: Control, need: Need): Chosen {
  const coins = (control.inputs ?? []).map((preset) => presetCoin(wallet, control, preset))
  const named = new Set(coins.map(({ txid, vout }) => `${txid}:${vout}`))
  let value = 0n
  let worth = 0n
  const count = (coin: Selected) => {
    value += coin.output.value
    worth += coin.output.value - (need.subtract ? 0n : costOf(need.rate, coin))
  }
  for (const coin of coins) count(coin)
  const changeOf = (): bigint => {
    const change = worth - need.target - need.changeFee
    return change < need.leastChange ? 0n : change
  }
  const enough = () => worth >= need.target && coins.length > 0
  // A little too much would be lost to the fee: one coin more turns it into change.
  const exact = () => worth - need.target <= feeAt(need.rate, 1)
  if (enough() && coins.length > 0) return { coins, value, change: changeOf() }
  if (control.addInputs === false) {
    throw new WalletError(
      'The preselected coins total amount does not cover the transaction target. Please allow other inputs to be automatically selected or include more coins manually',
    )
  }
  const preset = coins.length
  let tooDeep = 0n
  for (const coin of [...availableCoins(wallet, control)].sort(byWorth)) {
    if (enough() && (changeOf() > 0n || exact())) break
    if (named.has(coin.key)) continue
    const known = coinWeight(wallet, coin.output)
    if (!known || (!need.subtract && costOf(need.rate, known) >= coin.output.value)) continue
    if (isTooDeep(wallet, coin)) {
      tooDeep += coin.output.value
      continue
    }
    const { txid, vout, output } = coin
    const selected: Selected = { txid, vout, output, ...known }
    coins.push(selected)
    count(selected)
  }
  if (enough()) {
    const change = changeOf()
    checkRoom(coins.slice(preset), need, change)
    return { coins, value, change }
  }
  if (worth + tooDeep >= need.target && tooDeep > 0n) {
    throw new WalletError(
      'Unconfirmed UTXOs are available, but spending them creates a chain of transactions that will be rejected by the mempool',
    )
  }
  throw new WalletError('Insufficient funds')
}
