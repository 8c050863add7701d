import { sha256 } from '@noble/hashes/sha2.js'
import { addressOf } from '../chain/address.ts'
import { toHex, tryFromHex } from '../chain/bytes.ts'
import type { BlockNode } from '../chain/node.ts'
import { decodeTransaction, type Transaction } from '../chain/transaction.ts'
import { withChecksum } from '../descriptor/checksum.ts'
import { inferDescriptor } from '../descriptor/infer.ts'
import { classifyScript, hash160, isUnspendable, parseScript } from '../script/script.ts'
import { blockArgument } from './blockchain.ts'
import { type RpcError, rpcError } from './errors.ts'
import type { Json } from './json.ts'
import {
  confirmationsOf,
  hashArgument,
  integerArgument,
  type Method,
  method,
  type RpcContext,
  verbosityArgument,
} from './method.ts'
import { scriptView, transactionView } from './view.ts'

const DECODE_FAILED = 'TX decode failed. Make sure the tx has at least one input.'

export function transactionArgument(value: unknown, fault = DECODE_FAILED): Transaction {
  const bytes = tryFromHex(String(value))
  const transaction = bytes && decodeTransaction(bytes)
  if (!transaction || transaction.inputs.length === 0) throw rpcError('deserialization', fault)
  return transaction
}

interface Found {
  readonly transaction: Transaction
  readonly node?: BlockNode
  readonly position?: number
}
function findIn(context: RpcContext, txid: string, node: BlockNode): Found | undefined {
  const { transactions } = blockArgument(context, node)
  const position = transactions.findIndex((transaction) => transaction.txid === txid)
  const transaction = transactions[position]
  return transaction && { transaction, node, position }
}
function find({ regtest }: RpcContext, txid: string): Found | undefined {
  const entry = regtest.mempool.pool.entries.get(txid)
  if (entry) return { transaction: entry.transaction }
  const place = regtest.chain.index.get(txid)
  const node = place && regtest.chain.nodes.get(place.hash)
  const transaction = node && regtest.chain.blockOf(node)?.transactions[place.position]
  return transaction && { transaction, node, position: place.position }
}
function holderArgument({ regtest }: RpcContext, value: unknown): BlockNode {
  const node = regtest.chain.nodes.get(hashArgument(value, 'parameter 3'))
  if (!node) throw rpcError('invalidAddressOrKey', 'Block hash not found')
  if (!regtest.chain.blockOf(node)) throw rpcError('misc', 'Block not available')
  return node
}
function notFound(inBlock: boolean): RpcError {
  const where = inBlock
    ? 'No such transaction found in the provided block'
    : 'No such mempool or blockchain transaction'
  return rpcError('invalidAddressOrKey', `${where}. Use gettransaction for wallet transactions.`)
}
function getRawTransaction(context: RpcContext, args: readonly unknown[]): Json {
  const { chain } = context.regtest
  const txid = hashArgument(args[0], 'parameter 1')
  const level = verbosityArgument(args[1], 0)
  const genesisCoinbase = chain.active[0] && chain.blockOf(chain.active[0])?.transactions[0]
  if (txid === genesisCoinbase?.txid) {
    const fault = 'The genesis block coinbase is not considered an ordinary transaction'
    throw rpcError('invalidAddressOrKey', `${fault} and cannot be retrieved`)
  }
  const within = args[2] === undefined ? undefined : holderArgument(context, args[2])
  const found = within ? findIn(context, txid, within) : find(context, txid)
  if (!found) throw notFound(within !== undefined)
  const { transaction, node, position } = found
  if (level <= 0) return toHex(transaction.raw)
  const undo = node && chain.undo.get(node.hash)
  const spent = level >= 2 && position ? undo?.[position - 1] : undefined
  const view = transactionView(transaction, { spent, prevouts: true })
  const active = within ? { in_active_chain: chain.isActive(within) } : {}
  return { ...active, ...view, ...(node ? placeView(context, node) : {}) }
}
function placeView(context: RpcContext, node: BlockNode): { readonly [key: string]: Json } {
  const confirmations = confirmationsOf(context, node)
  if (confirmations < 0) return { blockhash: node.hash, confirmations: 0 }
  const { time } = node.header
  return { blockhash: node.hash, confirmations, time, blocktime: time }
}

