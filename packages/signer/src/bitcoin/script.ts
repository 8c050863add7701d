import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { join, toHex } from '../bytes.ts'

export const hash160 = (bytes: Uint8Array): Uint8Array => ripemd160(sha256(bytes))

export const p2pkh = (key: Uint8Array): Uint8Array => join(0x76, 0xa9, 20, hash160(key), 0x88, 0xac)
export const p2wpkh = (key: Uint8Array): Uint8Array => join(0, 20, hash160(key))
export const p2wsh = (script: Uint8Array): Uint8Array => join(0, 32, sha256(script))
export const p2sh = (script: Uint8Array): Uint8Array => join(0xa9, 20, hash160(script), 0x87)
export const p2tr = (outputKey: Uint8Array): Uint8Array => join(0x51, 32, outputKey)

/** `threshold` of the keys in the order of their bytes. Source: BIP 67. */
export function sortedMultisig(threshold: number, keys: readonly Uint8Array[]): Uint8Array {
  const sorted = [...keys].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
  const number = (value: number) =>
    value <= 16 ? Uint8Array.of(0x50 + value) : Uint8Array.of(1, value)
  return join(number(threshold), ...sorted.flatMap((key) => [33, key]), number(keys.length), 0xae)
}

const isWitnessProgram = (script: Uint8Array): boolean => {
  const [version = 1, length] = script
  const isVersion = version === 0 || (version >= 0x51 && version <= 0x60)
  return isVersion && script.length >= 4 && script.length <= 42 && length === script.length - 2
}

/** Below it an output costs more to spend than a third of it at 3 sat/vB. Source: Bitcoin Core, GetDustThreshold. */
export function dustBelow(script: Uint8Array): bigint {
  if (script[0] === 0x6a) return 0n
  const spend = isWitnessProgram(script) ? 67 : 148
  return 3n * BigInt(8 + (script.length < 0xfd ? 1 : 3) + script.length + spend)
}
