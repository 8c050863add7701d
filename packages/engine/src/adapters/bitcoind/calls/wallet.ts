import {
  AssertionError,
  type BlockHash,
  type BlockRef,
  formatBtc,
  type OutPoint,
  type Sat,
  type Txid,
  type Wtxid,
} from '../../../kernel/index.ts'
import { JsonNumber, type JsonWritable } from '../../../protocol/json/index.ts'
import type { Field } from '../field.ts'
import type { CallOptions } from '../rpc.ts'
import { type Caller, createCaller } from './caller.ts'
import { type FinalizedPsbt, readFinalized } from './psbt.ts'

/** One movement of the node's wallet: a transaction appears once per output that concerns the wallet. */
export interface WalletEntry {
  readonly category: 'send' | 'receive' | 'generate' | 'immature' | 'orphan'
  /** Satoshis, negative for a send. */
  readonly amount: bigint
  /** Satoshis, negative; only for sends. */
  readonly fee?: bigint
  readonly vout: number
  readonly address?: string
  readonly label?: string
  readonly abandoned?: boolean
}
export interface WalletFacts {
  readonly txid: Txid
  readonly wtxid?: Wtxid
  /** Negative: a conflicting transaction has that many confirmations. */
  readonly confirmations: number
  readonly block?: BlockRef
  readonly time: number
  readonly conflicts: readonly Txid[]
  readonly replacedBy?: Txid
  readonly replaces?: Txid
  readonly replaceable: 'yes' | 'no' | 'unknown'
}
export type WalletTransaction = WalletEntry & WalletFacts
export interface WalletHistory {
  readonly transactions: readonly WalletTransaction[]
  /** What was mined in blocks that left the chain since; with its state of now. */
  readonly removed: readonly WalletTransaction[]
  /** Where the next call should start. */
  readonly lastBlock: BlockHash
}
export interface WalletTransactionDetail extends WalletFacts {
  readonly amount: bigint
  readonly fee?: bigint
  readonly entries: readonly WalletEntry[]
  readonly raw: Uint8Array
}
export interface WalletCoin extends OutPoint {
  readonly amount: Sat
  readonly script: Uint8Array
  readonly confirmations: number
  readonly address?: string
  readonly descriptor?: string
  readonly spendable: boolean
  readonly solvable: boolean
  readonly safe: boolean
}
export interface WalletBalances {
  readonly trusted: Sat
  readonly untrustedPending: Sat
  readonly immature: Sat
  /** The block the balances are of, Core 26 and later. */
  readonly block?: BlockRef
}
export interface WalletInfo {
  readonly name: string
  readonly transactionCount: number
  readonly privateKeysEnabled: boolean
  readonly descriptors?: boolean
  readonly scanning: boolean
}
export interface FundedPsbt {
  readonly psbt: string
  readonly fee: Sat
  /** Position of the change output; -1 without change. */
  readonly changePosition: number
}
export interface BumpedFee {
  readonly txid: Txid
  readonly originalFee: Sat
  readonly fee: Sat
  readonly errors: readonly string[]
}
export interface DescriptorImport {
  readonly descriptor: string
  readonly active?: boolean
  readonly internal?: boolean
  readonly range?: readonly [from: number, to: number]
  /** Seconds since the epoch of the first possible payment; `now` skips the rescan. */
  readonly timestamp: number | 'now'
  readonly label?: string
}
export type DescriptorImported =
  | { readonly ok: true; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly code: number; readonly message: string }

/** Calls to one wallet of the node. The engine does not need them: they are a second source for reconciliation. */
export const walletCalls = (base: Caller, wallet: string) => {
  const caller = createCaller(base.rpc, { wallet })
  return { ...historyCalls(caller), ...changeCalls(caller) }
}

