import { isUnspendable } from '../script/script.ts'
import { sigopCost } from '../script/sigops.ts'
import { verifyScripts } from '../script/verify.ts'
import { type Block, subsidyAt } from './block.ts'
import { checkAmounts, type Rejection, reject, sequenceLocksHold } from './checks.ts'
import type { LayeredMap } from './layered.ts'
import type { BlockNode, BlockUndo, Coin } from './node.ts'
import type { Transaction } from './transaction.ts'

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

/** Applies one transaction, or says why not and leaves the set as it was. */
function applyTransaction(
  coins: CoinMap,
  transaction: Transaction,
  node: BlockNode,
  prev: BlockNode,
  verifySignatures: boolean,
): { spent: Coin[]; fee: bigint; sigops: number } | Rejection {
  const spent: Coin[] = []
  for (const input of transaction.inputs) {
    const coin = coins.get(input.key)
    if (!coin) {
      return reject(
        'bad-txns-inputs-missingorspent',
        `CheckTxInputs: inputs missing/spent in transaction ${transaction.txid}`,
      )
    }
    spent.push(coin)
  }
  const fee = checkAmounts(transaction, spent, node.height)
  if (typeof fee !== 'bigint') return fee
  const heights = spent.map((coin) => coin.height)
  if (!sequenceLocksHold(transaction, heights, prev)) {
    return reject('bad-txns-nonfinal')
  }
  const fault = verifySignatures ? verifyScripts(transaction, spent, 'consensus') : undefined
  if (fault) return reject(fault.reason)
  for (const input of transaction.inputs) coins.delete(input.key)
  createCoins(coins, transaction, node.height)
  return { spent, fee, sigops: sigopCost(transaction, spent) }
}

/** Spends and creates the coins of a block. On a rejection the set is as it was. */
export function connectBlock(
  coins: CoinMap,
  block: Block,
  node: BlockNode,
  verifySignatures: boolean,
): BlockUndo | Rejection {
  const [coinbase, ...rest] = block.transactions
  const { prev } = node
  if (!coinbase || !prev) return reject('bad-cb-missing')
  const undo: Coin[][] = []
  let fees = 0n
  let sigops = sigopCost(coinbase)
  const fail = (fault: Rejection): Rejection => {
    removeOutputs(coins, coinbase)
    unapply(coins, rest.slice(0, undo.length), undo)
    return fault
  }
  for (const transaction of block.transactions) {
    if (transaction.outputs.some((_, vout) => coins.has(`${transaction.txid}:${vout}`))) {
      return reject('bad-txns-BIP30')
    }
  }
  createCoins(coins, coinbase, node.height)
  for (const transaction of rest) {
    const applied = applyTransaction(coins, transaction, node, prev, verifySignatures)
    if ('reason' in applied) return fail(applied)
    undo.push(applied.spent)
    fees += applied.fee
    sigops += applied.sigops
    if (sigops > 80_000) return fail(reject('bad-blk-sigops'))
  }
  const limit = subsidyAt(node.height) + fees
  const paid = coinbase.outputs.reduce((sum, output) => sum + output.value, 0n)
  if (paid > limit) {
    return fail(reject('bad-cb-amount'))
  }
  return undo
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
