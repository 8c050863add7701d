import { sha256 } from '@noble/hashes/sha2.js'
import { ByteWriter, hashBytes, toHex, toReversedHex } from '../chain/bytes.ts'
import { coinSetHash } from '../chain/muhash.ts'
import type { Coin } from '../chain/node.ts'
import { inferWith } from '../descriptor/infer.ts'
import { Provider } from '../descriptor/provider.ts'
import { descriptorArgument, rangeArgument, scriptsOf } from './descriptors.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { type Method, method, type RpcContext, textArgument } from './method.ts'

const DEFAULT_RANGE = [0, 1000] as const
// Deriving a thousand children takes seconds, and a reconciliation asks again and again.
const expanded = new Map<string, ScanObject>()
const EXPANDED_LIMIT = 64

/** What a scan looks for, and what it then says of a coin. */
export interface ScanObject {
  /** Output scripts in hex. */
  readonly scripts: readonly string[]
  /** What the descriptor tells of their keys and inner scripts. */
  readonly known: Provider
}
/** Reads a scan object: a descriptor, or `{ desc, range }`. @throws RpcError in Core's words. */
export function scanObject(value: unknown): ScanObject {
  const [desc, [begin, end]] = readObject(value)
  const id = `${desc} ${begin} ${end}`
  const known = expanded.get(id)
  if (known) return known
  const descriptor = descriptorArgument(desc)
  const scripts: string[] = []
  const provider = new Provider()
  const [from, to] = descriptor.ranged ? [begin, end] : [0, 0]
  for (let index = from; index <= to; index++) {
    scripts.push(...scriptsOf(descriptor, index, provider).map(toHex))
  }
  if (expanded.size >= EXPANDED_LIMIT) expanded.clear()
  const object: ScanObject = { scripts, known: provider }
  expanded.set(id, object)
  return object
}
function readObject(value: unknown): readonly [string, readonly [number, number]] {
  if (typeof value === 'string') return [value, DEFAULT_RANGE]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const fault = 'Scan object needs to be either a string or an object'
    throw rpcError('invalidParameter', fault)
  }
  const { desc, range } = value as { readonly desc?: unknown; readonly range?: unknown }
  if (desc === undefined || desc === null) {
    throw rpcError('invalidParameter', 'Descriptor needs to be provided in scan object')
  }
  const isOpen = range === undefined || range === null
  return [textArgument(desc), isOpen ? DEFAULT_RANGE : rangeArgument(range)]
}

function scan({ regtest }: RpcContext, objects: unknown): Json {
  if (!Array.isArray(objects)) {
    throw rpcError('misc', 'scanobjects argument is required for the start action')
  }
  const wanted = new Map<string, Provider>()
  for (const { scripts, known } of objects.map(scanObject)) {
    // Of two descriptors with the same script the first one describes it.
    for (const script of scripts) if (!wanted.has(script)) wanted.set(script, known)
  }
  const { chain } = regtest
  const found = [...chain.coins.entries()].flatMap(([key, coin]) => {
    const known = wanted.get(toHex(coin.script))
    return known ? [[key, coin, known] as const] : []
  })
  found.sort(([a], [b]) => compareOutpoints(a, b))
  return {
    success: true,
    txouts: chain.coins.size,
    height: chain.tip.height,
    bestblock: chain.tip.hash,
    unspents: found.map(([key, coin, known]) => ({
      txid: key.slice(0, 64),
      vout: Number(key.slice(65)),
      scriptPubKey: toHex(coin.script),
      desc: inferWith(coin.script, known).text,
      amount: coin.value,
      coinbase: coin.coinbase,
      height: coin.height,
      blockhash: chain.active[coin.height]?.hash ?? '',
      confirmations: chain.tip.height - coin.height + 1,
    })),
    total_amount: found.reduce((sum, [, coin]) => sum + coin.value, 0n),
  }
}
function scanTxOutSet(context: RpcContext, [action, objects]: readonly unknown[]): Json {
  if (action === 'start') return scan(context, objects)
  // A scan here never outlives its own call: there is none to report or to stop.
  if (action === 'status') return null
  if (action === 'abort') return false
  throw rpcError('invalidParameter', `Invalid action '${action}'`)
}

const HASH_TYPES: ReadonlySet<unknown> = new Set(['hash_serialized_3', 'muhash', 'none'])
const wireHash = (key: string): string => toHex(hashBytes(key.slice(0, 64)))
/** Core's order of outpoints: the hash as it goes over the wire, then the index. */
function compareOutpoints(a: string, b: string): number {
  if (a.slice(0, 64) === b.slice(0, 64)) return Number(a.slice(65)) - Number(b.slice(65))
  return wireHash(a) < wireHash(b) ? -1 : 1
}
function writeCoin(writer: ByteWriter, [key, coin]: readonly [string, Coin]): ByteWriter {
  return writer
    .put(hashBytes(key.slice(0, 64)))
    .u32(Number(key.slice(65)))
    .u32(coin.height * 2 + (coin.coinbase ? 1 : 0))
    .u64(coin.value)
    .script(coin.script)
}
const coinBytes = (coin: readonly [string, Coin]): Uint8Array =>
  writeCoin(new ByteWriter(), coin).done()
/** Core's `hash_serialized_3` form: one SHA256d over all coins, ordered by outpoint. */
function serializeCoins(coins: readonly (readonly [string, Coin])[]): Uint8Array {
  const writer = new ByteWriter()
  for (const coin of coins) writeCoin(writer, coin)
  return sha256(sha256(writer.done()))
}
function txOutSetInfo({ regtest }: RpcContext, [kind, at]: readonly unknown[]): Json {
  const { chain } = regtest
  const type = kind ?? 'hash_serialized_3'
  if (!HASH_TYPES.has(type)) {
    throw rpcError('invalidParameter', `'${kind}' is not a valid hash_type`)
  }
  if (at !== undefined) {
    const fault = 'Querying specific block heights requires coinstatsindex'
    throw rpcError('invalidParameter', fault)
  }
  const coins = [...chain.coins.entries()]
  coins.sort(([a], [b]) => compareOutpoints(a, b))
  return {
    height: chain.tip.height,
    bestblock: chain.tip.hash,
    txouts: coins.length,
    bogosize: coins.reduce((sum, [, coin]) => sum + 50 + coin.script.length, 0),
    hash_serialized_3:
      type === 'hash_serialized_3' ? toReversedHex(serializeCoins(coins)) : undefined,
    muhash: type === 'muhash' ? toReversedHex(coinSetHash(coins.map(coinBytes))) : undefined,
    total_amount: coins.reduce((sum, [, coin]) => sum + coin.value, 0n),
    transactions: new Set(coins.map(([key]) => key.slice(0, 64))).size,
    disk_size: 0,
  }
}

export const coinSetMethods: readonly Method[] = [
  method('scantxoutset', ['action:string', 'scanobjects:array?'], scanTxOutSet),
  method(
    'gettxoutsetinfo',
    ['hash_type:string?', 'hash_or_height:any?', 'use_index:bool?'],
    txOutSetInfo,
  ),
]