const historyCalls = ({ call }: Caller) => ({
  getWalletInfo: (options?: CallOptions): Promise<WalletInfo> =>
    call('getwalletinfo', [], readWalletInfo, options),
  getBalances: (options?: CallOptions): Promise<WalletBalances> =>
    call('getbalances', [], readBalances, options),
  getReceivedByAddress: (
    address: string,
    minConfirmations: number,
    options?: CallOptions,
  ): Promise<Sat> =>
    call('getreceivedbyaddress', [address, minConfirmations], (field) => field.sat(), options),
  /** Everything since `block`. @throws AssertionError for a depth below 1, which Core refuses. */
  listSinceBlock: (
    since: { readonly block?: BlockHash; readonly targetConfirmations?: number },
    options?: CallOptions,
  ): Promise<WalletHistory> => {
    const depth = since.targetConfirmations ?? 1
    if (depth < 1) throw new AssertionError('listsinceblock needs a depth of at least 1')
    return call(
      'listsinceblock',
      since.block === undefined ? ['', depth, true, true] : [since.block, depth, true, true],
      readHistory,
      options,
    )
  },
  listTransactions: (
    count: number,
    skip = 0,
    options?: CallOptions,
  ): Promise<readonly WalletTransaction[]> =>
    call('listtransactions', ['*', count, skip, true], readWalletTransactions, options),
  listUnspent: (
    filter: { readonly minConfirmations?: number; readonly addresses?: readonly string[] } = {},
    options?: CallOptions,
  ): Promise<readonly WalletCoin[]> =>
    call(
      'listunspent',
      [filter.minConfirmations ?? 0, 9_999_999, filter.addresses ?? [], true],
      (field) => field.list(readCoin),
      options,
    ),
  getTransaction: (txid: Txid, options?: CallOptions): Promise<WalletTransactionDetail> =>
    call('gettransaction', [txid, true, true], readDetail, options),
})

const changeCalls = ({ call }: Caller) => ({
  importDescriptors: (
    imports: readonly DescriptorImport[],
    options?: CallOptions,
  ): Promise<readonly DescriptorImported[]> =>
    call(
      'importdescriptors',
      [imports.map(importRequest)],
      (field) => field.list(readImported),
      options,
    ),
  /** Lets the node's wallet choose coins. `rate` in whole or thousandth satoshis per vbyte, as text. */
  walletCreateFundedPsbt: (
    outputs: readonly { readonly address: string; readonly amount: Sat }[],
    rate: string,
    options?: CallOptions,
  ): Promise<FundedPsbt> =>
    call(
      'walletcreatefundedpsbt',
      [
        [],
        outputs.map(({ address, amount }) => ({ [address]: new JsonNumber(formatBtc(amount)) })),
        0,
        { fee_rate: new JsonNumber(rate) },
        true,
      ],
      readFunded,
      options,
    ),
  walletProcessPsbt: (
    psbt: string,
    options?: CallOptions,
  ): Promise<FinalizedPsbt & { readonly psbt?: string }> =>
    call('walletprocesspsbt', [psbt], readFinalized, options),
  bumpFee: (txid: Txid, options?: CallOptions): Promise<BumpedFee> =>
    call('bumpfee', [txid], readBumped, options),
})

const importRequest = (item: DescriptorImport): JsonWritable => ({
  desc: item.descriptor,
  timestamp: item.timestamp,
  ...(item.range === undefined ? {} : { range: item.range }),
  ...(item.active === undefined ? {} : { active: item.active }),
  ...(item.internal === undefined ? {} : { internal: item.internal }),
  ...(item.label === undefined ? {} : { label: item.label }),
})

const CATEGORIES = ['send', 'receive', 'generate', 'immature', 'orphan'] as const

function readEntry(field: Field): WalletEntry {
  const fee = field.maybe('fee')
  const address = field.maybe('address')
  const label = field.maybe('label')
  const abandoned = field.maybe('abandoned')
  return {
    category: field.get('category').oneOf(CATEGORIES),
    amount: field.get('amount').signedSat(),
    ...(fee ? { fee: fee.signedSat() } : {}),
    vout: field.get('vout').count(),
    ...(address ? { address: address.text() } : {}),
    ...(label ? { label: label.text() } : {}),
    ...(abandoned ? { abandoned: abandoned.flag() } : {}),
  }
}

