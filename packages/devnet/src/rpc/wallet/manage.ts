import { balanceOf } from '../../wallet/coins.ts'
import { KEYPOOL_SIZE } from '../../wallet/record.ts'
import { OUTPUT_TYPES, type Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import { int32Argument, type Method, method, type RpcContext } from '../method.ts'
import { textValue } from '../values.ts'
import { lastBlockView, NOT_LOADED, walletMethod, warningsView } from './chosen.ts'

const BDB =
  'BDB wallet creation is deprecated and will be removed in a future release. In this release it can be re-enabled temporarily with the -deprecatedrpc=create_bdb setting.'
const WATCH_PASSPHRASE =
  'Passphrase provided but private keys are disabled. A passphrase is only used to encrypt private keys, so cannot be used for wallets with private keys disabled.'

function createWallet({ wallets }: RpcContext, args: readonly unknown[]): Json {
  const [name, watchOnly, blank, passphrase, reuse, descriptors, , signer] = args
  const text = textValue(name)
  const warnings: string[] = []
  if (passphrase === '') {
    warnings.push('Empty string given as passphrase, wallet will not be encrypted.')
  }
  if (descriptors === false) throw rpcError('wallet', BDB)
  if (signer === true) {
    const fault = 'Compiled without external signing support (required for external signing)'
    throw rpcError('wallet', fault)
  }
  if (passphrase !== undefined && passphrase !== '') {
    if (watchOnly === true) throw rpcError('wallet', WATCH_PASSPHRASE)
    throw rpcError('wallet', 'This devnet does not encrypt wallets: leave passphrase out')
  }
  if (reuse === true) {
    throw rpcError('wallet', 'This devnet does not track reuse: leave avoid_reuse out')
  }
  if (wallets.loaded.has(text) || wallets.stored.has(text)) {
    const fault = `Failed to create database path '${text}'. Database already exists.`
    throw rpcError('wallet', `Wallet file verification failed. ${fault}`)
  }
  wallets.create(text, { privateKeys: watchOnly !== true, blank: blank === true })
  return { name: text, warnings: warningsView(warnings) }
}
function loadWallet({ wallets }: RpcContext, args: readonly unknown[]): Json {
  const name = textValue(args[0])
  if (wallets.loaded.has(name)) {
    throw rpcError('walletAlreadyLoaded', `Wallet "${name}" is already loaded.`)
  }
  if (!wallets.reload(name)) {
    const fault = `Failed to load database path '${name}'. Path does not exist.`
    throw rpcError('walletNotFound', `Wallet file verification failed. ${fault}`)
  }
  return { name }
}
function unloadWallet({ wallets, walletPath }: RpcContext, args: readonly unknown[]): Json {
  if (walletPath !== undefined && args[0] !== undefined && args[0] !== walletPath) {
    const fault = 'RPC endpoint wallet and wallet_name parameter specify different wallets'
    throw rpcError('invalidParameter', fault)
  }
  const name = walletPath ?? textValue(args[0])
  if (!wallets.loaded.has(name)) throw rpcError('walletNotFound', NOT_LOADED)
  wallets.unload(name)
  return {}
}
/** Unused addresses ahead, over the active descriptors of one side. */
function poolSize(wallet: Wallet, internal: boolean): number {
  return OUTPUT_TYPES.reduce((sum, type) => {
    const record = wallet.activeRecord(type, internal)
    return sum + (record ? record.rangeEnd - record.nextIndex : 0)
  }, 0)
}
function birthTime(wallet: Wallet): number | undefined {
  const times = [
    ...wallet.records.map(({ timestamp }) => timestamp),
    ...wallet.ledger.ordered.map(({ time }) => time),
  ]
  return times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : undefined
}
function walletInfo(wallet: Wallet): Json {
  const { trusted, pending, immature } = balanceOf(wallet)
  return {
    walletname: wallet.name,
    walletversion: 169900,
    format: 'sqlite',
    balance: trusted,
    unconfirmed_balance: pending,
    immature_balance: immature,
    txcount: wallet.ledger.entries.size,
    keypoolsize: poolSize(wallet, false),
    keypoolsize_hd_internal: poolSize(wallet, true),
    paytxfee: wallet.payRate,
    private_keys_enabled: wallet.privateKeys,
    avoid_reuse: false,
    scanning: false,
    descriptors: true,
    external_signer: false,
    blank: wallet.blank,
    birthtime: birthTime(wallet),
    lastprocessedblock: lastBlockView(wallet),
  }
}
function refill(wallet: Wallet, args: readonly unknown[]): Json {
  const size = int32Argument(args[0], KEYPOOL_SIZE)
  if (size < 0) throw rpcError('invalidParameter', 'Invalid parameter, expected valid size.')
  for (const record of wallet.active.values()) wallet.topUp(record)
  if (args[0] !== undefined && size > 0 && wallet.active.size === 0) {
    throw rpcError('wallet', 'Error refreshing keypool.')
  }
  return null
}
/** Calls about passphrases: this devnet's wallets are never encrypted. */
const unencrypted = (name: string, parameters: readonly string[]): Method =>
  walletMethod(name, parameters, () => {
    const fault = `running with an unencrypted wallet, but ${name} was called.`
    throw rpcError('wrongEncryption', `Error: ${fault}`)
  })

export const manageMethods: readonly Method[] = [
  method(
    'createwallet',
    [
      'wallet_name:string',
      'disable_private_keys:bool?',
      'blank:bool?',
      'passphrase:string?',
      'avoid_reuse:bool?',
      'descriptors:bool?',
      'load_on_startup:bool?',
      'external_signer:bool?',
    ],
    createWallet,
  ),
  method('loadwallet', ['filename:string', 'load_on_startup:bool?'], loadWallet),
  method('unloadwallet', ['wallet_name:string?', 'load_on_startup:bool?'], unloadWallet),
  method('listwallets', [], ({ wallets }) => [...wallets.loaded.keys()]),
  method('listwalletdir', [], ({ wallets }) => ({
    wallets: [...wallets.loaded.keys(), ...wallets.stored.keys()].sort().map((name) => ({ name })),
  })),
  walletMethod('getwalletinfo', [], walletInfo),
  walletMethod('keypoolrefill', ['newsize:number?'], refill),
  unencrypted('walletlock', []),
  unencrypted('walletpassphrase', ['passphrase:string', 'timeout:number']),
  unencrypted('walletpassphrasechange', ['oldpassphrase:string', 'newpassphrase:string']),
  walletMethod('encryptwallet', ['passphrase:string'], () => {
    throw rpcError('wallet', 'This devnet does not encrypt wallets')
  }),
]
