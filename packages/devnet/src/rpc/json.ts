/** A number with its text: what no double holds, and an id that goes back as it came. */
export class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What an RPC answers. A bigint is satoshi and is written as bitcoins with 8 decimals, as Core does. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | JsonNumber
  | readonly Json[]
  | { readonly [key: string]: Json | undefined }

/** Core's text of a double: 16 significant digits, C++ style exponents. */
function writeNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return `${value}`
  const [mantissa = '0', exponent = '0'] = value.toExponential(15).split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 16) return trimZeros(value.toPrecision(16))
  const digits = Math.abs(power).toString().padStart(2, '0')
  return `${trimZeros(mantissa)}e${power < 0 ? '-' : '+'}${digits}`
}
const trimZeros = (text: string): string =>
  text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text

/** Satoshi as bitcoins with exactly 8 decimals. */
export function writeAmount(value: bigint): string {
  const size = value < 0n ? -value : value
  const decimals = (size % 100_000_000n).toString().padStart(8, '0')
  return `${value < 0n ? '-' : ''}${size / 100_000_000n}.${decimals}`
}

/** Core also escapes the one control character that JSON leaves alone. */
const writeText = (text: string): string => JSON.stringify(text).replaceAll('\x7f', '\\u007f')

/** JSON without spaces, byte for byte as Core writes it. Members that are undefined are left out. */
export function writeJson(value: Json): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'bigint':
      return writeAmount(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'string':
      return writeText(value)
    default:
      break
  }
  if (value instanceof JsonNumber) return value.text
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`
  const members: string[] = []
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${writeText(key)}:${writeJson(member)}`)
  }
  return `{${members.join(',')}}`
}
