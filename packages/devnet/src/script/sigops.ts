import type { Coin } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'
import { classifyScript, parseScript } from './script.ts'

/** Signature operations of one script; `exact` knows the key count of a multisig. */
function countSigops(script: Uint8Array, exact: boolean): number {
  let count = 0
  let before = 0xff
  for (const { opcode } of parseScript(script) ?? []) {
    if (opcode === 0xac || opcode === 0xad) count += 1
    else if (opcode === 0xae || opcode === 0xaf) {
      count += exact && before >= 0x51 && before <= 0x60 ? before - 0x50 : 20
    }
    before = opcode
  }
  return count
}
/** Signature operation cost as blocks count it; without `spent` only the legacy part. Source: BIP 141. */
export function sigopCost(transaction: Transaction, spent?: readonly Coin[]): number {
  let cost = 0
  for (const input of transaction.inputs) cost += 4 * countSigops(input.script, false)
  for (const output of transaction.outputs) cost += 4 * countSigops(output.script, false)
  spent?.forEach((coin, i) => {
    const input = transaction.inputs[i]
    let { kind } = classifyScript(coin.script)
    if (kind === 'scripthash') {
      const pieces = parseScript(input?.script ?? new Uint8Array())
      const redeem = pieces?.[pieces.length - 1]?.data ?? new Uint8Array()
      cost += 4 * countSigops(redeem, true)
      kind = classifyScript(redeem).kind
    }
    const last = input?.witness[input.witness.length - 1]
    if (kind === 'witness_v0_keyhash') cost += 1
    if (kind === 'witness_v0_scripthash' && last) cost += countSigops(last, true)
  })
  return cost
}
