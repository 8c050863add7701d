/** Where a bech32 text went wrong. Source: BIP 173, BIP 350; Core says it in `validateaddress`. */

const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
const MAX_LENGTH = 90
const CHECKSUM_LENGTH = 6
const CONSTANTS = [
  ['Bech32', 1],
  ['Bech32m', 0x2bc830a3],
] as const

function step(checksum: number, value: number): number {
  const top = checksum >>> 25
  let next = ((checksum & 0x1ffffff) << 5) ^ value
  GENERATOR.forEach((word, i) => {
    if ((top >>> i) & 1) next ^= word
  })
  return next >>> 0
}
function polymod(prefix: string, values: readonly number[]): number {
  const codes = [...prefix].map((letter) => letter.charCodeAt(0))
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)]
  return [...expanded, ...values].reduce(step, 1)
}
/** What an error of this value, so many symbols before the end, does to the checksum. The code is linear. */
function effect(value: number, fromEnd: number): number {
  let checksum = value
  for (let i = 0; i < fromEnd; i++) checksum = step(checksum, 0)
  return checksum
}
/**
 * Places (from the end) of one or two wrong symbols that explain the checksum. The code has distance 5: there is at most one
 * such explanation.
 */
function explain(residue: number, length: number): readonly number[] {
  const places = new Map<number, number>()
  for (let at = 0; at < length; at++) {
    for (let value = 1; value < 32; value++) places.set(effect(value, at), at)
  }
  const single = places.get(residue)
  if (single !== undefined) return [single]
  for (const [one, at] of places) {
    const other = places.get((residue ^ one) >>> 0)
    if (other !== undefined && other !== at) return at > other ? [at, other] : [other, at]
  }
  return []
}

function wrongLetters(text: string): readonly number[] {
  const wrong: number[] = []
  let hasLower = false
  let hasUpper = false
  for (const [i, letter] of [...text].entries()) {
    const code = letter.charCodeAt(0)
    if (letter >= 'a' && letter <= 'z') {
      if (hasUpper) wrong.push(i)
      else hasLower = true
    } else if (letter >= 'A' && letter <= 'Z') {
      if (hasLower) wrong.push(i)
      else hasUpper = true
    } else if (code < 33 || code > 126) wrong.push(i)
  }
  return wrong
}

export interface Bech32Fault {
  readonly message: string
  /** Indices into the text. */
  readonly locations: readonly number[]
}
/** What is wrong with a text that is no bech32; an empty message when nothing is. */
export function locateErrors(text: string): Bech32Fault {
  const { length } = text
  if (length > MAX_LENGTH) {
    const locations = Array.from({ length: length - MAX_LENGTH }, (_, i) => MAX_LENGTH + i)
    return { message: 'Bech32 string too long', locations }
  }
  const wrong = wrongLetters(text)
  if (wrong.length > 0) return { message: 'Invalid character or mixed case', locations: wrong }
  const separator = text.lastIndexOf('1')
  if (separator < 0) return { message: 'Missing separator', locations: [] }
  if (separator === 0 || separator + CHECKSUM_LENGTH >= length) {
    return { message: 'Invalid separator position', locations: [separator] }
  }
  const lower = text.toLowerCase()
  const values = [...lower.slice(separator + 1)].map((letter) => CHARSET.indexOf(letter))
  const strange = values.indexOf(-1)
  if (strange >= 0) {
    return { message: 'Invalid Base 32 character', locations: [separator + 1 + strange] }
  }
  const checksum = polymod(lower.slice(0, separator), values)
  let best: { readonly name: string; readonly places: readonly number[] } | undefined
  for (const [name, constant] of CONSTANTS) {
    const residue = (checksum ^ constant) >>> 0
    if (residue === 0) return { message: '', locations: [] }
    const places = explain(residue, values.length)
    if (places.length > 0 && (!best || places.length < best.places.length)) best = { name, places }
  }
  if (!best) return { message: 'Invalid checksum', locations: [] }
  const locations = best.places.map((place) => length - 1 - place)
  return { message: `Invalid ${best.name} checksum`, locations }
}

/** Prefix and symbols of a text whose checksum holds; undefined otherwise. */
export function decodeBech32(
  text: string,
):
  | { readonly prefix: string; readonly values: readonly number[]; readonly modern: boolean }
  | undefined {
  if (locateErrors(text).message !== '') return undefined
  const lower = text.toLowerCase()
  const separator = lower.lastIndexOf('1')
  const prefix = lower.slice(0, separator)
  const all = [...lower.slice(separator + 1)].map((letter) => CHARSET.indexOf(letter))
  const modern = polymod(prefix, all) === CONSTANTS[1][1]
  return { prefix, values: all.slice(0, -CHECKSUM_LENGTH), modern }
}
