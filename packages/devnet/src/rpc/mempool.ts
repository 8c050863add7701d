import { INCREMENTAL_FEE_RATE, MAX_MEMPOOL_BYTES, MIN_RELAY_FEE_RATE } from '../mempool/policy.ts'
import type { PoolEntry } from '../mempool/pool.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { hashArgument, type Method, method, type RpcContext } from './method.ts'

/** Core's memory estimate for one small entry; only its order of magnitude means anything. */
const USAGE_PER_ENTRY = 1248

function mempoolInfo({ regtest, posture }: RpcContext): Json {
  const { pool, minFeeRate } = regtest.mempool
  let unbroadcast = 0
  for (const entry of pool.entries.values()) if (entry.unbroadcast) unbroadcast += 1
  return {
    loaded: posture.mempoolLoaded,
    size: pool.entries.size,
    bytes: pool.bytes,
    usage: pool.entries.size * USAGE_PER_ENTRY,
    total_fee: pool.fees,
    maxmempool: MAX_MEMPOOL_BYTES,
    mempoolminfee: minFeeRate,
    minrelaytxfee: MIN_RELAY_FEE_RATE,
    incrementalrelayfee: INCREMENTAL_FEE_RATE,
    unbroadcastcount: unbroadcast,
    fullrbf: true,
  }
}
function entryView({ regtest }: RpcContext, entry: PoolEntry): Json {
  const { pool } = regtest.mempool
  const { transaction, fee } = entry
  const ancestors = pool.ancestors(transaction)
  const descendants = pool.descendants(transaction.txid)
  return {
    vsize: transaction.vsize,
    weight: transaction.weight,
    time: entry.time,
    height: entry.height,
    descendantcount: descendants.size + 1,
    descendantsize: pool.sizeOf(descendants) + transaction.vsize,
    ancestorcount: ancestors.size + 1,
    ancestorsize: pool.sizeOf(ancestors) + transaction.vsize,
    wtxid: transaction.wtxid,
    fees: {
      base: fee,
      modified: fee,
      ancestor: pool.feesOf(ancestors) + fee,
      descendant: pool.feesOf(descendants) + fee,
    },
    depends: [...pool.parents(transaction)],
    spentby: [...pool.children(transaction.txid)],
    'bip125-replaceable': pool.isReplaceable(entry),
    unbroadcast: entry.unbroadcast,
  }
}
function entryArgument({ regtest }: RpcContext, value: unknown): PoolEntry {
  const entry = regtest.mempool.pool.entries.get(hashArgument(value, 'txid'))
  if (!entry) throw rpcError('invalidAddressOrKey', 'Transaction not in mempool')
  return entry
}
function rawMempool(context: RpcContext, [verbose, sequence]: readonly unknown[]): Json {
  const { pool } = context.regtest.mempool
  if (verbose === true && sequence === true) {
    const fault = 'Verbose results cannot contain mempool sequence values.'
    throw rpcError('invalidParameter', fault)
  }
  const entries = pool.sorted()
  if (verbose === true) return viewByTxid(context, entries)
  const txids = entries.map(({ transaction }) => transaction.txid)
  return sequence === true ? { txids, mempool_sequence: pool.sequence } : txids
}
const viewByTxid = (context: RpcContext, entries: readonly PoolEntry[]): Json =>
  Object.fromEntries(entries.map((entry) => [entry.transaction.txid, entryView(context, entry)]))
/** The answer of the two family calls: txids, or entries by txid. */
function family(context: RpcContext, txids: Iterable<string>, verbose: unknown): Json {
  const { pool } = context.regtest.mempool
  const members = [...txids]
  if (verbose !== true) return members
  return viewByTxid(
    context,
    members.flatMap((txid) => pool.entries.get(txid) ?? []),
  )
}

export const mempoolMethods: readonly Method[] = [
  method('getmempoolinfo', [], mempoolInfo),
  method('getrawmempool', ['verbose:bool?', 'mempool_sequence:bool?'], rawMempool),
  method('getmempoolentry', ['txid:string'], (context, [txid]) =>
    entryView(context, entryArgument(context, txid)),
  ),
  method('getmempoolancestors', ['txid:string', 'verbose:bool?'], (context, [txid, verbose]) => {
    const { transaction } = entryArgument(context, txid)
    return family(context, context.regtest.mempool.pool.ancestors(transaction), verbose)
  }),
  method('getmempooldescendants', ['txid:string', 'verbose:bool?'], (context, [txid, verbose]) => {
    const { transaction } = entryArgument(context, txid)
    const { pool } = context.regtest.mempool
    return family(context, pool.descendants(transaction.txid), verbose)
  }),
]
