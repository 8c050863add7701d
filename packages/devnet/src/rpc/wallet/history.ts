import { addressOf } from '../../chain/address.ts'
import { toHex } from '../../chain/bytes.ts'
import { ancestorAt, type BlockNode } from '../../chain/node.ts'
import { signalsReplacement } from '../../mempool/policy.ts'
import type { Entry } from '../../wallet/entry.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import { hashArgument, int32Argument, type Method, type RpcContext } from '../method.ts'
import { textValue } from '../values.ts'
import { transactionView } from '../view.ts'
import { entryValue, labelValue, lastBlockView, walletMethod } from './chosen.ts'

type View = { readonly [key: string]: Json | undefined }

function replaceable(wallet: Wallet, entry: Entry, depth: number): string {
  if (depth > 0) return 'no'
  const { transaction } = entry
  if (signalsReplacement(transaction)) return 'yes'
  const { pool } = wallet.host.regtest.mempool
  const own = pool.entries.get(transaction.txid)
  if (!own) return 'unknown'
  return pool.isReplaceable(own) ? 'yes' : 'no'
}
/** What every list of transactions says of each. */
function entryView(wallet: Wallet, entry: Entry): View {
  const { ledger, host } = wallet
  const { standing, transaction } = entry
  const depth = ledger.depth(entry)
  const place: View =
    standing.kind === 'confirmed'
      ? {
          blockhash: standing.hash,
          blockheight: standing.height,
          blockindex: standing.index,
          blocktime: host.regtest.chain.nodes.get(standing.hash)?.header.time,
        }
      : { trusted: ledger.isTrusted(entry) }
  return {
    confirmations: depth,
    generated: transaction.isCoinbase ? true : undefined,
    ...place,
    txid: transaction.txid,
    wtxid: transaction.wtxid,
    walletconflicts: ledger.conflicts(entry),
    mempoolconflicts: [...entry.mempoolConflicts],
    time: entry.time,
    timereceived: entry.received,
    'bip125-replaceable': replaceable(wallet, entry, depth),
    ...Object.fromEntries([...entry.notes].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
/** Core's text of the descriptors that a script comes from. */
export const parentDescriptors = (wallet: Wallet, script: Uint8Array): readonly string[] =>
  wallet.ownersOf(script).map(({ record }) => record.descriptor.text('public') ?? '')

interface ListOptions {
  readonly minDepth: number
  readonly long: boolean
  readonly label?: string
  readonly change?: boolean
}
const isAbandoned = ({ standing }: Entry): boolean =>
  standing.kind === 'inactive' && standing.abandoned

function category(wallet: Wallet, entry: Entry): string {
  if (!entry.transaction.isCoinbase) return 'receive'
  if (wallet.ledger.depth(entry) < 1) return 'orphan'
  return wallet.ledger.isImmature(entry) ? 'immature' : 'generate'
}
/** One view for every output that was sent, and one for every output that was received. Source: Core's ListTransactions. */
function listEntry(wallet: Wallet, entry: Entry, options: ListOptions): readonly View[] {
  const { transaction } = entry
  const debit = wallet.ledger.debit(transaction)
  const fee = debit - transaction.outputs.reduce((sum, { value }) => sum + value, 0n)
  const shown = transaction.outputs
    .map((output, vout) => ({ output, vout, mine: wallet.isMine(output.script) }))
    .filter(({ output, mine }) =>
      debit > 0n ? options.change || !wallet.isChange(output.script) : mine,
    )
  const more = options.long ? entryView(wallet, entry) : {}
  const abandoned = isAbandoned(entry)
  const views: View[] = []
  if (debit > 0n && options.label === undefined) {
    for (const { output, vout } of shown) {
      const address = addressOf(output.script)
      views.push({
        address,
        category: 'send',
        amount: -output.value,
        label: address === undefined ? undefined : wallet.labels.get(address)?.label,
        vout,
        fee: -fee,
        ...more,
        abandoned,
      })
    }
  }
  if (wallet.ledger.depth(entry) < options.minDepth) return views
  for (const { output, vout, mine } of shown) {
    if (!mine) continue
    const address = addressOf(output.script)
    const label = address === undefined ? undefined : wallet.labels.get(address)?.label
    if (options.label !== undefined && (label ?? '') !== options.label) continue
    views.push({
      address,
      parent_descs: parentDescriptors(wallet, output.script),
      category: category(wallet, entry),
      amount: output.value,
      label,
      vout,
      abandoned,
      ...more,
    })
  }
  return views
}

function listTransactions(wallet: Wallet, args: readonly unknown[]): Json {
  const named = args[0] !== undefined && args[0] !== '*'
  const label = named ? labelValue(args[0]) : undefined
  if (label === '') {
    const fault = 'Label argument must be a valid label name or "*".'
    throw rpcError('invalidParameter', fault)
  }
  const count = int32Argument(args[1], 10)
  const skip = int32Argument(args[2], 0)
  if (count < 0) throw rpcError('invalidParameter', 'Negative count')
  if (skip < 0) throw rpcError('invalidParameter', 'Negative from')
  const found: View[] = []
  const { ordered } = wallet.ledger
  for (let at = ordered.length - 1; at >= 0 && found.length < count + skip; at--) {
    const options = { minDepth: 0, long: true, ...(label === undefined ? {} : { label }) }
    found.push(...listEntry(wallet, ordered[at] as Entry, options))
  }
  return found.slice(skip, skip + count).reverse()
}
interface Since {
  readonly node: BlockNode
  /** Height at which the named block's branch leaves the best chain. */
  readonly fork: number
}
function sinceBlock({ regtest }: RpcContext, value: unknown): Since | undefined {
  if (value === undefined || value === '') return undefined
  const node = regtest.chain.nodes.get(hashArgument(textValue(value), 'blockhash'))
  if (!node) throw rpcError('invalidAddressOrKey', 'Block not found')
  return { node, fork: regtest.chain.forkOf(node).height }
}
/** Transactions of the blocks between a block and the best chain. */
function removedSince(
  wallet: Wallet,
  { regtest }: RpcContext,
  since: Since,
  options: ListOptions,
): readonly View[] {
  const views: View[] = []
  for (let node: BlockNode | undefined = since.node; node && node.height > since.fork; ) {
    const block = regtest.chain.blockOf(node)
    if (!block) throw rpcError('internal', "Can't read block from disk")
    for (const { txid } of block.transactions) {
      const entry = wallet.ledger.entries.get(txid)
      if (entry) views.push(...listEntry(wallet, entry, options))
    }
    node = node.prev
  }
  return views
}
function listSinceBlock(wallet: Wallet, args: readonly unknown[], context: RpcContext): Json {
  const since = sinceBlock(context, args[0])
  const target = int32Argument(args[1], 1)
  if (target < 1) throw rpcError('invalidParameter', 'Invalid parameter')
  const label = args[5] === undefined ? {} : { label: labelValue(args[5]) }
  const options = { minDepth: 0, long: true, change: args[4] === true, ...label }
  const { ledger } = wallet
  const { height } = ledger.lastBlock
  const limit = since ? height + 1 - since.fork : Number.POSITIVE_INFINITY
  const transactions: View[] = []
  for (const entry of ledger.ordered) {
    if (Math.abs(ledger.depth(entry)) >= limit) continue
    transactions.push(...listEntry(wallet, entry, options))
  }
  const anyDepth = { ...options, minDepth: -100_000_000 }
  const removed = since ? removedSince(wallet, context, since, anyDepth) : []
  const { chain } = context.regtest
  const last = ancestorAt(chain.tip, height + 1 - Math.min(target, height + 1))
  return {
    transactions,
    removed: args[3] === false ? undefined : removed,
    lastblock: last?.hash ?? '',
  }
}
function getTransaction(wallet: Wallet, args: readonly unknown[]): Json {
  const entry = entryValue(wallet, args[0])
  const { ledger } = wallet
  const { transaction } = entry
  const immature = ledger.isImmature(entry)
  const credit = transaction.outputs.reduce(
    (sum, { value, script }) => (!immature && wallet.isMine(script) ? sum + value : sum),
    0n,
  )
  const debit = ledger.debit(transaction)
  const outside = transaction.outputs.reduce((sum, { value }) => sum + value, 0n)
  const fee = debit > 0n ? outside - debit : 0n
  return {
    amount: credit - debit - fee,
    fee: debit > 0n ? fee : undefined,
    ...entryView(wallet, entry),
    details: listEntry(wallet, entry, { minDepth: 0, long: false }),
    hex: toHex(transaction.raw),
    decoded: args[2] === true ? transactionView(transaction, { hex: false }) : undefined,
    lastprocessedblock: lastBlockView(wallet),
  }
}
function abandonTransaction(wallet: Wallet, args: readonly unknown[]): Json {
  const { transaction } = entryValue(wallet, args[0])
  if (wallet.ledger.abandon(transaction.txid)) return null
  throw rpcError('invalidAddressOrKey', 'Transaction not eligible for abandonment')
}
function rescanBlockchain(wallet: Wallet, args: readonly unknown[], context: RpcContext): Json {
  const { chain } = context.regtest
  const tip = chain.tip.height
  const start = int32Argument(args[0], 0)
  if (start < 0 || start > tip) throw rpcError('invalidParameter', 'Invalid start_height')
  const stop = args[1] === undefined ? undefined : int32Argument(args[1])
  if (stop !== undefined && (stop < 0 || stop > tip)) {
    throw rpcError('invalidParameter', 'Invalid stop_height')
  }
  if (stop !== undefined && stop < start) {
    throw rpcError('invalidParameter', 'stop_height must be greater than start_height')
  }
  if (start < chain.pruneHeight) {
    const fault = 'Use RPC call getblockchaininfo to determine your pruned height.'
    throw rpcError('misc', `Can't rescan beyond pruned data. ${fault}`)
  }
  wallet.rescan(start, stop)
  return { start_height: start, stop_height: stop ?? tip }
}

export const historyMethods: readonly Method[] = [
  walletMethod(
    'listtransactions',
    ['label|dummy:string?', 'count:number?', 'skip:number?', 'include_watchonly:bool?'],
    listTransactions,
  ),
  walletMethod(
    'listsinceblock',
    [
      'blockhash:string?',
      'target_confirmations:number?',
      'include_watchonly:bool?',
      'include_removed:bool?',
      'include_change:bool?',
      'label|dummy:string?',
    ],
    listSinceBlock,
  ),
  walletMethod(
    'gettransaction',
    ['txid:string', 'include_watchonly:bool?', 'verbose:bool?'],
    getTransaction,
  ),
  walletMethod('abandontransaction', ['txid:string'], abandonTransaction),
  walletMethod(
    'rescanblockchain',
    ['start_height:number?', 'stop_height:number?'],
    rescanBlockchain,
  ),
  walletMethod('abortrescan', [], () => false),
]
