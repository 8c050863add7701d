import { equalBytes, toHex } from '../chain/bytes.ts'
import {
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { decodeWif, fingerprintOf } from '../descriptor/key.ts'
import { scriptHash, witnessScriptHash } from '../descriptor/node.ts'
import { Provider } from '../descriptor/provider.ts'
import { unsignedTransaction } from '../psbt/psbt.ts'
import { classifyScript, scriptToAsm } from '../script/script.ts'
import { dataOfInput, mergeData } from '../sign/extract.ts'
import { produceSignature } from '../sign/produce.ts'
import { assemblerOf, hasherFor, inputSigner } from '../sign/signer.ts'
import { type SigningOutcome, signInputs, UNKNOWN_AMOUNT } from '../sign/transaction.ts'
import { constructTransaction } from './construct.ts'
import { rpcError } from './errors.ts'
import { type Json, writeAmount } from './json.ts'
import { type Method, method, type RpcContext } from './method.ts'
import { transactionArgument } from './transactions.ts'
import {
  amountValue,
  checkMembers,
  hashValue,
  hexValue,
  kindOf,
  listValue,
  objectValue,
  sighashValue,
  textValue,
  wholeValue,
} from './values.ts'

export type SpentCoins = Map<string, TransactionOutput>
/** The coins that a transaction spends as chain and mempool know them. */
export function coinsOf({ regtest }: RpcContext, transaction: Transaction): SpentCoins {
  const coins: SpentCoins = new Map()
  for (const { txid, key, vout } of transaction.inputs) {
    const coin = regtest.mempool.coinAt(txid, key, vout)
    if (coin) coins.set(key, coin)
  }
  return coins
}
function innerScripts(
  object: Readonly<Record<string, unknown>>,
  script: Uint8Array,
  known: Provider,
): void {
  checkMembers(object, { redeemScript: 'string', witnessScript: 'string' }, { optional: true })
  const redeem = object['redeemScript']
  const witness = object['witnessScript']
  if (redeem === undefined && witness === undefined) {
    throw rpcError('invalidParameter', 'Missing redeemScript/witnessScript')
  }
  const inner =
    witness === undefined ? hexValue(redeem, 'redeemScript') : hexValue(witness, 'witnessScript')
  known.addScript(inner)
  const program = witnessScriptHash(inner)
  known.addScript(program)
  if (witness !== undefined && redeem !== undefined && witness !== redeem) {
    if (!equalBytes(hexValue(redeem, 'redeemScript'), program)) {
      throw rpcError('invalidParameter', 'redeemScript does not correspond to witnessScript')
    }
  }
  const fits = [scriptHash(inner), scriptHash(program), program]
  if (!fits.some((own) => equalBytes(own, script))) {
    const fault = 'redeemScript/witnessScript does not match scriptPubKey'
    throw rpcError('invalidParameter', fault)
  }
}
/** Reads `prevtxs` into the coins, and inner scripts into `known`. @throws RpcError -3, -8, -22. */
export function readPrevious(value: unknown, coins: SpentCoins, known?: Provider): void {
  if (value === undefined || value === null) return
  for (const item of listValue(value)) {
    if (kindOf(item) !== 'object') {
      const fault = 'expected object with {"txid\'","vout","scriptPubKey"}'
      throw rpcError('deserialization', fault)
    }
    const object = objectValue(item)
    checkMembers(object, { txid: 'string', vout: 'number', scriptPubKey: 'string' })
    const txid = hashValue(object['txid'], 'txid')
    const vout = wholeValue(object['vout'])
    if (vout < 0) throw rpcError('deserialization', 'vout cannot be negative')
    const script = hexValue(object['scriptPubKey'], 'scriptPubKey')
    const key = `${txid}:${vout}`
    const coin = coins.get(key)
    if (coin && !equalBytes(coin.script, script)) {
      const both = `${scriptToAsm(coin.script)}\nvs:\n${scriptToAsm(script)}`
      throw rpcError('deserialization', `Previous output scriptPubKey mismatch:\n${both}`)
    }
    const amount = object['amount']
    coins.set(key, { value: amount === undefined ? UNKNOWN_AMOUNT : amountValue(amount), script })
    const { kind } = classifyScript(script)
    if (known && (kind === 'scripthash' || kind === 'witness_v0_scripthash')) {
      innerScripts(object, script, known)
    }
  }
}
/** The answer of the signing calls. @throws RpcError -3 where an amount is missing. */
export function signingView(outcome: SigningOutcome, coins: SpentCoins): Json {
  const { transaction, errors } = outcome
  const views = [...errors].map(([index, error]) => {
    const input = transaction.inputs[index]
    const coin = input && coins.get(input.key)
    if (error === 'Missing amount' && coin) {
      const script = toHex(coin.script).slice(0, 30)
      const text = `CTxOut(nValue=${writeAmount(coin.value)}, scriptPubKey=${script})`
      throw rpcError('typeError', `Missing amount for ${text}`)
    }
    return {
      txid: input?.txid ?? '',
      vout: input?.vout ?? 0,
      witness: input?.witness.map(toHex) ?? [],
      scriptSig: toHex(input?.script ?? new Uint8Array()),
      sequence: input?.sequence ?? 0,
      error,
    }
  })
  const complete = views.length === 0
  return {
    hex: toHex(transaction.raw),
    complete,
    errors: complete ? undefined : views,
  }
}
function signWithKey(context: RpcContext, args: readonly unknown[]): Json {
  const transaction = transactionArgument(args[0])
  const known = new Provider()
  for (const text of listValue(args[1])) {
    const own = decodeWif(textValue(text))
    if (!own) throw rpcError('invalidAddressOrKey', 'Invalid private key')
    const publicKey = secp256k1.getPublicKey(own.secret, own.compressed)
    const origin = { fingerprint: fingerprintOf(publicKey), path: [] }
    known.addKey({ publicKey, origin, secret: own.secret })
  }
  const coins = coinsOf(context, transaction)
  readPrevious(args[2], coins, known)
  const spent = transaction.inputs.map(({ key }) => coins.get(key))
  return signingView(
    signInputs(transaction, spent, () => known, sighashValue(args[3])),
    coins,
  )
}

function combineRaw(context: RpcContext, list: readonly unknown[]): Json {
  const variants = list.map((hex, at) => {
    const fault = `TX decode failed for tx ${at}. Make sure the tx has at least one input.`
    return transactionArgument(textValue(hex), fault)
  })
  const [first] = variants
  if (!first) throw rpcError('deserialization', 'Missing transactions')
  const coins = coinsOf(context, first)
  const spent = first.inputs.map(({ key }) => coins.get(key))
  const hasher = hasherFor(first, spent)
  const inputs = first.inputs.map((input, index) => {
    const coin = spent[index]
    if (!coin) throw rpcError('verify', 'Input not found or already spent')
    const at = { transaction: first, index, coin, hasher }
    const data = dataOfInput(at, { script: new Uint8Array(), witness: [] })
    for (const variant of variants) {
      const other = variant.inputs[index]
      if (other) mergeData(data, dataOfInput(at, other))
    }
    const signer = assemblerOf(inputSigner(first, spent, index, 1, hasher))
    produceSignature(new Provider(), signer, coin.script, data)
    return { ...input, script: data.scriptSig, witness: data.stack }
  })
  return toHex(encodeTransaction({ ...first, inputs }))
}

export const rawSigningMethods: readonly Method[] = [
  method(
    'createrawtransaction',
    ['inputs:array', 'outputs:any', 'locktime:number?', 'replaceable:bool?'],
    (_, [inputs, outputs, locktime, replaceable]) =>
      toHex(
        unsignedTransaction(
          constructTransaction(inputs, outputs, locktime, replaceable as boolean | undefined),
        ).raw,
      ),
  ),
  method('combinerawtransaction', ['txs:array'], (context, [list]) =>
    combineRaw(context, listValue(list)),
  ),
  method(
    'signrawtransactionwithkey',
    ['hexstring:string', 'privkeys:array', 'prevtxs:array?', 'sighashtype:string?'],
    signWithKey,
  ),
]
