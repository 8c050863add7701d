import type { BlockHash, OutPoint, Sat, SatPerKvB, Txid, Wtxid } from '../../../kernel/index.ts'
import type { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import { type Caller, isNotFound } from './caller.ts'

export interface DecodedOutput {
  readonly amount: Sat
  readonly index: number
  readonly script: Uint8Array
  /** As the node encodes it; undefined for scripts without an address. */
  readonly address?: string
  readonly type: string
}
export interface DecodedInput {
  /** Undefined for a coinbase input. */
  readonly point?: OutPoint
  readonly coinbase?: Uint8Array
  readonly scriptSig: Uint8Array
  readonly witness: readonly Uint8Array[]
  readonly sequence: number
  /** The spent output, where the node was asked for it and still knows it. */
  readonly spent?: { readonly amount: Sat; readonly script: Uint8Array; readonly height: number }
}
export interface DecodedTransaction {
  readonly txid: Txid
  readonly wtxid: Wtxid
  readonly version: number
  readonly size: number
  readonly vsize: number
  readonly weight: number
  readonly locktime: number
  readonly inputs: readonly DecodedInput[]
  readonly outputs: readonly DecodedOutput[]
  readonly fee?: Sat
  readonly raw?: Uint8Array
  /** Where it is mined; undefined in the mempool. */
  readonly blockHash?: BlockHash
  readonly confirmations?: number
  readonly inActiveChain?: boolean
}
export interface TransactionOutput {
  readonly bestBlock: BlockHash
  /** 0: only in the mempool. */
  readonly confirmations: number
  readonly amount: Sat
  readonly script: Uint8Array
  readonly coinbase: boolean
}
export interface ScannedCoin extends OutPoint {
  readonly script: Uint8Array
  readonly descriptor: string
  readonly amount: Sat
  readonly coinbase?: boolean
  readonly height: number
}
export interface CoinScan {
  readonly height: number
  readonly bestBlock: BlockHash
  readonly scannedOutputs: number
  readonly coins: readonly ScannedCoin[]
  readonly total: Sat
}

/** Transactions and coins as the node sees them. */
export const transactionCalls = ({ call, find }: Caller) => ({
  /** Undefined also for a mined transaction when the node keeps no transaction index. */
  getRawTransaction: (txid: Txid, options?: CallOptions): Promise<Uint8Array | undefined> =>
    find('getrawtransaction', [txid, 0], (field) => field.bytes(), isNotFound, options),
  getTransaction: (txid: Txid, options?: CallOptions): Promise<DecodedTransaction | undefined> =>
    find('getrawtransaction', [txid, 1], readTransaction, isNotFound, options),
  /** With fee and spent outputs, Core 25 and later. */
  getTransactionWithSpent: (
    txid: Txid,
    options?: CallOptions,
  ): Promise<DecodedTransaction | undefined> =>
    find('getrawtransaction', [txid, 2], readTransaction, isNotFound, options),
  /** Undefined: spent, or never existed. */
  getTxOut: (
    point: OutPoint,
    includeMempool = true,
    options?: CallOptions,
  ): Promise<TransactionOutput | undefined> =>
    find('gettxout', [point.txid, point.vout, includeMempool], readTxOut, isNotFound, options),
  /** Merkle proof (BIP 37 form) that the transactions are in one block. */
  getTxOutProof: (
    txids: readonly Txid[],
    block?: BlockHash,
    options?: CallOptions,
  ): Promise<Uint8Array | undefined> =>
    find(
      'gettxoutproof',
      block === undefined ? [txids] : [txids, block],
      (field) => field.bytes(),
      isNotFound,
      options,
    ),
  /** Reads the whole coin database: minutes on the main chain. One scan at a time; a second is refused. */
  scanTxOutSet: (
    descriptors: readonly (string | { readonly desc: string; readonly range: number })[],
    options?: CallOptions,
  ): Promise<CoinScan> => call('scantxoutset', ['start', descriptors], readScan, options),
  /** Progress in percent of the running scan; undefined when none runs. */
  scanTxOutSetStatus: (options?: CallOptions): Promise<number | undefined> =>
    call(
      'scantxoutset',
      ['status'],
      (field) => (field.value === null ? undefined : field.get('progress').double()),
      { harmless: true, ...options },
    ),
})

export function readTransaction(field: Field): DecodedTransaction {
  const fee = field.maybe('fee')
  const raw = field.maybe('hex')
  const block = field.maybe('blockhash')
  const confirmations = field.maybe('confirmations')
  const active = field.maybe('in_active_chain')
  const txid = field.get('txid').txid()
  return {
    txid,
    wtxid: field.maybe('hash')?.wtxid() ?? field.no('has no hash'),
    version: field.get('version').integer(),
    size: field.get('size').count(),
    vsize: field.get('vsize').count(),
    weight: field.get('weight').count(),
    locktime: field.get('locktime').count(),
    inputs: field.get('vin').list(readInput),
    outputs: field.get('vout').list(readOutput),
    ...(fee ? { fee: fee.sat() } : {}),
    ...(raw ? { raw: raw.bytes() } : {}),
    ...(block && block.text() !== '' ? { blockHash: block.blockHash() } : {}),
    ...(confirmations ? { confirmations: confirmations.integer() } : {}),
    ...(active ? { inActiveChain: active.flag() } : {}),
  }
}

function readInput(field: Field): DecodedInput {
  const coinbase = field.maybe('coinbase')
  const spent = field.maybe('prevout')
  return {
    ...(coinbase
      ? { coinbase: coinbase.bytes() }
      : { point: { txid: field.get('txid').txid(), vout: field.get('vout').count() } }),
    scriptSig: field.maybe('scriptSig')?.get('hex').bytes() ?? new Uint8Array(),
    witness: field.maybe('txinwitness')?.list((item) => item.bytes()) ?? [],
    sequence: field.get('sequence').count(),
    ...(spent ? { spent: readSpent(spent) } : {}),
  }
}

const readSpent = (field: Field) => ({
  amount: field.get('value').sat(),
  script: field.get('scriptPubKey').get('hex').bytes(),
  height: field.get('height').count(),
})

function readOutput(field: Field): DecodedOutput {
  const script = field.get('scriptPubKey')
  const address = script.maybe('address')
  return {
    amount: field.get('value').sat(),
    index: field.get('n').count(),
    script: script.get('hex').bytes(),
    ...(address ? { address: address.text() } : {}),
    type: script.get('type').text(),
  }
}

export const readTxOut = (field: Field): TransactionOutput | undefined =>
  field.value === null
    ? undefined
    : {
        bestBlock: field.get('bestblock').blockHash(),
        confirmations: field.get('confirmations').count(),
        amount: field.get('value').sat(),
        script: field.get('scriptPubKey').get('hex').bytes(),
        coinbase: field.get('coinbase').flag(),
      }

function readScan(field: Field): CoinScan {
  if (!field.get('success').flag()) field.no('says that the scan was not finished')
  return {
    height: field.get('height').count(),
    bestBlock: field.get('bestblock').blockHash(),
    scannedOutputs: field.get('txouts').count(),
    coins: field.get('unspents').list(readScannedCoin),
    total: field.get('total_amount').sat(),
  }
}

function readScannedCoin(field: Field): ScannedCoin {
  const coinbase = field.maybe('coinbase')
  return {
    txid: field.get('txid').txid(),
    vout: field.get('vout').count(),
    script: field.get('scriptPubKey').bytes(),
    descriptor: field.get('desc').text(),
    amount: field.get('amount').sat(),
    ...(coinbase ? { coinbase: coinbase.flag() } : {}),
    height: field.get('height').count(),
  }
}

/** What `testmempoolaccept` says of one transaction. */
export interface MempoolVerdict {
  readonly txid: Txid
  readonly wtxid?: Wtxid
  /** Undefined when the node stopped at another transaction of the package. */
  readonly allowed?: boolean
  readonly rejectReason?: string
  readonly vsize?: number
  readonly fee?: Sat
  readonly effectiveRate?: SatPerKvB
}
export function readMempoolVerdict(field: Field): MempoolVerdict {
  const wtxid = field.maybe('wtxid')
  const allowed = field.maybe('allowed')
  const reason = field.maybe('reject-reason')
  const vsize = field.maybe('vsize')
  const fees = field.maybe('fees')
  const effective = fees?.maybe('effective-feerate')
  return {
    txid: field.get('txid').txid(),
    ...(wtxid ? { wtxid: wtxid.wtxid() } : {}),
    ...(allowed ? { allowed: allowed.flag() } : {}),
    ...(reason ? { rejectReason: reason.text() } : {}),
    ...(vsize ? { vsize: vsize.count() } : {}),
    ...(fees ? { fee: fees.get('base').sat() } : {}),
    ...(effective ? { effectiveRate: effective.rate() } : {}),
  }
}
