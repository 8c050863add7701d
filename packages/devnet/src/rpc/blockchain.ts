import type { Block } from '../chain/block.ts'
import { toHex } from '../chain/bytes.ts'
import type { Chain } from '../chain/chain.ts'
import type { BlockNode } from '../chain/node.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import {
  confirmationsOf,
  hashArgument,
  int32Argument,
  type Method,
  method,
  type RpcContext,
  verbosityArgument,
} from './method.ts'
import { transactionView } from './view.ts'

export const DIFFICULTY = 4.656542373906925e-10

export function nodeArgument(context: RpcContext, value: unknown, name: string): BlockNode {
  const node = context.regtest.chain.nodes.get(hashArgument(value, name))
  if (!node) throw rpcError('invalidAddressOrKey', 'Block not found')
  return node
}
/** @throws RpcError -1 where the block was pruned or never came. */
export function blockArgument(context: RpcContext, node: BlockNode): Block {
  const block = context.regtest.chain.blockOf(node)
  if (block) return block
  const pruned = node.height < context.regtest.chain.pruneHeight
  throw rpcError('misc', `Block not available (${pruned ? 'pruned data' : 'not fully downloaded'})`)
}
const work = (node: BlockNode): string => node.work.toString(16).padStart(64, '0')

/** Also of a block that was pruned: what it spent is still known. */
function transactionCount(chain: Chain, node: BlockNode): number {
  const block = chain.blockOf(node)
  if (block) return block.transactions.length
  const undo = chain.undo.get(node.hash)
  return undo ? undo.length + 1 : 0
}
function headerView(context: RpcContext, node: BlockNode): { readonly [key: string]: Json } {
  const { header } = node
  const { chain } = context.regtest
  const next = chain.isActive(node) ? chain.active[node.height + 1] : undefined
  return {
    hash: node.hash,
    confirmations: confirmationsOf(context, node),
    height: node.height,
    version: header.version,
    versionHex: (header.version >>> 0).toString(16).padStart(8, '0'),
    merkleroot: header.merkleRoot,
    time: header.time,
    mediantime: node.medianTime,
    nonce: header.nonce,
    bits: header.bits.toString(16).padStart(8, '0'),
    difficulty: DIFFICULTY,
    chainwork: work(node),
    nTx: transactionCount(chain, node),
    ...(node.prev ? { previousblockhash: node.prev.hash } : {}),
    ...(next ? { nextblockhash: next.hash } : {}),
  }
}
function blockView(context: RpcContext, node: BlockNode, verbosity: number): Json {
  const block = blockArgument(context, node)
  const undo = context.regtest.chain.undo.get(node.hash)
  return {
    ...headerView(context, node),
    strippedsize: block.strippedSize,
    size: block.raw.length,
    weight: block.weight,
    tx: block.transactions.map((transaction, i) =>
      verbosity === 1
        ? transaction.txid
        : transactionView(transaction, { spent: undo?.[i - 1], prevouts: verbosity >= 3 }),
    ),
  }
}

function chainInfo(context: RpcContext): Json {
  const { chain } = context.regtest
  const { tip } = chain
  let headers = tip
  for (const leaf of chain.leaves) {
    if (leaf.work > headers.work && !chain.failures.has(leaf.hash)) headers = leaf
  }
  let size = 0
  for (const node of chain.active) size += (chain.blockOf(node)?.raw.length ?? 0) + 8
  const pruned = chain.pruneHeight > 0
  return {
    chain: 'regtest',
    blocks: tip.height,
    headers: headers.height,
    bestblockhash: tip.hash,
    difficulty: DIFFICULTY,
    time: tip.header.time,
    mediantime: tip.medianTime,
    verificationprogress: 1,
    initialblockdownload: context.posture.initialBlockDownload,
    chainwork: work(tip),
    size_on_disk: size,
    pruned,
    pruneheight: pruned ? chain.pruneHeight : undefined,
    automatic_pruning: pruned ? false : undefined,
    warnings: [],
  }
}

function chainTips({ regtest }: RpcContext): Json {
  const { chain } = regtest
  const tips = new Set([...chain.leaves, chain.tip])
  return [...tips]
    .sort((a, b) => b.height - a.height || (a.hash < b.hash ? -1 : 1))
    .map((node) => ({
      height: node.height,
      hash: node.hash,
      branchlen: node.height - chain.forkOf(node).height,
      status: tipStatus(regtest.chain, node),
    }))
}
function tipStatus(chain: RpcContext['regtest']['chain'], node: BlockNode): string {
  if (node === chain.tip) return 'active'
  if (chain.failures.has(node.hash)) return 'invalid'
  if (!chain.blocks.has(node.hash)) return 'headers-only'
  return chain.undo.has(node.hash) ? 'valid-fork' : 'valid-headers'
}

const nothing = null

export const blockchainMethods: readonly Method[] = [
  method('getblockchaininfo', [], chainInfo),
  method('getblockcount', [], ({ regtest }) => regtest.chain.tip.height),
  method('getbestblockhash', [], ({ regtest }) => regtest.chain.tip.hash),
  method('getdifficulty', [], () => DIFFICULTY),
  method('getblockhash', ['height:number'], ({ regtest }, [height]) => {
    const node = regtest.chain.active[int32Argument(height)]
    if (!node) throw rpcError('invalidParameter', 'Block height out of range')
    return node.hash
  }),
  method('getblockheader', ['blockhash:string', 'verbose:bool?'], (context, [hash, verbose]) => {
    const node = nodeArgument(context, hash, 'hash')
    return verbose === false ? toHex(node.header.bytes) : headerView(context, node)
  }),
  method('getblock', ['blockhash:string', 'verbosity:any?'], (context, [hash, verbosity]) => {
    const node = nodeArgument(context, hash, 'blockhash')
    const level = verbosityArgument(verbosity, 1)
    return level <= 0 ? toHex(blockArgument(context, node).raw) : blockView(context, node, level)
  }),
  method('getchaintips', [], chainTips),
  method('invalidateblock', ['blockhash:string'], (context, [hash]) => {
    const node = nodeArgument(context, hash, 'blockhash')
    // Core says nothing to this, and does nothing.
    if (node.prev) context.regtest.invalidate(node)
    return nothing
  }),
  method('reconsiderblock', ['blockhash:string'], (context, [hash]) => {
    context.regtest.reconsider(nodeArgument(context, hash, 'blockhash'))
    return nothing
  }),
  method('pruneblockchain', ['height:number'], ({ regtest }, [height]) => {
    const { chain } = regtest
    const to = int32Argument(height)
    if (to < 0) throw rpcError('invalidParameter', 'Negative block height.')
    if (to > chain.tip.height) {
      const fault = 'Blockchain is shorter than the attempted prune height.'
      throw rpcError('invalidParameter', fault)
    }
    return regtest.prune(to)
  }),
]