function getTxOut({ regtest }: RpcContext, args: readonly unknown[]): Json {
  const { chain, mempool } = regtest
  const txid = hashArgument(args[0], 'txid')
  const vout = integerArgument(args[1])
  if (vout < 0 || vout > 0xffffffff) throw rpcError('misc', 'JSON integer out of range')
  const key = `${txid}:${vout}`
  const withMempool = args[2] !== false
  if (withMempool && mempool.pool.spenders.has(key)) return null
  const coin = withMempool ? mempool.coinAt(txid, key, vout) : chain.coins.get(key)
  if (!coin) return null
  return {
    bestblock: chain.tip.hash,
    confirmations: chain.tip.height - coin.height + 1,
    value: coin.value,
    scriptPubKey: scriptView(coin.script),
    coinbase: coin.coinbase,
  }
}

/** What `decodescript` may wrap into P2SH: not what is wrapped already, and nothing that can never be spent. */
const WRAPPED = new Set([
  'multisig',
  'nonstandard',
  'pubkey',
  'pubkeyhash',
  'witness_v0_keyhash',
  'witness_v0_scripthash',
])
const isWrappable = (script: Uint8Array): boolean => {
  const pieces = parseScript(script)
  // What tapscript lets pass without a look means nothing to other scripts, and neither does OP_CHECKSIGADD.
  const sound =
    pieces?.every(
      ({ opcode, data }) =>
        opcode <= MAX_OPCODE && !isOpSuccess(opcode) && (data?.length ?? 0) <= MAX_ELEMENT,
    ) ?? false
  return sound && !isUnspendable(script)
}
const MAX_OPCODE = 0xb9
const MAX_ELEMENT = 520
/** Opcodes that end a tapscript with success. Source: BIP 342. */
const isOpSuccess = (opcode: number): boolean =>
  opcode === 80 ||
  opcode === 98 ||
  (opcode >= 126 && opcode <= 129) ||
  (opcode >= 131 && opcode <= 134) ||
  (opcode >= 137 && opcode <= 138) ||
  (opcode >= 141 && opcode <= 142) ||
  (opcode >= 149 && opcode <= 153)
/** Segwit knows compressed keys only. */
function hasLongKey(kind: string, script: Uint8Array): boolean {
  if (kind !== 'pubkey' && kind !== 'multisig') return false
  return parseScript(script)?.some(({ data }) => data?.length === 65) ?? false
}
function decodeScript(hex: string): Json {
  const script = tryFromHex(hex)
  if (!script) {
    const fault = `argument must be hexadecimal string (not '${hex}')`
    throw rpcError('invalidParameter', fault)
  }
  const form = classifyScript(script)
  const { hex: _hex, ...view } = scriptView(script)
  if (!WRAPPED.has(form.kind) || !isWrappable(script)) return view
  const p2sh = (inner: Uint8Array) => Uint8Array.of(0xa9, 20, ...hash160(inner), 0x87)
  const wrapped = { ...view, p2sh: addressOf(p2sh(script)) }
  if (form.version >= 0 || hasLongKey(form.kind, script)) return wrapped
  const witness =
    form.kind === 'pubkey'
      ? Uint8Array.of(0, 20, ...hash160(form.data))
      : form.kind === 'pubkeyhash'
        ? Uint8Array.of(0, 20, ...form.data)
        : Uint8Array.of(0, 32, ...sha256(script))
  const shown = scriptView(witness)
  // Of a multisig Core knows what is inside.
  const desc =
    form.kind === 'multisig'
      ? withChecksum(`wsh(${inferDescriptor(script).split('#')[0]})`)
      : shown['desc']
  const segwit = { ...shown, desc, 'p2sh-segwit': addressOf(p2sh(witness)) }
  return { ...wrapped, segwit }
}

export const transactionMethods: readonly Method[] = [
  method(
    'getrawtransaction',
    ['txid:string', 'verbosity:any?', 'blockhash:string?'],
    getRawTransaction,
  ),
  method('decoderawtransaction', ['hexstring:string', 'iswitness:bool?'], (_, [hex, witness]) => {
    // Only where something is done with it does Core add its hint.
    const transaction = transactionArgument(hex, 'TX decode failed')
    // Without the extended form, its marker reads as a transaction without inputs.
    if (witness === false && transaction.hasWitness) {
      throw rpcError('deserialization', 'TX decode failed')
    }
    return transactionView(transaction, { hex: false })
  }),
  method('decodescript', ['hexstring:string'], (_, [hex]) => decodeScript(String(hex))),
  method('gettxout', ['txid:string', 'n:number', 'include_mempool:bool?'], getTxOut),
]
