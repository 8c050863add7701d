const INPUT =
  '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
const OUTPUT = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn]

function step(state: bigint, value: number): bigint {
  const top = state >> 35n
  const moved = ((state & 0x7_ffff_ffffn) << 5n) ^ BigInt(value)
  return GENERATOR.reduce((next, term, i) => ((top >> BigInt(i)) & 1n ? next ^ term : next), moved)
}

/** The eight characters behind `#`; empty for a text with characters that no descriptor has. Source: BIP 380. */
export function checksumOf(body: string): string {
  const places = [...body].map((character) => INPUT.indexOf(character))
  if (places.includes(-1)) return ''
  let state = 1n
  for (let i = 0; i < places.length; i += 3) {
    const group = places.slice(i, i + 3)
    for (const place of group) state = step(state, place & 31)
    state = step(
      state,
      group.reduce((sum, place) => sum * 3 + (place >> 5), 0),
    )
  }
  for (let i = 0; i < 8; i++) state = step(state, 0)
  state ^= 1n
  return Array.from({ length: 8 }, (_, i) =>
    OUTPUT.charAt(Number((state >> BigInt(5 * (7 - i))) & 31n)),
  ).join('')
}
