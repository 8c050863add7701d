import type { SatPerKvB } from '../../../kernel/index.ts'
import type { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import type { Caller } from './caller.ts'
import { readWarnings } from './chain.ts'

export interface NetworkInfo {
  /** 280100 is 28.1.0. */
  readonly version: number
  /** `/Satoshi:28.1.0/` */
  readonly subversion: string
  readonly protocolVersion: number
  readonly connections: number
  readonly connectionsIn?: number
  readonly connectionsOut?: number
  readonly networkActive: boolean
  /** Seconds between the node's clock and the median of its peers. */
  readonly timeOffset: number
  readonly localServices: readonly string[]
  readonly relayRate: SatPerKvB
  readonly incrementalRate: SatPerKvB
  readonly networks: readonly { readonly name: string; readonly reachable: boolean }[]
  readonly warnings: readonly string[]
}
export interface PeerInfo {
  readonly id: number
  readonly address: string
  readonly inbound: boolean
  readonly subversion: string
  /** Best header that we share with the peer; -1 unknown. */
  readonly syncedHeaders?: number
  readonly syncedBlocks?: number
}
export interface NetTotals {
  readonly bytesReceived: number
  readonly bytesSent: number
  /** The node's clock, milliseconds since the epoch. */
  readonly time_ms: number
}
export interface MiningInfo {
  readonly chain: string
  readonly blocks: number
  readonly pooledTransactions: number
  readonly difficulty: number
}
export interface IndexState {
  readonly name: string
  readonly synced: boolean
  readonly bestBlockHeight: number
}
export interface ZmqNotification {
  readonly type: string
  readonly address: string
  readonly highWaterMark: number
}
/** No estimate is an answer of its own: the node has seen too little. Nothing is invented in its place. */
export type FeeEstimate =
  | { readonly ok: true; readonly rate: SatPerKvB; readonly blocks: number }
  | { readonly ok: false; readonly errors: readonly string[] }

/** The node itself: its peers, indexes, uptime and fee estimates. */
export const networkCalls = ({ call }: Caller) => ({
  getNetworkInfo: (options?: CallOptions): Promise<NetworkInfo> =>
    call('getnetworkinfo', [], readNetworkInfo, options),
  getConnectionCount: (options?: CallOptions): Promise<number> =>
    call('getconnectioncount', [], (field) => field.count(), options),
  getPeerInfo: (options?: CallOptions): Promise<readonly PeerInfo[]> =>
    call('getpeerinfo', [], (field) => field.list(readPeer), options),
  getNetTotals: (options?: CallOptions): Promise<NetTotals> =>
    call('getnettotals', [], readNetTotals, options),
  getMiningInfo: (options?: CallOptions): Promise<MiningInfo> =>
    call('getmininginfo', [], readMiningInfo, options),
  getIndexInfo: (options?: CallOptions): Promise<readonly IndexState[]> =>
    call('getindexinfo', [], (field) => field.entries(readIndex), options),
  getZmqNotifications: (options?: CallOptions): Promise<readonly ZmqNotification[]> =>
    call('getzmqnotifications', [], (field) => field.list(readZmq), options),
  /** Seconds since the node started. */
  uptime: (options?: CallOptions): Promise<number> =>
    call('uptime', [], (field) => field.count(), options),
  /** Rate to be mined within `target` blocks (1 to 1008). A target outside is NODE_CALL_REFUSED. */
  estimateSmartFee: (
    target: number,
    mode?: 'economical' | 'conservative',
    options?: CallOptions,
  ): Promise<FeeEstimate> =>
    call(
      'estimatesmartfee',
      mode === undefined ? [target] : [target, mode],
      readFeeEstimate,
      options,
    ),
})

export function readNetworkInfo(field: Field): NetworkInfo {
  const connectionsIn = field.maybe('connections_in')
  const connectionsOut = field.maybe('connections_out')
  return {
    version: field.get('version').count(),
    subversion: field.get('subversion').text(),
    protocolVersion: field.get('protocolversion').count(),
    connections: field.get('connections').count(),
    ...(connectionsIn ? { connectionsIn: connectionsIn.count() } : {}),
    ...(connectionsOut ? { connectionsOut: connectionsOut.count() } : {}),
    networkActive: field.maybe('networkactive')?.flag() ?? true,
    timeOffset: field.get('timeoffset').integer(),
    localServices: field.maybe('localservicesnames')?.list((item) => item.text()) ?? [],
    relayRate: field.get('relayfee').rate(),
    incrementalRate: field.get('incrementalfee').rate(),
    networks: field.get('networks').list((item) => ({
      name: item.get('name').text(),
      reachable: item.get('reachable').flag(),
    })),
    warnings: readWarnings(field.maybe('warnings')),
  }
}

function readPeer(field: Field): PeerInfo {
  const headers = field.maybe('synced_headers')
  const blocks = field.maybe('synced_blocks')
  return {
    id: field.get('id').integer(),
    address: field.get('addr').text(),
    inbound: field.get('inbound').flag(),
    subversion: field.get('subver').text(),
    ...(headers ? { syncedHeaders: headers.integer() } : {}),
    ...(blocks ? { syncedBlocks: blocks.integer() } : {}),
  }
}

export const readNetTotals = (field: Field): NetTotals => ({
  bytesReceived: field.get('totalbytesrecv').count(),
  bytesSent: field.get('totalbytessent').count(),
  time_ms: field.get('timemillis').count(),
})

const readMiningInfo = (field: Field): MiningInfo => ({
  // btcd says testnet true or false instead of the chain.
  chain: field.maybe('chain')?.text() ?? '',
  blocks: field.get('blocks').count(),
  pooledTransactions: field.get('pooledtx').count(),
  difficulty: field.get('difficulty').double(),
})

const readIndex = (field: Field): IndexState => ({
  name: field.key(),
  synced: field.get('synced').flag(),
  bestBlockHeight: field.get('best_block_height').count(),
})

const readZmq = (field: Field): ZmqNotification => ({
  type: field.get('type').text(),
  address: field.get('address').text(),
  highWaterMark: field.get('hwm').count(),
})

export function readFeeEstimate(field: Field): FeeEstimate {
  const rate = field.maybe('feerate')
  if (rate) return { ok: true, rate: rate.rate(), blocks: field.get('blocks').count() }
  return { ok: false, errors: field.maybe('errors')?.list((item) => item.text()) ?? [] }
}
