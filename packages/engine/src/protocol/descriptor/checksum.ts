import { ok, type Refusal, type Result, refuse } from '../../kernel/index.ts'

const INPUT =
  '0123456789()[],\'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~ijklmnopqrstuvwxyzABCDEFGH`#"\\ '
const OUTPUT = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const LENGTH = 8
const GENERATOR = [
  0xf5dee51989n,
  0xa9fdca3312n,
  0x1bab10e32dn,
  0x3706b1677an,
  0x644d626ffdn,
] as const

function step(state: bigint, value: number): bigint {
  const top = state >> 35n
  let next = ((state & 0x7ffffffffn) << 5n) ^ BigInt(value)
  for (const [i, term] of GENERATOR.entries()) if ((top >> BigInt(i)) & 1n) next ^= term
  return next
}

/** The offset of the first character that a descriptor cannot have; -1 when there is none. Source: BIP 380. */
export function foreignCharacterAt(text: string): number {
  for (let i = 0; i < text.length; i++) if (!INPUT.includes(text.charAt(i))) return i
  return -1
}

/** The eight characters for a descriptor without `#`. Undefined for characters outside the set. Source: BIP 380. */
export function descriptorChecksum(body: string): string | undefined {
  let state = 1n
  let group = 0
  let count = 0
  for (const character of body) {
    const value = INPUT.indexOf(character)
    if (value < 0) return undefined
    state = step(state, value & 31)
    group = group * 3 + (value >> 5)
    count += 1
    if (count < 3) continue
    state = step(state, group)
    group = 0
    count = 0
  }
  if (count > 0) state = step(state, group)
  for (let i = 0; i < LENGTH; i++) state = step(state, 0)
  state ^= 1n
  let text = ''
  for (let i = 0; i < LENGTH; i++)
    text += OUTPUT.charAt(Number((state >> BigInt(5 * (7 - i))) & 31n))
  return text
}

/** Splits `body#checksum` and holds the checksum, where there is one, against the body. */
export function verifyChecksum(
  text: string,
  isRequired: boolean,
): Result<string, Refusal<'DESCRIPTOR_INVALID' | 'DESCRIPTOR_CHECKSUM'>> {
  const foreign = foreignCharacterAt(text)
  if (foreign >= 0) {
    return refuse('DESCRIPTOR_INVALID', `the descriptor has a foreign character at ${foreign}`, {
      param: 'descriptor',
      details: { position: foreign, reason: 'foreign character' },
    })
  }
  const no = (reason: string) =>
    refuse('DESCRIPTOR_CHECKSUM', `the descriptor ${reason}`, {
      param: 'descriptor',
      details: { reason },
    })
  const mark = text.indexOf('#')
  if (mark < 0) return isRequired ? no('has no checksum') : ok(text)
  const given = text.slice(mark + 1)
  const body = text.slice(0, mark)
  if (given.includes('#')) return no('has more than one #')
  if (given.length !== LENGTH)
    return no(`has a checksum of ${given.length} characters instead of ${LENGTH}`)
  // The right checksum is not told: it would teach people to repair a typo by copying it.
  if (given !== descriptorChecksum(body))
    return no('does not fit its checksum: a character is wrong')
  return ok(body)
}
