import { ripemd160 } from '@noble/hashes/legacy.js'
import { addressOf } from '../../chain/address.ts'
import { toHex } from '../../chain/bytes.ts'
import { inferWith } from '../../descriptor/infer.ts'
import type { Provider } from '../../descriptor/provider.ts'
import { classifyScript } from '../../script/script.ts'
import { spendingWeight } from '../../sign/transaction.ts'
import { availableCoins, type CoinFilter, type WalletCoin } from '../../wallet/coins.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import { int32Argument, type Method } from '../method.ts'
import {
  amountValue,
  checkMembers,
  hashValue,
  listValue,
  objectValue,
  textValue,
  wholeValue,
} from '../values.ts'
import { addressValue, walletMethod } from './chosen.ts'
import { parentDescriptors } from './history.ts'

type View = { readonly [key: string]: Json | undefined }

function addressFilter(value: unknown): ReadonlySet<string> {
  const wanted = new Set<string>()
  if (value === undefined) return wanted
  for (const item of listValue(value)) {
    const text = textValue(item)
    const script = toHex(addressValue(text, `Invalid Bitcoin address: ${text}`))
    if (wanted.has(script)) {
      throw rpcError('invalidParameter', `Invalid parameter, duplicated address: ${text}`)
    }
    wanted.add(script)
  }
  return wanted
}
function coinFilter(value: unknown): CoinFilter {
  if (value === undefined) return {}
  const options = objectValue(value)
  const kinds = {
    minimumAmount: 'any',
    maximumAmount: 'any',
    minimumSumAmount: 'any',
    maximumCount: 'number',
    include_immature_coinbase: 'bool',
  } as const
  checkMembers(options, kinds, { optional: true, strict: true })
  const amount = (name: string) =>
    options[name] === undefined ? undefined : amountValue(options[name])
  const maxAmount = amount('maximumAmount')
  const minSum = amount('minimumSumAmount')
  const count = options['maximumCount']
  return {
    minAmount: amount('minimumAmount') ?? 0n,
    ...(maxAmount === undefined ? {} : { maxAmount }),
    ...(minSum === undefined ? {} : { minSum }),
    ...(count === undefined ? {} : { maxCount: wholeValue(count) }),
    includeImmature: options['include_immature_coinbase'] === true,
  }
}
/** The scripts inside a P2SH or P2WSH output. */
function innerScripts(script: Uint8Array, known: Provider): View {
  const { kind, data } = classifyScript(script)
  if (kind === 'witness_v0_scripthash') {
    const inner = known.scripts.get(toHex(ripemd160(data)))
    return { witnessScript: inner && toHex(inner) }
  }
  const redeem = kind === 'scripthash' ? known.scripts.get(toHex(data)) : undefined
  if (!redeem) return {}
  return { redeemScript: toHex(redeem), ...innerScripts(redeem, known) }
}
function family(wallet: Wallet, { txid, depth }: WalletCoin): View {
  if (depth > 0) return {}
  const own = wallet.host.regtest.mempool.pool.entries.get(txid)
  if (!own) return {}
  const { count, size, fees } = own.withAncestors
  return {
    ancestorcount: count,
    ancestorsize: size,
    // Satoshi as a whole number, unlike every other amount.
    ancestorfees: Number(fees),
  }
}
function coinView(wallet: Wallet, coin: WalletCoin): View {
  const { script, value } = coin.output
  const address = classifyScript(script).kind === 'pubkey' ? undefined : addressOf(script)
  const known = wallet.providerOf(script)
  const solvable = known !== undefined && spendingWeight(script, known) !== undefined
  return {
    txid: coin.txid,
    vout: coin.vout,
    address,
    label: address === undefined ? undefined : wallet.labels.get(address)?.label,
    ...(known && address !== undefined ? innerScripts(script, known) : {}),
    scriptPubKey: toHex(script),
    amount: value,
    confirmations: coin.depth,
    ...family(wallet, coin),
    spendable: true,
    solvable,
    desc: known && solvable ? inferWith(script, known).text : undefined,
    parent_descs: parentDescriptors(wallet, script),
    safe: coin.safe,
  }
}
function listUnspent(wallet: Wallet, args: readonly unknown[]): Json {
  const wanted = addressFilter(args[2])
  const coins = availableCoins(wallet, {
    minDepth: int32Argument(args[0], 1),
    maxDepth: int32Argument(args[1], 9_999_999),
    includeUnsafe: args[3] !== false,
    ...coinFilter(args[4]),
  })
  return coins
    .filter(({ output }) => wanted.size === 0 || wanted.has(toHex(output.script)))
    .map((coin) => coinView(wallet, coin))
}

function outpointToLock(
  wallet: Wallet,
  value: unknown,
  unlock: boolean,
  persistent: boolean,
): string {
  const object = objectValue(value)
  checkMembers(object, { txid: 'string', vout: 'number' })
  const txid = hashValue(object['txid'], 'txid')
  const vout = wholeValue(object['vout'])
  const refuse = (what: string) => rpcError('invalidParameter', `Invalid parameter, ${what}`)
  if (vout < 0) throw refuse('vout cannot be negative')
  const entry = wallet.ledger.entries.get(txid)
  if (!entry) throw refuse('unknown transaction')
  if (vout >= entry.transaction.outputs.length) throw refuse('vout index out of bounds')
  const key = `${txid}:${vout}`
  if (wallet.ledger.isSpent(key)) throw refuse('expected unspent output')
  const locked = wallet.locks.has(key)
  if (unlock && !locked) throw refuse('expected locked output')
  if (!unlock && locked && !persistent) throw refuse('output already locked')
  return key
}
function lockUnspent(wallet: Wallet, args: readonly unknown[]): Json {
  const unlock = args[0] === true
  if (args[1] === undefined) {
    if (unlock) wallet.locks.clear()
    return true
  }
  // All are checked before the first is changed.
  const keys = listValue(args[1]).map((item) =>
    outpointToLock(wallet, item, unlock, args[2] === true),
  )
  for (const key of keys) {
    if (unlock) wallet.locks.delete(key)
    else wallet.lock(key, args[2] === true)
  }
  return true
}
const listLocked = (wallet: Wallet): Json =>
  [...wallet.locks.keys()]
    .sort()
    .map((key) => ({ txid: key.slice(0, 64), vout: Number(key.slice(65)) }))

export const unspentMethods: readonly Method[] = [
  walletMethod(
    'listunspent',
    [
      'minconf:number?',
      'maxconf:number?',
      'addresses:array?',
      'include_unsafe:bool?',
      'query_options:object?',
    ],
    listUnspent,
  ),
  walletMethod(
    'lockunspent',
    ['unlock:bool', 'transactions:array?', 'persistent:bool?'],
    lockUnspent,
  ),
  walletMethod('listlockunspent', [], listLocked),
]
