import { addressOf } from '../chain/address.ts'
import { toHex } from '../chain/bytes.ts'
import type { Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { inferDescriptor } from '../descriptor/infer.ts'
import { classifyScript, scriptToAsm } from '../script/script.ts'
import type { Json } from './json.ts'

type JsonObject = { readonly [key: string]: Json | undefined }

/** `scriptPubKey` of every verbose answer. */
export function scriptView(script: Uint8Array): JsonObject {
  const form = classifyScript(script)
  return {
    asm: scriptToAsm(script),
    desc: inferDescriptor(script),
    hex: toHex(script),
    address: form.kind === 'pubkey' ? undefined : addressOf(script, form),
    type: form.kind,
  }
}
/** `decodescript` and `decoderawtransaction` leave fields out in the same order. */
function inputView(transaction: Transaction, at: number, spent?: readonly Coin[]): JsonObject {
  const input = transaction.inputs[at]
  if (!input) return {}
  const txinwitness = input.witness.length > 0 ? input.witness.map(toHex) : undefined
  if (transaction.isCoinbase) {
    return { coinbase: toHex(input.script), txinwitness, sequence: input.sequence }
  }
  const coin = spent?.[at]
  return {
    txid: input.txid,
    vout: input.vout,
    scriptSig: { asm: scriptToAsm(input.script, true), hex: toHex(input.script) },
    txinwitness,
    prevout: coin && {
      generated: coin.coinbase,
      height: coin.height,
      value: coin.value,
      scriptPubKey: scriptView(coin.script),
    },
    sequence: input.sequence,
  }
}
export interface TransactionViewOptions {
  /** The spent coins, for `fee` and, where asked, `prevout`. */
  readonly spent?: readonly Coin[] | undefined
  readonly prevouts?: boolean
  readonly hex?: boolean
}
/** A decoded transaction, as `getrawtransaction` and `getblock` print it. */
export function transactionView(
  transaction: Transaction,
  options: TransactionViewOptions = {},
): JsonObject {
  const { spent } = options
  const shown = options.prevouts ? spent : undefined
  return {
    txid: transaction.txid,
    hash: transaction.wtxid,
    version: transaction.version,
    size: transaction.raw.length,
    vsize: transaction.vsize,
    weight: transaction.weight,
    locktime: transaction.locktime,
    vin: transaction.inputs.map((_, at) => inputView(transaction, at, shown)),
    vout: transaction.outputs.map((output, n) => ({
      value: output.value,
      n,
      scriptPubKey: scriptView(output.script),
    })),
    fee: spent && !transaction.isCoinbase ? feeOf(transaction, spent) : undefined,
    hex: options.hex === false ? undefined : toHex(transaction.raw),
  }
}
export function feeOf(transaction: Transaction, spent: readonly Coin[]): bigint {
  let fee = 0n
  for (const coin of spent) fee += coin.value
  for (const output of transaction.outputs) fee -= output.value
  return fee
}
