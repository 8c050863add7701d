import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import { MAX_KEYS_PER_MULTISIG } from './opcodes/multisig.ts'
import { OP } from './opcodes/names.ts'
import { isScriptHash, ScriptReader, type WitnessProgram, witnessProgramOf } from './reader.ts'

/** How much more an operation outside the witness costs. Source: BIP 141. */
const LEGACY_COST = 4
const NO_WITNESS: readonly Uint8Array[] = []

/**
 * Signature operations of one script, up to where it cannot be read any more. `isAccurate` counts the keys of a multisig
 * where a small number stands right before it; else each is 20.
 */
export function countSigops(script: Uint8Array, isAccurate: boolean): number {
  let count = 0
  let before = 0
  const reader = new ScriptReader(script)
  while (reader.next()) {
    const { opcode } = reader
    if (opcode === OP.CHECKSIG || opcode === OP.CHECKSIGVERIFY) count += 1
    else if (opcode === OP.CHECKMULTISIG || opcode === OP.CHECKMULTISIGVERIFY) {
      const isKnown = isAccurate && before >= OP['1'] && before <= OP['16']
      count += isKnown ? before - OP['1'] + 1 : MAX_KEYS_PER_MULTISIG
    }
    before = opcode
  }
  return count
}

/** The last element that an input's script pushes; undefined when it is not made of pushes only. */
export function redeemScriptOf(scriptSig: Uint8Array): Uint8Array | undefined {
  const reader = new ScriptReader(scriptSig)
  let last = scriptSig.subarray(0, 0)
  while (reader.at < scriptSig.length) {
    if (!reader.next() || reader.opcode > OP['16']) return undefined
    // A small number leaves no bytes behind: the script then counts as empty.
    last = reader.opcode > OP.PUSHDATA4 ? scriptSig.subarray(0, 0) : reader.data
  }
  return last
}
/** Signature operations of the script behind a script hash; 0 for any other output. Source: BIP 16. */
export function scriptHashSigops(scriptSig: Uint8Array, scriptPubKey: Uint8Array): number {
  const redeem = isScriptHash(scriptPubKey) ? redeemScriptOf(scriptSig) : undefined
  return redeem ? countSigops(redeem, true) : 0
}

function programSigops(
  { version, program }: WitnessProgram,
  witness: readonly Uint8Array[],
): number {
  if (version !== 0) return 0
  if (program.length === 20) return 1
  const script = witness[witness.length - 1]
  return program.length === 32 && script ? countSigops(script, true) : 0
}
/** Signature operations of a witness, native or behind a script hash. Source: BIP 141. */
export function witnessSigops(
  scriptSig: Uint8Array,
  scriptPubKey: Uint8Array,
  witness: readonly Uint8Array[] = NO_WITNESS,
): number {
  const native = witnessProgramOf(scriptPubKey)
  if (native) return programSigops(native, witness)
  const redeem = isScriptHash(scriptPubKey) ? redeemScriptOf(scriptSig) : undefined
  const wrapped = redeem && witnessProgramOf(redeem)
  return wrapped ? programSigops(wrapped, witness) : 0
}

/** Signature operations of the scripts that a transaction carries itself, each multisig as 20. */
export function legacySigops({ inputs, outputs }: Transaction): number {
  let count = 0
  for (const input of inputs) count += countSigops(input.script, false)
  for (const output of outputs) count += countSigops(output.script, false)
  return count
}
/** Signature operation cost as blocks count it; without `spent` (a coinbase) only the legacy part. Source: BIP 141. */
export function sigopCost(transaction: Transaction, spent?: readonly TransactionOutput[]): number {
  let cost = LEGACY_COST * legacySigops(transaction)
  spent?.forEach(({ script }, i) => {
    const input = transaction.inputs[i]
    if (!input) return
    cost += LEGACY_COST * scriptHashSigops(input.script, script)
    cost += witnessSigops(input.script, script, input.witness)
  })
  return cost
}
