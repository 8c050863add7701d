import type { BlockRef, Txid } from '../../kernel/index.ts'
import { scanBlock } from '../../protocol/block/index.ts'
import { txidAt } from '../../protocol/transaction/index.ts'
import { fetchBlock } from './block.ts'
import { isNotFound, refusedCall } from './calls/caller.ts'
import { Field } from './field.ts'
import type { Rpc } from './rpc.ts'

/**
 * Raw bytes of a transaction: from its block, which needs no transaction index, or from the mempool. A node that cannot look
 * into a block by itself (btcd without an index) gives the whole block.
 * @throws NODE_BLOCK_PRUNED
 */
export async function fetchTransaction(
  rpc: Rpc,
  txid: Txid,
  block: BlockRef | undefined,
): Promise<Uint8Array | undefined> {
  const place = block === undefined ? [] : [block.hash]
  const reply = await rpc.ask('getrawtransaction', [txid, 0, ...place])
  if (reply.ok) return new Field('getrawtransaction', reply.result).bytes()
  if (block !== undefined) return inBlock(await fetchBlock(rpc, block), txid)
  if (isNotFound(reply.error)) return undefined
  throw refusedCall('getrawtransaction', reply.error)
}

function inBlock(bytes: Uint8Array, txid: Txid): Uint8Array | undefined {
  const scanned = scanBlock(bytes)
  if (!scanned.ok) return undefined
  const { value: scan } = scanned
  for (let t = 0; t < scan.transactionCount; t++)
    if (txidAt(scan, t) === txid) return bytes.slice(scan.start[t], scan.end[t])
  return undefined
}
