import type { OutPoint, Sat, SatPerKvB, Txid, Wtxid } from '../../../kernel/index.ts'
import type { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import { type Caller, isNotFound } from './caller.ts'

export interface MempoolInfo {
  /** Undefined where the node does not say (btcd keeps no mempool on disk). */
  readonly loaded?: boolean
  readonly size: number
  readonly bytes: number
  readonly totalFee?: Sat
  /** Bytes of memory that the mempool may take. */
  readonly maxBytes?: number
  /** Below this nothing enters now: it moves with the fill of the mempool. */
  readonly minRate?: SatPerKvB
  readonly minRelayRate?: SatPerKvB
  /** What a replacement must add for its own size. */
  readonly incrementalRelayRate?: SatPerKvB
  readonly unbroadcast?: number
  readonly fullReplacement?: boolean
}
export interface MempoolEntry {
  readonly vsize: number
  readonly weight: number
  /** Seconds since the epoch when the node first had it. */
  readonly time: number
  /** Height of the chain at that moment. */
  readonly height: number
  readonly wtxid?: Wtxid
  readonly fee: Sat
  readonly ancestorCount: number
  readonly ancestorSize: number
  readonly ancestorFees: Sat
  readonly descendantCount: number
  readonly descendantSize: number
  readonly descendantFees: Sat
  readonly depends: readonly Txid[]
  readonly spentBy: readonly Txid[]
  readonly replaceable: boolean
  readonly unbroadcast: boolean
}
export interface MempoolList {
  readonly txids: readonly Txid[]
  /** Grows with every change of the mempool, for joining with the ZMQ `sequence` stream. */
  readonly sequence: number
}
export interface MempoolSpend extends OutPoint {
  /** Undefined: nothing in the mempool spends it. */
  readonly spender?: Txid
}

/** The node's mempool. A missing transaction is `undefined`. */
export const mempoolCalls = ({ call, find }: Caller) => ({
  getMempoolInfo: (options?: CallOptions): Promise<MempoolInfo> =>
    call('getmempoolinfo', [], readMempoolInfo, options),
  getRawMempool: (options?: CallOptions): Promise<readonly Txid[]> =>
    call('getrawmempool', [], readTxids, options),
  getRawMempoolWithSequence: (options?: CallOptions): Promise<MempoolList> =>
    call('getrawmempool', [false, true], readMempoolList, options),
  getRawMempoolEntries: (options?: CallOptions): Promise<ReadonlyMap<Txid, MempoolEntry>> =>
    call('getrawmempool', [true], readMempoolEntries, options),
  getMempoolEntry: (txid: Txid, options?: CallOptions): Promise<MempoolEntry | undefined> =>
    find('getmempoolentry', [txid], readMempoolEntry, isNotFound, options),
  getMempoolAncestors: (txid: Txid, options?: CallOptions): Promise<readonly Txid[] | undefined> =>
    find('getmempoolancestors', [txid], readTxids, isNotFound, options),
  getMempoolDescendants: (
    txid: Txid,
    options?: CallOptions,
  ): Promise<readonly Txid[] | undefined> =>
    find('getmempooldescendants', [txid], readTxids, isNotFound, options),
  /** Which mempool transactions spend these outpoints. Core 24 and later, btcd. */
  getTxSpendingPrevOut: (
    points: readonly OutPoint[],
    options?: CallOptions,
  ): Promise<readonly MempoolSpend[]> =>
    call(
      'gettxspendingprevout',
      [points.map(({ txid, vout }) => ({ txid, vout }))],
      (field) => field.list(readSpend),
      options,
    ),
})

export const readTxids = (field: Field): readonly Txid[] => field.txids()

export function readMempoolInfo(field: Field): MempoolInfo {
  const loaded = field.maybe('loaded')
  const totalFee = field.maybe('total_fee')
  const maxBytes = field.maybe('maxmempool')
  const minRate = field.maybe('mempoolminfee')
  const minRelayRate = field.maybe('minrelaytxfee')
  const incremental = field.maybe('incrementalrelayfee')
  const unbroadcast = field.maybe('unbroadcastcount')
  const full = field.maybe('fullrbf')
  return {
    ...(loaded ? { loaded: loaded.flag() } : {}),
    size: field.get('size').count(),
    bytes: field.get('bytes').count(),
    ...(totalFee ? { totalFee: totalFee.sat() } : {}),
    ...(maxBytes ? { maxBytes: maxBytes.count() } : {}),
    ...(minRate ? { minRate: minRate.rate() } : {}),
    ...(minRelayRate ? { minRelayRate: minRelayRate.rate() } : {}),
    ...(incremental ? { incrementalRelayRate: incremental.rate() } : {}),
    ...(unbroadcast ? { unbroadcast: unbroadcast.count() } : {}),
    ...(full ? { fullReplacement: full.flag() } : {}),
  }
}

const readMempoolList = (field: Field): MempoolList => ({
  txids: readTxids(field.get('txids')),
  sequence: field.get('mempool_sequence').count(),
})

const readMempoolEntries = (field: Field): ReadonlyMap<Txid, MempoolEntry> =>
  new Map(field.entries((item) => [item.keyAsTxid(), readMempoolEntry(item)] as const))

export function readMempoolEntry(field: Field): MempoolEntry {
  const fees = field.get('fees')
  const wtxid = field.maybe('wtxid')
  return {
    vsize: field.get('vsize').count(),
    weight: field.get('weight').count(),
    time: field.get('time').count(),
    height: field.get('height').count(),
    ...(wtxid ? { wtxid: wtxid.wtxid() } : {}),
    fee: fees.get('base').sat(),
    ancestorCount: field.get('ancestorcount').count(),
    ancestorSize: field.get('ancestorsize').count(),
    ancestorFees: fees.get('ancestor').sat(),
    descendantCount: field.get('descendantcount').count(),
    descendantSize: field.get('descendantsize').count(),
    descendantFees: fees.get('descendant').sat(),
    depends: readTxids(field.get('depends')),
    spentBy: readTxids(field.get('spentby')),
    replaceable: field.maybe('bip125-replaceable')?.flag() ?? true,
    unbroadcast: field.maybe('unbroadcast')?.flag() ?? false,
  }
}

function readSpend(field: Field): MempoolSpend {
  const spender = field.maybe('spendingtxid')
  return {
    txid: field.get('txid').txid(),
    vout: field.get('vout').count(),
    ...(spender && spender.text() !== '' ? { spender: spender.txid() } : {}),
  }
}
