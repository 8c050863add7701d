import { toHex } from '../../chain/bytes.ts'
import { decodeWif } from '../../descriptor/key.ts'
import { encodePsbt } from '../../psbt/encode.ts'
import { extract } from '../../psbt/update.ts'
import { classifyScript } from '../../script/script.ts'
import { signMessage, verifyMessage } from '../../wallet/message.ts'
import { fillPsbt, signWithWallet } from '../../wallet/sign.ts'
import type { Wallet } from '../../wallet/wallet.ts'
import { rpcError } from '../errors.ts'
import type { Json } from '../json.ts'
import { type Method, method, type RpcContext } from '../method.ts'
import { psbtArgument } from '../psbt.ts'
import { coinsOf, readPrevious, signingView } from '../rawsign.ts'
import { transactionArgument } from '../transactions.ts'
import { sighashValue, textValue } from '../values.ts'
import { addressValue, walletMethod } from './chosen.ts'

function processPsbt(wallet: Wallet, args: readonly unknown[]): Json {
  const psbt = psbtArgument(args[0])
  const filled = fillPsbt(wallet, psbt, {
    type: sighashValue(args[2]),
    sign: args[1] !== false,
    origins: args[3] !== false,
    finalize: args[4] !== false,
  })
  if ('fault' in filled) {
    if (filled.fault === 'missing inputs') throw rpcError('verify', 'Inputs missing or spent')
    const fault = 'Specified sighash value does not match value stored in PSBT'
    throw rpcError('deserialization', fault)
  }
  const { complete } = filled
  const hex = complete ? toHex(extract(psbt).raw) : undefined
  return { psbt: encodePsbt(psbt), complete, hex }
}
function signRaw(wallet: Wallet, args: readonly unknown[], context: RpcContext): Json {
  const transaction = transactionArgument(args[0])
  const coins = coinsOf(context, transaction)
  readPrevious(args[1], coins)
  const spent = transaction.inputs.map(({ key }) => coins.get(key))
  return signingView(signWithWallet(wallet, transaction, spent, sighashValue(args[2])), coins)
}
/** The key hash of a P2PKH address. @throws RpcError -3, -5. */
function keyHashOf(address: unknown): Uint8Array {
  const { kind, data } = classifyScript(addressValue(address, 'Invalid address'))
  if (kind === 'pubkeyhash') return data
  throw rpcError('typeError', 'Address does not refer to key')
}
function signWithAddress(wallet: Wallet, args: readonly unknown[]): Json {
  const hash = keyHashOf(args[0])
  const id = toHex(hash)
  const known = wallet.providerOf(addressValue(args[0]))
  const secret = known?.secrets.get(id)
  if (!known || !secret) throw rpcError('wallet', 'Private key not available')
  return signMessage(textValue(args[1]), secret, known.publicKeys.get(id)?.length === 33)
}
function signWithKey([text, message]: readonly unknown[]): Json {
  const own = decodeWif(textValue(text))
  if (!own) throw rpcError('invalidAddressOrKey', 'Invalid private key')
  return signMessage(textValue(message), own.secret, own.compressed)
}
function verify([address, signature, message]: readonly unknown[]): Json {
  const holds = verifyMessage(textValue(message), textValue(signature), keyHashOf(address))
  if (holds === undefined) throw rpcError('typeError', 'Malformed base64 encoding')
  return holds
}

export const signingMethods: readonly Method[] = [
  walletMethod(
    'walletprocesspsbt',
    ['psbt:string', 'sign:bool?', 'sighashtype:string?', 'bip32derivs:bool?', 'finalize:bool?'],
    processPsbt,
  ),
  walletMethod(
    'signrawtransactionwithwallet',
    ['hexstring:string', 'prevtxs:array?', 'sighashtype:string?'],
    signRaw,
  ),
  walletMethod('signmessage', ['address:string', 'message:string'], signWithAddress),
  method('signmessagewithprivkey', ['privkey:string', 'message:string'], (_, args) =>
    signWithKey(args),
  ),
  method('verifymessage', ['address:string', 'signature:string', 'message:string'], (_, args) =>
    verify(args),
  ),
]
