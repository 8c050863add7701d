import { addressOf } from '../../chain/address.ts'
import { toHex } from '../../chain/bytes.ts'
import { balanceOf } from '../../wallet/coins.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import { int32Argument, type Method } from '../method.ts'
import { textValue } from '../values.ts'
import { addressValue, labelValue, lastBlockView, walletMethod } from './chosen.ts'

const NO_REUSE = 'wallet does not have the "avoid reuse" feature enabled'
/** @throws RpcError -4: no wallet of this devnet tracks reuse. */
export function refuseReuse(value: unknown): void {
  if (value === true) throw rpcError('wallet', NO_REUSE)
}
function getBalance(wallet: Wallet, args: readonly unknown[]): Json {
  if (args[0] !== undefined && args[0] !== '*') {
    const fault = 'dummy first argument must be excluded or set to "*".'
    throw rpcError('methodDeprecated', fault)
  }
  refuseReuse(args[3])
  return balanceOf(wallet, int32Argument(args[1], 0)).trusted
}
function getBalances(wallet: Wallet): Json {
  const { trusted, pending, immature } = balanceOf(wallet)
  return {
    mine: { trusted, untrusted_pending: pending, immature },
    lastprocessedblock: lastBlockView(wallet),
  }
}

interface Received {
  amount: bigint
  depth: number
  readonly txids: string[]
}
/** What every own script received, over transactions of enough depth. Keys are scripts in hex. */
function receivedByScript(
  wallet: Wallet,
  minDepth: number,
  includeImmature: boolean,
): ReadonlyMap<string, Received> {
  const { ledger } = wallet
  const found = new Map<string, Received>()
  for (const entry of ledger.ordered) {
    const depth = ledger.depth(entry)
    const { transaction } = entry
    if (depth < minDepth || (transaction.isCoinbase && depth < 1)) continue
    if (ledger.isImmature(entry) && !includeImmature) continue
    for (const { script, value } of transaction.outputs) {
      if (!wallet.isMine(script)) continue
      const id = toHex(script)
      const own = found.get(id) ?? { amount: 0n, depth, txids: [] }
      own.amount += value
      own.depth = Math.min(own.depth, depth)
      own.txids.push(transaction.txid)
      found.set(id, own)
    }
  }
  return found
}
function receivedBy(
  wallet: Wallet,
  scripts: readonly Uint8Array[],
  args: readonly unknown[],
): Json {
  const own = scripts.filter((script) => wallet.isMine(script))
  if (own.length === 0) throw rpcError('wallet', 'Address not found in wallet')
  const found = receivedByScript(wallet, int32Argument(args[1], 1), args[2] === true)
  return own.reduce((sum, script) => sum + (found.get(toHex(script))?.amount ?? 0n), 0n)
}
function receivedByLabel(wallet: Wallet, args: readonly unknown[]): Json {
  const label = labelValue(args[0])
  const own = [...wallet.labels].filter(([, entry]) => entry.label === label)
  if (own.length === 0) throw rpcError('wallet', 'Label not found in wallet')
  const scripts = own.map(([address]) => addressValue(address))
  return receivedBy(wallet, scripts, args)
}
interface Tally {
  readonly address: string
  readonly label: string
  readonly received: Received | undefined
}
function tally(
  wallet: Wallet,
  args: readonly unknown[],
  includeImmature: boolean,
  only?: string,
): readonly Tally[] {
  const found = receivedByScript(wallet, int32Argument(args[0], 1), includeImmature)
  const tallies: Tally[] = []
  for (const [address, { label }] of wallet.sortedLabels()) {
    if (only !== undefined && address !== only) continue
    const received = found.get(toHex(addressValue(address)))
    if (received || args[1] === true) tallies.push({ address, label, received })
  }
  return tallies
}
function listReceivedByAddress(wallet: Wallet, args: readonly unknown[]): Json {
  const filter = args[3] === undefined || args[3] === '' ? undefined : textValue(args[3])
  let only: string | undefined
  if (filter !== undefined) {
    only = addressOf(filteredAddress(filter))
  }
  return tally(wallet, args, args[4] === true, only).map(({ address, label, received }) => ({
    address,
    amount: received?.amount ?? 0n,
    confirmations: received?.depth ?? 0,
    label,
    txids: received?.txids ?? [],
  }))
}
function filteredAddress(text: string): Uint8Array {
  try {
    return addressValue(text)
  } catch {
    // Here Core has another number for the same mistake.
    throw rpcError('wallet', 'address_filter parameter was invalid')
  }
}
function listReceivedByLabel(wallet: Wallet, args: readonly unknown[]): Json {
  const sums = new Map<string, { amount: bigint; depth: number | undefined }>()
  for (const { label, received } of tally(wallet, args, args[3] === true)) {
    const own = sums.get(label) ?? { amount: 0n, depth: undefined }
    own.amount += received?.amount ?? 0n
    if (received) own.depth = Math.min(own.depth ?? received.depth, received.depth)
    sums.set(label, own)
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, { amount, depth }]) => ({ amount, confirmations: depth ?? 0, label }))
}

export const balanceMethods: readonly Method[] = [
  walletMethod(
    'getbalance',
    ['dummy:string?', 'minconf:number?', 'include_watchonly:bool?', 'avoid_reuse:bool?'],
    getBalance,
  ),
  walletMethod('getbalances', [], getBalances),
  walletMethod('getunconfirmedbalance', [], (wallet) => balanceOf(wallet).pending),
  walletMethod(
    'getreceivedbyaddress',
    ['address:string', 'minconf:number?', 'include_immature_coinbase:bool?'],
    (wallet, args) => receivedBy(wallet, [addressValue(args[0])], args),
  ),
  walletMethod(
    'getreceivedbylabel',
    ['label:string', 'minconf:number?', 'include_immature_coinbase:bool?'],
    receivedByLabel,
  ),
  walletMethod(
    'listreceivedbyaddress',
    [
      'minconf:number?',
      'include_empty:bool?',
      'include_watchonly:bool?',
      'address_filter:string?',
      'include_immature_coinbase:bool?',
    ],
    listReceivedByAddress,
  ),
  walletMethod(
    'listreceivedbylabel',
    [
      'minconf:number?',
      'include_empty:bool?',
      'include_watchonly:bool?',
      'include_immature_coinbase:bool?',
    ],
    listReceivedByLabel,
  ),
]
