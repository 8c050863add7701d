import { type Block, subsidyAt } from '../chain/block.ts'
import type { BlockNode, BlockUndo } from '../chain/node.ts'
import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import { isUnspendable } from '../script/script.ts'
import { blockArgument, nodeArgument } from './blockchain.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { int32Argument, type Method, method, type RpcContext, textArgument } from './method.ts'
import { feeOf } from './view.ts'

/** Bytes that Core counts for an entry of the unspent set beside the output itself. */
const COIN_OVERHEAD = 41
const coinSize = ({ script }: Pick<TransactionOutput, 'script'>): number =>
  8 + (script.length < 253 ? 1 : 3) + script.length + COIN_OVERHEAD

interface Row {
  readonly transaction: Transaction
  readonly size: number
  /** Satoshi. */
  readonly fee: number
  /** Satoshi per vbyte, rounded down. */
  readonly rate: number
}
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
/** The middle, or the mean of the two middles, rounded down. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  if (sorted.length === 0) return 0
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : Math.floor(((sorted[half - 1] ?? 0) + upper) / 2)
}
/** Fee rates at 10, 25, 50, 75 and 90 percent of the weight. */
function percentiles(rows: readonly Row[]): number[] {
  const sorted = [...rows].sort((a, b) => a.rate - b.rate)
  const total = sum(rows.map(({ transaction }) => transaction.weight))
  const result: number[] = []
  let weight = 0
  for (const { transaction, rate } of sorted) {
    weight += transaction.weight
    for (const part of [0.1, 0.25, 0.5, 0.75, 0.9].slice(result.length)) {
      if (weight < total * part) break
      result.push(rate)
    }
  }
  const last = sorted[sorted.length - 1]?.rate ?? 0
  return Array.from({ length: 5 }, (_, i) => result[i] ?? last)
}
function rowsOf(block: Block, undo: BlockUndo): Row[] {
  return block.transactions.slice(1).map((transaction, i) => {
    const fee = Number(feeOf(transaction, undo[i] ?? []))
    const rate = Math.floor((fee * 4) / transaction.weight)
    return { transaction, size: transaction.raw.length, fee, rate }
  })
}

/** Growth of the unspent set: by Core's plain count, and without outputs that nobody can spend. */
function coinGrowth(block: Block, undo: BlockUndo, isGenesis: boolean) {
  const outputs = block.transactions.flatMap((transaction) => transaction.outputs)
  const spent = undo.flat()
  // The genesis coinbase never became a coin.
  const made = isGenesis ? [] : outputs
  const real = made.filter(({ script }) => !isUnspendable(script))
  const spentSize = sum(spent.map(coinSize))
  return {
    utxo_increase: outputs.length - spent.length,
    utxo_size_inc: sum(outputs.map(coinSize)) - spentSize,
    utxo_increase_actual: real.length - spent.length,
    utxo_size_inc_actual: sum(real.map(coinSize)) - spentSize,
  }
}
function statsOf(node: BlockNode, block: Block, undo: BlockUndo): { readonly [key: string]: Json } {
  const rows = rowsOf(block, undo)
  const count = rows.length
  const weights = rows.map(({ transaction }) => transaction.weight)
  const witness = rows.filter(({ transaction }) => transaction.hasWitness)
  const sizes = rows.map(({ size }) => size)
  const fees = rows.map(({ fee }) => fee)
  const rates = rows.map(({ rate }) => rate)
  const totalWeight = sum(weights)
  const paid = rows.flatMap(({ transaction }) => transaction.outputs)
  const most = (values: readonly number[]) => (count === 0 ? 0 : Math.max(...values))
  const least = (values: readonly number[]) => (count === 0 ? 0 : Math.min(...values))
  return {
    avgfee: count === 0 ? 0 : Math.floor(sum(fees) / count),
    avgfeerate: count === 0 ? 0 : Math.floor((sum(fees) * 4) / totalWeight),
    avgtxsize: count === 0 ? 0 : Math.floor(sum(sizes) / count),
    blockhash: node.hash,
    feerate_percentiles: percentiles(rows),
    height: node.height,
    ins: sum(rows.map(({ transaction }) => transaction.inputs.length)),
    maxfee: most(fees),
    maxfeerate: most(rates),
    maxtxsize: most(sizes),
    medianfee: median(fees),
    mediantime: node.medianTime,
    mediantxsize: median(sizes),
    minfee: least(fees),
    minfeerate: least(rates),
    mintxsize: least(sizes),
    outs: sum(block.transactions.map(({ outputs }) => outputs.length)),
    subsidy: Number(subsidyAt(node.height)),
    swtotal_size: sum(witness.map(({ size }) => size)),
    swtotal_weight: sum(witness.map(({ transaction }) => transaction.weight)),
    swtxs: witness.length,
    time: node.header.time,
    total_out: Number(paid.reduce((total, { value }) => total + value, 0n)),
    total_size: sum(sizes),
    total_weight: totalWeight,
    totalfee: sum(fees),
    txs: block.transactions.length,
    ...coinGrowth(block, undo, node.height === 0),
  }
}

function blockStats(context: RpcContext, [which, chosen]: readonly unknown[]): Json {
  const { chain } = context.regtest
  let node: BlockNode | undefined
  if (typeof which === 'number') {
    const height = int32Argument(which)
    node = chain.active[height]
    if (!node) {
      const fault = `Target block height ${height} ${height < 0 ? 'is negative' : `after current tip ${chain.tip.height}`}`
      throw rpcError('invalidParameter', fault)
    }
  } else node = nodeArgument(context, textArgument(which), 'hash_or_height')
  const all = statsOf(node, blockArgument(context, node), chain.undo.get(node.hash) ?? [])
  if (!Array.isArray(chosen) || chosen.length === 0) return all
  return Object.fromEntries(
    chosen
      .map(textArgument)
      .sort()
      .map((name) => {
        const value = all[String(name)]
        if (value === undefined) {
          throw rpcError('invalidParameter', `Invalid selected statistic '${name}'`)
        }
        return [String(name), value]
      }),
  )
}
export const statsMethods: readonly Method[] = [
  method('getblockstats', ['hash_or_height:any', 'stats:array?'], blockStats),
]
