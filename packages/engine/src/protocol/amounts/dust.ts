import { type Sat, type SatPerKvB, sat, satPerKvB } from '../../kernel/index.ts'
import { feeForVsize } from './fee-rate.ts'

/** What a default node uses (-dustrelayfee): 3 sat/vB. */
export const DEFAULT_DUST_RATE = satPerKvB(3000n)

/** Outpoint, sequence, script length and a signature with its key: legacy, and a quarter of it as witness. */
const LEGACY_SPEND = 32 + 4 + 1 + 107 + 4
const WITNESS_SPEND = 32 + 4 + 1 + Math.floor(107 / 4) + 4
const MAX_SCRIPT = 10_000
const OP_RETURN = 0x6a

/** A version opcode and one push of 2 to 40 bytes (BIP 141). */
function isWitnessProgram(script: Uint8Array): boolean {
  const [version, push] = script
  if (version === undefined || push === undefined || script.length > 42) return false
  return (
    (version === 0 || (version >= 0x51 && version <= 0x60)) &&
    push >= 2 &&
    push + 2 === script.length
  )
}

/**
 * The least value in satoshi that a node relays in an output with this script: below it, spending the output would cost more than a
 * third of it at `rate`. Nothing is asked of outputs that can never be spent. Source: Bitcoin Core, GetDustThreshold.
 */
export function dustThreshold(script: Uint8Array, rate: SatPerKvB = DEFAULT_DUST_RATE): Sat {
  if (script[0] === OP_RETURN || script.length > MAX_SCRIPT) return sat(0n)
  const prefix = script.length < 0xfd ? 1 : 3
  const spend = isWitnessProgram(script) ? WITNESS_SPEND : LEGACY_SPEND
  return feeForVsize(rate, 8 + prefix + script.length + spend)
}
