import { TruncatedError, toHex } from '../chain/bytes.ts'
import { decodeMerkleBlock, encodeMerkleBlock } from '../chain/merkleblock.ts'
import type { BlockNode } from '../chain/node.ts'
import { blockArgument, nodeArgument } from './blockchain.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import {
  hashArgument,
  hexArgument,
  type Method,
  method,
  type RpcContext,
  textArgument,
} from './method.ts'

function wantedTxids(list: readonly unknown[]): ReadonlySet<string> {
  if (list.length === 0) throw rpcError('invalidParameter', "Parameter 'txids' cannot be empty")
  const wanted = new Set<string>()
  for (const item of list) {
    const txid = hashArgument(textArgument(item), 'txid')
    if (wanted.has(txid)) {
      throw rpcError('invalidParameter', `Invalid parameter, duplicated txid: ${item}`)
    }
    wanted.add(txid)
  }
  return wanted
}
/** Where the first of them is: Core looks at the unspent outputs first, then into its index. */
function holderOf({ regtest }: RpcContext, txids: ReadonlySet<string>): BlockNode {
  const { chain } = regtest
  for (const txid of txids) {
    const place = chain.index.get(txid)
    const node = place && chain.nodes.get(place.hash)
    if (node) return node
  }
  throw rpcError('invalidAddressOrKey', 'Transaction not yet in block')
}
function prove(context: RpcContext, args: readonly unknown[]): Json {
  const txids = wantedTxids(args[0] as readonly unknown[])
  const node =
    args[1] === undefined ? holderOf(context, txids) : nodeArgument(context, args[1], 'blockhash')
  const block = blockArgument(context, node)
  const found = block.transactions.filter(({ txid }) => txids.has(txid))
  if (found.length !== txids.size) {
    const fault = 'Not all transactions found in specified or retrieved block'
    throw rpcError('invalidAddressOrKey', fault)
  }
  return toHex(encodeMerkleBlock(block, txids))
}
function readProof(value: unknown) {
  try {
    return decodeMerkleBlock(hexArgument(value, 'proof'))
  } catch (fault) {
    if (!(fault instanceof TruncatedError)) throw fault
    // The words of the C++ library under Core.
    const ended = fault.message === 'end of data'
    const what = ended ? 'DataStream::read(): end of data' : 'ReadCompactSize(): size too large'
    throw rpcError('misc', `${what}: iostream error`)
  }
}
function verify({ regtest }: RpcContext, args: readonly unknown[]): Json {
  const { header, count, txids } = readProof(args[0])
  if (!txids) return []
  const { chain } = regtest
  const node = chain.nodes.get(header.hash)
  if (!node || !chain.isActive(node)) {
    throw rpcError('invalidAddressOrKey', 'Block not found in chain')
  }
  const block = chain.blockOf(node)
  return block && block.transactions.length !== count ? [] : txids
}

export const proofMethods: readonly Method[] = [
  method('gettxoutproof', ['txids:array', 'blockhash:string?'], prove),
  method('verifytxoutproof', ['proof:string'], verify),
]
