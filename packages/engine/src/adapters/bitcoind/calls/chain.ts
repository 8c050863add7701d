import type { BlockHash, Sat, Txid } from '../../../kernel/index.ts'
import type { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import { type Caller, isNotFound, isOutOfRange } from './caller.ts'
import { type DecodedTransaction, readTransaction } from './transaction.ts'

export interface BlockchainInfo {
  /** As the node spells it: `main` or, by btcd, `mainnet`. */
  readonly chain: string
  readonly blocks: number
  readonly headers: number
  readonly bestBlockHash: BlockHash
  /** Seconds since the epoch; undefined where the node does not say (Core before 23, btcd). */
  readonly time?: number
  readonly medianTime: number
  /** Undefined where the node does not say (btcd). */
  readonly initialBlockDownload?: boolean
  /** 0 to 1; undefined where the node does not say. */
  readonly verificationProgress?: number
  readonly pruned: boolean
  /** Lowest height whose block is still there; only when pruned. */
  readonly pruneHeight?: number
  readonly warnings: readonly string[]
}

export interface BlockHeader {
  readonly hash: BlockHash
  /** -1 off the best chain. */
  readonly confirmations: number
  readonly height: number
  readonly version: number
  readonly merkleRoot: string
  readonly time: number
  readonly bits: string
  readonly nonce: number
  /** Undefined only for the first block of a chain. */
  readonly previousBlockHash?: BlockHash
  readonly nextBlockHash?: BlockHash
}
export interface BlockOf<T> extends BlockHeader {
  readonly size: number
  readonly strippedSize: number
  readonly weight: number
  readonly transactions: readonly T[]
}
export interface BlockStats {
  readonly blockHash: BlockHash
  readonly height: number
  readonly time: number
  readonly transactions: number
  readonly totalFee: Sat
  readonly totalOut: Sat
  readonly subsidy: Sat
  readonly totalWeight: number
  readonly totalSize: number
  /** Satoshis per vbyte at 10, 25, 50, 75 and 90 % of the block's weight. */
  readonly feeRatePercentiles: readonly number[]
}
export interface ChainTip {
  readonly height: number
  readonly hash: BlockHash
  /** Blocks between this tip and the best chain; 0 is the best chain. */
  readonly branchLength: number
  readonly status: 'active' | 'valid-fork' | 'valid-headers' | 'headers-only' | 'invalid'
}
export interface BlockFilter {
  readonly filter: Uint8Array
  /** Filter header (BIP 157), display order. */
  readonly header: string
}

/** Blocks and headers. `undefined` is an answer: the node does not know it. */
export const chainCalls = ({ call, find }: Caller) => ({
  getBestBlockHash: (options?: CallOptions): Promise<BlockHash> =>
    call('getbestblockhash', [], (field) => field.blockHash(), options),
  getBlockCount: (options?: CallOptions): Promise<number> =>
    call('getblockcount', [], (field) => field.count(), options),
  getBlockchainInfo: (options?: CallOptions): Promise<BlockchainInfo> =>
    call('getblockchaininfo', [], readBlockchainInfo, options),
  getBlockHash: (height: number, options?: CallOptions): Promise<BlockHash | undefined> =>
    find('getblockhash', [height], (field) => field.blockHash(), isOutOfRange, options),
  getBlockHeader: (hash: BlockHash, options?: CallOptions): Promise<BlockHeader | undefined> =>
    find('getblockheader', [hash, true], readHeader, isNotFound, options),
  /** The 80 bytes. */
  getRawBlockHeader: (hash: BlockHash, options?: CallOptions): Promise<Uint8Array | undefined> =>
    find('getblockheader', [hash, false], (field) => field.bytes(), isNotFound, options),
  /** The block's bytes. A pruned one is NODE_CALL_REFUSED here; `ChainSource.block` tells the cases apart. */
  getRawBlock: (hash: BlockHash, options?: CallOptions): Promise<Uint8Array | undefined> =>
    find('getblock', [hash, 0], (field) => field.bytes(), isNotFound, options),
  getBlock: (hash: BlockHash, options?: CallOptions): Promise<BlockOf<Txid> | undefined> =>
    find(
      'getblock',
      [hash, 1],
      (field) => readBlock(field, (item) => item.txid()),
      isNotFound,
      options,
    ),
  /** Slow for large blocks and not used for scanning: see the note on verbosity in the README. */
  getBlockTransactions: (
    hash: BlockHash,
    options?: CallOptions,
  ): Promise<BlockOf<DecodedTransaction> | undefined> =>
    find('getblock', [hash, 2], (field) => readBlock(field, readTransaction), isNotFound, options),
  /** With the spent outputs of every input, where the node still has its undo data. */
  getBlockWithSpent: (
    hash: BlockHash,
    options?: CallOptions,
  ): Promise<BlockOf<DecodedTransaction> | undefined> =>
    find('getblock', [hash, 3], (field) => readBlock(field, readTransaction), isNotFound, options),
  getBlockStats: (hash: BlockHash, options?: CallOptions): Promise<BlockStats | undefined> =>
    find('getblockstats', [hash], readBlockStats, isNotFound, options),
  getBlockFilter: (hash: BlockHash, options?: CallOptions): Promise<BlockFilter | undefined> =>
    find('getblockfilter', [hash], readBlockFilter, isNotFound, options),
  getChainTips: (options?: CallOptions): Promise<readonly ChainTip[]> =>
    call('getchaintips', [], (field) => field.list(readChainTip), options),
})

export function readBlockchainInfo(field: Field): BlockchainInfo {
  const time = field.maybe('time')?.count()
  const initialBlockDownload = field.maybe('initialblockdownload')?.flag()
  const verificationProgress = field.maybe('verificationprogress')?.double()
  const pruned = field.maybe('pruned')?.flag() ?? false
  const pruneHeight = pruned ? field.maybe('pruneheight')?.count() : undefined
  return {
    chain: field.get('chain').text(),
    blocks: field.get('blocks').count(),
    headers: field.get('headers').integer(),
    bestBlockHash: field.get('bestblockhash').blockHash(),
    ...(time === undefined ? {} : { time }),
    medianTime: field.get('mediantime').count(),
    ...(initialBlockDownload === undefined ? {} : { initialBlockDownload }),
    ...(verificationProgress === undefined ? {} : { verificationProgress }),
    pruned,
    ...(pruneHeight === undefined ? {} : { pruneHeight }),
    warnings: readWarnings(field.maybe('warnings')),
  }
}

/** A list since Core 28, one text before. */
export function readWarnings(field: Field | undefined): readonly string[] {
  if (!field) return []
  if (typeof field.value !== 'string') return field.list((item) => item.text())
  return field.value === '' ? [] : [field.value]
}

export function readHeader(field: Field): BlockHeader {
  const previous = field.maybe('previousblockhash')
  const next = field.maybe('nextblockhash')
  return {
    hash: field.get('hash').blockHash(),
    confirmations: field.get('confirmations').integer(),
    height: field.get('height').count(),
    version: field.get('version').integer(),
    merkleRoot: field.get('merkleroot').hash(),
    time: field.get('time').count(),
    bits: field.get('bits').text(),
    nonce: field.get('nonce').count(),
    // btcd writes 64 zeros before the first block, and an empty text after the last.
    ...(previous && !/^0*$/.test(previous.text())
      ? { previousBlockHash: previous.blockHash() }
      : {}),
    ...(next && next.text() !== '' ? { nextBlockHash: next.blockHash() } : {}),
  }
}

function readBlock<T>(field: Field, read: (item: Field) => T): BlockOf<T> {
  return {
    ...readHeader(field),
    size: field.get('size').count(),
    strippedSize: field.get('strippedsize').count(),
    weight: field.get('weight').count(),
    // btcd calls the list of decoded transactions rawtx.
    transactions: (field.maybe('tx') ?? field.get('rawtx')).list(read),
  }
}

const readBlockStats = (field: Field): BlockStats => ({
  blockHash: field.get('blockhash').blockHash(),
  height: field.get('height').count(),
  time: field.get('time').count(),
  transactions: field.get('txs').count(),
  totalFee: field.get('totalfee').wholeSat(),
  totalOut: field.get('total_out').wholeSat(),
  subsidy: field.get('subsidy').wholeSat(),
  totalWeight: field.get('total_weight').count(),
  totalSize: field.get('total_size').count(),
  feeRatePercentiles: field.get('feerate_percentiles').list((item) => item.count()),
})

const readBlockFilter = (field: Field): BlockFilter => ({
  filter: field.get('filter').bytes(),
  header: field.get('header').hash(),
})

const TIP_STATUS = ['active', 'valid-fork', 'valid-headers', 'headers-only', 'invalid'] as const
const readChainTip = (field: Field): ChainTip => ({
  height: field.get('height').count(),
  hash: field.get('hash').blockHash(),
  branchLength: field.get('branchlen').count(),
  status: field.get('status').oneOf(TIP_STATUS),
})
