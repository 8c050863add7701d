import type { Chain } from '../chain/chain.ts'
import { ancestorAt, type BlockNode } from '../chain/node.ts'
import { must } from '../failure.ts'
import { DIFFICULTY, nodeArgument } from './blockchain.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { int32Argument, type Method, method, type RpcContext } from './method.ts'

/** Thirty days of ten minutes. */
const MONTH_OF_BLOCKS = 4320

/** Hashes per second that the last `lookup` blocks before `height` (-1: the tip) took. Source: Core, GetNetworkHashPS. */
export function hashRate(chain: Chain, lookup: number, height: number): number {
  if (lookup < -1 || lookup === 0) {
    const fault = 'Invalid nblocks. Must be a positive number or -1.'
    throw rpcError('invalidParameter', fault)
  }
  if (height < -1 || height > chain.tip.height) {
    throw rpcError('invalidParameter', 'Block does not exist at specified height')
  }
  const end = height < 0 ? chain.tip : must(chain.active[height], 'a height up to the tip')
  if (end.height === 0) return 0
  // Regtest retargets every 144 blocks, without ever changing anything.
  const blocks = Math.min(lookup === -1 ? (end.height % 144) + 1 : lookup, end.height)
  let start: BlockNode = end
  let least = end.header.time
  let most = least
  for (let i = 0; i < blocks; i++) {
    start = must(start.prev, 'a block above genesis has one before it')
    least = Math.min(least, start.header.time)
    most = Math.max(most, start.header.time)
  }
  return most === least ? 0 : Number(end.work - start.work) / (most - least)
}

/** Transactions from genesis to each block; nodes never change. */
const counted = new WeakMap<BlockNode, number>()
function transactionsUpTo(chain: Chain, node: BlockNode): number | undefined {
  const open: BlockNode[] = []
  let at: BlockNode | undefined = node
  for (; at && !counted.has(at); at = at.prev) open.push(at)
  let count = (at && counted.get(at)) ?? 0
  for (const next of open.reverse()) {
    const block = chain.blockOf(next)
    if (!block) return undefined
    count += block.transactions.length
    counted.set(next, count)
  }
  return count
}
/** The block that ends the window, and how many blocks it has. */
function windowOf(context: RpcContext, args: readonly unknown[]): readonly [BlockNode, number] {
  const { chain } = context.regtest
  const end = args[1] === undefined ? chain.tip : nodeArgument(context, args[1], 'blockhash')
  if (!chain.isActive(end)) throw rpcError('invalidParameter', 'Block is not in main chain')
  if (args[0] === undefined) {
    return [end, Math.max(0, Math.min(MONTH_OF_BLOCKS, end.height - 1))]
  }
  const blocks = int32Argument(args[0])
  if (blocks < 0 || (blocks > 0 && blocks >= end.height)) {
    const fault = "Invalid block count: should be between 0 and the block's height - 1"
    throw rpcError('invalidParameter', fault)
  }
  return [end, blocks]
}
function chainTxStats(context: RpcContext, args: readonly unknown[]): Json {
  const { chain } = context.regtest
  const [end, blocks] = windowOf(context, args)
  const start = must(ancestorAt(end, end.height - blocks), 'the window is within the chain')
  const seconds = end.medianTime - start.medianTime
  const total = transactionsUpTo(chain, end)
  const before = transactionsUpTo(chain, start)
  const known = total !== undefined && before !== undefined
  const within = known && blocks > 0 ? total - before : undefined
  return {
    time: end.header.time,
    txcount: total,
    window_final_block_hash: end.hash,
    window_final_block_height: end.height,
    window_block_count: blocks,
    window_interval: blocks > 0 ? seconds : undefined,
    window_tx_count: within,
    txrate: within !== undefined && seconds > 0 ? within / seconds : undefined,
  }
}

function chainStates({ regtest }: RpcContext): Json {
  const { chain } = regtest
  const { tip } = chain
  let headers = tip
  for (const leaf of chain.leaves) {
    if (leaf.work > headers.work && !chain.failures.has(leaf.hash)) headers = leaf
  }
  const state = {
    blocks: tip.height,
    bestblockhash: tip.hash,
    difficulty: DIFFICULTY,
    verificationprogress: 1,
    // Core's caches in bytes: the devnet keeps everything in memory.
    coins_db_cache_bytes: 8_388_608,
    coins_tip_cache_bytes: 351_272_960,
    validated: true,
  }
  return { headers: headers.height, chainstates: [state] }
}

export const chainWorkMethods: readonly Method[] = [
  method('getchainstates', [], chainStates),
  method('verifychain', ['checklevel:number?', 'nblocks:number?'], (_, args) => {
    int32Argument(args[0], 3)
    int32Argument(args[1], 6)
    return true
  }),
  method('getchaintxstats', ['nblocks:number?', 'blockhash:string?'], chainTxStats),
  method('getnetworkhashps', ['nblocks:number?', 'height:number?'], ({ regtest }, args) =>
    hashRate(regtest.chain, int32Argument(args[0], 120), int32Argument(args[1], -1)),
  ),
  method('preciousblock', ['blockhash:string'], (context, [hash]) => {
    context.regtest.prefer(nodeArgument(context, hash, 'blockhash'))
    return null
  }),
]
