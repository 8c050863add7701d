import { isUnspendable } from '../script/script.ts'
import { sigopCost } from '../script/sigops.ts'
import { verifyScripts } from '../script/verify.ts'
import { type Block, subsidyAt } from './block.ts'
import { checkAmounts, inMoneyRange, type Rejection, reject, sequenceLocksHold } from './checks.ts'
import type { LayeredMap } from './layered.ts'
import type { BlockNode, BlockUndo, Coin } from './node.ts'
import type { Transaction } from './transaction.ts'

const MAX_SIGOPS_COST = 80_000

export type CoinMap = LayeredMap<string, Coin>

/** Adds the outputs of a transaction to the unspent set. */
function createCoins(coins: CoinMap, transaction: Transaction, height: number): void {
  transaction.outputs.forEach((output, vout) => {
    if (isUnspendable(output.script)) return
    coins.set(`${transaction.txid}:${vout}`, {
      value: output.value,
      script: output.script,
      height,
      coinbase: transaction.isCoinbase,
    })
  })
}
function removeOutputs(coins: CoinMap, transaction: Transaction): void {
  for (let vout = 0; vout < transaction.outputs.length; vout++) {
    coins.delete(`${transaction.txid}:${vout}`)
  }
}
function restoreInputs(coins: CoinMap, transaction: Transaction, spent: readonly Coin[]): void {
  transaction.inputs.forEach((input, i) => {
    const coin = spent[i]
    if (coin) coins.set(input.key, coin)
  })
}

/** What a block has used up so far. */
interface Tally {
  fees: bigint
  sigops: number
}
/** Applies one transaction, or says why not and leaves the set as it was. Checks in Core's order. Source: Core, ConnectBlock. */
function applyTransaction(
  coins: CoinMap,
  transaction: Transaction,
  node: BlockNode,
  tally: Tally,
  verifySignatures: boolean,
): readonly Coin[] | Rejection {
  const spent: Coin[] = []
  for (const input of transaction.inputs) {
    const coin = coins.get(input.key)
    if (!coin) {
      return reject('bad-txns-inputs-missingorspent', 'CheckTxInputs: inputs missing/spent')
    }
    spent.push(coin)
  }
  const fee = checkAmounts(transaction, spent, node.height)
  if (typeof fee !== 'bigint') return fee
  tally.fees += fee
  if (!inMoneyRange(tally.fees)) return reject('bad-txns-accumulated-fee-outofrange')
  const heights = spent.map((coin) => coin.height)
  if (node.prev && !sequenceLocksHold(transaction, heights, node.prev)) {
    return reject('bad-txns-nonfinal')
  }
  tally.sigops += sigopCost(transaction, spent)
  if (tally.sigops > MAX_SIGOPS_COST) return reject('bad-blk-sigops')
  const fault = verifySignatures ? verifyScripts(transaction, spent, 'consensus') : undefined
  if (fault) return reject(fault.reason)
  for (const input of transaction.inputs) coins.delete(input.key)
  createCoins(coins, transaction, node.height)
  return spent
}
const isRejection = (answer: readonly Coin[] | Rejection): answer is Rejection => 'reason' in answer

/** Spends and creates the coins of a block. On a rejection the set is as it was. */
export function connectBlock(
  coins: CoinMap,
  block: Block,
  node: BlockNode,
  verifySignatures: boolean,
): BlockUndo | Rejection {
  const [coinbase, ...rest] = block.transactions
  if (!coinbase) return reject('bad-cb-missing')
  const undo: (readonly Coin[])[] = []
  const fail = (fault: Rejection): Rejection => {
    unapply(coins, rest.slice(0, undo.length), undo)
    removeOutputs(coins, coinbase)
    return fault
  }
  // Source: BIP 30.
  for (const transaction of block.transactions) {
    for (let vout = 0; vout < transaction.outputs.length; vout++) {
      if (coins.has(`${transaction.txid}:${vout}`)) return reject('bad-txns-BIP30')
    }
  }
  const tally: Tally = { fees: 0n, sigops: sigopCost(coinbase) }
  createCoins(coins, coinbase, node.height)
  for (const transaction of rest) {
    const applied = applyTransaction(coins, transaction, node, tally, verifySignatures)
    if (isRejection(applied)) return fail(applied)
    undo.push(applied)
  }
  let paid = 0n
  for (const output of coinbase.outputs) paid += output.value
  return paid > subsidyAt(node.height) + tally.fees ? fail(reject('bad-cb-amount')) : undo
}

function unapply(coins: CoinMap, transactions: readonly Transaction[], undo: BlockUndo): void {
  for (let i = transactions.length - 1; i >= 0; i--) {
    const transaction = transactions[i] as Transaction
    removeOutputs(coins, transaction)
    restoreInputs(coins, transaction, undo[i] ?? [])
  }
}
/** Takes a block off the unspent set. */
export function disconnectBlock(coins: CoinMap, block: Block, undo: BlockUndo): void {
  const [coinbase, ...rest] = block.transactions
  unapply(coins, rest, undo)
  if (coinbase) removeOutputs(coins, coinbase)
}
