import { scriptOf } from '../../chain/address.ts'
import type { OutputType } from '../../descriptor/node.ts'
import type { Entry } from '../../wallet/entry.ts'
import { OUTPUT_TYPES, type Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import { type Method, method, type RpcContext } from '../method.ts'
import { hashValue, textValue } from '../values.ts'

const NO_WALLET =
  'No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet. (Note: A default wallet is no longer automatically created)'
export const NOT_LOADED = 'Requested wallet does not exist or is not loaded'

/** The wallet that a call means: by its path, or the only one. @throws RpcError -18, -19. */
export function walletOf(context: RpcContext): Wallet {
  const wallet = chosenWallet(context)
  wallet.touched = true
  return wallet
}
function chosenWallet({ wallets, walletPath }: RpcContext): Wallet {
  if (walletPath !== undefined) {
    const wallet = wallets.loaded.get(walletPath)
    if (wallet) return wallet
    throw rpcError('walletNotFound', NOT_LOADED)
  }
  const [first, second] = wallets.loaded.values()
  if (!first) throw rpcError('walletNotFound', NO_WALLET)
  if (!second) return first
  throw rpcError(
    'walletNotSpecified',
    'Wallet file not specified (must request wallet RPC through /wallet/<filename> uri-path).',
  )
}
/** A method of one wallet. */
export const walletMethod = (
  name: string,
  parameters: readonly string[],
  run: (wallet: Wallet, args: readonly unknown[], context: RpcContext) => Json,
): Method => method(name, parameters, (context, args) => run(walletOf(context), args, context))

/** @throws RpcError -11 for the label that means all. */
export function labelValue(value: unknown): string {
  if (value === undefined || value === null) return ''
  const label = textValue(value)
  if (label === '*') throw rpcError('invalidLabel', 'Invalid label name')
  return label
}
/** The output script of an address. @throws RpcError -5. */
export function addressValue(value: unknown, fault = 'Invalid Bitcoin address'): Uint8Array {
  const script = scriptOf(textValue(value))
  if (script) return script
  throw rpcError('invalidAddressOrKey', fault)
}
/** @throws RpcError -5 in Core's words. */
export function outputTypeValue(value: unknown, what = 'address'): OutputType {
  const type = OUTPUT_TYPES.find((own) => own === textValue(value))
  if (type) return type
  throw rpcError('invalidAddressOrKey', `Unknown ${what} type '${value}'`)
}
export function entryValue(wallet: Wallet, value: unknown): Entry {
  const entry = wallet.ledger.entries.get(hashValue(value, 'txid'))
  if (entry) return entry
  throw rpcError('invalidAddressOrKey', 'Invalid or non-wallet transaction id')
}
export const lastBlockView = ({ ledger }: Wallet): Json => ({
  hash: ledger.lastBlock.hash,
  height: ledger.lastBlock.height,
})
/** Undefined for none: Core leaves an empty list of warnings out. */
export const warningsView = (warnings: readonly string[]): readonly string[] | undefined =>
  warnings.length > 0 ? warnings : undefined
