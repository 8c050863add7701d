import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { join, sized, u32, u64 } from '../bytes.ts'
import { hash256, outputsOf, type Tx, type TxOutput, writeTx } from './transaction.ts'

const ALL = 1

/** What signatures over all inputs and outputs of one transaction sign. `coins[i]` is spent by input `i`. */
export interface Sighash {
  /** Before segwit. @param script the script of the coin. */
  legacy(input: number, script: Uint8Array): Uint8Array
  /** BIP 143. @param script the script code. */
  segwit(input: number, script: Uint8Array): Uint8Array
  /** BIP 341, key path. @param type 0 (DEFAULT) or 1 (ALL). */
  taproot(input: number, type: number): Uint8Array
}

export function sighashOf(tx: Tx, coins: readonly TxOutput[]): Sighash {
  const prevouts = join(...tx.inputs.map(({ outpoint }) => outpoint))
  const sequences = join(...tx.inputs.map(({ sequence }) => u32(sequence)))
  const outputs = outputsOf(tx)
  const amounts = join(...coins.map(({ amount }) => u64(amount)))
  const scripts = join(...coins.map(({ script }) => sized(script)))
  const [hashPrevouts, hashSequences, hashOutputs] = [prevouts, sequences, outputs].map(hash256)
  const parts = [prevouts, amounts, scripts, sequences, outputs].map((part) => sha256(part))
  return {
    legacy(input, script) {
      const emptied = tx.inputs.map((_, i) => (i === input ? script : new Uint8Array()))
      return hash256(join(writeTx(tx, emptied), u32(ALL)))
    },
    segwit(input, script) {
      const { outpoint, sequence } = tx.inputs[input] as Tx['inputs'][number]
      const { amount } = coins[input] as TxOutput
      const head = join(u32(tx.version), hashPrevouts as Uint8Array, hashSequences as Uint8Array)
      const own = join(outpoint, sized(script), u64(amount), u32(sequence))
      return hash256(join(head, own, hashOutputs as Uint8Array, u32(tx.lockTime), u32(ALL)))
    },
    taproot(input, type) {
      const head = join(0, type, u32(tx.version), u32(tx.lockTime))
      return schnorr.utils.taggedHash('TapSighash', join(head, ...parts, 0, u32(input)))
    },
  }
}
