import { rpcError } from './errors.ts'
import { type Method, method } from './method.ts'

const NAMES = [
  'abandontransaction',
  'bumpfee',
  'createwalletdescriptor',
  'fundrawtransaction',
  'getaddressinfo',
  'getbalance',
  'getbalances',
  'getnewaddress',
  'getrawchangeaddress',
  'getreceivedbyaddress',
  'gettransaction',
  'getwalletinfo',
  'importdescriptors',
  'listdescriptors',
  'listsinceblock',
  'listtransactions',
  'listunspent',
  'lockunspent',
  'rescanblockchain',
  'sendall',
  'sendmany',
  'sendtoaddress',
  'signmessage',
  'signrawtransactionwithwallet',
  'unloadwallet',
  'walletcreatefundedpsbt',
  'walletprocesspsbt',
]
const NO_WALLET =
  'No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet. (Note: A default wallet is no longer automatically created)'
const ANY = Array.from({ length: 12 }, (_, i) => `arg${i}:any?`)

/** Wallet calls of a node that has no wallet loaded. @throws RpcError -18. */
export const walletMethods: readonly Method[] = [
  ...NAMES.map((name) =>
    method(name, ANY, ({ walletPath }) => {
      throw rpcError(
        'walletNotFound',
        walletPath === undefined ? NO_WALLET : 'Requested wallet does not exist or is not loaded',
      )
    }),
  ),
  method('listwallets', [], () => []),
  method('listwalletdir', [], () => ({ wallets: [] })),
  method('loadwallet', ANY, (_, [name]) => {
    const fault = `Wallet file verification failed. Failed to load database path '${name}'. Path does not exist.`
    throw rpcError('walletNotFound', fault)
  }),
  method('createwallet', ANY, () => {
    throw rpcError('wallet', 'This devnet has no wallets')
  }),
]