function readFacts(field: Field): WalletFacts {
  const wtxid = field.maybe('wtxid')
  const block = field.maybe('blockhash')
  const replacedBy = field.maybe('replaced_by_txid')
  const replaces = field.maybe('replaces_txid')
  return {
    txid: field.get('txid').txid(),
    ...(wtxid ? { wtxid: wtxid.wtxid() } : {}),
    confirmations: field.get('confirmations').integer(),
    ...(block
      ? { block: { hash: block.blockHash(), height: field.get('blockheight').count() } }
      : {}),
    time: field.get('time').count(),
    conflicts: field.get('walletconflicts').list((item) => item.txid()),
    ...(replacedBy ? { replacedBy: replacedBy.txid() } : {}),
    ...(replaces ? { replaces: replaces.txid() } : {}),
    replaceable: field.get('bip125-replaceable').oneOf(['yes', 'no', 'unknown'] as const),
  }
}

const readWalletTransactions = (field: Field): readonly WalletTransaction[] =>
  field.list((item) => ({ ...readEntry(item), ...readFacts(item) }))

const readHistory = (field: Field): WalletHistory => {
  const removed = field.maybe('removed')
  return {
    transactions: readWalletTransactions(field.get('transactions')),
    removed: removed ? readWalletTransactions(removed) : [],
    lastBlock: field.get('lastblock').blockHash(),
  }
}

function readDetail(field: Field): WalletTransactionDetail {
  const fee = field.maybe('fee')
  return {
    ...readFacts(field),
    amount: field.get('amount').signedSat(),
    ...(fee ? { fee: fee.signedSat() } : {}),
    entries: field.get('details').list(readEntry),
    raw: field.get('hex').bytes(),
  }
}

function readCoin(field: Field): WalletCoin {
  const address = field.maybe('address')
  const descriptor = field.maybe('desc')
  return {
    txid: field.get('txid').txid(),
    vout: field.get('vout').count(),
    amount: field.get('amount').sat(),
    script: field.get('scriptPubKey').bytes(),
    confirmations: field.get('confirmations').count(),
    ...(address ? { address: address.text() } : {}),
    ...(descriptor ? { descriptor: descriptor.text() } : {}),
    spendable: field.get('spendable').flag(),
    solvable: field.get('solvable').flag(),
    safe: field.get('safe').flag(),
  }
}

function readBalances(field: Field): WalletBalances {
  const mine = field.get('mine')
  const block = field.maybe('lastprocessedblock')
  return {
    trusted: mine.get('trusted').sat(),
    untrustedPending: mine.get('untrusted_pending').sat(),
    immature: mine.get('immature').sat(),
    ...(block
      ? { block: { hash: block.get('hash').blockHash(), height: block.get('height').count() } }
      : {}),
  }
}

function readWalletInfo(field: Field): WalletInfo {
  const descriptors = field.maybe('descriptors')
  return {
    name: field.get('walletname').text(),
    transactionCount: field.get('txcount').count(),
    privateKeysEnabled: field.get('private_keys_enabled').flag(),
    ...(descriptors ? { descriptors: descriptors.flag() } : {}),
    // False, or an object with the progress.
    scanning: (field.maybe('scanning')?.value ?? false) !== false,
  }
}

const readFunded = (field: Field): FundedPsbt => ({
  psbt: field.get('psbt').text(),
  fee: field.get('fee').sat(),
  changePosition: field.get('changepos').integer(),
})

const readBumped = (field: Field): BumpedFee => ({
  txid: field.get('txid').txid(),
  originalFee: field.get('origfee').sat(),
  fee: field.get('fee').sat(),
  errors: field.get('errors').list((item) => item.text()),
})

function readImported(field: Field): DescriptorImported {
  const warnings = field.maybe('warnings')?.list((item) => item.text()) ?? []
  if (field.get('success').flag()) return { ok: true, warnings }
  const error = field.get('error')
  return { ok: false, code: error.get('code').integer(), message: error.get('message').text() }
}
