import { inOrder, withAncestors, withDescendants, wireOrder } from '../mempool/entry.ts'
import { INCREMENTAL_FEE_RATE, MIN_RELAY_FEE_RATE } from '../mempool/policy.ts'
import type { PoolEntry } from '../mempool/pool.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { hashArgument, integerArgument, type Method, method, type RpcContext } from './method.ts'

function mempoolInfo({ regtest, posture }: RpcContext): Json {
  const { pool, minFeeRate, maxBytes } = regtest.mempool
  let unbroadcast = 0
  for (const entry of pool.entries.values()) if (entry.unbroadcast) unbroadcast += 1
  return {
    loaded: posture.mempoolLoaded,
    size: pool.entries.size,
    bytes: pool.bytes,
    usage: pool.usage,
    total_fee: pool.fees,
    maxmempool: maxBytes,
    mempoolminfee: minFeeRate,
    minrelaytxfee: MIN_RELAY_FEE_RATE,
    incrementalrelayfee: INCREMENTAL_FEE_RATE,
    unbroadcastcount: unbroadcast,
    fullrbf: true,
  }
}
function entryView({ regtest }: RpcContext, entry: PoolEntry): Json {
  const { transaction, withAncestors: above, withDescendants: below } = entry
  return {
    vsize: entry.size,
    weight: transaction.weight,
    time: entry.time,
    height: entry.height,
    descendantcount: below.count,
    descendantsize: below.size,
    ancestorcount: above.count,
    ancestorsize: above.size,
    wtxid: transaction.wtxid,
    fees: {
      base: entry.fee,
      modified: entry.modifiedFee,
      ancestor: above.fees,
      descendant: below.fees,
    },
    depends: Array.from(entry.parents, ({ txid }) => txid).sort(),
    spentby: inOrder(entry.children).map(({ txid }) => txid),
    'bip125-replaceable': regtest.mempool.pool.isReplaceable(entry),
    unbroadcast: entry.unbroadcast,
  }
}
function entryArgument({ regtest }: RpcContext, value: unknown): PoolEntry {
  const entry = regtest.mempool.pool.entries.get(hashArgument(value, 'parameter 1'))
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
  const txids = entries.map(({ txid }) => txid)
  return sequence === true ? { txids, mempool_sequence: pool.sequence } : txids
}
const viewByTxid = (context: RpcContext, entries: readonly PoolEntry[]): Json =>
  Object.fromEntries(entries.map((entry) => [entry.txid, entryView(context, entry)]))
/** The answer of the two family calls, without the one that was asked for: txids, or entries by txid. */
function family(
  context: RpcContext,
  [value, verbose]: readonly unknown[],
  walk: (from: readonly PoolEntry[]) => Set<PoolEntry>,
): Json {
  const own = entryArgument(context, value)
  const members = inOrder(walk([own])).filter((entry) => entry !== own)
  return verbose === true ? viewByTxid(context, members) : members.map(({ txid }) => txid)
}

function prioritise({ regtest }: RpcContext, [hash, dummy, delta]: readonly unknown[]): Json {
  const txid = hashArgument(hash, 'txid')
  const satoshi = integerArgument(delta)
  if (dummy !== undefined && dummy !== 0) {
    const fault = 'Priority is no longer supported, dummy argument to prioritisetransaction'
    throw rpcError('invalidParameter', `${fault} must be 0.`)
  }
  regtest.mempool.pool.prioritise(txid, BigInt(satoshi))
  return true
}
function prioritised({ regtest }: RpcContext): Json {
  const { deltas, entries } = regtest.mempool.pool
  const sorted = [...deltas].sort(([a], [b]) => (wireOrder(a) < wireOrder(b) ? -1 : 1))
  return Object.fromEntries(
    sorted.map(([txid, delta]) => {
      const entry = entries.get(txid)
      const modified = entry ? { modified_fee: Number(entry.modifiedFee) } : {}
      return [txid, { fee_delta: Number(delta), in_mempool: entry !== undefined, ...modified }]
    }),
  )
}

export const mempoolMethods: readonly Method[] = [
  method('getmempoolinfo', [], mempoolInfo),
  method('getrawmempool', ['verbose:bool?', 'mempool_sequence:bool?'], rawMempool),
  method('getmempoolentry', ['txid:string'], (context, [txid]) =>
    entryView(context, entryArgument(context, txid)),
  ),
  method('getmempoolancestors', ['txid:string', 'verbose:bool?'], (context, args) =>
    family(context, args, withAncestors),
  ),
  method('getmempooldescendants', ['txid:string', 'verbose:bool?'], (context, args) =>
    family(context, args, withDescendants),
  ),
  method('prioritisetransaction', ['txid:string', 'dummy:number?', 'fee_delta:number'], prioritise),
  method('getprioritisedtransactions', [], prioritised),
]
