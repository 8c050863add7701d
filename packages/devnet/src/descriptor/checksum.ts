const INPUT =
  '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
const OUTPUT = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn]

/** The eight letters after `#`; undefined when a character may not stand in a descriptor. Source: BIP 380. */
export function descriptorChecksum(text: string): string | undefined {
  let state = 1n
  const feed = (value: number) => {
    const top = state >> 35n
    state = ((state & 0x7ffffffffn) << 5n) ^ BigInt(value)
    GENERATOR.forEach((term, i) => {
      if ((top >> BigInt(i)) & 1n) state ^= term
    })
  }
  let group = 0
  let count = 0
  for (const letter of text) {
    const at = INPUT.indexOf(letter)
    if (at < 0) return undefined
    feed(at & 31)
    group = group * 3 + (at >> 5)
    count += 1
    if (count % 3 === 0) {
      feed(group)
      group = 0
    }
  }
  if (count % 3 > 0) feed(group)
  for (let i = 0; i < 8; i++) feed(0)
  state ^= 1n
  let checksum = ''
  for (let i = 7; i >= 0; i--) checksum += OUTPUT[Number((state >> BigInt(5 * i)) & 31n)]
  return checksum
}
export const withChecksum = (text: string): string => `${text}#${descriptorChecksum(text) ?? ''}`
