import { schnorr } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { LookCoin } from './expectation.ts'
import { hash256, type SeenTransaction, Writer } from './read.ts'

const ALL = 1

/**
 * What signatures of one transaction sign. All inputs are signed for all outputs here: other sighash types are refused before
 * anything is hashed. `coins[i]` is the coin that input `i` spends.
 */
export interface Sighashes {
  /** Bitcoin's first form. @param script the script of the coin. */
  legacy(input: number, script: Uint8Array): Uint8Array
  /** BIP 143. @param script the script code, without its length. */
  segwit(input: number, script: Uint8Array): Uint8Array
  /** BIP 341, key path, without annex. @param type 0 (DEFAULT) or 1 (ALL). */
  taproot(input: number, type: 0 | 1): Uint8Array
}

const joined = <T>(items: readonly T[], write: (to: Writer, item: T) => Writer): Uint8Array =>
  items.reduce(write, new Writer()).bytes()

export function sighashes(seen: SeenTransaction, coins: readonly LookCoin[]): Sighashes {
  const { version, inputs, outputs, lockTime } = seen
  const prevouts = joined(inputs, (to, { outpoint }) => to.raw(outpoint))
  const sequences = joined(inputs, (to, { sequence }) => to.u32(sequence))
  const paid = joined(outputs, (to, output) => to.output(output))
  const amounts = joined(coins, (to, { amount }) => to.u64(amount))
  const scripts = joined(coins, (to, { script }) => to.sized(script))
  const [hashPrevouts, hashSequence, hashOutputs] = [prevouts, sequences, paid].map(hash256)
  const tapParts = [prevouts, amounts, scripts, sequences, paid].map((part) => sha256(part))

  return {
    legacy(at, script) {
      const to = new Writer().u32(version).size(inputs.length)
      for (const [i, { outpoint, sequence }] of inputs.entries()) {
        to.raw(outpoint)
          .sized(i === at ? script : new Uint8Array(0))
          .u32(sequence)
      }
      return hash256(to.size(outputs.length).raw(paid).u32(lockTime).u32(ALL).bytes())
    },
    segwit(at, script) {
      const { outpoint, sequence } = inputs[at] as SeenTransaction['inputs'][number]
      const { amount } = coins[at] as LookCoin
      const to = new Writer().u32(version).raw(hashPrevouts as Uint8Array)
      to.raw(hashSequence as Uint8Array)
        .raw(outpoint)
        .sized(script)
        .u64(amount)
        .u32(sequence)
      return hash256(
        to
          .raw(hashOutputs as Uint8Array)
          .u32(lockTime)
          .u32(ALL)
          .bytes(),
      )
    },
    taproot(at, type) {
      // Epoch 0, then the message; spend type 0: key path without annex.
      const to = new Writer().u8(0).u8(type).u32(version).u32(lockTime)
      for (const part of tapParts) to.raw(part)
      return schnorr.utils.taggedHash('TapSighash', to.u8(0).u32(at).bytes())
    },
  }
}
