import type { Entropy } from '@kaccy/bitcoin/kernel'

/** Bytes from a counter-mode hash of the seed: the same run twice gives the same ids. */
export function seededEntropy(seed: number): Entropy {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n
  return {
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) {
        state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn
        bytes[i] = Number(state >> 33n) & 0xff
      }
      return bytes
    },
  }
}
